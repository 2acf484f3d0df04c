"""Questions about an OpenAPI document: its references, its operations. Nothing here writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, Final, TypeGuard, cast

Node = dict[str, Any]
"""A JSON object of the document."""

SCHEMAS: Final = "#/components/schemas/"
METHODS: Final = ("get", "put", "post", "patch", "delete", "head", "options", "trace")
RATE_TIERS: Final = ("standard", "sensitive")
IDEMPOTENCY: Final = ("automatic", "explicit", "none")


class SpecError(Exception):
    """The fragment cannot be used. The message names the place and what is wrong there."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One operation as the client needs it."""

    name: str
    method: str
    path: str
    summary: str
    deprecated: bool
    path_parameters: dict[str, str]
    """Python name to wire name."""
    query_parameters: dict[str, str]
    body: str | None
    """Component of the request body."""
    data: str | None
    """Component of the envelope's ``data``; ``None`` when there is none to read."""
    data_is_list: bool
    success: tuple[int, ...]
    rate_tier: str
    idempotency: str


def is_node(value: object) -> TypeGuard[Node]:
    """Whether a value is a JSON object. The loader has seen to it that keys are strings."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a value is a JSON array."""
    return isinstance(value, list)


def snake(name: str) -> str:
    """The Python spelling of a wire name: ``profileId`` is ``profile_id``."""
    words = re.sub(r"([A-Z]+)([A-Z][a-z])|([a-z0-9])([A-Z])", r"\1\3_\2\4", name)
    return re.sub(r"\W", "_", words).lower()


def escaped(key: str) -> str:
    """A key as a JSON pointer writes it."""
    return key.replace("~", "~0").replace("/", "~1")


def references(node: object, place: str = "#") -> Iterator[tuple[str, str]]:
    """Every ``$ref`` below a node, with the place it stands at."""
    if is_node(node):
        if isinstance(ref := node.get("$ref"), str):
            yield place, ref
        for key, value in node.items():
            yield from references(value, f"{place}/{escaped(key)}")
    elif is_list(node):
        for index, value in enumerate(node):
            yield from references(value, f"{place}/{index}")


def nodes(node: object) -> Iterator[Node]:
    """A node and every object below it."""
    if is_node(node):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif is_list(node):
        for value in node:
            yield from nodes(value)


def is_envelope(name: str) -> bool:
    """Whether a component is the wrapping of an answer. Those are never classes."""
    return name.endswith("Envelope")


def component(schema: Node) -> str | None:
    """Name of the component that a schema refers to: a class or an enum, no envelope, no part of one."""
    name = str(schema.get("$ref", "")).removeprefix(SCHEMAS)
    return name if re.fullmatch(r"\w+", name) and not is_envelope(name) else None


def schema_names(node: object) -> set[str]:
    """Names of the component schemas that a node refers to, directly."""
    return {ref.removeprefix(SCHEMAS) for _, ref in references(node) if ref.startswith(SCHEMAS)}


