"""Pacing as users see it: the readable state, a pacer of one's own, cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from sent_async import NotFoundError, Pacer, RateLimitError, SentConnectionError, SentTimeoutError
from tests.support.clocks import SimulatedClock
from tests.support.limited import ID, Connect, Limited, ServeLimited, fetch
from tests.support.payloads import problem
from tests.support.raw_servers import RawServer, close_after_reading, good
from tests.support.servers import MakeClient, Server, make_response
from tests.support.waiting import until


async def test_the_state_is_readable(serve_limited: ServeLimited, connect: Connect) -> None:
    """``rate_limits`` has what the responses said, by tier."""
    server = await serve_limited(Limited("window", limit=50, window=60.0))
    client = connect(server)
    assert client.rate_limits == {}

    assert await fetch(client, 3) == 0

    (tier, state), *others = client.rate_limits.items()
    assert (tier, others) == ("standard", [])
    assert (state.limit, state.remaining) == (50, 47)
    assert state.resets_in is not None
    assert 0 < state.resets_in <= 61
    assert (state.paused_for, state.in_flight, state.waiting) == (0, 0, 0)


async def test_the_state_without_rate_headers(serve_limited: ServeLimited, connect: Connect) -> None:
    """A value that no response has given is None."""
    server = await serve_limited(Limited("window", headers=False))
    client = connect(server)

    assert await fetch(client, 1) == 0

    state = client.rate_limits["standard"]
    assert (state.limit, state.remaining, state.resets_in) == (None, None, None)


async def test_the_state_during_a_pause(serve_limited: ServeLimited, connect: Connect) -> None:
    """It has the number of calls that wait, and the least wait."""
    server = await serve_limited(Limited("window", limit=1, window=60.0))
    await connect(server).profiles.retrieve(ID)
    client = connect(server)
    tasks = [asyncio.ensure_future(client.profiles.retrieve(ID)) for _ in range(3)]
    await until(lambda: server.refused and client.rate_limits["standard"].paused_for)

    state = client.rate_limits["standard"]
    assert 50 < state.paused_for <= 60
    assert (state.in_flight, state.waiting, state.remaining) == (0, 2, 0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert client.rate_limits["standard"].waiting == 0
    assert server.seen == 2


class Recorder:
    """A pacer of one's own, which lets everything pass."""

    def __init__(self) -> None:
        self.released: list[tuple[str, int, int, str | None]] = []
        self.permits = 0

    def for_key(self, api_key: str) -> Recorder:
        return self

    def is_open(self, tier: str) -> bool:
        return True

    def try_acquire(self, tier: str) -> int:
        self.permits += 1
        return self.permits

    async def wait(self, tier: str, expires: float | None) -> None:
        raise AssertionError("nobody is refused a permit")

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        self.released.append((tier, permit, status, headers.get("X-Request-Id")))


async def test_a_pacer_of_ones_own_is_called_once_per_attempt(server: Server, client: MakeClient) -> None:
    """This holds for errors and retries, and ``release`` gets the permit as it was given."""
    recorder = Recorder()
    pacer: Pacer = recorder
    success = server.responses[0]
    server.responses = [
        make_response(problem(None), 503, X_Request_Id="req_1"),
        make_response(problem("RESOURCE_014"), 404),
        success,
    ]
    sent = client(pacing=pacer)

    with pytest.raises(NotFoundError):
        await sent.profiles.retrieve(ID)
    await sent.profiles.complete(ID, web_hook_url="https://example.com/done")

    assert recorder.released == [("standard", 1, 503, "req_1"), ("standard", 2, 404, None), ("sensitive", 3, 200, None)]
    assert sent.rate_limits == {}


async def test_a_pacer_is_called_for_attempts_without_a_response(client: MakeClient) -> None:
    """It gets status 0 and no headers."""
    recorder = Recorder()
    async with RawServer(close_after_reading) as raw:
        sent = client(base_url=raw.url, pacing=recorder, max_retries=1)
        with pytest.raises(SentConnectionError):
            await sent.profiles.retrieve(ID)

    assert recorder.released == [("standard", 1, 0, None), ("standard", 2, 0, None)]


