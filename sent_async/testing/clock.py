"""The fake's clock: real time plus what ``FakeSent.advance`` added."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


class Clock:
    """Unix time plus the advanced seconds, and callbacks at times of this clock.

    Callbacks run in the event loop that called ``start``, until ``stop``. Callbacks that are due already run at
    ``start``.
    """

    def __init__(self) -> None:
        self._ahead = 0.0
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, Callable[[], object]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Advance by ``seconds``, and run the callbacks that become due. Each sees the time at which it is due.

        The clock never goes back, because expired windows and keys would become valid again.
        """
        if not 0 <= seconds <= _LATEST - self.now():
            raise ValueError(f"the clock can only go forward, up to the year 9000; got {seconds!r} seconds")
        ahead = self._ahead + seconds
        self._run(until=self.now() + seconds)
        self._ahead = max(self._ahead, ahead)
        self._wake()

    def call_at(self, moment: float, callback: Callable[[], object]) -> None:
        """Call ``callback`` at ``moment``, in Unix seconds of this clock. Order is kept for the same time."""
        waiting = (moment, next(self._order), callback)
        heapq.heappush(self._waiting, waiting)
        if self._waiting[0] is waiting:
            self._wake()

    def start(self) -> None:
        """Run the callbacks that are due, and later ones when they become due."""
        self._loop = asyncio.get_running_loop()
        self._wake()

    def stop(self) -> None:
        """Run no more callbacks. The pending ones are kept."""
        self._loop = None
        self._wake()

    def _run(self, until: float) -> None:
        while self._loop is not None and self._waiting and self._waiting[0][0] <= until:
            moment, _, callback = heapq.heappop(self._waiting)
            self._ahead = max(self._ahead, moment - time.time())
            callback()

    def _wake(self) -> None:
        """Set the timer for the next callback."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._loop is not None and self._waiting:
            self._timer = self._loop.call_later(self._waiting[0][0] - self.now(), self._due)

    def _due(self) -> None:
        self._run(until=self.now())
        self._wake()


def stamp(now: float) -> str:
    """A date-time as .NET writes it: seven fractional digits and an offset."""
    moment = datetime.fromtimestamp(int(now), UTC)
    ticks = int(now * 10_000_000) % 10_000_000
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ticks:07d}+00:00"
