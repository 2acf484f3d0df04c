"""Idempotency keys: the first response is stored for 24 hours and replayed. The time is passed in."""

from __future__ import annotations

from typing import Final

import msgspec

from ..models import ErrorCode
from .responses import Refusal

LIFETIME: Final = 24 * 3600.0
KEPT: Final = 100_000
"""The number of keys that are stored. Sent stores all keys for 24 hours. Here the limit bounds the memory."""


class StoredResponse(msgspec.Struct, frozen=True):
    """What is stored of a response, so that it can be sent again."""

    status: int
    body: bytes
    request_id: str
    sandbox: bool = False


class _Entry(msgspec.Struct, frozen=True):
    fingerprint: bytes
    expires: float
    outcome: StoredResponse | None


class IdempotencyStore:
    """The idempotency keys of each API key, with the results of their requests."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._entries: dict[tuple[str, str], _Entry] = {}

    def claim(self, key: tuple[str, str], fingerprint: bytes, now: float) -> StoredResponse | None:
        """Claim a key. Returns the stored result of an earlier request, if there is one.

        Otherwise the caller must execute the request, and then call ``settle`` or ``release``. Raises ``Refusal``:
        ``CONFLICT_005`` for another request with the same key, ``CONFLICT_001`` while the first one is in progress.
        """
        entry = self._entries.get(key)
        if entry is None or entry.expires <= now:
            self._entries.pop(key, None)  # so that the entries are in the order of their claims
            self._entries[key] = _Entry(fingerprint, now + LIFETIME, None)
            if len(self._entries) > self._kept:
                del self._entries[next(iter(self._entries))]
            return None
        if entry.fingerprint != fingerprint:
            raise Refusal(ErrorCode.IDEMPOTENCY_KEY_REUSED)
        if entry.outcome is None:
            raise Refusal(ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT)
        return entry.outcome

    def settle(self, key: tuple[str, str], fingerprint: bytes, outcome: StoredResponse, now: float) -> None:
        """Store the result of a claimed request. An error is stored too, and is final for its key."""
        self._entries[key] = _Entry(fingerprint, now + LIFETIME, outcome)

    def release(self, key: tuple[str, str]) -> None:
        """Release a claimed key, because the request was not executed."""
        self._entries.pop(key, None)
