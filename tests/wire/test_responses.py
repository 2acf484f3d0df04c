"""Unusual responses: redirects, sizes, lengths, compression."""

from __future__ import annotations

import gzip
import zlib

import pytest

from sent_async import SentAPIError, SentConnectionError, SentDecodeError, SentError
from tests.support.payloads import envelope, profile
from tests.support.raw_servers import Behaviour, Connection, RawServer, good
from tests.support.servers import API_KEY, PROFILE_RESPONSE, MakeClient, Server, make_response

BODY = PROFILE_RESPONSE[1]


def raw_reply(head: str, body: bytes = b"") -> Behaviour:
    """A behaviour that writes this response, byte for byte, and closes."""

    async def reply(connection: Connection) -> None:
        await connection.read()
        await connection.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)

    return reply


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_not_followed(client: MakeClient, server: Server, status: int) -> None:
    """The other host sees neither the key nor a request; the caller sees a SentAPIError with the status."""
    async with RawServer(good) as other:
        server.responses = [make_response(b"", status, Location=f"{other.url}/v3/profiles/p")]
        with pytest.raises(SentAPIError) as caught:
            await client().profiles.retrieve("p")
        assert other.connections == 0
    assert type(caught.value) is SentAPIError and caught.value.status == status
    assert caught.value.headers["location"].startswith(other.url)
    assert len(server.requests) == 1


@pytest.mark.parametrize("size", [0, 1, 5000])
async def test_up_to_the_largest_size(client: MakeClient, server: Server, size: int) -> None:
    """A response of ``max_response_bytes`` bytes is read. One byte more is refused and not retried."""
    body = envelope(profile(description="x" * size))
    server.responses = [make_response(body)]
    assert await client(max_response_bytes=len(body)).profiles.retrieve("p")
    with pytest.raises(SentDecodeError, match="max_response_bytes") as caught:
        await client(max_response_bytes=len(body) - 1).profiles.retrieve("p")
    assert (caught.value.status, len(server.requests)) == (200, 2)


@pytest.mark.parametrize("status", [200, 404, 503])
async def test_an_endless_response(client: MakeClient, status: int) -> None:
    """A body without end is cut off at the limit, whatever its status, and its connection is not used again."""
    written = 0

    async def endless(connection: Connection) -> None:
        nonlocal written
        await connection.read()
        head = f"HTTP/1.1 {status} X\r\nX-Request-Id: req_1\r\nTransfer-Encoding: chunked\r\n\r\n"
        await connection.write(head.encode())
        while not connection.writer.is_closing():
            await connection.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
            written += 65536

    async with RawServer(endless, good) as raw:
        sent = client(base_url=raw.url, max_response_bytes=200_000)
        with pytest.raises(SentDecodeError) as caught:
            await sent.profiles.retrieve("p")
        assert (caught.value.status, caught.value.request_id) == (status, "req_1")
        assert written < 50_000_000
        assert await sent.profiles.retrieve("p")
        assert raw.connections == 2


