"""The time. One clock is passed to everything that waits or measures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from time import time as unix_time
from typing import Protocol


class Timer(Protocol):
    """A callback that has not run yet."""

    def cancel(self) -> None:
        """Prevent the call."""
        ...


class Clock(Protocol):
    """What the client needs of time. Tests pass one that does not wait."""

    def time(self) -> float:
        """Seconds that never go back, for measuring and waiting."""
        ...

    def wall(self) -> float:
        """Unix time in seconds, for dates that the server sends."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Wait for this many seconds."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call ``callback`` in the running event loop after ``seconds``, unless the timer is cancelled first."""
        ...


class SystemClock:
    """The clocks of the computer and the timers of the running event loop."""

    # Not wrapped in methods, because every request reads the time a few times.
    time = staticmethod(monotonic)
    wall = staticmethod(unix_time)
    sleep = staticmethod(asyncio.sleep)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, callback)
