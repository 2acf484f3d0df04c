"""Time as the client sees it. One clock is passed to everything that waits or measures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from time import time as unix_time
from typing import Protocol


class Timer(Protocol):
    """A callback that has not run yet."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What the client needs of time. Tests pass one that does not wait."""

    def time(self) -> float:
        """Seconds that never go back, for measuring and waiting."""
        ...

    def wall(self) -> float:
        """Unix time in seconds, for dates that the server sends."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Wait."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call ``callback`` in the running event loop after ``seconds``, unless the timer is cancelled before."""
        ...


class SystemClock:
    """The computer's clocks and the running event loop's timers."""

    # Not methods of our own that call these: every request reads the time a few times.
    time = staticmethod(monotonic)
    wall = staticmethod(unix_time)
    sleep = staticmethod(asyncio.sleep)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, callback)
