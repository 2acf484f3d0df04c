"""Wait for the outcome of a message by polling. A service that can receive webhooks does not need it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from .clock import Clock, SystemClock
from .errors import SentConfigError, SentTimeoutError
from .models.enums import MessageStatus
from .options import check_seconds

if TYPE_CHECKING:
    from .client import SentClient
    from .models.responses import Message

_ORDER: Final = (
    MessageStatus.QUEUED,
    MessageStatus.PROCESSED,
    MessageStatus.ROUTED,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.READ,
)
FINAL: Final = (
    MessageStatus.READ,
    MessageStatus.RECEIVED,
    MessageStatus.FILTERED,
    MessageStatus.BLOCKED,
    MessageStatus.CANCELLED,
)
"""The last statuses. DELIVERED may be followed by READ, and FAILED by an attempt on another channel."""

_FIRST_WAIT: Final = 1.0
_GROWTH: Final = 1.5
_LONGEST_WAIT: Final = 15.0
_FAILED_IS_FINAL_AFTER: Final = 60.0
"""Seconds after which FAILED is final. Until then Sent may try another channel."""


async def wait_for_message(
    sent: SentClient,
    message_id: str,
    *,
    until: str | Collection[str] = MessageStatus.DELIVERED,
    timeout: float | None = 300.0,
    clock: Clock | None = None,
) -> Message:
    """Retrieve a message repeatedly until it has the wanted status, or one that ends the wait::

        message = await wait_for_message(sent, recipient.message_id, timeout=120)
        if message.status == "DELIVERED": ...

    Check the status of the result. The wait also ends when the message has a later status than ``until`` (READ, if
    DELIVERED was wanted), when it is READ, RECEIVED, FILTERED, BLOCKED or CANCELLED, and when it has been FAILED for a
    minute. Within that minute Sent may try another channel, with the same message id. The first requests are 1 second
    apart, later ones 15 seconds.

    Args:
        sent: The client.
        message_id: The id of the message.
        until: The status to wait for, or several.
        timeout: Seconds to wait at most; ``None`` for no limit.
        clock: A replacement for the system clock, for tests.

    Returns:
        The message as it was when the wait ended.

    Raises:
        SentConfigError: ``until`` is empty, or ``timeout`` is not above 0.
        SentTimeoutError: The message did not reach the status within ``timeout`` seconds. It may reach it later.
        SentError: ``messages.retrieve`` failed.
    """
    wanted = {until} if isinstance(until, str) else set(until)
    if not wanted:
        raise SentConfigError("until is empty; name at least one status")
    check_seconds("timeout", timeout)
    first = next((place for place, status in enumerate(_ORDER) if status in wanted), len(_ORDER))
    ends = {*FINAL, *wanted, *_ORDER[first:]}
    clock = clock or SystemClock()
    end = float("inf") if timeout is None else clock.time() + timeout
    wait, failed_since = _FIRST_WAIT, float("inf")
    while True:
        message = await sent.messages.retrieve(message_id)
        now = clock.time()
        if message.status in ends:
            return message
        failed_since = min(failed_since, now) if message.status == MessageStatus.FAILED else float("inf")
        if now - failed_since >= _FAILED_IS_FINAL_AFTER:
            return message
        if now >= end:
            state = "without a status" if message.status is None else str(message.status)
            problem = f"the message is still {state} after {timeout:g} s; this may change, so retrieve it again later"
            raise SentTimeoutError(problem, maybe_sent=False)
        await clock.sleep(min(wait, end - now))
        wait = min(wait * _GROWTH, _LONGEST_WAIT)
