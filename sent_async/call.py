"""One call: its attempts, the waits between them, its two time limits and its error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec

from .clock import Clock
from .envelope import SentResponse, decode
from .errors import SentConnectionError, SentError, SentTimeoutError
from .operation import Operation
from .request import Request
from .retry import drawn_waits, is_retryable, wait_before_retry

if TYPE_CHECKING:
    from .options import Options
    from .pacing import Pacer
    from .transport import Transport

T = TypeVar("T")

StopReason = Literal["timeout", "deadline", "close"]

logger = logging.getLogger("sent_async")


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of a call, after it has ended. It contains no header, query, body or id from a path."""

    method: str
    """The HTTP method."""
    path: str
    """The path template, such as ``/v3/profiles/{profileId}``."""
    number: int
    """1 for the first attempt of a call."""
    seconds: float
    """How long the attempt took, without the two waits below."""
    status: int | None = None
    """The HTTP status; ``None`` when there was no response."""
    request_id: str | None = None
    """The id to give to the vendor's support."""
    error: SentError | None = None
    """The error of the attempt; ``None`` when it succeeded."""
    retry_in: float | None = None
    """Seconds until the next attempt; ``None`` when there is none."""
    waited_for_slot: float = 0.0
    """Seconds for which the attempt waited for a free slot (``SentClient(limit=...)``)."""
    waited_for_limit: float = 0.0
    """Seconds for which the attempt waited for the rate limit."""


class Call(Generic[T]):
    """One call in flight, which belongs to the task that runs it.

    Three parts of the package use it. ``run`` makes the attempts and owns the private attributes. The transport reads
    what to send, and records what happens during an attempt. A timer, or closing the client, ends the call with
    ``stop``.
    """

    __slots__ = (
        "_clock",
        "_on_attempt",
        "_options",
        "_prior_cancels",
        "_retries",
        "_started",
        "_stop_reason",
        "_task",
        "_transport",
        "_waits",
        "attempt_started",
        "attempts",
        "connection_was_dead",
        "expires",
        "maybe_sent",
        "operation",
        "pacer",
        "request",
        "timeout",
        "waited_for_limit",
        "waited_for_slot",
    )

    def __init__(
        self,
        operation: Operation[T],
        request: Request,
        options: Options,
        *,
        transport: Transport,
        pacer: Pacer,
        clock: Clock,
        on_attempt: Callable[[Attempt], None] | None,
        task: asyncio.Task[Any],
    ) -> None:
        # The transport reads these.
        self.operation = operation
        self.request = request
        self.timeout = options.timeout
        self.pacer = pacer
        self.expires: float | None = None
        """When the deadline ends the call, on the clock."""

        # The transport writes these.
        self.attempts = 0
        """Attempts so far, the current one included."""
        self.maybe_sent = False
        """Whether any attempt may have reached the server."""
        self.connection_was_dead = False
        """Whether the last attempt failed because a kept connection had been closed before it was used again."""
        self.waited_for_slot = self.waited_for_limit = 0.0
        """Seconds that the current attempt waited."""

        self._options = options
        self._transport = transport
        self._clock = clock
        self._on_attempt = on_attempt
        self._task = task
        self._prior_cancels = task.cancelling()
        self._stop_reason: StopReason | None = None
        self._retries = 0
        self._waits: Iterator[float] | None = None
        self._started = self.attempt_started = clock.time()
        """When the call and its current attempt began. The transport writes the latter."""

    async def run(self) -> SentResponse[T]:
        """Make attempts until one succeeds or the retry policy says that its error is final.

        Returns:
            The response.

        Raises:
            SentError: The error of the last attempt, with ``attempts``, ``idempotency_key`` and ``maybe_sent`` of the
                whole call.
        """
        transport, deadline = self._transport, self._options.deadline
        failure: SentError | None = None
        reported = 0
        timer = None
        transport.calls.add(self)
        if deadline is not None:
            self.expires = self._started + deadline
            timer = transport.timer("deadline", deadline)
            timer.start(self, self.expires)
        try:
            while True:
                try:
                    status, headers, body = await transport.attempt(self)
                    data, meta = decode(self.operation, status, headers, body, self._clock)
                    break
                except SentError as error:
                    failure = error
                wait = self._plan_retry(failure)
                self._report(getattr(failure, "status", None), failure.request_id, failure, wait)
                if wait is None:
                    raise self._add_call_facts(failure)
                reported = self.attempts
                self.waited_for_slot = self.waited_for_limit = 0.0
                if wait:
                    await self._clock.sleep(wait)
        except asyncio.CancelledError:
            reason = self.undo_stop("deadline", "close")
            if reason is None:
                logger.debug(
                    "%s %s: cancelled by the caller after %.3f s, attempts so far: %d",
                    self.operation.method,
                    self.operation.path,
                    self._clock.time() - self._started,
                    self.attempts,
                )
                raise
        else:
            elapsed = self._clock.time() - self._started
            response = SentResponse(
                data=data, status=status, headers=headers, meta=meta, attempts=self.attempts, elapsed=elapsed
            )
            if self._on_attempt is not None or logger.isEnabledFor(logging.DEBUG):
                self._report(status, response.request_id)
            return response
        finally:
            transport.calls.discard(self)
            if timer is not None:
                timer.end(self)
        stopped = self._stop_error(reason)
        if self.attempts > reported:
            self._report(None, None, stopped)
        raise self._add_call_facts(stopped) from failure

    def stop(self, reason: StopReason) -> None:
        """End the call from outside: cancel its task, and keep the reason, which other cancellations do not have."""
        if self._stop_reason is None:
            self._task.cancel()
        # Closing has priority over a time limit if the task has not seen the cancellation yet.
        self._stop_reason = "close" if "close" in (reason, self._stop_reason) else reason

    def undo_stop(self, *reasons: StopReason) -> StopReason | None:
        """Undo a cancellation by ``stop`` that was just caught as a ``CancelledError``.

        Args:
            reasons: The reasons that the caller can handle.

        Returns:
            The reason. ``None`` when it is not among ``reasons``, or when somebody else cancelled the task too. The
            ``CancelledError`` must then be raised again.
        """
        reason = self._stop_reason
        if reason not in reasons:
            return None
        self._stop_reason = None
        return reason if self._task.uncancel() <= self._prior_cancels else None

    def _plan_retry(self, failure: SentError) -> float | None:
        """Count the next retry. Returns the seconds until it, or ``None`` when ``failure`` is final."""
        if self.connection_was_dead and self.request.repeatable:
            return 0.0  # does not count as a retry
        retries, self._retries = self._retries, self._retries + 1
        if retries >= self._options.max_retries or not is_retryable(failure, repeatable=self.request.repeatable):
            return None
        remaining = None if self.expires is None else self.expires - self._clock.time()
        if self._waits is None:
            self._waits = drawn_waits()
        return wait_before_retry(next(self._waits), getattr(failure, "retry_after", None), remaining)

    def _add_call_facts(self, error: SentError) -> SentError:
        """Complete the error of an attempt with the facts of the whole call, and return it."""
        error.attempts = self.attempts
        error.idempotency_key = self.request.idempotency_key
        if isinstance(error, SentConnectionError):
            error.maybe_sent |= self.maybe_sent
        return error

    def _stop_error(self, reason: StopReason) -> SentError:
        if reason == "close":
            return SentConnectionError(
                f"{self.operation.name}: the client was closed during the call", maybe_sent=False
            )
        what = "no response" if self.attempts else "the request was not sent"
        return SentTimeoutError(
            f"{self.operation.name}: {what} within the deadline of {self._options.deadline:g} s", maybe_sent=False
        )

    def _report(
        self, status: int | None, request_id: str | None, error: SentError | None = None, wait: float | None = None
    ) -> None:
        """Log the attempt, and pass it to the ``on_attempt`` hook. If the hook raises, the error is only logged."""
        attempt = Attempt(
            method=self.operation.method,
            path=self.operation.path,
            number=self.attempts,
            seconds=self._clock.time() - self.attempt_started,
            status=status,
            request_id=request_id,
            error=error,
            retry_in=wait,
            waited_for_slot=self.waited_for_slot,
            waited_for_limit=self.waited_for_limit,
        )
        logger.log(
            logging.DEBUG if wait is None else logging.INFO,
            "%s %s attempt %d: %s in %.3f s%s%s",
            attempt.method,
            attempt.path,
            attempt.number,
            _outcome(attempt),
            attempt.seconds,
            "" if request_id is None else f" (request_id={request_id})",
            "" if wait is None else f", next attempt in {wait:.2f} s",
        )
        if self._on_attempt is None:
            return
        try:
            self._on_attempt(attempt)
        except Exception:
            logger.exception("on_attempt raised; the call goes on")


