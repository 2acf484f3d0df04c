"""The clock of the fake server, and callbacks that become due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from sent_async.testing.clock import Clock


@pytest.fixture
async def clock() -> AsyncIterator[Clock]:
    clock = Clock()
    clock.start()
    yield clock
    clock.stop()


async def test_advance_runs_what_becomes_due_at_its_own_moment(clock: Clock) -> None:
    """Callbacks run in order, each at its own time, also those that a callback adds."""
    start = clock.now()
    ran: list[tuple[str, int]] = []

    def note(name: str) -> None:
        ran.append((name, round(clock.now() - start)))

    def more() -> None:
        note("more")
        clock.call_at(start + 45, lambda: note("added"))
        clock.call_at(start + 500, lambda: note("not yet"))

    clock.call_at(start + 60, lambda: note("last"))
    clock.call_at(start + 30, more)
    clock.call_at(start + 30, lambda: note("same moment"))
    clock.advance(100)
    assert ran == [("more", 30), ("same moment", 30), ("added", 45), ("last", 60)]
    assert round(clock.now() - start) == 100


async def test_real_time_runs_what_becomes_due(clock: Clock) -> None:
    """Callbacks run when their time comes without ``advance``."""
    ran: list[str] = []
    done = asyncio.Event()
    clock.call_at(clock.now() + 0.02, done.set)
    clock.call_at(clock.now() + 0.01, lambda: ran.append("earlier"))
    clock.call_at(clock.now() - 5, lambda: ran.append("overdue"))
    clock.call_at(clock.now() + 3600, lambda: ran.append("later"))
    await done.wait()
    assert ran == ["overdue", "earlier"]


async def test_a_stopped_clock_keeps_what_waits() -> None:
    """Before ``start`` and after ``stop`` nothing runs. A start runs what has become due."""
    clock, done = Clock(), asyncio.Event()
    clock.call_at(clock.now() + 10, done.set)
    clock.advance(20)
    await asyncio.sleep(0)
    assert not done.is_set()
    clock.start()
    clock.stop()
    await asyncio.sleep(0)
    assert not done.is_set()
    clock.start()
    await done.wait()
    clock.stop()


def test_time_goes_forward_only() -> None:
    """Negative seconds and NaN are refused."""
    for seconds in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="forward"):
            Clock().advance(seconds)
