"""The requests that the fake received, for tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

_PHONE_NUMBER: Final = re.compile(r"/(?:\+|%2B)?\d{7,}(?=/|$)", re.IGNORECASE)


class RecordedRequest(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One request as it arrived, and its result."""

    operation: str | None
    """The name of the operation, such as ``createTemplate``; ``None`` if the API has no such path or method."""
    method: str
    """The HTTP method."""
    path: str
    """The path as it was sent, percent-encoded, without the query."""
    query: Mapping[str, str]
    """The decoded query."""
    headers: Mapping[str, str]
    """The headers. The case of names does not matter."""
    body: bytes
    """The body as it was sent."""
    at: float
    """When it arrived, in Unix seconds of the fake's clock."""
    status: int | None = None
    """The status of the response; ``None`` before it is sent, or if a fault prevented a complete response."""
    seconds: float | None = None
    """How long it took, in seconds of real time; ``None`` before the fake has finished the request."""

    def set_result(self, status: int | None, seconds: float) -> None:
        """Set the result. Only the fake calls this.

        Args:
            status: The status of the response; ``None`` if there was no complete response.
            seconds: How long it took, in seconds of real time.
        """
        msgspec.structs.force_setattr(self, "status", status)
        msgspec.structs.force_setattr(self, "seconds", seconds)

    def __repr__(self) -> str:
        """Without headers, query and body, which contain keys and may contain card data."""
        return f"<RecordedRequest {self.operation or 'unknown'}: {self.method} {self._safe_path}>"

    def __str__(self) -> str:
        """A line for a log: ``POST /v3/profiles 201 3 ms createProfile``."""
        status = "no response" if self.status is None else self.status
        took = f"{(self.seconds or 0) * 1000:.0f} ms"
        return f"{self.method} {self._safe_path} {status} {took} {self.operation or 'unknown'}"

    @property
    def _safe_path(self) -> str:
        """The path without phone numbers."""
        return _PHONE_NUMBER.sub("/…", self.path)

    @property
    def json(self) -> Any:
        """The decoded body; ``None`` if it is empty or not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @property
    def idempotency_key(self) -> str | None:
        """The idempotency key of the request, if it has one."""
        return self.headers.get("Idempotency-Key")
