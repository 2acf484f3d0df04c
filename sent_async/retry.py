"""Whether a failed attempt is repeated, and how long to wait before. Pure; ``backoff`` shapes the waits."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import backoff

from .errors import QUOTA_SPENT, SentAPIError, SentConnectionError, SentError, SentTimeoutError

RETRYABLE_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
RETRY_AFTER_CAP: Final = 60.0
"""Seconds. A server that asks for more patience than this gets its answer raised, with the number on the error."""


def is_retryable(error: SentError, *, repeatable: bool) -> bool:
    """The policy. ``repeatable``: GET and DELETE, and every write that carries an idempotency key.

    ======================================================  ==========================
    what happened                                           sent again
    ======================================================  ==========================
    not yet on the wire: DNS, connect, TLS                  always
    sent, but no complete response                          when repeatable
    408 425 429 500 502 503 504                             when repeatable
    409 with ``CONFLICT_001`` (same key still in flight)    when repeatable
    429 with ``LIMIT_001`` (a quota, not a rate)            never: waiting does not help
    any of these as a replay of a stored response           never: it will not change
    a rate limit frees too late to wait for it              never
    anything else                                           never
    ======================================================  ==========================
    """
    if isinstance(error, SentTimeoutError) and error.retry_after is not None:
        return False
    if isinstance(error, SentConnectionError):
        return repeatable or not error.maybe_sent
    if not isinstance(error, SentAPIError) or error.replayed or not repeatable:
        return False
    if error.status == 429 and error.code == QUOTA_SPENT:
        return False
    return error.status in RETRYABLE_STATUSES or (error.status == 409 and error.code == "CONFLICT_001")


def wait_before_retry(drawn: float, retry_after: float | None, remaining: float | None) -> float | None:
    """Seconds to wait, or ``None`` when it would be too long: over the cap, or past the deadline.

    ``drawn`` is our own jittered wait, ``retry_after`` the server's, a floor that is never shortened,
    ``remaining`` the seconds left until the deadline.
    """
    if retry_after is not None and retry_after > RETRY_AFTER_CAP:
        return None
    wait = max(drawn, retry_after or 0.0)
    return None if remaining is not None and wait >= remaining else wait


def drawn_waits() -> Generator[float, Any, None]:
    """Full jitter: before the n-th retry (from 0), a uniform draw from 0 to min(8, 0.5 x 2**n) seconds."""
    ceilings = backoff.expo(base=2, factor=0.5, max_value=8)
    next(ceilings)  # backoff's generators yield nothing at first
    while True:
        yield backoff.full_jitter(next(ceilings))
