"""One call, complete: what is fixed before the first attempt and the same for each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from yarl import URL

from .errors import SentConfigError
from .operation import Operation
from .options import BaseURL, check_idempotency_key


class Request(msgspec.Struct, frozen=True):
    """Ready to be sent, as often as it takes."""

    method: str
    url: URL
    headers: Mapping[str, str]
    """What goes beside the session's own headers."""
    body: bytes | None
    idempotency_key: str | None
    repeatable: bool
    """Whether it may be sent again after it may have reached the server."""

    def __repr__(self) -> str:
        return f"<Request {self.method}>"  # ids, keys and bodies stay out of tracebacks and debuggers' lists

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("method", self.method)]


def build(
    operation: Operation[Any],
    *,
    base_url: BaseURL,
    headers: Mapping[str, str],
    parameters: Mapping[str, object],
    body: object,
    idempotency_key: str | None,
) -> Request:
    """Merge an operation, its arguments and the client's headers. The idempotency key is made here, once per call.

    Raises ``SentConfigError`` for an unusable id, key or body, ``TypeError`` for a missing or unknown parameter.
    """
    url = base_url.url(*operation.target(parameters))
    if operation.method == "GET" and idempotency_key is None and body is None:
        return Request("GET", url, headers, None, None, True)
    if operation.idempotency == "automatic" and idempotency_key is None:
        idempotency_key = uuid.uuid4().hex
    own_headers: dict[str, str] = {}
    if idempotency_key is not None:
        own_headers["Idempotency-Key"] = check_idempotency_key(idempotency_key)
    content: bytes | None = None
    if body is not None or operation.body is not None or operation.method == "DELETE":
        own_headers["Content-Type"] = "application/json"
        content = _encode(operation, {} if body is None else body)
    repeatable = operation.repeatable or idempotency_key is not None
    return Request(operation.method, url, {**headers, **own_headers}, content, idempotency_key, repeatable)


_encoder = msgspec.json.Encoder()


def _encode(operation: Operation[Any], body: object) -> bytes:
    try:
        return _encoder.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        problem = type(error).__name__
    # Raised out here so that the encoder's own error, which may quote a value, is not chained.
    raise SentConfigError(f"{operation.name}: the body cannot be written as JSON ({problem}); check its values")
