"""A server that responds by an OpenAPI document and nothing else. It shares no code with the generator."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import RawTestServer
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

Node = dict[str, Any]
METHODS = ("get", "put", "post", "patch", "delete")
STAMP = "2026-03-31T15:21:52.166100Z"
VALUES: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True}
# Enums are open and limits are the server's business; what is left is the form of a request.
FORM = ("required", "type", "additionalProperties")


@dataclass
class Described:
    """The operations of a document, examples of what they respond with, and a check of what they are sent."""

    document: Node
    operations: dict[str, tuple[str, str, Node]] = field(init=False)
    """By id: method, path and node."""

    def __post_init__(self) -> None:
        self.operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, item in self.document["paths"].items()
            for method, operation in self.resolve(item).items()
            if method in METHODS
        }
        contents = Resource.from_contents(self.document, default_specification=DRAFT202012)
        self.registry: Registry[Any] = Registry[Any]().with_resource("urn:document", contents)

    def resolve(self, node: Node) -> Node:
        """Follow the ``$ref`` of a node, if it has one."""
        while "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def parameters(self, name: str, location: str) -> list[Node]:
        """The parameters of an operation in the path or in the query."""
        found = [self.resolve(parameter) for parameter in self.operations[name][2].get("parameters", ())]
        return [parameter for parameter in found if parameter["in"] == location]

    def body_schema(self, name: str) -> Node | None:
        """The schema of an operation's JSON body."""
        operation = self.operations[name][2]
        if "requestBody" not in operation:
            return None
        schema: Node = self.resolve(operation["requestBody"])["content"]["application/json"]["schema"]
        return schema

    def problems(self, schema: Node, body: object) -> list[str]:
        """What is wrong with the form of a body."""
        validator = Draft202012Validator({"$ref": f"urn:document{schema['$ref']}"}, registry=self.registry)
        return [error.message for error in validator.iter_errors(body) if error.validator in FORM]

    def called(self, method: str, path: str) -> str | None:
        """The operation of a request. A literal path takes precedence over one with parameters."""
        found = [
            (template.count("{"), name)
            for name, (verb, template, _) in self.operations.items()
            if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        ]
        return min(found)[1] if found else None

    def example(self, schema: Node, *, full: bool, page: int = 1, above: tuple[int, ...] = ()) -> Any:
        """A value for a schema: with every member, or only with those that are required."""
        schema = self.resolve(next((part for part in schema.get("anyOf", ()) if part.get("type") != "null"), schema))
        if "allOf" in schema:  # the envelope and its data, which every success has
            envelope, around = schema["allOf"]
            data = self.example(around["properties"]["data"], full=full, page=page)
            return self.example(envelope, full=full, page=page) | {"data": data}
        if "oneOf" in schema:  # of several classes, the newest
            return self.example(schema["oneOf"][-1], full=full, page=page, above=above)
        if "enum" in schema:
            return schema["enum"][0]
        if "properties" in schema:
            inside = (*above, id(schema))
            members = {
                key: self.example(member, full=full, page=page, above=inside)
                for key, member in schema["properties"].items()
                if key in schema.get("required", ())
                or (full and id(self.resolve(member.get("items", member))) not in inside)
            }
            if "pagination" in members:
                members["pagination"] |= {"page": page, "page_size": 1, "total_count": 2, "has_more": page == 1}
            return members
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if kinds[0] == "array":
            return [self.example(schema["items"], full=full, page=page, above=above)]
        if kinds[0] == "object":
            free = schema["additionalProperties"]
            return {"key": "free" if free is True else self.example(free, full=full, page=page, above=above)}
        if kinds[0] == "string":
            return STAMP if schema.get("format") == "date-time" else f"text {page}"
        return VALUES[kinds[0]]


@dataclass
class Server:
    """Responds by a document, and keeps the requests."""

    described: Described
    full: bool = True
    url: str = ""
    requests: list[tuple[str, web.BaseRequest, bytes]] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        name = self.described.called(request.method, request.rel_url.raw_path)
        if name is None:
            return web.json_response({"success": False, "error": {"code": "RESOURCE_001"}}, status=404)
        content = await request.read()
        self.requests.append((name, request, content))
        if problems := self._problems(name, request, content):
            error = {"code": "VALIDATION_001", "message": "; ".join(problems)}
            return web.json_response({"success": False, "error": error}, status=400)
        responses: Node = self.described.operations[name][2]["responses"]
        status, node = next((code, node) for code, node in responses.items() if code.startswith("2"))
        media = self.described.resolve(node).get("content", {}).get("application/json")
        if media is None:
            return web.Response(status=int(status))
        page = int(request.query.get("page", "1"))
        body = self.described.example(media["schema"], full=self.full, page=page) | {"success": True}
        if self.full:
            body["error"] = None
        self.sent.append(body.get("data"))
        return web.json_response(body, status=int(status))

    def _problems(self, name: str, request: web.BaseRequest, content: bytes) -> list[str]:
        required = [one["name"] for one in self.described.parameters(name, "query") if one.get("required")]
        problems = [f"{wire} is missing" for wire in required if wire not in request.query]
        schema = self.described.body_schema(name)
        if schema is not None and not content:
            body = self.described.resolve(self.described.operations[name][2]["requestBody"])
            problems += ["the body is missing"] * body.get("required", False)
        if schema is not None and request.content_type == "application/json":
            problems += self.described.problems(schema, json.loads(content))
        return problems


@asynccontextmanager
async def serve(described: Described, *, full: bool = True) -> AsyncIterator[Server]:
    """A server that responds by a document."""
    server = Server(described, full)
    async with RawTestServer(server.handle) as running:
        server.url = str(running.make_url("")).rstrip("/")
        yield server
