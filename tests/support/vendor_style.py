"""Our own description in the style of the vendor's generator, for tests. It is derived, and not the vendor's."""

from __future__ import annotations

from functools import cache
from typing import Any

from codegen.importer.name_map import Covered, NameMap
from codegen.openapi.names import camel
from codegen.openapi.nodes import Node, closure, is_list, is_node, split_null
from codegen.openapi.operations import Operation, callers_parameters, operations, read_response, request_schema
from tests.support.things import SCHEMAS, document

PREFIX = "SentDmServicesCommonContractsPOCOs"
ABOUT = "Derived from the fragment of this project for its tests. Not a document of the vendor's."


@cache
def fragments() -> dict[str, Node]:
    """Our fragment in parts, each of which is valid: one for each path, with all that its operations lead to."""
    whole = document("ours")
    return {path: _part(whole, {path: item}) for path, item in whole["paths"].items()}


def _part(whole: Node, paths: Node) -> Node:
    components: Node = {}
    for kind, key in sorted(closure(whole, paths)):
        components.setdefault(kind, {})[key] = whole["components"][kind][key]
    kept = {key: whole[key] for key in ("openapi", "info", "servers", "x-resources")}
    return {**kept, "paths": paths, "components": components}


def names_of(fragment: Node) -> NameMap:
    """The name map of a fragment whose operations the vendor has at the same places."""
    return NameMap(
        {
            one.name: Covered(one.method, one.path, one.node["x-resource"], one.node["x-method"])
            for one in operations(fragment).values()
        },
        {},
    )


def in_vendor_style(fragment: Node) -> Node:
    """OpenAPI 3.0 with namespaces, inline enums, an envelope for each response, and none of our extensions."""
    writer = _Writer(fragment)
    paths: Node = {}
    for operation in operations(fragment).values():
        paths.setdefault(operation.path, {})[operation.method.lower()] = writer.operation(operation)
    for name, schema in fragment["components"]["schemas"].items():
        if "properties" in schema and not name.endswith("Envelope"):
            writer.schemas[PREFIX + name] = writer.schema(schema)
    info = {"title": "Public API", "version": "1.0.0", "description": ABOUT}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": writer.schemas}}


class _Writer:
    def __init__(self, fragment: Node) -> None:
        self.fragment = fragment
        self.schemas: Node = {}

    def operation(self, operation: Operation) -> Node:
        """An operation with all that it says inline, but for the objects."""
        path = [parameter for parameter in operation.parameters if parameter["in"] == "path"]
        node: Node = {
            "operationId": f"SentDmServicesEndpointsCustomerAPIv3{camel(operation.name)}Endpoint",
            "summary": operation.node["summary"],
            "parameters": [self._parameter(one) for one in (*path, *callers_parameters(operation).values())],
            "responses": {"200": {"description": ""}},
        }
        if operation.node.get("deprecated"):
            node["deprecated"] = True
        if (body := request_schema(operation)[0]) is not None:
            node["requestBody"] = {"content": {"application/json": {"schema": self.schema(body)}}}
        found = read_response(operation)
        if found.schema is not None:
            envelope = f"ApiResponseOf{camel(operation.name)}"
            members: Node = {"success": {"type": "boolean"}, "data": self.schema(found.data) if found.data else None}
            for part in ("error", "meta"):
                ours = self.fragment["components"]["schemas"]["Envelope"]["properties"]
                members[part] = self.schema(ours[part]) if part in ours else None
            said = {key: value for key, value in members.items() if value is not None}
            self.schemas[envelope] = {"type": "object", "properties": said}
            content = {"application/json": {"schema": {"$ref": SCHEMAS + envelope}}}
            node["responses"] = {"200": {"description": "", "content": content}}
        return node

    def _parameter(self, ours: Node) -> Node:
        said: Node = {key: ours[key] for key in ("name", "in", "required", "description", "deprecated") if key in ours}
        return {**said, "schema": self.schema(ours["schema"])}

    def schema(self, ours: Any) -> Any:
        """A schema as NSwag writes it."""
        if not is_node(ours):
            return ours
        plain, is_nullable = split_null(ours)
        written = {key: value for key, value in plain.items() if not key.startswith(("x-", "example"))}
        if "$ref" in written:
            written = self._reference(written)
        elif is_list(written.get("type")):
            kinds = written.pop("type")
            written["anyOf"] = [{"type": kind} for kind in kinds]
        if "properties" in written:
            written["properties"] = {name: self.schema(member) for name, member in written["properties"].items()}
        for key in ("items", "additionalProperties"):
            if key in written:
                written[key] = self.schema(written[key])
        return {**written, "nullable": True} if is_nullable else written

    def _reference(self, schema: Node) -> Node:
        name = schema["$ref"].removeprefix(SCHEMAS)
        target = self.fragment["components"]["schemas"][name]
        if "enum" in target:
            return {"type": "string", "enum": target["enum"], **{k: v for k, v in schema.items() if k != "$ref"}}
        # In one of its two spellings.
        reference = {"$ref": f"{SCHEMAS}{PREFIX}{name}"}
        texts = {key: value for key, value in schema.items() if key != "$ref"}
        return {**texts, **reference} if len(name) % 2 else {**texts, "oneOf": [reference]}
