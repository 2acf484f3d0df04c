"""A request: everything that is decided before the first attempt and is the same for each attempt."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import msgspec

from .errors import SentConfigError
from .multipart import Multipart
from .operation import Operation
from .options import BaseURL, check_idempotency_key
from .structs import check_request

given_keys: ContextVar[Iterator[str] | None] = ContextVar("given_keys", default=None)
"""The source of automatic idempotency keys in the current task. A batch with a journal sets it."""


class Headers:
    """Headers that many requests share. Of two with the same name, the later one is sent.

    They were checked when they were set. A Content-Type is left out, because it belongs to a body.
    """

    __slots__ = ("by_name", "wire")

    def __init__(self, *sources: Mapping[str, str]) -> None:
        merged = {name.lower(): (name, value) for source in sources for name, value in source.items()}
        merged.pop("content-type", None)
        self.by_name = dict(merged.values())
        self.wire = _header_lines(self.by_name)


class Request(msgspec.Struct, frozen=True):
    """A request. It can be sent any number of times."""

    method: str
    target: str
    """Path and query, percent-encoded."""
    shared: Headers
    own: Mapping[str, str]
    """Headers of this request alone."""
    body: bytes | Multipart | None
    idempotency_key: str | None
    repeatable: bool
    """Whether it may be sent again after it may have reached the server."""

    def wire(self, origin: str = "") -> bytes:
        """The bytes of the request, with its body unless the body is a form.

        Args:
            origin: The scheme and the host, which a proxy needs before the path.
        """
        head = f"{self.method} {origin}{self.target} HTTP/1.1\r\n".encode()
        body = self.body
        if isinstance(body, Multipart):
            return b"%b%b%bContent-Length: %d\r\n\r\n" % (head, self.shared.wire, _header_lines(self.own), body.length)
        if body is not None:
            own = _header_lines(self.own)
            return b"%b%b%bContent-Length: %d\r\n\r\n%b" % (head, self.shared.wire, own, len(body), body)
        if self.method in _WITHOUT_LENGTH:
            return b"%b%b%b\r\n" % (head, self.shared.wire, _header_lines(self.own) if self.own else b"")
        return b"%b%b%bContent-Length: 0\r\n\r\n" % (head, self.shared.wire, _header_lines(self.own))

    @property
    def headers(self) -> dict[str, str]:
        """All headers. The length of a body of bytes is missing: aiohttp adds it."""
        length = {"Content-Length": str(self.body.length)} if isinstance(self.body, Multipart) else {}
        return {**self.shared.by_name, **self.own, **length}

    def __repr__(self) -> str:
        return f"<Request {self.method}>"  # no ids, keys and bodies in tracebacks and debuggers

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("method", self.method)]


def build_request(
    operation: Operation[Any],
    *,
    base_url: BaseURL,
    headers: Headers,
    parameters: Mapping[str, object],
    body: object,
    idempotency_key: str | None,
) -> Request:
    """Build the request of a call. The idempotency key is made here, once per call.

    Raises:
        SentConfigError: An id, a key or the body cannot be sent.
        TypeError: A parameter is missing or unknown.
    """
    path, query = operation.target(parameters)
    target = f"{base_url.prefix}{path}?{query}" if query else base_url.prefix + path
    if operation.method == "GET" and idempotency_key is None and body is None:
        return Request("GET", target, headers, _NONE, None, None, True)
    if operation.idempotency == "automatic" and idempotency_key is None:
        given = given_keys.get()
        idempotency_key = uuid.uuid4().hex if given is None else next(given)
    own: dict[str, str] = {}
    if idempotency_key is not None:
        own["Idempotency-Key"] = check_idempotency_key(idempotency_key)
    content: bytes | Multipart | None = None
    if isinstance(body, Multipart):
        own["Content-Type"] = body.content_type
        content = body
    elif body is not None or operation.body is not None or operation.method == "DELETE":
        own["Content-Type"] = "application/json"
        content = _encode(operation, {} if body is None else body)
    repeatable = operation.repeatable or idempotency_key is not None
    return Request(operation.method, target, headers, own, content, idempotency_key, repeatable)


_NONE: Mapping[str, str] = {}
_WITHOUT_LENGTH = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_encoder = msgspec.json.Encoder()


def _header_lines(headers: Mapping[str, str]) -> bytes:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode()


def _encode(operation: Operation[Any], body: object) -> bytes:
    check_request(body)
    try:
        return _encoder.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        problem = type(error).__name__
    # Raised here, so that the encoder's error, which may have a value, is not chained.
    raise SentConfigError(f"{operation.name}: the body cannot be written as JSON ({problem}); check its values")
