"""The operations of any OpenAPI document: by method and path, with parameters, request body and response data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from codegen.importer.shapes import Shape, shape, whole
from codegen.openapi import METHODS, Node, is_node, resolve

Key = tuple[str, str]
"""Method and path, without the names of path parameters, which two spellings of an endpoint may differ in."""

# The client sends these by itself.
OWN_HEADERS: Final = ("x-api-key", "x-profile-id", "idempotency-key", "authorization", "content-type", "accept")
_ENVELOPE: Final = ("success", "data", "error", "meta")


@dataclass(frozen=True)
class Endpoint:
    """One operation of a document."""

    document: Node
    method: str
    path: str
    node: Node
    parameters: tuple[Node, ...]

    @property
    def key(self) -> Key:
        """What identifies the endpoint."""
        return endpoint_key(self.method, self.path)

    @property
    def place(self) -> str:
        """Method and path as people write them."""
        return f"{self.method} {self.path}"

    @property
    def name(self) -> str:
        """The operation id; empty when there is none."""
        return str(self.node.get("operationId", ""))


@dataclass(frozen=True)
class Response:
    """The JSON of a successful response. All members are ``None`` or empty when the document shows no content."""

    schema: Node | None = None
    """The whole body."""
    data: Node | None = None
    """Schema of the envelope's ``data``."""
    problem: str = ""
    """Why the body is not the envelope that the client reads."""
    others: tuple[str, ...] = ()
    """Members of the envelope that the client does not read."""


def endpoint_key(method: str, path: str) -> Key:
    """The key of a method and a path."""
    return method.upper(), re.sub(r"\{[^}]*\}", "{}", path).rstrip("/").lower()


def endpoints(document: Node) -> dict[Key, Endpoint]:
    """Every operation of a document by its key, in document order."""
    return {endpoint.key: endpoint for endpoint in _endpoints(document)}


def _endpoints(document: Node) -> Iterator[Endpoint]:
    for path, path_item in document["paths"].items():
        item = resolve(document, path, path_item)
        for method in (method for method in item if method in METHODS):
            said: list[Node] = [*item.get("parameters", ()), *item[method].get("parameters", ())]
            found = [resolve(document, f"{method.upper()} {path}", parameter) for parameter in said]
            # A parameter of the operation takes the place of the path item's.
            unique = {(parameter.get("in"), parameter.get("name")): parameter for parameter in found}
            yield Endpoint(document, method.upper(), path, item[method], tuple(unique.values()))


def callers_parameters(endpoint: Endpoint) -> dict[str, Node]:
    """The parameters that a caller may give, by wire name: no path parameters, no headers of the client's own."""
    return {
        str(parameter["name"]): parameter
        for parameter in endpoint.parameters
        if parameter["in"] == "query"
        or (parameter["in"] in ("header", "cookie") and str(parameter["name"]).lower() not in OWN_HEADERS)
    }


def request_schema(endpoint: Endpoint) -> tuple[Node | None, str]:
    """Schema of the JSON request body, and what stands in its way: a body that is not JSON."""
    if not is_node(endpoint.node.get("requestBody")):
        return None, ""
    body = resolve(endpoint.document, endpoint.place, endpoint.node["requestBody"])
    schema = _json_schema(body)
    kinds = ", ".join(body.get("content", {}))
    return schema, f"takes {kinds} instead of JSON" if schema is None and kinds else ""


def read_response(endpoint: Endpoint) -> Response:
    """What the first successful response with JSON promises."""
    responses: Node = endpoint.node.get("responses", {})
    for code in [*sorted(code for code in responses if code[:1] == "2"), "default"]:
        if code not in responses or (code == "default" and any(other[:1] == "2" for other in responses)):
            continue
        response = resolve(endpoint.document, endpoint.place, responses[code])
        schema = _json_schema(response)
        if schema is not None:
            return _unwrap(schema, endpoint, f"{endpoint.place} {code}")
        if response.get("content"):
            return Response(problem=f"responds with {', '.join(response['content'])} instead of JSON")
    return Response()


def _unwrap(schema: Node, endpoint: Endpoint, place: str) -> Response:
    found = whole(shape(schema, endpoint.document, place), endpoint.document)
    members: Node = found.schema.get("properties", {}) if found.kind == "object" else {}
    others = tuple(key for key in members if key not in _ENVELOPE)
    if found.kind == "any" and not schema.keys() - {"description"}:
        return Response()
    if "success" not in members:
        return Response(schema, problem="responds without the envelope (success, data, error, meta)")
    if "data" not in members and others:
        problem = f"has an envelope with {', '.join(others)} where data was expected"
        return Response(schema, problem=problem, others=others)
    data = members.get("data")
    if data is not None and is_empty(shape(data, endpoint.document, f"{place}.data")):
        data = None
    return Response(schema, data, others=others)


def is_empty(found: Shape) -> bool:
    """Whether a schema says that there is nothing but null."""
    return found.kind == "any" and found.nullable


def _json_schema(holder: Node) -> Node | None:
    """The JSON schema of a body, whichever of .NET's media types it stands under."""
    content = holder.get("content")
    for kind in ("application/json", *(content if is_node(content) else ())):
        media = content.get(kind) if is_node(content) and "json" in kind else None
        if is_node(media):
            schema = media.get("schema", {})
            return schema if is_node(schema) else {}
    return None
