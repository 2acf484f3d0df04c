"""``HeaderPacer`` and the calls that wait: their order, their cancellation, the log. In the time of a fake clock."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sent_async import SentTimeoutError
from sent_async.pacing import HeaderPacer
from sent_async.testing.limits import Limit
from tests.support.clocks import FakeClock, elapse
from tests.support.pacing import TIER, cancel, limit_headers, paced, waiting
from tests.support.simulation import Simulation

# First come, first served


async def test_requests_go_out_in_the_order_of_asking() -> None:
    """This holds over three windows, however long each call takes to connect."""
    world = Simulation(Limit(limit=10), connecting=0.3)
    world.start(25)

    await elapse(world.clock, 130)

    assert [number for _, number in world.written] == list(range(25))


async def test_new_calls_do_not_overtake_waiting_ones() -> None:
    """This holds while a woken call still waits for its connection."""
    world = Simulation(Limit(limit=2), connecting=0.5)
    world.start(4)
    await elapse(world.clock, 59.5)

    for number in range(4, 10):
        world.start(1, first=number)
        await elapse(world.clock, 0.3)
    await elapse(world.clock, 300)

    assert [number for _, number in world.written] == list(range(10))
    assert world.refused == 0


async def test_a_woken_call_that_finds_the_limit_spent_again_keeps_its_place() -> None:
    """After a 429 in between it is still before later calls."""
    clock = FakeClock()
    pacer = paced(clock, 3)
    permits = [pacer.try_acquire(TIER) for _ in range(3)]
    order: list[int] = []
    connected = asyncio.Event()

    async def call(number: int) -> None:
        while pacer.try_acquire(TIER) is None:
            await pacer.wait(TIER, None)
            if number < 2:
                await connected.wait()
        order.append(number)

    tasks = [asyncio.ensure_future(call(number)) for number in range(4)]
    await asyncio.sleep(0)
    for _ in range(2):
        pacer.release(TIER, permits.pop() or 0, 200, limit_headers(clock, 3))
    await asyncio.sleep(0)
    assert pacer.rate_limits[TIER].waiting == 2, "0 and 1 were woken, and connect"
    pacer.release(TIER, permits.pop() or 0, 429, {"Retry-After": "5"})
    connected.set()
    await elapse(clock, 0)
    assert pacer.rate_limits[TIER].waiting == 4

    await elapse(clock, 60)

    assert order == [0, 1, 2, 3]
    assert all(task.done() for task in tasks)


# The log


async def test_a_wait_is_logged_once_for_each_pause(caplog: pytest.LogCaptureFixture) -> None:
    """The line has the tier, the seconds, and the number of waiting calls."""
    caplog.set_level(logging.INFO, "sent_async")
    world = Simulation(Limit(limit=50))
    world.start(120)

    await elapse(world.clock, 200)

    assert [record.getMessage() for record in caplog.records] == [
        "rate limit of tier standard: requests wait 59.9 s (the limit is spent), 70 so far",
        "rate limit of tier standard: requests wait 59.9 s (the limit is spent), 20 so far",
    ]
    assert {(record.name, record.levelno) for record in caplog.records} == {("sent_async", logging.INFO)}


async def test_a_pause_without_waiting_calls_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Calls that raise at once are not logged either."""
    caplog.set_level(logging.INFO, "sent_async")
    clock = FakeClock()
    pacer = paced(clock, 0, reset_in=3000)

    with pytest.raises(SentTimeoutError):
        await pacer.wait(TIER, None)

    assert caplog.records == []


# Cancellation


@pytest.mark.parametrize("told_first", [True, False])
async def test_a_cancelled_call_leaves_its_turn_to_the_next(told_first: bool) -> None:
    """This holds whether it was woken before or not."""
    clock = FakeClock()
    pacer = paced(clock, 1)
    permit = pacer.try_acquire(TIER)
    assert permit is not None
    first, second, third = await waiting(pacer, 3)

    first.cancel()
    if told_first:
        await asyncio.sleep(0)
    pacer.release(TIER, permit, 200, limit_headers(clock, 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert (first.cancelled(), second.done(), third.done()) == (True, True, False)
    await cancel([third])


async def test_a_call_cancelled_as_it_is_woken_leaves_its_turn_to_the_next() -> None:
    """It had no time to take a permit."""
    clock = FakeClock()
    pacer = paced(clock, 1)
    permit = pacer.try_acquire(TIER)
    assert permit is not None
    first, second = await waiting(pacer, 2)

    pacer.release(TIER, permit, 200, limit_headers(clock, 1))
    first.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert (first.cancelled(), second.done()) == (True, True)


def _newest_first(tasks: list[asyncio.Task[None]]) -> None:
    tasks.reverse()


@pytest.mark.parametrize("shuffle", [list.copy, _newest_first, random.Random(1).shuffle])
async def test_twenty_thousand_calls_can_be_cancelled_in_any_order(
    shuffle: Callable[[list[asyncio.Task[None]]], object],
) -> None:
    """No call and no timer is left, and the limit is as before. A quadratic queue would take minutes."""
    clock = FakeClock()
    pacer = paced(clock, 0)
    tasks = await waiting(pacer, 20_000)
    assert pacer.rate_limits[TIER].waiting == 20_000
    shuffle(tasks)

    await cancel(tasks)

    state = pacer.rate_limits[TIER]
    assert (state.in_flight, state.waiting, state.remaining) == (0, 0, 0)
    assert all(timer.cancelled for timer in clock.timers)
    clock.advance(60)
    assert pacer.try_acquire(TIER) is not None


# Whatever the server says

HEADERS = st.dictionaries(
    st.sampled_from(["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "Date"]),
    st.one_of(
        st.integers(-5, 200).map(str),
        st.integers(0, 5_000).map(lambda seconds: str(1_700_001_000 + seconds)),
        st.just("9" * 5_000),
        st.text(max_size=20),
        st.just("Tue, 14 Nov 2023 22:30:00 GMT"),
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0, 200, 404, 429, 503]), HEADERS), max_size=15))
def test_no_response_leaves_a_call_waiting_for_ever(responses: list[tuple[int, dict[str, str]]]) -> None:
    """Each call gets a permit or an error, whatever statuses and headers come."""

    async def run() -> None:
        clock = FakeClock()
        pacer = HeaderPacer(clock)
        script = iter(responses)

        async def call() -> None:
            while (permit := pacer.try_acquire(TIER)) is None:
                await pacer.wait(TIER, None)
            await asyncio.sleep(0)
            pacer.release(TIER, permit, *next(script, (200, {})))

        tasks = [asyncio.ensure_future(call()) for _ in range(20)]
        await elapse(clock, 20_000)
        assert all(task.done() for task in tasks)
        failures = [task.exception() for task in tasks if task.exception() is not None]
        assert all(isinstance(failure, SentTimeoutError) for failure in failures)
        state = pacer.rate_limits[TIER]
        assert (state.in_flight, state.waiting) == (0, 0)

    asyncio.run(run())
