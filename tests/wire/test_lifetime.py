"""The life of a client: opened, closed during calls, closed twice, used too late, used in another loop, forgotten."""

from __future__ import annotations

import asyncio
import gc
import warnings

import aiohttp
import pytest

from sent_async import SentClient, SentConfigError, SentConnectionError
from tests.support.clocks import FakeClock
from tests.support.raw_servers import Behaviour, RawServer, Slow, closed_port, good, stalled_body, stalled_head
from tests.support.servers import API_KEY, MakeClient, Server
from tests.support.waiting import settle, until


class StoppedClock(FakeClock):
    """A wait on it never ends by itself."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.Event().wait()


async def outcomes_of(*tasks: asyncio.Task[object]) -> list[BaseException | None]:
    """The outcomes of tasks that must end now; a generous limit only keeps a failing test from hanging."""
    _, pending = await asyncio.wait(tasks, timeout=5)
    for task in pending:
        task.cancel()
    assert not pending, "a call outlived its client"
    return [task.exception() for task in tasks]


@pytest.mark.parametrize("stall", [stalled_head, stalled_body])
async def test_close_during_calls(client: MakeClient, stall: Behaviour) -> None:
    """Every call that reads or waits ends with a SentConnectionError, and close does not wait for responses."""
    async with RawServer(stall) as raw:
        sent = client(base_url=raw.url, limit=2)
        tasks = [asyncio.ensure_future(sent.profiles.create(name="n")) for _ in range(6)]
        tasks.append(asyncio.ensure_future(sent.with_options(deadline=30).profiles.create(name="n")))
        await until(lambda: len(raw.requests) == 2)
        await settle()
        await sent.close()
        outcomes = await outcomes_of(*tasks)
        assert [type(outcome) for outcome in outcomes] == [SentConnectionError] * 7
        waiting = [outcome.maybe_sent for outcome in outcomes if isinstance(outcome, SentConnectionError)]
        assert waiting == [True, True, False, False, False, False, False]
        assert not any(task.cancelled() or task.cancelling() for task in tasks)


async def test_close_during_a_write_leaves_its_key(client: MakeClient) -> None:
    """The error has the idempotency key and the attempts, so the caller can repeat the write."""
    async with RawServer(stalled_head) as raw:
        sent = client(base_url=raw.url)
        task = asyncio.ensure_future(sent.profiles.create(name="n"))
        await until(lambda: raw.requests)
        await sent.close()
        (outcome,) = await outcomes_of(task)
        assert isinstance(outcome, SentConnectionError)
        assert outcome.idempotency_key == raw.requests[0].headers["idempotency-key"]
        assert outcome.attempts == 1


async def test_close_during_a_wait(client: MakeClient) -> None:
    """A call between two attempts ends as well."""
    clock = StoppedClock()
    sent = client(base_url=f"http://127.0.0.1:{closed_port()}", clock=clock)
    task = asyncio.ensure_future(sent.profiles.retrieve("p"))
    await until(lambda: clock.slept)
    await sent.close()
    (outcome,) = await outcomes_of(task)
    assert isinstance(outcome, SentConnectionError)


async def test_close_at_the_moment_of_a_timeout(client: MakeClient) -> None:
    """A call that times out just as its client closes does not go on to wait for its next attempt."""
    clock = StoppedClock()
    async with RawServer(stalled_head) as raw:
        sent = client(base_url=raw.url, timeout=30, clock=clock)
        call = asyncio.ensure_future(sent.profiles.retrieve("p"))
        await until(lambda: raw.requests)
        clock.advance(30)  # the call is stopped, and its task has not run yet
        await sent.close()
        (outcome,) = await outcomes_of(call)
        assert isinstance(outcome, SentConnectionError)


async def test_close_twice_and_unused(client: MakeClient) -> None:
    """Closing twice and closing an unused client do nothing."""
    async with RawServer(good) as raw:
        sent = client(base_url=raw.url)
        await sent.profiles.retrieve("p")
        await sent.close()
        await sent.close()
    unused = SentClient(API_KEY)
    await unused.close()
    async with SentClient(API_KEY) as entered:
        await entered.close()


async def test_use_after_close(client: MakeClient, server: Server) -> None:
    """Every use of a closed client raises an error that says so, and nothing is sent."""
    sent = client()
    view = sent.with_options(timeout=1)
    await sent.close()
    for user in (sent, view):
        with pytest.raises(SentConfigError, match="closed"):
            await user.profiles.retrieve("p")
        with pytest.raises(SentConfigError, match="closed"):
            await user.__aenter__()
    assert server.requests == []


async def test_closing_a_view_closes_nothing(client: MakeClient) -> None:
    """The connections belong to the client that the view was made from."""
    async with RawServer(good) as raw:
        sent = client(base_url=raw.url)
        async with sent.with_options(timeout=5) as view:
            await view.profiles.retrieve("p")
        await view.close()
        await sent.profiles.retrieve("p")
        assert raw.connections == 1


def test_a_second_event_loop() -> None:
    """A client that was used in one loop refuses another one, and can still be closed there."""
    sent = SentClient(API_KEY, max_retries=0, base_url=f"http://127.0.0.1:{closed_port()}")

    async def use() -> None:
        await sent.profiles.retrieve("p")

    with pytest.raises(SentConnectionError):
        asyncio.run(use())
    with pytest.raises(SentConfigError, match="event loop"):
        asyncio.run(use())
    asyncio.run(sent.close())


def test_made_outside_a_loop() -> None:
    """A client can be made when no loop runs."""
    sent = SentClient(API_KEY, max_retries=0, base_url=f"http://127.0.0.1:{closed_port()}")

    async def main() -> None:
        async with sent:
            with pytest.raises(SentConnectionError):
                await sent.profiles.retrieve("p")

    asyncio.run(main())


async def test_forgotten(server: Server) -> None:
    """A client that is collected without ``close`` causes a ResourceWarning that names it."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)  # aiohttp reports its session there too
    sent = SentClient(API_KEY, base_url=server.url, pacing=False)
    await sent.profiles.retrieve("p")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del sent
        gc.collect()
    texts = [str(warning.message) for warning in caught if warning.category is ResourceWarning]
    assert any("SentClient" in text and "close" in text for text in texts)
    assert API_KEY not in "".join(texts)


