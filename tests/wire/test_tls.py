"""Certificates: the default refuses what it does not know, and ``ssl=`` can make it known."""

from __future__ import annotations

import ssl

import aiohttp
import pytest
import trustme

from sent_async import SentConnectionError
from tests.support.clocks import FakeClock
from tests.support.raw_servers import Connection, RawServer, good
from tests.support.servers import API_KEY, MakeClient


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_an_unknown_certificate(client: MakeClient, clock: FakeClock, authority: trustme.CA) -> None:
    """By default it is refused, before anything was sent, and the error says why."""
    async with RawServer(good, tls=server_context(authority)) as raw:
        with pytest.raises(SentConnectionError, match="certificate") as caught:
            await client(base_url=raw.url).profiles.create(name="n")
        assert raw.requests == []
    assert (caught.value.maybe_sent, caught.value.attempts, len(clock.slept)) == (False, 3, 2)
    assert API_KEY not in repr(caught.value)


async def test_a_known_certificate(client: MakeClient, authority: trustme.CA) -> None:
    """A context that knows the authority lets the call through."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with RawServer(good, tls=server_context(authority)) as raw:
        assert await client(base_url=raw.url, ssl=context).profiles.retrieve("p")


async def test_a_certificate_for_another_host(client: MakeClient, authority: trustme.CA) -> None:
    """A certificate of the right authority for the wrong name is refused."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with RawServer(good, tls=server_context(authority, "other.test")) as raw:
        with pytest.raises(SentConnectionError, match="certificate") as caught:
            await client(base_url=raw.url, ssl=context, max_retries=0).profiles.retrieve("p")
    assert not caught.value.maybe_sent


async def test_no_check_at_all(client: MakeClient, authority: trustme.CA) -> None:
    """``ssl=False`` switches the check off, as in aiohttp."""
    async with RawServer(good, tls=server_context(authority)) as raw:
        assert await client(base_url=raw.url, ssl=False).profiles.retrieve("p")


async def test_a_borrowed_session(client: MakeClient, authority: trustme.CA) -> None:
    """The context is used with a session of the caller's too."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with RawServer(good, tls=server_context(authority)) as raw, aiohttp.ClientSession() as session:
        assert await client(base_url=raw.url, ssl=context, session=session).profiles.retrieve("p")
        with pytest.raises(SentConnectionError):
            await client(base_url=raw.url, session=session, max_retries=0).profiles.retrieve("p")


async def test_https_to_a_plain_server(client: MakeClient) -> None:
    """A server that does not speak TLS: nothing was sent."""

    async def plain(connection: Connection) -> None:
        await connection.reader.read(100)
        await connection.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with RawServer(plain) as raw:
        with pytest.raises(SentConnectionError) as caught:
            await client(base_url=raw.url.replace("http:", "https:")).profiles.create(name="n")
        assert raw.connections == 3
    assert not caught.value.maybe_sent
