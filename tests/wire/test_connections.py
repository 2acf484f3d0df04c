"""The exchange on connections of our own, byte by byte: what is written and read, and which connections are kept."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any, cast

import aiohttp
import pytest
from yarl import URL

from sent_async import Operation, SentAPIError, SentConnectionError, SentDecodeError
from sent_async.connections import IDLE_SECONDS, _Connection
from tests.support.clocks import FakeClock
from tests.support.payloads import envelope, profile
from tests.support.raw_servers import Connection, RawServer, good
from tests.support.servers import PROFILE_RESPONSE, MakeClient, Server, make_response
from tests.support.waiting import settle

PING: Operation[None] = Operation("ping", "HEAD", "/v3/ping", response=None)
NOTE: Operation[None] = Operation("note", "POST", "/v3/notes", response=None, idempotency="none")


async def until(happened: Callable[[], bool]) -> None:
    """Let the event loop turn until the other side has noticed."""
    while not happened():  # noqa: ASYNC110 - it happens in the kernel, where no event can be set
        await asyncio.sleep(0)


async def test_a_request_byte_by_byte(client: MakeClient) -> None:
    """What goes on the wire: the request line, each header once, and a body with its length."""
    seen = asyncio.get_running_loop().create_future()

    async def record(connection: Connection) -> None:
        head = await connection.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        seen.set_result((head.decode(), await connection.reader.readexactly(length)))
        await connection.reply()

    async with RawServer(record) as raw:
        sent = client(base_url=f"{raw.url}/base", profile_id="acting", headers={"X-Own": "1"})
        await sent.profiles.create(name="Å", short_name="S", idempotency_key="key-1")
        head, body = await seen
        decompressible = aiohttp.ClientRequest("GET", URL(raw.url), loop=asyncio.get_running_loop()).headers
    first, *lines = head.strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first == "POST /base/v3/profiles HTTP/1.1"
    assert len(headers) == len(lines) == 10
    assert headers.pop("User-Agent").startswith("sent-async/")
    assert headers == {
        "Host": f"127.0.0.1:{raw.port}",
        "Accept": "application/json",
        "Accept-Encoding": decompressible["Accept-Encoding"],
        "x-api-key": "sk_test_k3y_that_must_not_show",
        "x-profile-id": "acting",
        "X-Own": "1",
        "Idempotency-Key": "key-1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    assert body.decode() == '{"name":"Å","short_name":"S"}'


async def test_many_requests_on_one_connection(client: MakeClient) -> None:
    """One after the other they share a connection, HEAD among them, whose response has a length and no body."""

    async def serve(connection: Connection) -> None:
        while True:
            received = await connection.read()
            if received.method == "HEAD":
                await connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
            else:
                await connection.reply()

    async with RawServer(serve) as raw:
        sent = client(base_url=raw.url)
        for _ in range(2):
            await sent.profiles.retrieve("p")
            assert (await sent.send(PING)).data is None
            await sent.profiles.update("p", name="n")
            await sent.profiles.retrieve("p")
        assert (raw.connections, len(raw.requests)) == (1, 8)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b",
        b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%b",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%bHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["close", "http/1.0", "another response"],
)
async def test_not_used_again(client: MakeClient, reply: bytes) -> None:
    """A connection that the server ends, or that has unexpected bytes, is not used for a second request."""

    async def once(connection: Connection) -> None:
        await connection.read()
        body = PROFILE_RESPONSE[1]
        await connection.write(reply % (len(body), body))
        await connection.hang()

    async with RawServer(once, good) as raw:
        sent = client(base_url=raw.url, max_retries=0)
        for _ in range(3):
            assert (await sent.profiles.retrieve("p")).id == profile()["id"]
        assert raw.connections == 2


async def test_half_a_response_too_many(client: MakeClient) -> None:
    """The start of an unexpected response never becomes part of the response to the next request."""
    stale = envelope(profile(name="stale"))

    async def half(connection: Connection) -> None:
        await connection.read()
        body = PROFILE_RESPONSE[1]
        first = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        await connection.write(first + b"HTTP/1.1 200 OK\r\nContent-Len")
        await connection.read()
        await connection.write(b"gth: %d\r\n\r\n%b" % (len(stale), stale))
        await connection.hang()

    async with RawServer(half, good) as raw:
        sent = client(base_url=raw.url, max_retries=1)
        for _ in range(3):
            assert (await sent.profiles.retrieve("p")).name == profile()["name"]
        assert raw.connections == 2


async def test_a_body_that_was_not_read_to_its_end(client: MakeClient) -> None:
    """A response that is refused for its size leaves nothing of itself for the next request."""
    big = make_response(envelope(profile(name="x" * 500_000)))

    async def serve(connection: Connection) -> None:
        while True:
            received = await connection.read()
            await connection.reply(big if received.path_qs.endswith("big") else PROFILE_RESPONSE)

    async with RawServer(serve) as raw:
        sent = client(base_url=raw.url, max_response_bytes=100_000)
        with pytest.raises(SentDecodeError, match="max_response_bytes"):
            await sent.profiles.retrieve("big")
        assert (await sent.profiles.retrieve("p")).name == profile()["name"]
        assert raw.connections == 2


async def test_an_early_response_to_a_large_request(client: MakeClient) -> None:
    """A response that comes before the whole body was sent counts, and the connection is closed."""

    async def refuse(connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        await connection.reply(make_response(b"", 413))
        await connection.hang()

    async with RawServer(refuse, good) as raw:
        sent = client(base_url=raw.url)
        with pytest.raises(SentAPIError) as caught:
            await sent.profiles.create(name="n" * 20_000_000, short_name="S")
        assert (caught.value.status, caught.value.attempts) == (413, 1)
        await sent.profiles.retrieve("p")
        assert raw.connections == 2


async def test_an_unexpected_upgrade(client: MakeClient) -> None:
    """1xx is never success, not even for an operation that expects no data."""

    async def upgrade(connection: Connection) -> None:
        await connection.read()
        await connection.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        await connection.hang()

    async with RawServer(upgrade) as raw:
        with pytest.raises(SentAPIError) as caught:
            await client(base_url=raw.url).profiles.delete("p")
        assert caught.value.status == 101


async def test_ipv6(client: MakeClient) -> None:
    """A base URL may have an IPv6 address."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hosts.append((await reader.readuntil(b"\r\n\r\n")).decode())
        await Connection(raw, reader, writer).reply(close=True)
        writer.close()

    hosts: list[str] = []
    raw = RawServer(good)
    server = await asyncio.start_server(handle, "::1", 0, family=socket.AF_INET6)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await client(base_url=f"http://[::1]:{port}").profiles.retrieve("p")).id
        assert f"\r\nHost: [::1]:{port}\r\n" in hosts[0]


