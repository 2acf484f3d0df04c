"""Idempotency keys: the first response is stored for 24 hours and replayed. The time is passed in."""

from __future__ import annotations

from typing import Final

import msgspec

from ..models import ErrorCode
from .answers import Refusal

LIFETIME: Final = 24 * 3600.0
KEPT: Final = 100_000
"""How many keys are remembered. Sent keeps all of them for 24 hours; here the memory is bounded."""


class Outcome(msgspec.Struct, frozen=True):
    """The result of a request, as far as a replay repeats it."""

    status: int
    body: bytes
    request_id: str
    sandbox: bool = False


class _Entry(msgspec.Struct, frozen=True):
    fingerprint: bytes
    expires: float
    outcome: Outcome | None


class Ledger:
    """The keys in use, each within the API key that sent it."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._entries: dict[tuple[str, str], _Entry] = {}

    def claim(self, key: tuple[str, str], fingerprint: bytes, now: float) -> Outcome | None:
        """The stored outcome to give again, or ``None``: the work is the caller's, up to ``settle`` or ``release``.

        Raises ``Refusal``: ``CONFLICT_005`` for another request under the same key, ``CONFLICT_001`` while the first
        one is under way.
        """
        entry = self._entries.get(key)
        if entry is None or entry.expires <= now:
            self._entries.pop(key, None)  # so that the order of the entries is that of their claims
            self._entries[key] = _Entry(fingerprint, now + LIFETIME, None)
            if len(self._entries) > self._kept:
                del self._entries[next(iter(self._entries))]
            return None
        if entry.fingerprint != fingerprint:
            raise Refusal(ErrorCode.IDEMPOTENCY_KEY_REUSED)
        if entry.outcome is None:
            raise Refusal(ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT)
        return entry.outcome

    def settle(self, key: tuple[str, str], fingerprint: bytes, outcome: Outcome, now: float) -> None:
        """Store the result of a claimed request, errors included. An error under a key is final."""
        self._entries[key] = _Entry(fingerprint, now + LIFETIME, outcome)

    def release(self, key: tuple[str, str]) -> None:
        """Release a claimed key when the work was not done."""
        self._entries.pop(key, None)
