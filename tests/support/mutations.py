"""Changes of an OpenAPI document at random: what a vendor may do to its API, in the places that hypothesis draws."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any, Final

from hypothesis import strategies as st

from codegen.openapi.nodes import METHODS, Node, nodes
from tests.support.things import SCHEMAS

MOVED_OR_GONE: Final = ("operation gone", "path moved", "method changed")
OPERATIONS: Final = (
    *("operation new", "deprecated"),
    *("parameter gone", "parameter new", "parameter required", "parameter value"),
    *("body", "body gone", "body is a list", "body is a form", "response", "response without an envelope"),
)
MEMBERS: Final = (
    *("schema", "schema renamed", "member gone", "member new", "member renamed", "member", "member deprecated"),
    *("format", "nullable", "required", "enum value gone", "enum value new", "descriptions gone"),
    *("data is called result", "envelope holds more"),
)
DANGLING: Final = "reference to nothing"
"""After this one the document is no longer valid."""


class Mutated(dict[str, Any]):
    """A document whose repr is short: where it comes from, and what was done to it."""

    def __repr__(self) -> str:
        return f"{self['info']['title']}: {'; '.join(self['info'].get('x-done', ()))}"


@st.composite
def mutations(draw: st.DrawFn, documents: st.SearchStrategy[Mutated], kinds: Iterable[str]) -> Mutated:
    """One of the documents after one to four changes of these kinds."""
    found = copy.deepcopy(draw(documents))
    done: list[str] = found["info"].setdefault("x-done", [])
    for kind in draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=4)):
        done.append(f"{kind}: {_mutate(draw, found, kind)}")
    return found


def _mutate(draw: st.DrawFn, found: Node, kind: str) -> object:
    """Change the document; what was changed, for a reader."""
    if kind in (*MOVED_OR_GONE, *OPERATIONS):
        return _mutate_operation(draw, found, kind)
    if kind in ("schema renamed", "descriptions gone"):
        return _mutate_text(draw, found, kind)
    return _mutate_schema(draw, found, kind)


def _one(draw: st.DrawFn, values: Iterable[Any]) -> Any:
    return draw(st.sampled_from(sorted(values)))


def _mutate_operation(draw: st.DrawFn, found: Node, kind: str) -> object:
    places = [(path, method) for path, item in found["paths"].items() for method in item if method in METHODS]
    if not places:
        return "nothing"
    path, method = _one(draw, places)
    item: Node = found["paths"][path]
    node: Node = item[method]
    value = _value(draw, found)
    content = {"application/json": {"schema": value}}
    place = f"{method} {path}"
    match kind:
        case "operation gone":
            del item[method]
        case "operation new":
            found["paths"]["/v9/new"] = {method: copy.deepcopy(node)}
        case "path moved":
            found["paths"][f"/v9{path}"] = found["paths"].pop(path)
        case "method changed":
            item["trace"] = item.pop(method)
        case "deprecated":
            node["deprecated"] = True
        case "parameter new":
            required = draw(st.booleans())
            node.setdefault("parameters", []).append(
                {"name": "new", "in": "query", "required": required, "schema": value}
            )
            return place, required, value
        case "parameter gone" if node.get("parameters"):
            node["parameters"].pop(draw(st.integers(0, len(node["parameters"]) - 1)))
        case "parameter required" | "parameter value" if node.get("parameters"):
            number = draw(st.integers(0, len(node["parameters"]) - 1))
            said = {"required": True} if kind == "parameter required" else {"schema": value}
            if "name" in node["parameters"][number]:
                node["parameters"][number] |= said
            return place, number, said
        case "body gone":
            node.pop("requestBody", None)
        case "body is a form":
            node["requestBody"] = {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}
        case "body":
            node["requestBody"] = {"content": content}
            return place, value
        case "body is a list":
            content["application/json"]["schema"] = {"type": "array", "items": value}
            node["requestBody"] = {"content": content}
            return place, value
        case "response without an envelope":
            node["responses"] = {"200": {"description": "", "content": content}}
            return place, value
        case "response":
            envelope = {"type": "object", "properties": {"success": {"type": "boolean"}, "data": value}}
            content["application/json"]["schema"] = envelope
            node["responses"] = {"200": {"description": "", "content": content}}
            return place, value
        case _:
            return "nothing"
    return place


def _mutate_text(draw: st.DrawFn, found: Node, kind: str) -> object:
    if kind == "descriptions gone":
        for node in nodes(found["components"]["schemas"]):
            if isinstance(node.get("description"), str):
                del node["description"]
        return ""
    name = _one(draw, found["components"]["schemas"])
    text = (
        json.dumps(found).replace(f'{SCHEMAS}{name}"', f'{SCHEMAS}{name}Dto"').replace(f'"{name}": ', f'"{name}Dto": ')
    )
    found |= json.loads(text)
    return name


def _mutate_schema(draw: st.DrawFn, found: Node, kind: str) -> object:
    schemas: Node = found["components"]["schemas"]
    value = _value(draw, found)
    envelopes = [name for name, schema in schemas.items() if "success" in schema.get("properties", {})]
    if kind in ("data is called result", "envelope holds more"):
        if not envelopes:
            return "nothing"
        name = _one(draw, envelopes)
        members: Node = schemas[name]["properties"]
        members |= {"result": members.pop("data", value)} if kind == "data is called result" else {"trace": value}
        return name
    name = _one(draw, schemas)
    members = schemas[name].get("properties", {})
    if kind == "schema":
        schemas[name] = {key: said for key, said in value.items() if key != "$ref"}
        return name, value
    if kind == "member new":
        schemas[name].setdefault("properties", {})["brandNew"] = value
        return name, value
    if not members:
        return "nothing"
    key = _one(draw, members)
    member: Node = members[key]
    match kind:
        case "member gone":
            del members[key]
        case "member renamed":
            members[f"{key}Renamed"] = members.pop(key)
        case "member deprecated":
            member["deprecated"] = True
        case "format":
            members[key] = {"type": "string", "format": _one(draw, ("date", "date-time", "time", "duration", "guid"))}
        case "nullable":
            members[key] = {**member, "nullable": not member.get("nullable")}
        case "required":
            required: list[str] = schemas[name].get("required", [])
            schemas[name]["required"] = [*required, key] if key not in required else [*required][1:] or [key]
        case "enum value gone" if len(member.get("enum", ())) > 1:
            member["enum"] = member["enum"][1:]
        case "enum value new" if "enum" in member:
            member["enum"] = [*member["enum"], "brand_new"]
        case "reference to nothing":
            members[key] = {"$ref": f"{SCHEMAS}Nothing"}
        case "member":
            members[key] = value
        case _:
            return "nothing"
    return name, key, members.get(key)


def _value(draw: st.DrawFn, found: Node) -> Node:
    """A schema of any kind, which may refer to one or two of the document's."""
    known = found["components"]["schemas"].items()
    schemas = sorted(name for name, schema in known if "success" not in schema.get("properties", {})) or ["Nothing"]
    one, two = ({"$ref": SCHEMAS + draw(st.sampled_from(schemas))} for _ in range(2))
    return copy.deepcopy(
        draw(
            st.sampled_from(
                [
                    *({"type": kind} for kind in ("string", "integer", "number", "boolean", "object")),
                    *({"type": "string", "format": form} for form in ("date-time", "date", "uri", "guid")),
                    {"type": "integer", "enum": [1]},
                    {"type": "string", "enum": ["a", "b"]},
                    {"type": "string", "format": "date", "enum": ["a", "b"]},
                    {"type": "string", "maxLength": 3},
                    {},
                    {"type": "array", "items": {}},
                    {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
                    {"type": "array", "items": one},
                    {"type": "array", "items": {"type": "object", "properties": {"z": {"type": "string"}}}},
                    {"type": "object", "properties": {"z": one, "y": {"type": "string", "enum": ["c"]}}},
                    {"type": "object", "additionalProperties": one},
                    {"oneOf": [one, two]},
                    {"oneOf": [one, {"type": "integer"}]},
                    {"anyOf": [{"type": "string"}, {"type": "number"}]},
                    {"allOf": [one, {"type": "object", "properties": {"z": {}}}]},
                    {"not": {"type": "string"}},
                    one,
                ]
            )
        )
    )
