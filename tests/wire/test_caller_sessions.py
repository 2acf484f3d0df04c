"""A session of the caller's: its settings apply, and do not change how responses are read."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import aiohttp
import pytest

from sent_async import (
    NotFoundError,
    SentClient,
    SentConfigError,
    SentConnectionError,
    SentDecodeError,
    SentTimeoutError,
)
from tests.support.clocks import FakeClock
from tests.support.payloads import envelope, problem, profile
from tests.support.raw_servers import Connection, Proxy, RawServer, Slow, closed_port, good, stalled_head
from tests.support.servers import API_KEY, PROFILE_RESPONSE, MakeClient, Server, make_response


async def test_raise_for_status(client: MakeClient, server: Server) -> None:
    """Its ``raise_for_status`` is not used: a 404 is our error, after one request."""
    server.responses = [make_response(problem("RESOURCE_014"), 404)]
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        with pytest.raises(NotFoundError):
            await client(session=session).profiles.retrieve("p")
    assert len(server.requests) == 1


async def test_a_connection_that_ends_before_the_response(client: MakeClient) -> None:
    """The request may have reached the server, and the error says so."""

    async def hang_up(connection: Connection) -> None:
        await connection.read()

    async with RawServer(hang_up) as raw, aiohttp.ClientSession() as session:
        sent = client(session=session, base_url=raw.url, max_retries=0)
        with pytest.raises(SentConnectionError) as caught:
            await sent.profiles.create(name="Sales")
    assert caught.value.maybe_sent


async def test_auto_decompress(client: MakeClient, server: Server) -> None:
    """Its ``auto_decompress=False`` is not used: bodies are decompressed."""
    status, body, headers = PROFILE_RESPONSE
    server.responses = [(status, gzip.compress(body), {**headers, "Content-Encoding": "gzip"})]
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        assert (await client(session=session).profiles.retrieve("p")).id == profile()["id"]


async def test_the_environments_proxy(client: MakeClient, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment is not applied to it, not even an unusable one."""
    for proxy in ("socks5://127.0.0.1:1", "http://user:password@127.0.0.1:1"):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        async with aiohttp.ClientSession() as session:
            with pytest.raises(SentConnectionError, match="could not connect to sent"):
                await client(session=session, base_url="http://sent.invalid", allow_http=True).profiles.retrieve("p")


async def test_the_sessions_own_proxy(client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy that the session was made with is used, whatever the environment says."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with RawServer(good) as raw, Proxy(raw.port) as proxy:
        async with aiohttp.ClientSession(proxy=proxy.url) as session:
            sent = client(session=session, base_url="http://sent.example", allow_http=True)
            await sent.profiles.retrieve("p")
        assert proxy.lines == ["GET http://sent.example/v3/profiles/p HTTP/1.1"]


async def test_limit_per_host(client: MakeClient, clock: FakeClock) -> None:
    """The wait for one of the connections that the session allows for a host does not count against the timeout."""
    slow = Slow(12)
    async with RawServer(slow, clock=clock) as raw:
        connector = aiohttp.TCPConnector(limit_per_host=2)
        async with aiohttp.ClientSession(connector=connector) as session:
            sent = client(session=session, base_url=raw.url, timeout=30, max_retries=0)
            await asyncio.gather(*(sent.profiles.retrieve("p") for _ in range(8)))
    assert slow.most == 2


async def test_a_refused_connection_was_not_sent(client: MakeClient, clock: FakeClock) -> None:
    """``maybe_sent`` is false when there was no connection to send on, and true once there may have been one."""
    async with aiohttp.ClientSession() as session:
        sent = client(session=session, base_url=f"http://127.0.0.1:{closed_port()}")
        with pytest.raises(SentConnectionError) as caught:
            await sent.profiles.create(name="n", short_name="S")
        assert (caught.value.maybe_sent, caught.value.attempts) == (False, 3)

        async with RawServer(stalled_head, clock=clock) as raw:
            sent = client(session=session, base_url=raw.url, timeout=30, max_retries=0)
            with pytest.raises(SentTimeoutError) as timed_out:
                await sent.profiles.retrieve("p")
            assert timed_out.value.maybe_sent


async def test_a_call_inside_a_call(client: MakeClient, server: Server) -> None:
    """A hook of the session may make calls of its own, in the same task."""
    inner: list[str] = []

    async def on_request_start(*_: object) -> None:
        if not inner:
            inner.append("started")
            inner.append((await sent.profiles.retrieve("inner")).id)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_request_start)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        sent = client(session=session)
        assert (await sent.profiles.retrieve("outer")).id == inner[1] == profile()["id"]


async def test_closing_in_a_call_inside_a_call(client: MakeClient, server: Server) -> None:
    """Closing the client ends both calls, and leaves the task without a cancellation."""
    calls: list[str] = []

    async def on_request_start(*_: object) -> None:
        if not calls:
            calls.append("inner")
            asyncio.get_running_loop().call_soon(lambda: closing.append(asyncio.ensure_future(sent.close())))
            await sent.profiles.retrieve("inner")

    closing: list[asyncio.Future[None]] = []
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_request_start)

    async with RawServer(lambda connection: connection.hang()) as raw:
        async with aiohttp.ClientSession(trace_configs=[trace]) as session:
            sent = client(session=session, base_url=raw.url)
            with pytest.raises(SentConnectionError, match="closed"):
                await sent.profiles.retrieve("outer")
            await closing[0]
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0


def test_a_session_of_another_loop() -> None:
    """It is refused, and the error says what to do."""

    async def make() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    async def use(session: aiohttp.ClientSession) -> None:
        async with SentClient(API_KEY, session=session) as sent:
            await sent.profiles.retrieve("p")

    with asyncio.Runner() as first, asyncio.Runner() as second:
        session = first.run(make())
        with pytest.raises(SentConfigError, match="another event loop"):
            second.run(use(session))
        first.run(session.close())


@pytest.mark.parametrize(
    "options",
    [
        {"ssl": "cert.pem"},
        {"base_url": "https://api..sent.dm"},
        {"headers": {"Content-Length": "5"}},
        {"headers": {"transfer-encoding": "chunked"}},
    ],
)
def test_impossible_options_are_refused_when_the_client_is_made(options: dict[str, Any]) -> None:
    """The error is a ``SentConfigError`` when the client is made, not another one at the first request."""
    with pytest.raises(SentConfigError):
        SentClient(API_KEY, **options)


async def test_a_response_that_is_too_large(client: MakeClient) -> None:
    """A response that was not read to its end leaves nothing on a connection of the session."""
    big = make_response(envelope(profile(name="x" * 5_000_000)))

    async def serve(connection: Connection) -> None:
        while True:
            await connection.read()
            await connection.reply(big)

    async with RawServer(serve) as raw, aiohttp.ClientSession() as session:
        sent = client(session=session, base_url=raw.url, max_response_bytes=100)
        for _ in range(2):
            with pytest.raises(SentDecodeError, match="max_response_bytes"):
                await sent.profiles.retrieve("p")
        assert raw.connections == 2