async def dies_when_used_again(connection: Connection) -> None:
    """A server that ends a kept connection at the moment of its next request."""
    await connection.read()
    await connection.reply()
    await connection.reader.read(1)
    connection.reset()


@pytest.mark.parametrize("method", ["retrieve", "create", "delete"])
async def test_a_dead_kept_connection_is_replaced_at_once(client: MakeClient, method: str) -> None:
    """There is no wait and no retry, but one more attempt. This holds for ``max_retries=0``, too."""
    attempts: list[Any] = []
    async with RawServer(*[dies_when_used_again] * 3, good) as raw:
        sent = client(base_url=raw.url, max_retries=0, clock=FakeClock(), on_attempt=attempts.append)
        await asyncio.gather(*(sent.profiles.retrieve("p") for _ in range(3)))
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "retrieve": lambda: sent.profiles.retrieve("p"),
            "create": lambda: sent.profiles.create(name="n", short_name="S"),
            "delete": lambda: sent.profiles.delete("p"),
        }
        await calls[method]()
        assert [(attempt.number, attempt.status, attempt.retry_in) for attempt in attempts[3:]] == [
            (1, None, 0.0),
            (2, 200, None),
        ]
        assert raw.connections == 4


async def test_a_write_without_a_key_is_not_sent_again(client: MakeClient) -> None:
    """A write without a key on a connection that breaks may have arrived. It fails, and the error says so."""
    async with RawServer(dies_when_used_again, good) as raw:
        sent = client(base_url=raw.url)
        await sent.profiles.retrieve("p")
        with pytest.raises(SentConnectionError) as caught:
            await sent.send(NOTE, body={})
        assert (caught.value.maybe_sent, caught.value.attempts) == (True, 1)


