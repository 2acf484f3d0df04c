"""``HeaderPacer``, the calls that wait and the bounds of waiting. All in the time of a fake clock."""

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
from tests.support.simulation import Simulation

TIER = "standard"
MINUTE = Limit(limit=200)


def told(clock: FakeClock, remaining: int, reset_in: float = 60.0, limit: int = 10) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": f"{clock.wall() + reset_in:.3f}",
    }


def paced(clock: FakeClock, remaining: int, reset_in: float = 60.0) -> HeaderPacer:
    """A pacer whose only response so far said this."""
    pacer = HeaderPacer(clock)
    respond(pacer, 200, told(clock, remaining, reset_in))
    return pacer


def respond(pacer: HeaderPacer, status: int, headers: dict[str, str]) -> None:
    """One request and its response."""
    permit = pacer.try_acquire(TIER)
    assert permit is not None
    pacer.release(TIER, permit, status, headers)


async def waiting(pacer: HeaderPacer, count: int, expires: float | None = None) -> list[asyncio.Task[None]]:
    """That many calls that were told to wait."""
    assert pacer.try_acquire(TIER) is None
    tasks = [asyncio.ensure_future(pacer.wait(TIER, expires)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# Through windows


async def test_a_thousand_calls_take_five_windows() -> None:
    """At 200 a minute: none refused, none lost, and the last ones end after four resets."""
    world = Simulation(MINUTE)
    world.start(1_000)

    await elapse(world.clock, 239)
    assert len(world.ended) == 800
    await elapse(world.clock, 10)

    assert (len(world.ended), world.refused, world.turned_away) == (1_000, 0, {})


@pytest.mark.parametrize("burst", [5, 50])
@pytest.mark.parametrize("retry_after", ["exact", "window", "none"])
async def test_a_token_bucket_is_never_overdrawn(burst: int, retry_after: str) -> None:
    """What it holds is in its headers. It is used at the rate at which it fills."""
    world = Simulation(Limit(kind="bucket", limit=200, burst=burst, retry_after=retry_after))  # type: ignore[arg-type]
    world.start(400)

    await elapse(world.clock, 150 if burst == 50 else 170)

    assert (len(world.ended), world.refused) == (400, 0)


async def test_one_429_pauses_everybody_until_it_is_over() -> None:
    """Whoever has not been written yet has to wait, with a connection in hand or not."""
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
    """Those in flight at the time; then they go out spread, and all get through."""
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
async def test_a_server_that_stops_telling_limits_is_not_served_one_by_one(spent_by: str) -> None:
    """After the pause nothing is known, so nothing is held back."""
    world = Simulation(None, latency=1.0)
    status = {"remaining": 200, "429": 429}[spent_by]
    respond(world.pacer, status, told(world.clock, 0, reset_in=5))
    world.start(1)
    await elapse(world.clock, 70)

    world.start(50, first=1)
    await elapse(world.clock, 2)

    assert (len(world.ended), world.at_once) == (51, 50)


async def test_requests_are_spread_after_a_429_although_responses_are_slow() -> None:
    """The next request is sent at its time, without waiting for the response to the last one."""
    world = Simulation(None, latency=5.0)
    respond(world.pacer, 429, {"Retry-After": "1"})
    world.start(10)

    await elapse(world.clock, 4)

    assert (world.at_once, world.ended) == (10, {})


# Outages


async def test_an_outage_with_nothing_known_lasts_no_longer_than_the_timeout_and_a_second() -> None:
    """2,000 calls to a server that does not respond fail together, not one per second."""
    world = Simulation(None)
    world.down = True
    world.start(2_000)

    await elapse(world.clock, 31)

    assert len(world.ended) == 2_000


async def test_an_outage_under_a_known_limit_adds_one_timeout() -> None:
    """At the reset the server is gone: at first the old limit holds, then nothing does."""
    world = Simulation(Limit(limit=10))
    world.start(100)
    await elapse(world.clock, 1)
    assert len(world.ended) == 10
    world.down = True

    await elapse(world.clock, 60 + 2 * 30 + 1)

    assert len(world.ended) == 100


async def test_an_outage_of_connections_is_not_made_slower() -> None:
    """Woken calls that cannot connect do not hold the others back for more than a second or two."""
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
    """A second later the next ones are woken. The limit still holds for what is written."""
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
    await end(tasks)
    clock.advance(1)

    assert [pacer.try_acquire(TIER) for _ in range(3)] == [0, 0, None]


async def test_asking_whether_it_is_open_changes_nothing() -> None:
    """What is kept for a woken call that is late goes to whoever waits for it, or takes it, next."""
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


# First come, first served


async def test_requests_go_out_in_the_order_of_asking() -> None:
    """Through three windows, however long each needs to connect."""
    world = Simulation(Limit(limit=10), connecting=0.3)
    world.start(25)

    await elapse(world.clock, 130)

    assert [number for _, number in world.written] == list(range(25))


async def test_newcomers_do_not_overtake_those_who_wait() -> None:
    """Not even while a woken call is still on its way to a connection."""
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
    """A 429 came in between: it is still before those who came after it."""
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
        pacer.release(TIER, permits.pop() or 0, 200, told(clock, 3))
    await asyncio.sleep(0)
    assert pacer.rate_limits[TIER].waiting == 2, "0 and 1 were woken, and connect"
    pacer.release(TIER, permits.pop() or 0, 429, {"Retry-After": "5"})
    connected.set()
    await elapse(clock, 0)
    assert pacer.rate_limits[TIER].waiting == 4

    await elapse(clock, 60)

    assert order == [0, 1, 2, 3]
    assert all(task.done() for task in tasks)


# Bounds


async def test_a_limit_that_frees_in_an_hour_is_an_error_at_once() -> None:
    """A call waits two minutes at most; the error says how long it would have been."""
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
        "for it. This attempt was not sent; try again after .retry_after"
    )
    assert pacer.rate_limits[TIER].waiting == 0


async def test_a_wait_beyond_the_deadline_is_an_error_at_once() -> None:
    """No call sleeps until its deadline for nothing."""
    clock = FakeClock()
    pacer = HeaderPacer(clock)
    respond(pacer, 429, {"Retry-After": "42"})

    with pytest.raises(
        SentTimeoutError, match=r"tier 'standard' is spent: .* comes in 42.0 s, after its deadline"
    ) as e:
        await pacer.wait(TIER, clock.now + 41)

    assert (e.value.retry_after, e.value.maybe_sent) == (42, False)


async def test_a_wait_within_the_deadline_is_waited() -> None:
    """Its turn comes just in time."""
    clock = FakeClock()
    pacer = HeaderPacer(clock)
    respond(pacer, 429, {"Retry-After": "42"})
    (task,) = await waiting(pacer, 1, expires=clock.now + 42)

    await elapse(clock, 42)

    assert task.done()
    await task


async def test_a_deadline_counts_the_calls_ahead() -> None:
    """At 200 a minute, with 100 seconds to live: the first two windows' worth waits, the others know at once."""
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
async def test_those_who_wait_already_are_turned_away_too(status: int, headers: dict[str, str]) -> None:
    """They waited for the first response, which says that it will take long."""
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


async def test_a_longer_pause_turns_away_whom_it_is_too_long_for() -> None:
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


# The log


async def test_a_wait_is_logged_once_for_each_pause(caplog: pytest.LogCaptureFixture) -> None:
    """The tier, the seconds, and how many wait."""
    caplog.set_level(logging.INFO, "sent_async")
    world = Simulation(Limit(limit=50))
    world.start(120)

    await elapse(world.clock, 200)

    assert [record.getMessage() for record in caplog.records] == [
        "rate limit of tier standard: requests wait 59.9 s (the limit is spent), 70 so far",
        "rate limit of tier standard: requests wait 59.9 s (the limit is spent), 20 so far",
    ]
    assert {(record.name, record.levelno) for record in caplog.records} == {("sent_async", logging.INFO)}


async def test_a_pause_in_which_nobody_waits_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Nor are those who were turned away at once."""
    caplog.set_level(logging.INFO, "sent_async")
    clock = FakeClock()
    pacer = paced(clock, 0, reset_in=3000)

    with pytest.raises(SentTimeoutError):
        await pacer.wait(TIER, None)

    assert caplog.records == []


# Cancellation


@pytest.mark.parametrize("told_first", [True, False])
async def test_a_cancelled_call_leaves_its_turn_to_the_next(told_first: bool) -> None:
    """Whether it has run before the others are woken or not."""
    clock = FakeClock()
    pacer = paced(clock, 1)
    permit = pacer.try_acquire(TIER)
    assert permit is not None
    first, second, third = await waiting(pacer, 3)

    first.cancel()
    if told_first:
        await asyncio.sleep(0)
    pacer.release(TIER, permit, 200, told(clock, 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert (first.cancelled(), second.done(), third.done()) == (True, True, False)
    await end([third])


async def test_a_call_cancelled_just_after_it_was_woken_leaves_its_turn_to_the_next() -> None:
    """It had no chance to take anything."""
    clock = FakeClock()
    pacer = paced(clock, 1)
    permit = pacer.try_acquire(TIER)
    assert permit is not None
    first, second = await waiting(pacer, 2)

    pacer.release(TIER, permit, 200, told(clock, 1))
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
    """Nothing is left of them: no call, no timer, and the limit is as it was. A quadratic queue takes minutes here."""
    clock = FakeClock()
    pacer = paced(clock, 0)
    tasks = await waiting(pacer, 20_000)
    assert pacer.rate_limits[TIER].waiting == 20_000
    shuffle(tasks)

    await end(tasks)

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
    """Each call is let through or turned away, whatever statuses and headers come."""

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
