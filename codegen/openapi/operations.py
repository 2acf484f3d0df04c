"""The operations of any OpenAPI document: by method and path, with parameters, request body and response data."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from codegen.openapi.nodes import METHODS, Node, SpecError, is_node, resolve
from codegen.openapi.shapes import shape, whole

Key = tuple[str, str]
"""Method and path without the names of path parameters, in which two spellings of an operation may differ."""

# The client sends these by itself.
OWN_HEADERS: Final = ("x-api-key", "x-profile-id", "idempotency-key", "authorization", "content-type", "accept")
_ENVELOPE: Final = ("success", "data", "error", "meta")


@dataclass(frozen=True)
class Operation:
    """One operation of a document."""

    document: Node
    method: str
    path: str
    node: Node
    parameters: tuple[Node, ...]

    @property
    def key(self) -> Key:
        """What identifies the operation."""
        return operation_key(self.method, self.path)

    @property
    def place(self) -> str:
        """Method and path as people write them."""
        return f"{self.method} {self.path}"

    @property
    def name(self) -> str:
        """The operation id; empty when there is none."""
        return str(self.node.get("operationId", ""))

    @property
    def success_codes(self) -> list[str]:
        """The 2xx statuses that it describes, in order."""
        return sorted(code for code in self.node.get("responses", {}) if re.fullmatch("2..", code))


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


def operation_key(method: str, path: str) -> Key:
    """The key of a method and a path."""
    return method.upper(), re.sub(r"\{[^}]*\}", "{}", path).rstrip("/")


def operations(document: Node, keys: Collection[Key] | None = None) -> dict[Key, Operation]:
    """These operations of a document (all, when left out) by their keys, in document order."""
    found: dict[Key, Operation] = {}
    for operation in _operations(document, keys):
        if (other := found.setdefault(operation.key, operation)) is not operation:
            raise SpecError(operation.place, f"is the same operation as {other.place}")
    return found


def _operations(document: Node, keys: Collection[Key] | None) -> Iterator[Operation]:
    for path, path_item in document["paths"].items():
        item = resolve(document, path, path_item)
        for method in (method for method in item if method in METHODS):
            if keys is not None and operation_key(method, path) not in keys:
                continue
            said: list[Node] = [*item.get("parameters", ()), *item[method].get("parameters", ())]
            found = [resolve(document, f"{method.upper()} {path}", parameter) for parameter in said]
            # A parameter of the operation takes the place of the path item's.
            unique = {(parameter.get("in"), parameter.get("name")): parameter for parameter in found}
            yield Operation(document, method.upper(), path, item[method], tuple(unique.values()))


def webhooks(document: Node) -> dict[Key, Operation]:
    """What the API posts to webhook endpoints, as operations with the method ``webhook``."""
    items = {name: resolve(document, name, item) for name, item in document.get("webhooks", {}).items()}
    found = [Operation(document, "webhook", name, item.get("post", {}), ()) for name, item in items.items()]
    return {operation.key: operation for operation in found}


def places(document: Node) -> dict[Key, str]:
    """Method and path of every operation as people write them, by key. Nothing else is looked at."""
    return {
        operation_key(method, path): f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in resolve(document, path, item)
        if method in METHODS
    }


def callers_parameters(operation: Operation) -> dict[str, Node]:
    """The parameters that a caller may give, by wire name: no path parameters, no headers of the client's own."""
    return {
        str(parameter["name"]): parameter
        for parameter in operation.parameters
        if parameter["in"] == "query"
        or (parameter["in"] in ("header", "cookie") and str(parameter["name"]).lower() not in OWN_HEADERS)
    }


def request_schema(operation: Operation) -> tuple[Node | None, str]:
    """Schema of the JSON request body, or the problem when the body is not JSON."""
    if not is_node(operation.node.get("requestBody")):
        return None, ""
    body = resolve(operation.document, operation.place, operation.node["requestBody"])
    schema = _json_schema(body)
    kinds = ", ".join(body.get("content", {}))
    return schema, f"takes {kinds} instead of JSON" if schema is None and kinds else ""


def read_responses(operation: Operation) -> list[Response]:
    """The JSON of each successful response that shows any, in the order of their statuses."""
    responses: Node = operation.node.get("responses", {})
    found: list[Response] = []
    for code in operation.success_codes or [code for code in responses if code == "default"]:
        response = resolve(operation.document, operation.place, responses[code])
        schema = _json_schema(response)
        if schema is not None:
            found.append(_unwrap(schema, operation, f"{operation.place} {code}"))
        elif response.get("content"):
            found.append(Response(problem=f"responds with {', '.join(response['content'])} instead of JSON"))
    return found


def read_response(operation: Operation) -> Response:
    """The JSON of the first successful response."""
    return next(iter(read_responses(operation)), Response())


def _unwrap(schema: Node, operation: Operation, place: str) -> Response:
    found = whole(shape(schema, operation.document, place), operation.document)
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
    if data is not None:
        said = shape(data, operation.document, f"{place}.data")
        data = None if said.kind == "any" and said.nullable else data  # nothing but null
    return Response(schema, data, others=others)


def _json_schema(holder: Node) -> Node | None:
    """The JSON schema of a body, whichever of .NET's media types it stands under."""
    content: Node = holder["content"] if is_node(holder.get("content")) else {}
    for kind in sorted(content, key=lambda kind: kind != "application/json"):
        if "json" in kind and is_node(content[kind]):
            schema = content[kind].get("schema", {})
            return schema if is_node(schema) else {}
    return None