async def test_a_connection_that_breaks_in_the_response(client: MakeClient) -> None:
    """After the first byte of a response the failure is an ordinary one and is retried."""

    async def breaks(connection: Connection) -> None:
        await connection.read()
        await connection.reply()
        await connection.read()
        await connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{")

    async with RawServer(breaks, good) as raw:
        sent = client(base_url=raw.url, max_retries=0)
        await sent.profiles.retrieve("p")
        with pytest.raises(SentConnectionError) as caught:
            await sent.profiles.retrieve("p")
        assert caught.value.attempts == 1


async def test_an_unused_connection_is_closed(client: MakeClient) -> None:
    """After some time without requests it is closed by a timer, the oldest one first."""
    clock = FakeClock()
    closed: list[str] = []

    async def serve(connection: Connection) -> None:
        received = await connection.read()
        await gate.wait()
        await connection.reply()
        while data := await connection.reader.read(65536):
            received = connection.server.requests[-1]
            assert data.startswith(b"GET")
            await connection.reply()
        closed.append(received.path_qs)

    gate = asyncio.Event()
    async with RawServer(serve) as raw:
        sent = client(base_url=raw.url, clock=clock, timeout=None)
        both = asyncio.gather(sent.profiles.retrieve("a"), sent.profiles.retrieve("b"))
        await until(lambda: len(raw.requests) == 2)
        gate.set()
        await both
        clock.advance(IDLE_SECONDS * 0.6)
        await sent.profiles.retrieve("c")  # one of the two is used again
        clock.advance(IDLE_SECONDS * 0.6)
        await until(lambda: len(closed) == 1)
        assert raw.connections == 2
        await sent.profiles.retrieve("d")
        assert (raw.connections, len(closed)) == (2, 1)
        clock.advance(IDLE_SECONDS)
        await until(lambda: len(closed) == 2)
        await sent.profiles.retrieve("e")
        assert raw.connections == 3


async def test_what_aiohttp_must_keep(server: Server) -> None:
    """The parts of aiohttp that are not documented and that connections of our own rely on.

    When a new aiohttp fails here, ``docs/decisions/0009-own-transport.md`` says what each is for.
    """
    loop = asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(limit=0, ssl=True)
    request = aiohttp.ClientRequest("GET", URL(server.url), proxy=None, loop=loop)
    assert "gzip" in request.headers["Accept-Encoding"]
    connection = await connector.connect(request, [], aiohttp.ClientTimeout(total=None, sock_connect=None))
    protocol, stream = connection.protocol, connection.transport
    assert protocol is not None and stream is not None
    protocol.set_response_params(skip_payload=False, read_until_eof=True)
    for _ in range(2):  # a parser that was set up once serves many responses
        assert protocol.is_connected() and not protocol.should_close
        stream.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        message, content = await protocol.read()
        assert (message.code, message.headers["Content-Type"]) == (200, "application/json")
        body = await content.read()
        assert body == PROFILE_RESPONSE[1] and content.is_eof() and content.total_bytes == len(body)
    connection.close()
    assert not protocol.is_connected()
    await connector.close()


async def test_a_connection_that_ended_while_unused(client: MakeClient) -> None:
    """It is not used for the next request."""
    ended = asyncio.Event()

    async def once(connection: Connection) -> None:
        await connection.read()
        await connection.reply()
        await ended.wait()

    async with RawServer(once, good) as raw:
        attempts: list[Any] = []
        sent = client(base_url=raw.url, on_attempt=attempts.append)
        await sent.profiles.retrieve("p")
        ended.set()
        await settle()
        await sent.profiles.retrieve("p")
        assert ([attempt.status for attempt in attempts], raw.connections) == ([200, 200], 2)


def test_a_connection_that_is_gone_before_it_is_used() -> None:
    """aiohttp may hand over a connection whose end it has seen in the meantime: it is an ordinary failure."""

    class Gone:
        protocol = transport = None
        closed = 0

        def close(self) -> None:
            self.closed += 1

    gone = Gone()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        _Connection(cast("aiohttp.connector.Connection", gone))
    assert gone.closed == 1
