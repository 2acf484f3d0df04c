"""A pacer as its client uses it, one step at a time."""

from __future__ import annotations

import asyncio

from sent_async.pacing import HeaderPacer
from sent_async.testing.limits import Limit
from tests.support.clocks import FakeClock

TIER = "standard"
MINUTE = Limit(limit=200)


def limit_headers(clock: FakeClock, remaining: int, reset_in: float = 60.0, limit: int = 10) -> dict[str, str]:
    """The headers of a response that has a limit."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": f"{clock.wall() + reset_in:.3f}",
    }


def paced(clock: FakeClock, remaining: int, reset_in: float = 60.0) -> HeaderPacer:
    """A pacer after one response with this limit."""
    pacer = HeaderPacer(clock)
    respond(pacer, 200, limit_headers(clock, remaining, reset_in))
    return pacer


def respond(pacer: HeaderPacer, status: int, headers: dict[str, str]) -> None:
    """One request and its response."""
    permit = pacer.try_acquire(TIER)
    assert permit is not None
    pacer.release(TIER, permit, status, headers)


async def waiting(pacer: HeaderPacer, count: int, expires: float | None = None) -> list[asyncio.Task[None]]:
    """Calls that wait for the limit, which is spent."""
    assert pacer.try_acquire(TIER) is None
    tasks = [asyncio.ensure_future(pacer.wait(TIER, expires)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
