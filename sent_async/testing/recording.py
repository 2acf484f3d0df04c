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
    """The operation's name, such as ``createTemplate``; ``None`` for a path or method the API does not have."""
    method: str
    path: str
    """As sent, percent-encoding included, without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names are case-insensitive."""
    body: bytes
    at: float
    """When it arrived, in Unix seconds of the fake's clock."""
    status: int | None = None
    """The status of the response; ``None`` until there is one, and when a fault kept it from being sent whole."""
    seconds: float | None = None
    """The duration in seconds of real time. ``None`` until the fake has finished the request."""

    def answered(self, status: int | None, seconds: float) -> None:
        """Record the result. Only the fake calls this."""
        msgspec.structs.force_setattr(self, "status", status)
        msgspec.structs.force_setattr(self, "seconds", seconds)

    def __repr__(self) -> str:
        """Without headers, query and body: they hold keys, and may hold card data."""
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
        """The body decoded; ``None`` when it is empty or not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @property
    def idempotency_key(self) -> str | None:
        return self.headers.get("Idempotency-Key")