@pytest.mark.parametrize("how", ["unused", "closed", "borrowed", "borrowed and unused"])
async def test_nothing_to_warn_of(server: Server, how: str) -> None:
    """There is no warning for a client without connections of its own, or after ``close``."""
    async with aiohttp.ClientSession() as session:
        sent = SentClient(
            API_KEY, base_url=server.url, pacing=False, session=session if how.startswith("borrowed") else None
        )
        if "unused" not in how:
            await sent.profiles.retrieve("p")
        if how == "closed":
            await sent.close()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del sent
            gc.collect()
        assert [str(warning.message) for warning in caught] == []


async def test_a_borrowed_session(server: Server) -> None:
    """It is used with the client's headers and never closed."""
    async with aiohttp.ClientSession(headers={"X-Theirs": "1"}) as session:
        sent = SentClient(API_KEY, base_url=server.url, session=session, pacing=False, headers={"accept": "a/b"})
        await sent.profiles.retrieve("p")
        await sent.close()
        assert not session.closed
        async with session.get(server.url) as response:
            assert response.status == 200
    ours, owners = server.requests
    assert ours.headers["x-api-key"] == API_KEY and ours.headers["X-Theirs"] == "1"
    assert ours.headers["User-Agent"].startswith("sent-async/")
    assert [name.lower() for name in ours.headers].count("accept") == 1
    assert "x-api-key" not in owners.headers


async def test_a_borrowed_session_that_is_closed(client: MakeClient, server: Server) -> None:
    """The call raises a ``SentConfigError``, because it is no failure of a connection."""
    async with aiohttp.ClientSession() as session:
        sent = client(session=session)
        await sent.profiles.retrieve("p")
    with pytest.raises(SentConfigError, match="session"):
        await sent.profiles.retrieve("p")
    assert len(server.requests) == 1


async def test_a_borrowed_connector_sets_the_limit(client: MakeClient, clock: FakeClock) -> None:
    """The wait for a connection of a small pool does not count against the timeout."""
    connector = aiohttp.TCPConnector(limit=1)
    async with RawServer(Slow(20), clock=clock) as raw, aiohttp.ClientSession(connector=connector) as session:
        sent = client(base_url=raw.url, session=session, timeout=30, max_retries=0)
        await asyncio.gather(*(sent.profiles.retrieve("p") for _ in range(10)))
        assert raw.connections == 1


async def test_a_runtime_error_of_the_borrowed_session(client: MakeClient, server: Server) -> None:
    """A RuntimeError of a hook is not taken for a closed session."""

    async def hook(*_: object) -> None:
        raise RuntimeError("from the hook")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(hook)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        with pytest.raises(RuntimeError, match="from the hook"):
            await client(session=session).profiles.retrieve("p")


async def test_opened_twice(client: MakeClient) -> None:
    """Entering a client that is in use changes nothing."""
    async with RawServer(good) as raw:
        sent = client(base_url=raw.url)
        await sent.profiles.retrieve("p")
        async with sent:
            await sent.profiles.retrieve("p")
        assert raw.connections == 1


async def test_the_known_rate_limits(client: MakeClient, server: Server) -> None:
    """``rate_limits`` has the tiers of responses with rate headers, and is empty without pacing."""
    server.responses = [(*server.responses[0][:2], {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "150"})]
    sent, unpaced = client(pacing=True), client()
    assert sent.rate_limits == {}
    await sent.profiles.retrieve("p")
    await unpaced.profiles.retrieve("p")
    assert {tier: (known.limit, known.remaining) for tier, known in sent.rate_limits.items()} == {
        "standard": (200, 150)
    }
    assert unpaced.rate_limits == {}


async def test_a_cookie_is_not_kept(client: MakeClient, server: Server) -> None:
    """A cookie of a response is not sent with the next request."""
    server.responses = [(200, server.responses[0][1], {"Set-Cookie": "a=b; Path=/"})]
    sent = client()
    await sent.profiles.retrieve("p")
    await sent.profiles.retrieve("p")
    assert "Cookie" not in server.last.headers


def test_forgotten_after_its_loop(recwarn: pytest.WarningsRecorder) -> None:
    """A client that is collected after its loop has ended causes a warning, and no error in the background."""

    async def use() -> SentClient:
        async with RawServer(good) as raw:
            sent = SentClient(API_KEY, base_url=raw.url)
            await sent.profiles.retrieve("p")
            return sent

    sent = asyncio.run(use())
    del sent
    gc.collect()
    assert any("a SentClient was not closed" in str(warning.message) for warning in recwarn)


async def test_another_account_on_the_same_connections(client: MakeClient) -> None:
    """A view with another key sends that key."""
    async with RawServer(good) as raw:
        sent = client(base_url=raw.url, pacing=True)
        other = sent.with_options(api_key="sk_other")
        await sent.profiles.retrieve("p")
        await other.profiles.retrieve("p")
        assert [request.headers["x-api-key"] for request in raw.requests] == [API_KEY, "sk_other"]
        assert raw.connections == 1
        assert "sk_other" not in repr(other)
