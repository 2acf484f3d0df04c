"""Clocks in which a test does not wait."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass

from sent_async.clock import SystemClock

from .waiting import turns


@dataclass(eq=False)
class FakeTimer:
    """A callback of ``FakeClock.call_later``."""

    at: float
    callback: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    """Time that passes only when a task sleeps, and then at once, or when a test calls ``advance``."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.timers: list[FakeTimer] = []

    def time(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_700_000_000.0 + self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> FakeTimer:
        timer = FakeTimer(self.now + seconds, callback)
        self.timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Let time pass, and run in their order the callbacks that become due."""
        until = self.now + seconds
        while due := [timer for timer in self.timers if timer.at <= until and not timer.cancelled]:
            first = min(due, key=lambda timer: timer.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            first.callback()
        self.now = max(self.now, until)


class SimulatedClock(FakeClock):
    """Time that passes only by ``move_on`` and ``advance``. Timers are a little late, as those of an event loop are."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        over = asyncio.Event()
        self.call_later(seconds, over.set)
        await over.wait()

    def move_on(self) -> None:
        """Let time pass until the next timer is due."""
        self.timers[:] = [timer for timer in self.timers if not timer.cancelled]
        if self.timers:
            self.advance(min(timer.at for timer in self.timers) - self.now + 0.0001)


class NoPause(SystemClock):
    """Real time in which nothing waits between attempts."""

    async def sleep(self, _seconds: float) -> None:
        await asyncio.sleep(0)


async def elapse(clock: FakeClock, seconds: float) -> None:
    """Let time pass from one timer to the next, and let the tasks run after each."""
    until = clock.now + seconds
    while True:
        await turns(10)
        clock.timers[:] = [timer for timer in clock.timers if not timer.cancelled]
        next_at = min((timer.at for timer in clock.timers), default=math.inf)
        if next_at > until:
            clock.advance(until - clock.now)
            return
        clock.advance(next_at - clock.now)
