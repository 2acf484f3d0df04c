"""What is told of each attempt, to the log and to ``on_attempt``: an allow-list, not a filter."""

from __future__ import annotations

import logging

import msgspec

from .errors import SentError

logger = logging.getLogger("sent_async")


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of a call, ended. No header, query, body or id of a path is in it."""

    method: str
    path: str
    """The path template, such as ``/v3/profiles/{profileId}``."""
    number: int
    """1 for the first attempt of a call."""
    seconds: float
    """How long this attempt took, waiting for a permit or a slot not included."""
    status: int | None = None
    """``None`` when no answer came."""
    request_id: str | None = None
    error: SentError | None = None
    retry_in: float | None = None
    """Seconds until the next attempt; ``None`` when there is none."""


def log(attempt: Attempt) -> None:
    """At DEBUG, except for an attempt that will be repeated: INFO."""
    logger.log(
        logging.DEBUG if attempt.retry_in is None else logging.INFO,
        "%s %s attempt %d: %s in %.3f s (request_id=%s)%s",
        attempt.method,
        attempt.path,
        attempt.number,
        attempt.status if attempt.status is not None else type(attempt.error).__name__,
        attempt.seconds,
        attempt.request_id,
        "" if attempt.retry_in is None else f", next attempt in {attempt.retry_in:.2f} s",
    )
