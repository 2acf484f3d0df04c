"""Many calls under one limit and through outages: their time, and what is refused. In the time of a fake clock."""

from __future__ import annotations

import asyncio

import pytest

from sent_async.testing.limits import Limit
from tests.support.clocks import FakeClock, elapse
from tests.support.limited import RetryAfter
from tests.support.pacing import MINUTE, TIER, cancel, limit_headers, paced, respond, waiting
from tests.support.simulation import Simulation


async def test_a_thousand_calls_take_five_windows() -> None:
    """At 200 a minute none is refused or lost, and the last ones end after four resets."""
    world = Simulation(MINUTE)
    world.start(1_000)

    await elapse(world.clock, 239)
    assert len(world.ended) == 800
    await elapse(world.clock, 10)

    assert (len(world.ended), world.refused, world.turned_away) == (1_000, 0, {})


@pytest.mark.parametrize("burst", [5, 50])
@pytest.mark.parametrize("retry_after", ["exact", "window", "none"])
async def test_a_token_bucket_is_never_overdrawn(burst: int, retry_after: RetryAfter) -> None:
    """Requests are sent at the rate at which the bucket fills."""
    world = Simulation(Limit(kind="bucket", limit=200, burst=burst, retry_after=retry_after))
    world.start(400)

    await elapse(world.clock, 150 if burst == 50 else 170)

    assert (len(world.ended), world.refused) == (400, 0)


async def test_one_429_pauses_all_calls() -> None:
    """Every request that is not yet written waits, with or without a connection."""
    clock = FakeClock()
    pacer = paced(clock, 9)
    respond(pacer, 429, {"Retry-After": "7"})

    assert pacer.try_acquire(TIER) is None
    assert pacer.rate_limits[TIER].paused_for == 7
    clock.advance(6.9)
    assert pacer.try_acquire(TIER) is None
    clock.advance(0.1)
    assert pacer.try_acquire(TIER) is not None


async def test_another_client_on_the_same_limit_costs_one_burst_of_refusals() -> None:
    """Only the requests in flight are refused. Then requests are spread, and all are served."""
    world = Simulation(Limit(limit=20), latency=0.5)
    await elapse(world.clock, 0)
    for _ in range(15):
        world.limits.take(TIER, "key", world.clock.wall())
    world.headers = False
    world.start(10)

    await elapse(world.clock, 300)

    assert len(world.ended) == 10
    assert 1 <= world.refused <= 9


@pytest.mark.parametrize("spent_by", ["remaining", "429"])
async def test_a_server_that_stops_sending_limits_is_not_served_one_by_one(spent_by: str) -> None:
    """After the pause nothing is known, so requests are not held back."""
    world = Simulation(None, latency=1.0)
    status = {"remaining": 200, "429": 429}[spent_by]
    respond(world.pacer, status, limit_headers(world.clock, 0, reset_in=5))
    world.start(1)
    await elapse(world.clock, 70)

    world.start(50, first=1)
    await elapse(world.clock, 2)

    assert (len(world.ended), world.at_once) == (51, 50)


async def test_requests_are_spread_after_a_429_although_responses_are_slow() -> None:
    """The next request is sent at its time, without waiting for the last response."""
    world = Simulation(None, latency=5.0)
    respond(world.pacer, 429, {"Retry-After": "1"})
    world.start(10)

    await elapse(world.clock, 4)

    assert (world.at_once, world.ended) == (10, {})


async def test_an_outage_with_no_known_limit_lasts_one_timeout() -> None:
    """2,000 calls to a server that does not respond fail within a second of each other, not one after the other."""
    world = Simulation(None)
    world.down = True
    world.start(2_000)

    await elapse(world.clock, 31)

    assert len(world.ended) == 2_000


async def test_an_outage_under_a_known_limit_adds_one_timeout() -> None:
    """When the server is gone at the reset, the old limit holds for one timeout, then none."""
    world = Simulation(Limit(limit=10))
    world.start(100)
    await elapse(world.clock, 1)
    assert len(world.ended) == 10
    world.down = True

    await elapse(world.clock, 60 + 2 * 30 + 1)

    assert len(world.ended) == 100


async def test_an_outage_of_connections_is_not_made_slower() -> None:
    """Calls that cannot connect delay the others for a second or two only."""
    clock = FakeClock()
    pacer = paced(clock, 0, reset_in=5)
    tasks = await waiting(pacer, 100)

    await elapse(clock, 5)
    assert sum(task.done() for task in tasks) == 1
    await elapse(clock, 1)
    assert sum(task.done() for task in tasks) == 1 + 10
    await elapse(clock, 1)
    assert all(task.done() for task in tasks)


async def test_woken_calls_that_do_not_come_leave_the_window_to_others() -> None:
    """A second later the next calls are woken. The limit still holds for what is written."""
    clock = FakeClock()
    pacer = paced(clock, 2)
    permits = [pacer.try_acquire(TIER), pacer.try_acquire(TIER)]
    tasks = await waiting(pacer, 6)
    for _ in permits:
        pacer.release(TIER, 0, 0, {})
    await asyncio.sleep(0)
    assert [task.done() for task in tasks] == [True, True, False, False, False, False]
    assert pacer.try_acquire(TIER) is None, "both are kept for those who were woken"

    await elapse(clock, 1)
    assert [task.done() for task in tasks] == [True, True, True, True, False, False]
    await cancel(tasks)
    clock.advance(1)

    assert [pacer.try_acquire(TIER) for _ in range(3)] == [0, 0, None]


async def test_asking_whether_it_is_open_changes_nothing() -> None:
    """A place that is kept for a woken call goes to the next one when the call does not come."""
    clock = FakeClock()
    pacer = paced(clock, 1)
    assert pacer.is_open(TIER)
    assert pacer.is_open("another tier")
    permit = pacer.try_acquire(TIER)
    assert not pacer.is_open(TIER)
    (late,) = await waiting(pacer, 1)
    pacer.release(TIER, permit or 0, 0, {})
    await late
    clock.advance(1)

    assert not pacer.is_open(TIER)
    await pacer.wait(TIER, None)
    assert pacer.is_open(TIER)
    assert pacer.try_acquire(TIER) is not None
