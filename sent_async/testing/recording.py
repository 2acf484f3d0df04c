"""What the fake was asked, for tests to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class RecordedRequest(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One request as it arrived, whatever became of it."""

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

    def __repr__(self) -> str:
        """Without headers, query and body: they hold keys, and may hold card data."""
        return f"<RecordedRequest {self.operation or 'unknown'}: {self.method} {self.path}>"

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