def _outcome(attempt: Attempt) -> str:
    """The status and the error code, or why there was no response."""
    error = attempt.error
    if isinstance(error, SentConnectionError):
        return f"{type(error).__name__} ({error})"
    code = getattr(error, "code", None)
    return " ".join(str(part) for part in (attempt.status or type(error).__name__, code) if part)


class CallTimer:
    """One timer for all time limits of the same length. A timer for each limit would cost 6 % of a request.

    Limits of one length expire in the order in which they started, so the first one is the next to expire. A timer
    without limits is removed. Otherwise a program that computes its timeouts would collect more and more of them.

    Args:
        reason: Why calls are stopped when their limit expires.
        seconds: The length of the limits.
        clock: The client's clock.
        on_unused: Called when no limit is left.
    """

    __slots__ = ("_clock", "_expires", "_on_unused", "_reason", "_timer")

    def __init__(self, reason: StopReason, seconds: float, clock: Clock, on_unused: Callable[[], object]) -> None:
        self._reason: StopReason = reason
        self._on_unused = on_unused
        self._clock = clock
        self._expires: dict[Call[Any], float] = {}
        self._timer = clock.call_later(seconds, self._expire)

    def start(self, call: Call[Any], expires: float) -> None:
        """Start the limit of a call. ``expires`` is a time on the clock."""
        self._expires[call] = expires

    def end(self, call: Call[Any]) -> None:
        """Remove the limit of a call."""
        self._expires.pop(call, None)

    def close(self) -> None:
        """Cancel the timer."""
        self._timer.cancel()

    def _expire(self) -> None:
        now = self._clock.time()
        for call, expires in list(self._expires.items()):
            if expires > now:
                self._timer = self._clock.call_later(expires - now, self._expire)
                return
            del self._expires[call]
            call.stop(self._reason)
        self._on_unused()
