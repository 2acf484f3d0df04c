"""A server on loopback that limits requests, with short windows."""

from __future__ import annotations

import asyncio
import email.utils
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from aiohttp import web
from aiohttp.test_utils import TestServer

from sent_async import SentClient
from sent_async.clock import Clock, SystemClock

from .clocks import SimulatedClock
from .payloads import problem
from .servers import PROFILE_RESPONSE
from .waiting import settle

T = TypeVar("T")

RetryAfter: TypeAlias = Literal["exact", "window", "none"]
ID = "660e8400-e29b-41d4-a716-446655440000"


@dataclass
class Limited:
    """``limit`` requests a ``window``; a bucket holds ``burst`` of them and is refilled evenly."""

    kind: Literal["window", "bucket"] = "window"
    limit: int = 20
    window: float = 0.3
    burst: int = 5
    retry_after: RetryAfter = "exact"
    headers: bool = True
    lies: bool = False
    """Let a bucket's headers count a window, as if its burst did not exist."""
    clock: Clock = field(default_factory=SystemClock)
    clock_ahead: float = 0.0
    """Seconds by which the server's clock differs from ours."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    responses: int = 0
    refused: int = 0
    before_response: Callable[[], Awaitable[None]] | None = None
    _passed: deque[float] = field(default_factory=deque)
    _tokens: float | None = None
    _filled: float = 0.0

    @property
    def seen(self) -> int:
        """Requests so far."""
        return len(self.paths)

    def _take(self, now: float) -> tuple[bool, int, float, float]:
        """Whether a request passes, how many are left, seconds to the reset, seconds until one passes."""
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

    async def run(self, work: Awaitable[T]) -> T:
        """Wait for some work. Simulated time passes while no request arrives and no response leaves."""
        assert isinstance(self.clock, SimulatedClock)
        task = asyncio.ensure_future(work)
        while not task.done():
            before = (self.seen, self.responses)
            await settle()
            if before == (self.seen, self.responses) and not task.done():
                self.clock.move_on()
        return await task

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.paths.append(request.path)
        passes, left, until_reset, wait = self._take(self.clock.time())
        if self.before_response is not None:
            await self.before_response()
        headers = {"Content-Type": "application/json"}
        unix = self.clock.wall() + self.clock_ahead
        if self.clock_ahead:
            headers["Date"] = email.utils.formatdate(unix, usegmt=True)
        if self.headers:
            headers["X-RateLimit-Limit"] = str(self.limit)
            headers["X-RateLimit-Remaining"] = str(left)
            headers["X-RateLimit-Reset"] = f"{_up(unix + until_reset):.3f}"
        self.responses += 1
        if passes:
            return web.Response(body=PROFILE_RESPONSE[1], headers=headers)
        self.refused += 1
        if self.retry_after != "none":
            headers["Retry-After"] = f"{_up(wait if self.retry_after == 'exact' else self.window):.3f}"
        return web.Response(status=429, body=problem("BUSINESS_002"), headers=headers)


def _up(seconds: float) -> float:
    """Round up to milliseconds, as the real API rounds up to whole seconds."""
    return math.ceil(seconds * 1000) / 1000


async def without_date(_request: web.Request, response: web.StreamResponse) -> None:
    """Its whole seconds are too coarse for windows shorter than a second."""
    response.headers.pop("Date", None)


ServeLimited: TypeAlias = Callable[[Limited], Awaitable[Limited]]
Connect: TypeAlias = Callable[..., SentClient]


async def fetch(client: SentClient, count: int, concurrency: int = 10) -> int:
    """Fetch this many profiles in a batch. Returns the number of failures."""
    results = await client.profiles.retrieve_many((ID for _ in range(count)), concurrency=concurrency)
    return sum(not result.ok for result in results)


@asynccontextmanager
async def limited_servers() -> AsyncIterator[ServeLimited]:
    """Starts limited servers, and ends them."""
    async with AsyncExitStack() as stack:

        async def start(limited: Limited) -> Limited:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", limited.handle)
            if not limited.clock_ahead:
                app.on_response_prepare.append(without_date)
            server = await stack.enter_async_context(TestServer(app))
            limited.url = str(server.make_url("")).rstrip("/")
            return limited

        yield start
