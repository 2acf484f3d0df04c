"""The calls under way in one client: how many there may be, and how timeout and close stop them from outside."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Literal

from .errors import SentConnectionError, SentError

Reason = Literal["timeout", "close"]


class Call:
    """One call under way. Stopping it cancels its task and leaves a note, to tell it from other cancellations."""

    __slots__ = (
        "attempt_started",
        "attempts",
        "cancelling",
        "connected",
        "expires",
        "idempotency_key",
        "maybe_sent",
        "started",
        "stopped",
        "task",
    )

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.task = task
        self.cancelling = task.cancelling()
        self.stopped: Reason | None = None
        self.started = self.attempt_started = self.expires = 0.0
        self.attempts = 0
        self.connected = False
        """Whether this attempt has had its connection."""
        self.maybe_sent = False
        """Whether any attempt has had one."""
        self.idempotency_key: str | None = None

    def sign(self, error: SentError) -> None:
        """Write what is known of the whole call onto the error of its last attempt, which may have failed earlier."""
        error.attempts = self.attempts
        error.idempotency_key = self.idempotency_key
        if isinstance(error, SentConnectionError):
            error.maybe_sent |= self.maybe_sent

    def stop(self, reason: Reason) -> None:
        if self.stopped is None:
            self.task.cancel()
        self.stopped = reason  # closing outranks a timeout that has not been delivered yet

    def was_stopped(self, reason: Reason) -> bool:
        """Whether the ``CancelledError`` just caught is ours, for this reason; if so, it is taken back."""
        if self.stopped != reason:
            return False
        self.stopped = None
        return self.task.uncancel() <= self.cancelling


class Slots:
    """How many requests may be under way at once. A counter, where ``asyncio.Semaphore`` costs 1.6 % of a request."""

    def __init__(self, count: int) -> None:
        self.free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a slot, first come first served. With one free, a caller may count ``free`` down by itself."""
        if self.free:
            self.free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Hand the slot to the first who still waits; it is free only when nobody does."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1


class AttemptTimer:
    """One event-loop timer for all attempts with the same timeout, where a timer each costs 6 % of a request.

    Attempts start in the order in which they will expire, so the first one waiting is the next to ring for. With none
    waiting it is forgotten until its timeout is used again, or a caller who computes timeouts would pile up timers.
    """

    def __init__(self, timeout: float, timers: dict[float, AttemptTimer]) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._timers = timers
        self._waiting: dict[Call, None] = {}
        self._handle = self._loop.call_later(timeout, self._ring)

    def start(self, call: Call) -> None:
        call.expires = self._loop.time() + self._timeout
        self._waiting[call] = None

    def end(self, call: Call) -> None:
        self._waiting.pop(call, None)

    def close(self) -> None:
        self._handle.cancel()

    def _ring(self) -> None:
        now = self._loop.time()
        for call in list(self._waiting):
            if call.expires > now:
                self._handle = self._loop.call_at(call.expires, self._ring)
                return
            del self._waiting[call]
            call.stop("timeout")
        self._timers.pop(self._timeout, None)