async def test_a_call_that_cannot_connect_takes_no_permit(client: MakeClient, unused_tcp_port: int) -> None:
    """A server that is down uses no permits, and delays no call that waits for one."""
    sent = client(base_url=f"http://127.0.0.1:{unused_tcp_port}", pacing=True, max_retries=0)

    assert await fetch(sent, 5, concurrency=5) == 5

    assert sent.rate_limits == {}


async def test_no_call_holds_a_permit_while_it_waits_for_a_connection(
    serve_limited: ServeLimited, connect: Connect, simulated_clock: SimulatedClock
) -> None:
    """With few slots, no call that had to wait is sent during a pause that began in the meantime."""
    server = await serve_limited(Limited("window", limit=4, window=4, headers=False, clock=simulated_clock))
    client = connect(server, limit=4, max_retries=3)

    assert await server.run(fetch(client, 24, concurrency=24)) == 0

    assert server.refused <= 2 * 4  # at most what was in flight when the limit was met, and met again once


class Gate(Recorder):
    """Lets nothing pass until it has been waited for."""

    waited = 0
    raw: RawServer

    def is_open(self, tier: str) -> bool:
        return bool(self.waited)

    async def wait(self, tier: str, expires: float | None) -> None:
        assert self.raw.connections == 0
        self.waited += 1


async def test_no_connection_is_made_for_a_call_that_has_to_wait(client: MakeClient) -> None:
    """The call waits first, and connects when the pacer lets requests through."""
    gate = Gate()
    async with RawServer(good) as raw:
        gate.raw = raw
        sent = client(base_url=raw.url, pacing=gate)
        await sent.profiles.retrieve(ID)
    assert gate.waited == 1


class Empty(Recorder):
    """A pacer that is also a collection, and false while it holds nothing."""

    def __len__(self) -> int:
        return 0


async def test_a_pacer_that_is_false_is_used(client: MakeClient) -> None:
    """Only ``pacing=False`` switches pacing off."""
    pacer = Empty()

    await client(pacing=pacer).profiles.retrieve(ID)

    assert len(pacer.released) == 1


@pytest.mark.parametrize(
    ("window", "deadline", "says"),
    [(60.0, 5, "after its deadline"), (600.0, None, "a call waits at most 120 s"), (600.0, 5, "at most 120 s")],
)
async def test_a_wait_that_is_too_long_raises_at_once(
    serve_limited: ServeLimited, connect: Connect, window: float, deadline: float | None, says: str
) -> None:
    """It raises at once and is not retried. Nothing was sent, and the error has the time to wait."""
    server = await serve_limited(Limited("window", limit=1, window=window))
    client = connect(server)
    await client.profiles.retrieve(ID)

    with pytest.raises(SentTimeoutError, match=says) as raised:
        await client.with_options(deadline=deadline).profiles.retrieve(ID)

    error = raised.value
    assert (error.attempts, error.maybe_sent) == (0, False)
    assert error.retry_after is not None
    assert window - 20 < error.retry_after <= window + 0.01  # the server rounds up
    assert server.seen == 1


async def test_a_spent_quota_pauses_no_calls(server: Server, client: MakeClient) -> None:
    """429 ``LIMIT_001`` is about the number of stored messages, not the rate: other calls go on at once."""
    success = server.responses[0]
    server.responses = [make_response(problem("LIMIT_001"), 429, Retry_After="50"), success]
    sent = client(pacing=True)

    with pytest.raises(RateLimitError) as raised:
        await sent.profiles.complete(ID, web_hook_url="https://example.com/done")
    await sent.with_options(deadline=5).profiles.complete(ID, web_hook_url="https://example.com/done")

    assert raised.value.attempts == 1
    assert sent.rate_limits["sensitive"].paused_for in (0, None)


async def test_views_with_the_same_key_share_its_limits(serve_limited: ServeLimited, connect: Connect) -> None:
    """Views with another key have limits of their own."""
    server = await serve_limited(Limited("window", limit=5, window=60))
    client = connect(server)

    await client.with_options(api_key="sk_test_another").profiles.retrieve(ID)

    assert client.rate_limits == {}
    assert client.with_options(api_key="sk_test_third").rate_limits == {}
    for view in (
        client.with_options(api_key="sk_test_another"),
        client.with_options(api_key="sk_test_third").with_options(api_key="sk_test_another"),
    ):
        assert view.rate_limits["standard"].remaining == 4