def reachable(schemas: Node, roots: set[str]) -> set[str]:
    """The roots and every component schema they lead to."""
    found: set[str] = set()
    waiting = sorted(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(schema_names(schemas[name]))
    return found


def lookup(document: Node, place: str, ref: str) -> Any:
    """What a local reference points at."""
    if not ref.startswith("#/"):
        raise SpecError(place, f"$ref {ref!r} leaves the document")
    node: Any = document
    for part in ref[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not is_node(node) or key not in node:
            raise SpecError(place, f"$ref {ref!r} points at nothing")
        node = node[key]
    return node


def resolve(document: Node, place: str, node: Node) -> Node:
    """The node itself, or what its ``$ref`` names."""
    seen: set[str] = set()
    while isinstance(ref := node.get("$ref"), str):
        if ref in seen:
            raise SpecError(place, f"$ref {ref!r} leads back to itself")
        seen.add(ref)
        node = cast("Node", lookup(document, place, ref))
    return node


def read_operations(document: Node) -> tuple[OperationRow, ...]:
    """The operation table, in document order."""
    rows: list[OperationRow] = []
    for path, path_item in document.get("paths", {}).items():
        item = resolve(document, path, path_item)
        rows += [_read_operation(document, path, item, method) for method in item if method in METHODS]
    return tuple(rows)


def _read_operation(document: Node, path: str, item: Node, method: str) -> OperationRow:
    place = f"{method.upper()} {path}"
    operation: Node = item[method]
    name = operation.get("operationId")
    if not isinstance(name, str):
        raise SpecError(place, "operationId is missing")
    if not re.fullmatch(r"[a-z][A-Za-z0-9]*", name):
        raise SpecError(place, f"operationId {name!r} is not in camelCase")
    parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
    resolved = [resolve(document, place, parameter) for parameter in parameters]
    data, data_is_list, success = _read_success(document, place, operation.get("responses", {}))
    return OperationRow(
        name=name,
        method=method.upper(),
        path=path,
        summary=operation.get("summary", name),
        deprecated=operation.get("deprecated", False),
        path_parameters=_parameter_names(place, resolved, "path"),
        query_parameters=_parameter_names(place, resolved, "query"),
        body=_read_body(document, place, operation),
        data=data,
        data_is_list=data_is_list,
        success=success,
        rate_tier=_choice(place, operation, "x-rate-tier", RATE_TIERS),
        idempotency=_choice(place, operation, "x-idempotency", IDEMPOTENCY),
    )


def _choice(place: str, operation: Node, key: str, choices: tuple[str, ...]) -> str:
    value = operation.get(key)
    if value not in choices:
        raise SpecError(place, f"{key} must be one of {', '.join(choices)}, not {value!r}")
    return str(value)


def _parameter_names(place: str, parameters: list[Node], location: str) -> dict[str, str]:
    # Header parameters are the client's business (key, acting profile, idempotency), not a caller's.
    names: dict[str, str] = {}
    for parameter in parameters:
        if parameter["in"] == location:
            wire = parameter["name"]
            name = parameter.get("x-python-name", snake(wire))
            if not name.isidentifier() or iskeyword(name):
                raise SpecError(place, f"parameter {wire!r} needs an x-python-name")
            if names.setdefault(name, wire) != wire:
                raise SpecError(place, f"parameters {names[name]!r}, {wire!r} are both {name!r}")
    return names


def _read_body(document: Node, place: str, operation: Node) -> str | None:
    if "requestBody" not in operation:
        return None
    body = resolve(document, place, operation["requestBody"])
    schema: Node = body["content"].get("application/json", {}).get("schema", {})
    name = component(schema)
    if name is None or "properties" not in document["components"]["schemas"][name]:
        raise SpecError(f"{place} requestBody", "inline object: a body must be a $ref to an object component")
    return name


def _read_success(document: Node, place: str, responses: Node) -> tuple[str | None, bool, tuple[int, ...]]:
    codes = tuple(sorted(int(code) for code in responses if re.fullmatch(r"2\d\d", code)))
    if not codes:
        raise SpecError(place, "no 2xx response")
    found: set[tuple[str, bool]] = set()
    for code in codes:
        response = resolve(document, place, responses[str(code)])
        if content := response.get("content"):
            schema = content.get("application/json", {}).get("schema", {})
            found |= _envelope_data(document, f"{place} {code}", schema)
    if len(found) > 1:
        names = ", ".join(sorted(name for name, _ in found))
        raise SpecError(place, f"its 2xx responses promise different data: {names}")
    name, is_list = found.pop() if found else (None, False)
    return name, is_list, codes


def _envelope_data(document: Node, place: str, schema: Node) -> set[tuple[str, bool]]:
    name = str(schema.get("$ref", "")).removeprefix(SCHEMAS)
    if not is_envelope(name):
        raise SpecError(place, "a response body must be a $ref to an …Envelope component")
    data: Node = resolve(document, place, schema).get("properties", {}).get("data", {})
    if data.get("type") == "null":
        return set()
    data, _ = split_null(f"{SCHEMAS}{name}/properties/data", data)
    is_array = data.get("type") == "array"
    target = component(data.get("items", {}) if is_array else data)
    if target is None:
        problem = "inline object: data must be a $ref to a component, an array of one, or null"
        raise SpecError(f"{SCHEMAS}{name}/properties/data", problem)
    return {(target, is_array)}


def split_null(place: str, schema: Node) -> tuple[Node, bool]:
    """A schema without its ``null``, and whether it had one. Both 3.1 spellings are understood."""
    types = schema.get("type")
    if is_list(types):
        rest = [name for name in types if name != "null"]
        return {**schema, "type": rest[0] if len(rest) == 1 else rest}, "null" in types
    if is_list(branches := schema.get("anyOf")):
        rest = [branch for branch in branches if branch.get("type") != "null"]
        if len(rest) != 1:
            raise SpecError(place, "anyOf is for one schema and null")
        return {**rest[0], **{k: v for k, v in schema.items() if k != "anyOf"}}, len(rest) < len(branches)
    return schema, False
