"""Whether a failed attempt is repeated, and after how long. Pure. The waits come from ``backoff``."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import backoff

from .errors import QUOTA_SPENT, SentAPIError, SentConnectionError, SentError, SentTimeoutError

RETRYABLE_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
RETRY_AFTER_CAP: Final = 60.0
"""Seconds. If the server asks for a longer wait, the error is raised at once, with the seconds in ``retry_after``."""


def is_retryable(error: SentError, *, repeatable: bool) -> bool:
    """Whether an attempt is repeated after this error.

    ======================================================  ==========================
    what happened                                           repeated
    ======================================================  ==========================
    nothing was sent yet: DNS, connect, TLS                 always
    sent, but no complete response                          if repeatable
    408 425 429 500 502 503 504                             if repeatable
    409 with ``CONFLICT_001`` (same key still in flight)    if repeatable
    429 with ``LIMIT_001`` (a quota, not a rate)            never: waiting does not help
    any of these as a replay of a stored response           never: it will not change
    a rate limit that frees too late                        never
    anything else                                           never
    ======================================================  ==========================

    Args:
        error: The error of the attempt.
        repeatable: Whether the request may be sent twice: GET, DELETE, and every write with an idempotency key.
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
    """Seconds to wait before the next attempt.

    Args:
        drawn: The wait from ``drawn_waits``.
        retry_after: The wait that the server asked for, which is never shortened.
        remaining: Seconds until the deadline.

    Returns:
        The seconds; ``None`` if the wait would be too long: over the cap, or past the deadline.
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
