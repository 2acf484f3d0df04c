"""What changed in an operation: its place, names, parameters, request body and response."""

from __future__ import annotations

import re
from dataclasses import replace

from codegen.diff.classes import Names, Subject
from codegen.diff.report import Effect
from codegen.diff.types import Value
from codegen.openapi.names import camel, parameter_name
from codegen.openapi.nodes import Node, resolve
from codegen.openapi.operations import Operation, Response, callers_parameters, read_response, request_schema
from codegen.openapi.shapes import shape, whole

Versions = tuple[Operation, Operation]
"""An operation before and after."""


def compare_operations(name: str, versions: Versions, names: Names) -> Subject:
    """What changed in an operation that both documents have."""
    was, now = versions
    found = Subject(name, "operation", names)
    if was.key != now.key:
        found.add("changed", f"moved: {was.place} is now {now.place}", Effect.BREAKS)
    if names.compared:
        _compare_names(found, versions)
    found.compare_texts(name, was.node, now.node, Effect.HARMLESS)
    _compare_parameters(found, versions)
    _compare_bodies(found, versions)
    _compare_responses(found, versions)
    if was.success_codes != now.success_codes:
        codes = ", ".join(now.success_codes)
        found.add("changed", f"succeeds with {codes}; the client accepts any 2xx", Effect.TEXT)
    for key in ("x-rate-tier", "x-idempotency"):
        before, after = was.node.get(key), now.node.get(key)
        if names.compared and before != after:
            what = key.removeprefix("x-").replace("-", " ")
            found.add("changed", f"{what} {before} is now {after}", Effect.TEXT)
    return found


def _compare_names(found: Subject, versions: Versions) -> None:
    """Names of ours that callers use: of the constant, of the method, of path parameters."""
    was, now = versions
    if was.name != now.name:
        found.add("changed", f"the operation is now called {now.name}", Effect.BREAKS)
    methods = [f"{o.node['x-resource']}.{o.node.get('x-method')}" for o in versions if "x-resource" in o.node]
    if len(set(methods)) == 2:
        found.add("changed", f"the method {methods[0]} is now {methods[1]}", Effect.BREAKS)
    paths = [[parameter_name(one) for one in o.parameters if one["in"] == "path"] for o in versions]
    if paths[0] != paths[1]:
        found.add("changed", f"the path takes {', '.join(paths[1]) or 'nothing'}", Effect.BREAKS)


def _compare_parameters(found: Subject, versions: Versions) -> None:
    old, new = (callers_parameters(operation) for operation in versions)
    for wire in dict.fromkeys([*old, *new]):
        place = f"{found.place}.{wire}"
        if wire not in new:
            found.add("removed", "the parameter is gone", Effect.BREAKS, place)
            continue
        now = new[wire]
        after = Value.at(now.get("schema", {}), versions[1].document, place)
        is_required = now.get("required", False)
        if wire not in old:
            text = f"{after.type}, required" if is_required else after.type
            found.add("added", text, Effect.BREAKS if is_required else Effect.ARGUMENT, place)
            continue
        was = old[wire]
        names = [parameter_name(parameter) for parameter in (was, now)]
        if found.names.compared and names[0] != names[1]:
            found.add("changed", f"{names[0]} is now {names[1]}", Effect.BREAKS, place)
        found.compare_required(place, was.get("required", False), is_required)
        before = Value.at(was.get("schema", {}), versions[0].document, place)
        found.compare_values(place, before, after, "request")
        found.compare_texts(place, was, now)


def _compare_bodies(found: Subject, versions: Versions) -> None:
    (old, old_problem), (new, new_problem) = (request_schema(operation) for operation in versions)
    place = f"{found.place} body"
    if old_problem != new_problem:
        found.add("changed", new_problem or "takes JSON now", Effect.BREAKS, place)
    name = _class_name(found.place, "body")
    before, after = _value(old, versions[0], name), _value(new, versions[1], name)
    if before and after:
        # What a webhook posts is received.
        found.compare_values(place, before, after, "response" if versions[1].method == "webhook" else "request")
    elif before:
        found.add("removed", f"no longer takes {before.type}", Effect.BREAKS, place)
    elif after:
        body = resolve(after.document, place, versions[1].node["requestBody"])
        is_required = body.get("required") or whole(after.shape, after.document).schema.get("required")
        found.add("added", f"takes {after.type}", Effect.BREAKS if is_required else Effect.ARGUMENT, place)


def _compare_responses(found: Subject, versions: Versions) -> None:
    old, new = (read_response(operation) for operation in versions)
    if old.problem != new.problem:
        text = new.problem or "responds with the envelope (success, data, error, meta) now"
        found.add("changed", text, Effect.BREAKS)
        return
    name = _class_name(found.place, "data")
    before, after = (
        _value(said.schema if said.problem else said.data, operation, name)
        for said, operation in zip((old, new), versions, strict=True)
    )
    if before and after:
        found.compare_values(found.place, before, after, "response")
    elif before or after:
        gives = [value.type if value else "nothing" for value in (before, after)]
        found.add("changed", f"gives {gives[1]} instead of {gives[0]}", Effect.TYPE)
    for part in ("error", "meta") if not old.problem else ():
        was, now = _envelope_part(old, versions[0], part), _envelope_part(new, versions[1], part)
        if was and now:
            found.compare_values(f"{found.place}.{part}", was, now, "response")


def _value(schema: Node | None, operation: Operation, name: str) -> Value | None:
    return Value.at(schema, operation.document, name) if schema is not None else None


def _envelope_part(response: Response, operation: Operation, part: str) -> Value | None:
    """The error or the meta of an envelope, either of which may be missing."""
    body = whole(shape(response.schema or {}, operation.document, part), operation.document)
    found = _value(body.schema.get("properties", {}).get(part), operation, camel(part))
    return replace(found, shape=replace(found.shape, nullable=True)) if found else None


def _class_name(name: str, part: str) -> str:
    """A class name for what has none."""
    return camel(re.sub(r"\W+", "_", name)) + camel(part)
