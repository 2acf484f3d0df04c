"""Calls and a server with a limit, in the time of a fake clock."""

from __future__ import annotations

import asyncio

from sent_async import SentTimeoutError
from sent_async.pacing import HeaderPacer
from sent_async.testing.limits import Limit, Limits

from .clocks import FakeClock


class Simulation:
    """Calls that are paced, connect, and reach a server with a limit, all in the time of a fake clock.

    ``limit=None`` is a server without limit and without rate headers. ``down`` is one that does not respond: requests
    end after 30 seconds.
    """

    def __init__(self, limit: Limit | None, *, latency: float = 0.1, connecting: float = 0.0) -> None:
        self.clock = FakeClock()
        self.pacer = HeaderPacer(self.clock)
        self.limits = Limits()
        self.headers = limit is not None
        if limit is not None:
            self.limits.set("standard", limit)
        self.latency = latency
        self.connecting = connecting
        self.down = False
        self.written: list[tuple[float, int]] = []
        """When each request was written, and the number of its call."""
        self.ended: dict[int, float] = {}
        self.refused = 0
        self.turned_away: dict[int, SentTimeoutError] = {}
        self.at_once = 0
        """The most requests that were in flight together."""
        self._in_flight = 0

    async def call(self, number: int, deadline: float | None = None) -> None:
        """What the client does: connect, take a permit or wait and start over, and send a refused request again."""
        expires = None if deadline is None else self.clock.now + deadline
        status = 429
        while status == 429:
            await self._pause(self.connecting)
            permit = self.pacer.try_acquire("standard")
            if permit is None:
                try:
                    await self.pacer.wait("standard", expires)
                except SentTimeoutError as error:
                    self.turned_away[number] = error
                    return
                continue
            status = await self._exchange(number, permit)
        self.ended[number] = self.clock.now

    async def _exchange(self, number: int, permit: int) -> int:
        self.written.append((self.clock.now, number))
        self._in_flight += 1
        self.at_once = max(self.at_once, self._in_flight)
        status, headers = 0, dict[str, str]()
        try:
            passes = self.limits.take("standard", "key", self.clock.wall())
            if self.down:
                await self._pause(30)
                return status
            await self._pause(self.latency)
            status = 200 if passes else 429
            if self.headers:
                headers = self.limits.headers("standard", "key", self.clock.wall())
            if not passes:
                self.refused += 1
                headers.update(self.limits.retry_after("standard", "key", self.clock.wall()))
            return status
        finally:
            self._in_flight -= 1
            self.pacer.release("standard", permit, status, headers)

    async def _pause(self, seconds: float) -> None:
        if seconds:
            over = asyncio.Event()
            self.clock.call_later(seconds, over.set)
            await over.wait()

    def start(self, count: int, *, first: int = 0, deadline: float | None = None) -> list[asyncio.Task[None]]:
        return [asyncio.ensure_future(self.call(number, deadline)) for number in range(first, first + count)]