async def test_a_large_response_in_many_pieces(client: MakeClient) -> None:
    """A body that arrives in pieces is put together."""
    body = envelope(profile(description="é" * 300_000))

    async def pieces(connection: Connection) -> None:
        await connection.read()
        await connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(body), 4999):
            piece = body[start : start + 4999]
            await connection.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
        await connection.write(b"0\r\n\r\n")

    async with RawServer(pieces) as raw:
        assert (await client(base_url=raw.url).profiles.retrieve("p")).description == "é" * 300_000


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_compressed_response(client: MakeClient, server: Server, coding: str) -> None:
    """Compression is undone."""
    body = gzip.compress(BODY) if coding == "gzip" else zlib.compress(BODY)
    server.responses = [make_response(body, Content_Encoding=coding)]
    assert (await client().profiles.retrieve("p")).name == "Marketing Team"
    assert coding in server.last.headers["Accept-Encoding"]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_small_body_that_decompresses_to_a_large_one(client: MakeClient, server: Server, coding: str) -> None:
    """The limit counts decompressed bytes: a small body that becomes a hundred megabytes is refused."""
    huge = b" " * 100_000_000
    body = gzip.compress(huge, 1) if coding == "gzip" else zlib.compress(huge, 1)
    del huge
    assert len(body) < 3_000_000
    server.responses = [make_response(body, Content_Encoding=coding)]
    with pytest.raises(SentDecodeError, match="max_response_bytes"):
        await client(max_response_bytes=3_000_000).profiles.retrieve("p")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (f"HTTP/1.1 200 OK\nContent-Length: {len(BODY) + 10}", BODY),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"fffff\r\n" + BODY),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"zz\r\n" + BODY),
        ("HTTP/1.1 200 OK\nContent-Length: -1", BODY),
        ("HTTP/1.1 200 OK\nContent-Length: many", BODY),
        (f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(BODY)}", BODY),
        ("HTTP/1.1 200 OK\nX-Long: " + "x" * 100_000, BODY),
        ("HTTP/1.1 OK", BODY),
        ("HTTP/1.1 200 OK\nno colon here", BODY),
    ],
    ids=["too long", "chunk cut off", "no chunk", "negative", "no number", "no gzip", "huge", "no status", "no header"],
)
async def test_a_broken_response(client: MakeClient, head: str, body: bytes) -> None:
    """An unreadable response is a connection error after the usual attempts. The error does not name the API key."""
    async with RawServer(raw_reply(head, body)) as raw:
        with pytest.raises(SentConnectionError) as caught:
            await client(base_url=raw.url).profiles.create(name="n")
        assert raw.connections == 3
    assert caught.value.maybe_sent and API_KEY not in str(caught.value)


async def test_a_content_length_too_short(client: MakeClient) -> None:
    """A body longer than announced is not a usable response, and the rest of it reaches no other call."""
    reply = raw_reply("HTTP/1.1 200 OK\nContent-Length: 20", BODY)
    async with RawServer(reply, good) as raw:
        sent = client(base_url=raw.url, max_retries=0)
        with pytest.raises((SentDecodeError, SentConnectionError)):
            await sent.profiles.create(name="n")
        assert (await sent.profiles.retrieve("p")).name == "Marketing Team"


async def test_a_body_on_204(client: MakeClient, server: Server) -> None:
    """A 204 that still has a body does not confuse the calls after it."""
    reply = raw_reply("HTTP/1.1 204 No Content\nContent-Length: 5", b"hello")
    async with RawServer(reply, good) as raw:
        sent = client(base_url=raw.url)
        await sent.profiles.delete("p")
        assert await sent.profiles.retrieve("p")


async def test_a_response_that_ends_with_the_connection(client: MakeClient) -> None:
    """Without a length the end of the connection ends the body."""
    async with RawServer(raw_reply("HTTP/1.0 200 OK", BODY)) as raw:
        assert await client(base_url=raw.url).profiles.retrieve("p")


async def test_interim_responses(client: MakeClient) -> None:
    """100 and 103 are not the final response."""
    interim = "HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early Hints\nLink: </x>\n\nHTTP/1.1 200 OK"
    async with RawServer(raw_reply(interim, BODY)) as raw:
        assert await client(base_url=raw.url).profiles.retrieve("p")


async def test_odd_bytes_in_a_header(client: MakeClient) -> None:
    """Bytes that are no text in a header give a value or a ``SentError``, which can be copied and pickled."""
    head = b"HTTP/1.1 404 \xff\r\nX-Request-Id: \xff\xfe\r\nContent-Length: 0\r\n\r\n"

    async def reply(connection: Connection) -> None:
        await connection.read()
        await connection.write(head)

    async with RawServer(reply) as raw:
        with pytest.raises(SentError) as caught:
            await client(base_url=raw.url).profiles.retrieve("p")
    assert str(caught.value).startswith("404")
