"""Waits that are too long: they end with an error at once. In the time of a fake clock."""

from __future__ import annotations

import asyncio

import pytest

from sent_async import SentTimeoutError
from sent_async.pacing import HeaderPacer
from tests.support.clocks import FakeClock, elapse
from tests.support.pacing import MINUTE, TIER, paced, respond, waiting
from tests.support.simulation import Simulation


async def test_a_limit_that_frees_in_an_hour_is_an_error_at_once() -> None:
    """A call waits two minutes at most. The error says how long it would have waited."""
    clock = FakeClock()
    pacer = paced(clock, 0, reset_in=3000)
    assert pacer.try_acquire(TIER) is None

    with pytest.raises(SentTimeoutError) as raised:
        await pacer.wait(TIER, None)

    error = raised.value
    assert not error.maybe_sent
    assert error.retry_after == pytest.approx(3000, abs=0.01)
    assert str(error) == (
        "the rate limit of tier 'standard' (10 requests per window) frees in 3000 s, and a call waits at most 120 s "
        "for it. This attempt was not sent; call again after .retry_after"
    )
    assert pacer.rate_limits[TIER].waiting == 0


async def test_a_wait_beyond_the_deadline_is_an_error_at_once() -> None:
    """No call waits until its deadline without need."""
    clock = FakeClock()
    pacer = HeaderPacer(clock)
    respond(pacer, 429, {"Retry-After": "42"})

    with pytest.raises(
        SentTimeoutError, match=r"tier 'standard' is spent: .* comes in 42.0 s, after its deadline"
    ) as e:
        await pacer.wait(TIER, clock.now + 41)

    assert (e.value.retry_after, e.value.maybe_sent) == (42, False)


async def test_a_wait_within_the_deadline_is_waited() -> None:
    """The call is sent at its turn."""
    clock = FakeClock()
    pacer = HeaderPacer(clock)
    respond(pacer, 429, {"Retry-After": "42"})
    (task,) = await waiting(pacer, 1, expires=clock.now + 42)

    await elapse(clock, 42)

    assert task.done()
    await task


async def test_a_deadline_counts_the_calls_ahead() -> None:
    """At 200 a minute and with a deadline of 100 s, the first two windows' worth wait, and the others raise at once."""
    world = Simulation(MINUTE)
    world.start(1, first=9999)
    await elapse(world.clock, 1)
    world.start(1_000, deadline=100)
    await elapse(world.clock, 0)
    assert min(world.turned_away) == 399
    assert {round(error.retry_after or 0) for error in world.turned_away.values()} == {119}
    await elapse(world.clock, 120)

    assert len(world.ended) == 400
    assert world.refused == 0


@pytest.mark.parametrize(
    ("status", "headers"),
    [(200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700004000"}), (429, {"Retry-After": "1000"})],
)
async def test_calls_that_wait_already_raise_too(status: int, headers: dict[str, str]) -> None:
    """They waited for the first response, which says that the wait is too long."""
    clock = FakeClock()
    pacer = HeaderPacer(clock)
    permit = pacer.try_acquire(TIER)
    assert permit is not None
    tasks = await waiting(pacer, 20)
    tasks[3].cancel()

    pacer.release(TIER, permit, status, headers)
    errors = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(error) for error in errors] == [SentTimeoutError] * 3 + [asyncio.CancelledError] + [
        SentTimeoutError
    ] * 16
    assert pacer.rate_limits[TIER].waiting == 0


async def test_a_longer_pause_ends_the_waits_that_become_too_long() -> None:
    """The others go on waiting."""
    clock = FakeClock()
    pacer = HeaderPacer(clock)
    permit = pacer.try_acquire(TIER)
    assert permit is not None
    short, long = (*await waiting(pacer, 1, expires=clock.now + 10), *await waiting(pacer, 1, expires=clock.now + 100))

    pacer.release(TIER, permit, 429, {"Retry-After": "20"})
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    with pytest.raises(SentTimeoutError):
        await short
    assert not long.done()
    await elapse(clock, 20)
    await long
