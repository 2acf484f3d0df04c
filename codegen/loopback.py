"""A server on this machine that answers as a document says, and keeps what it was asked."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from codegen import sample
from codegen.document import Node, OperationRow, is_node, read_operations

META: Final = {"request_id": "req_7X9zKp2jDw", "timestamp": sample.STAMP, "version": "v3"}


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]


@dataclass
class Loopback:
    """The operations of a document, behind HTTP. Bodies are checked for what they require, as servers do."""

    document: Node
    full: bool = True
    """Whether answers have every member, or only those that an answer must have."""
    url: str = ""
    requests: list[Received] = field(default_factory=list[Received])

    def __post_init__(self) -> None:
        self.schemas: Node = self.document["components"]["schemas"]
        self.rows = [
            (re.compile(re.sub(r"\{[^{}]+\}", "[^/]+", row.path)), row) for row in read_operations(self.document)
        ]

    def find(self, method: str, path: str) -> OperationRow | None:
        """The operation that a request is for."""
        return next((row for form, row in self.rows if row.method == method and form.fullmatch(path)), None)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        content = await request.read()
        body = json.loads(content) if content else None
        self.requests.append(Received(request.method, request.path, dict(request.query), body, request.headers.copy()))
        row = self.find(request.method, request.path)
        if row is None:
            return _answer(404, None, {"code": "RESOURCE_004", "message": "Not found"})
        if problem := self._refused(row, body, request.query):
            return _answer(400, None, {"code": "VALIDATION_004", "message": problem})
        data = sample.data(row, self.schemas, full=self.full)
        if row.data is None:
            return web.Response(status=row.success[0])
        page = int(request.query.get("page", "1"))
        if is_node(data) and is_node(data.get("pagination")):
            # One more page exactly, so that a client that follows pages asks once for the next.
            data["pagination"] |= {"page": page, "has_more": page == 1}
        return _answer(row.success[0], data, None)

    def _refused(self, row: OperationRow, body: Any, query: Mapping[str, str]) -> str:
        item: Node = self.document["paths"][row.path]
        for parameter in item[row.method.lower()].get("parameters", ()):
            if parameter.get("in") == "query" and parameter.get("required") and parameter["name"] not in query:
                return f"{parameter['name']} is required"
        required: list[str] = self.schemas[row.body].get("required", []) if row.body else []
        missing = [key for key in required if not is_node(body) or key not in body]
        return f"{missing[0]} is required" if missing else ""


@asynccontextmanager
async def serve(document: Node, *, full: bool = True) -> AsyncGenerator[Loopback]:
    """A running server for a document, on a free port of 127.0.0.1."""
    loopback = Loopback(document, full)
    runner = web.ServerRunner(web.Server(loopback.handle, access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        loopback.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield loopback
    finally:
        await runner.cleanup()


def _answer(status: int, data: object, error: object) -> web.Response:
    return web.json_response({"success": error is None, "data": data, "error": error, "meta": META}, status=status)
