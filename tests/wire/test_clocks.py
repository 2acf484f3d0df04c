"""The two time limits: ``timeout`` for an attempt with its body, ``deadline`` for the call with its waits."""

from __future__ import annotations

import asyncio

import pytest

from sent_async import RateLimitError, SentTimeoutError
from tests.support.clocks import FakeClock
from tests.support.payloads import problem
from tests.support.raw_servers import Behaviour, Connection, RawServer, Slow, dripping, good, stalled_body, stalled_head
from tests.support.servers import MakeClient, Server, make_response
from tests.support.waiting import settle, until


async def test_a_slow_response_times_out(client: MakeClient, clock: FakeClock) -> None:
    """The timeout covers the whole response: a byte each second does not hold an attempt open for ever."""
    async with RawServer(dripping, clock=clock) as raw:
        with pytest.raises(SentTimeoutError) as caught:
            await client(base_url=raw.url, timeout=5, max_retries=1).profiles.retrieve("p")
        assert raw.connections == 2
    assert caught.value.maybe_sent and caught.value.attempts == 2
    assert "within 5 s" in str(caught.value)
    assert isinstance(caught.value, TimeoutError)


async def test_waiting_for_a_slot_does_not_time_out(client: MakeClient, clock: FakeClock) -> None:
    """With one slot and many calls, each has its whole timeout from the moment it is sent."""
    async with RawServer(Slow(20), clock=clock) as raw:
        sent = client(base_url=raw.url, limit=1, timeout=30, max_retries=0)
        await asyncio.gather(*(sent.profiles.retrieve("p") for _ in range(12)))
        assert len(raw.requests) == 12 and raw.connections == 1


async def test_the_limit_holds(client: MakeClient) -> None:
    """Never more requests at once than the limit."""
    slow = Slow(1)
    async with RawServer(slow) as raw:
        sent = client(base_url=raw.url, limit=3)
        await asyncio.gather(*(sent.profiles.retrieve("p") for _ in range(20)))
        assert slow.most == 3 and raw.connections == 3


@pytest.mark.parametrize("stall", [stalled_head, stalled_body])
async def test_the_deadline_inside_an_attempt(client: MakeClient, clock: FakeClock, stall: Behaviour) -> None:
    """A deadline that falls inside an attempt ends the call with a timeout, and nothing is sent again."""
    async with RawServer(stall, clock=clock) as raw:
        with pytest.raises(SentTimeoutError, match="deadline of 20 s") as caught:
            await client(base_url=raw.url, deadline=20).profiles.create(name="n")
        assert len(raw.requests) == 1
    assert caught.value.maybe_sent
    assert caught.value.idempotency_key == raw.requests[0].headers["idempotency-key"]


async def test_the_deadline_counts_attempts(client: MakeClient, clock: FakeClock) -> None:
    """The error of the deadline says how many times the request was sent."""
    async with RawServer(stalled_head, clock=clock) as raw:
        sent = client(base_url=raw.url, timeout=30, deadline=300, max_retries=1000)
        with pytest.raises(SentTimeoutError) as caught:
            await sent.profiles.retrieve("p")
        assert raw.connections > 1
        assert caught.value.attempts == raw.connections


async def test_the_deadline_while_waiting_for_a_slot(client: MakeClient, clock: FakeClock) -> None:
    """The deadline covers the wait for a slot. The error says that the request was not sent."""
    async with RawServer(stalled_head) as raw:
        sent = client(base_url=raw.url, limit=1, timeout=None)
        first = asyncio.create_task(sent.profiles.retrieve("first"))
        await until(lambda: raw.requests)
        second = asyncio.create_task(sent.with_options(deadline=5).profiles.retrieve("second"))
        await settle()
        clock.advance(5)
        with pytest.raises(SentTimeoutError) as caught:
            await second
        assert not caught.value.maybe_sent
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert len(raw.requests) == 1


async def test_the_deadline_cuts_a_wait_short(client: MakeClient, server: Server, clock: FakeClock) -> None:
    """When a wait would pass the deadline, the API's error is raised at once."""
    server.responses = [make_response(problem("BUSINESS_002"), 429, Retry_After="30")]
    with pytest.raises(RateLimitError) as caught:
        await client(deadline=20).profiles.retrieve("p")
    assert (caught.value.retry_after, caught.value.attempts, clock.slept) == (30.0, 1, [])


async def test_within_the_deadline(client: MakeClient, server: Server, clock: FakeClock) -> None:
    """A deadline that is not reached changes nothing."""
    server.responses = [make_response(b"", 503, Retry_After="5"), server.responses[0]]
    await client(deadline=20).profiles.retrieve("p")
    assert clock.slept == [5.0]


async def test_no_limits_at_all(client: MakeClient) -> None:
    """With timeout=None and deadline=None the client waits for the response."""
    async with RawServer(good) as raw:
        assert await client(base_url=raw.url, timeout=None).profiles.retrieve("p")


async def test_timeouts_of_many_sizes(client: MakeClient, clock: FakeClock) -> None:
    """Views with timeouts of their own end their own calls, shortest first, and leave the others alone."""

    async def by_path(connection: Connection) -> None:
        request = await connection.read()
        if request.path_qs.endswith("stall"):
            await connection.hang()
        await connection.reply()

    async with RawServer(by_path) as raw:
        sent = client(base_url=raw.url, max_retries=0)
        ended: list[float] = []

        async def call(timeout: float) -> None:
            with pytest.raises(SentTimeoutError):
                await sent.with_options(timeout=timeout).profiles.retrieve("stall")
            ended.append(timeout)

        stalled = asyncio.gather(*(call(timeout) for timeout in (30, 5, 15, 5)))
        await sent.profiles.retrieve("p")
        await until(lambda: len(raw.requests) == 5)
        clock.advance(60)
        await stalled
        assert ended == [5, 5, 15, 30]


async def test_a_hook_that_raises_changes_nothing(
    client: MakeClient, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A completed write stays completed when ``on_attempt`` raises; the log says what the hook raised."""

    def hook(_: object) -> None:
        raise TimeoutError("from the hook")

    sent = client(deadline=20, on_attempt=hook)
    assert (await sent.profiles.create(name="n", short_name="S")).id
    assert len(server.requests) == 1
    assert "on_attempt raised" in caplog.text and "from the hook" in caplog.text
