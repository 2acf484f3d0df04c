"""Paced clients against servers with real limits: what the server counts, and what the caller sees."""

from __future__ import annotations

import asyncio

import pytest

from sent_async import RateLimitError
from tests.support.clocks import SimulatedClock
from tests.support.limited import ID, Connect, Limited, RetryAfter, ServeLimited, fetch


async def test_a_fixed_window_is_never_overdrawn(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """Three windows' worth of requests: none is refused or fails."""
    server = await serve_limited(Limited("window", clock=simulated_clock))

    assert await server.run(fetch(connect(server), 60)) == 0

    assert (server.seen, server.refused) == (60, 0)


@pytest.mark.parametrize("retry_after", ["exact", "window", "none"])
async def test_a_bucket_is_never_overdrawn(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock, retry_after: RetryAfter
) -> None:
    """The headers say what the bucket holds, so there is no 429."""
    server = await serve_limited(Limited("bucket", retry_after=retry_after, clock=simulated_clock))

    assert await server.run(fetch(connect(server), 60)) == 0

    assert (server.seen, server.refused) == (60, 0)


@pytest.mark.parametrize("retry_after", ["exact", "window", "none"])
async def test_a_hidden_burst_costs_at_most_what_was_in_flight(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock, retry_after: RetryAfter
) -> None:
    """The headers promise more than the bucket holds: the requests in flight are refused once, and no call fails."""
    server = await serve_limited(Limited("bucket", lies=True, retry_after=retry_after, clock=simulated_clock))
    client = connect(server)

    assert await server.run(fetch(client, 40, concurrency=10)) == 0

    assert 1 <= server.refused <= 10
    assert server.seen == 40 + server.refused


async def test_a_refusal_without_retry_after_waits_for_the_reset(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """When another process has spent the window, one request is refused, although nothing says how long to wait."""
    server = await serve_limited(Limited("window", retry_after="none", clock=simulated_clock))
    other = connect(server, pacing=False)
    assert await server.run(fetch(other, 20)) == 0

    assert await server.run(fetch(connect(server), 20)) == 0

    assert server.refused == 1


async def test_a_server_without_rate_headers(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """Requests are not held back, and a 429 still pauses all calls."""
    server = await serve_limited(Limited("window", headers=False, clock=simulated_clock))
    client = connect(server)

    assert await server.run(fetch(client, 30, concurrency=10)) == 0

    assert server.seen == 30 + server.refused
    assert 1 <= server.refused <= 10


async def test_a_server_that_never_limits_is_not_slowed(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """Without headers and 429 all slots are used."""
    server = await serve_limited(Limited("window", limit=10_000, headers=False, clock=simulated_clock))
    together = asyncio.Barrier(10)
    client = connect(server)
    assert await server.run(fetch(client, 1)) == 0

    async def all_ten() -> None:
        await together.wait()

    server.before_response = all_ten
    assert await server.run(fetch(client, 10, concurrency=10)) == 0


@pytest.mark.parametrize("ahead", [-600.0, 600.0])
async def test_a_clock_ten_minutes_off(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock, ahead: float
) -> None:
    """The reset is Unix time by the server's clock, which its Date header has."""
    server = await serve_limited(Limited("window", clock_ahead=ahead, clock=simulated_clock))
    client = connect(server)

    assert await server.run(fetch(client, 25)) == 0

    assert (server.seen, server.refused) == (25, 0)
    assert 0 <= (client.rate_limits["standard"].resets_in or 0) <= 1.3


async def test_a_limit_lowered_mid_run_is_followed(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """From the next window on fewer requests are sent; at most those in flight are refused."""
    server = await serve_limited(Limited("window", clock=simulated_clock))
    client = connect(server)
    assert await server.run(fetch(client, 20)) == 0

    server.limit = 8
    assert await server.run(fetch(client, 24)) == 0

    assert server.refused == 0
    assert client.rate_limits["standard"].limit == 8


async def test_a_limit_raised_mid_run_is_followed(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """The first response of the next window has the new limit, and all of it is used at once."""
    server = await serve_limited(Limited("window", clock=simulated_clock))
    client = connect(server)
    assert await server.run(fetch(client, 20)) == 0

    server.limit, server.window = 200, 60.0
    assert await server.run(fetch(client, 150)) == 0

    assert server.refused == 0
    assert client.rate_limits["standard"].limit == 200


async def test_two_clients_with_the_same_key(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """Neither sees the other, so a few requests of each window are refused, not all."""
    server = await serve_limited(Limited("window", limit=40, clock=simulated_clock))
    one, two = connect(server, max_retries=5), connect(server, max_retries=5)

    failures = await server.run(asyncio.gather(fetch(one, 60), fetch(two, 60)))

    assert sum(failures) == 0
    assert server.refused <= 2 * 10
    assert server.seen == 120 + server.refused


async def test_tiers_do_not_block_each_other(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """When the sensitive tier is spent, standard requests go on, and the other way round."""
    server = await serve_limited(Limited("window", limit=1, window=60.0, clock=simulated_clock))
    client = connect(server)
    await client.profiles.retrieve(ID)
    held = asyncio.ensure_future(client.profiles.retrieve(ID))
    await asyncio.sleep(0)

    server.limit = 1_000
    await client.profiles.complete(ID, web_hook_url="https://example.com/done")

    assert not held.done()
    assert server.paths == [f"/v3/profiles/{ID}", f"/v3/profiles/{ID}/complete"]
    assert client.rate_limits["standard"].waiting == 1
    assert client.rate_limits["sensitive"].waiting == 0
    held.cancel()
    with pytest.raises(asyncio.CancelledError):
        await held


async def test_one_refusal_pauses_all_tasks_once_and_they_resume_spread_out(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """Ten refused requests make one pause. Then requests go one by one, and all are served."""
    server = await serve_limited(Limited("bucket", lies=True, burst=10, clock=simulated_clock))
    client = connect(server)
    assert await server.run(fetch(client, 10)) == 0
    arrived: list[float] = []

    async def note() -> None:
        arrived.append(simulated_clock.time())

    server.before_response = note
    assert await server.run(fetch(client, 10, concurrency=10)) == 0

    refused = server.refused
    assert 1 <= refused <= 10
    assert len(set(arrived[-refused:])) == refused  # each of them at a time of its own
    assert server.seen == 20 + refused


async def test_without_pacing_refusals_are_only_retried(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """With ``pacing=False`` nothing is held back, nothing is known, and the retries are used up."""
    server = await serve_limited(Limited("window", window=60.0, retry_after="none", clock=simulated_clock))
    client = connect(server, pacing=False)

    assert await server.run(fetch(client, 40)) == 20

    assert server.refused == 20 * 3
    assert client.rate_limits == {}


async def test_a_refusal_beyond_the_retries_is_raised_with_its_wait(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """Without retries the error has the wait."""
    server = await serve_limited(Limited("window", limit=1, window=60.0, clock=simulated_clock))
    await connect(server).profiles.retrieve(ID)

    with pytest.raises(RateLimitError) as raised:
        await connect(server, max_retries=0).profiles.retrieve(ID)

    assert raised.value.retry_after is not None
    assert 0 < raised.value.retry_after <= 60


async def test_a_slow_first_response_does_not_delay_other_calls(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """The first request learns the limit. When it hangs, others are sent without knowing it."""
    server = await serve_limited(Limited("window", limit=1_000, clock=simulated_clock))
    stuck = asyncio.Event()

    async def first_hangs() -> None:
        if server.seen == 1:
            await stuck.wait()

    server.before_response = first_hangs
    client = connect(server)
    first = asyncio.ensure_future(client.profiles.retrieve(ID))
    await asyncio.sleep(0)

    assert await server.run(fetch(client, 5)) == 0
    assert not first.done()

    stuck.set()
    await first
