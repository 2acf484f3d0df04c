"""The calls under way in one client, and the two ways they are stopped from outside: timeout and close."""

from __future__ import annotations

import asyncio
from typing import Literal

Reason = Literal["timeout", "close"]


class Call:
    """One call under way. Stopping it cancels its task and leaves a note, to tell it from other cancellations."""

    __slots__ = ("attempts", "cancelling", "expires", "maybe_sent", "stopped", "task")

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.task = task
        self.cancelling = task.cancelling()
        self.stopped: Reason | None = None
        self.expires = 0.0
        self.attempts = 0
        """How often a connection was asked for."""
        self.maybe_sent = False
        """Whether one was had, in any attempt."""

    def stop(self, reason: Reason) -> None:
        if self.stopped is None:
            self.stopped = reason
            self.task.cancel()

    def was_stopped(self, reason: Reason) -> bool:
        """Whether the ``CancelledError`` just caught is ours, for this reason; if so, it is taken back."""
        if self.stopped != reason:
            return False
        self.stopped = None
        return self.task.uncancel() <= self.cancelling


class AttemptTimer:
    """One event-loop timer for all attempts with the same timeout, where a timer each costs 6 % of a request.

    Attempts start in the order in which they will expire, so the first one waiting is the next to ring for.
    """

    def __init__(self, timeout: float, timers: dict[float, AttemptTimer]) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._timers = timers
        self._waiting: dict[Call, None] = {}
        self._handle: asyncio.TimerHandle | None = None

    def start(self, call: Call) -> None:
        call.expires = self._loop.time() + self._timeout
        self._waiting[call] = None
        if self._handle is None:
            self._handle = self._loop.call_at(call.expires, self._ring)

    def end(self, call: Call) -> None:
        self._waiting.pop(call, None)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _ring(self) -> None:
        self._handle = None
        now = self._loop.time()
        for call in list(self._waiting):
            if call.expires > now:
                self._handle = self._loop.call_at(call.expires, self._ring)
                return
            del self._waiting[call]
            call.stop("timeout")
        # Idle: forgotten until this timeout is used again, or a caller who computes timeouts would pile up timers.
        self._timers.pop(self._timeout, None)
