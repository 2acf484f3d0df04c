"""Servers that limit requests: one on loopback with short windows, and one in the time of a fake clock."""

from __future__ import annotations

import asyncio
import email.utils
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sent_async import SentClient, SentTimeoutError
from sent_async.pacing import HeaderPacer
from sent_async.testing.limits import Limit, Limits

from ..conftest import API_KEY, PROFILE_ANSWER, FakeClock, problem

ID = "660e8400-e29b-41d4-a716-446655440000"


@dataclass
class Limited:
    """``limit`` requests a ``window``; a bucket holds ``burst`` of them and is refilled evenly."""

    kind: Literal["window", "bucket"] = "window"
    limit: int = 20
    window: float = 0.3
    burst: int = 5
    retry_after: Literal["exact", "window", "none"] = "exact"
    headers: bool = True
    lies: bool = False
    """Let a bucket's headers count a window, as if its burst did not exist."""
    clock_ahead: float = 0.0
    """Seconds by which the server's clock differs from ours."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    refused: int = 0
    before_answer: Callable[[], Awaitable[None]] | None = None
    _passed: deque[float] = field(default_factory=deque)
    _tokens: float | None = None
    _filled: float = 0.0

    @property
    def seen(self) -> int:
        """Requests so far."""
        return len(self.paths)

    def _take(self, now: float) -> tuple[bool, int, float, float]:
        """Whether it may pass, and what is left, seconds until all is back, seconds until one may pass."""
        if self._passed and now >= self._passed[0] + self.window:
            self._passed.clear()
        until = (self._passed[0] if self._passed else now) + self.window - now
        if self.kind == "window":
            passes = len(self._passed) < self.limit
            if passes:
                self._passed.append(now)
            return passes, max(0, self.limit - len(self._passed)), until, until
        rate = self.limit / self.window
        held = self.burst if self._tokens is None else self._tokens
        self._tokens = min(float(self.burst), held + (now - self._filled) * rate)
        self._filled = now
        passes = self._tokens >= 1
        if passes:
            self._tokens -= 1
            self._passed.append(now)
        wait = max(0.0, (1 - self._tokens) / rate)
        if self.lies:
            return passes, max(0, self.limit - len(self._passed)), until, wait
        return passes, int(self._tokens), (self.burst - self._tokens) / rate, wait

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.paths.append(request.path)
        passes, left, until_reset, wait = self._take(time.monotonic())
        if self.before_answer is not None:
            await self.before_answer()
        headers = {"Content-Type": "application/json"}
        unix = time.time() + self.clock_ahead
        if self.clock_ahead:
            headers["Date"] = email.utils.formatdate(unix, usegmt=True)
        if self.headers:
            headers["X-RateLimit-Limit"] = str(self.limit)
            headers["X-RateLimit-Remaining"] = str(left)
            headers["X-RateLimit-Reset"] = f"{_up(unix + until_reset):.3f}"
        if passes:
            return web.Response(body=PROFILE_ANSWER[1], headers=headers)
        self.refused += 1
        if self.retry_after != "none":
            headers["Retry-After"] = f"{_up(wait if self.retry_after == 'exact' else self.window):.3f}"
        return web.Response(status=429, body=problem("BUSINESS_002"), headers=headers)


def _up(seconds: float) -> float:
    """Rounded up to milliseconds, as the real API rounds up to whole seconds."""
    return math.ceil(seconds * 1000) / 1000


async def without_date(_request: web.Request, response: web.StreamResponse) -> None:
    """Its whole seconds are too coarse for windows shorter than a second."""
    response.headers.pop("Date", None)


Serve: TypeAlias = Callable[[Limited], Awaitable[Limited]]
Connect: TypeAlias = Callable[..., SentClient]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts limited servers."""
    running: list[TestServer] = []

    async def start(limited: Limited) -> Limited:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", limited.handle)
        if not limited.clock_ahead:
            app.on_response_prepare.append(without_date)
        server = TestServer(app)
        await server.start_server()
        running.append(server)
        limited.url = str(server.make_url("")).rstrip("/")
        return limited

    yield start
    for server in running:
        await server.close()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes paced clients of a limited server."""
    made: list[SentClient] = []

    def make(server: Limited, **options: object) -> SentClient:
        made.append(SentClient(API_KEY, base_url=server.url, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for client in made:
        await client.close()


async def fetch(client: SentClient, count: int, concurrency: int = 10) -> int:
    """Fetch that many profiles at once. Returns how many failures the caller sees."""
    results = await client.profiles.retrieve_many((ID for _ in range(count)), concurrency=concurrency)
    return sum(not result.ok for result in results)


async def elapse(clock: FakeClock, seconds: float) -> None:
    """Let time pass from one timer to the next, and let the tasks run after each."""
    until = clock.now + seconds
    while True:
        for _ in range(10):
            await asyncio.sleep(0)
        clock.timers[:] = [timer for timer in clock.timers if not timer.cancelled]
        next_at = min((timer.at for timer in clock.timers), default=math.inf)
        if next_at > until:
            clock.advance(until - clock.now)
            return
        clock.advance(next_at - clock.now)


class Simulation:
    """Calls that are paced, connect, and reach a server with a limit, all in the time of a fake clock.

    ``limit=None`` is a server without limit and without rate headers. ``down`` is one that does not answer: requests
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
        """Like the client: connect, take, else wait and start over; a refused request is sent again."""
        expires = None if deadline is None else self.clock.now + deadline
        status = 429
        while status == 429:
            await self._pause(self.connecting)
            permit = self.pacer.take("standard")
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
