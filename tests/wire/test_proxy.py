"""Through a proxy, by argument and by environment, plain and tunnelled."""

from __future__ import annotations

import ssl
from typing import Any

import aiohttp
import pytest
import trustme

from sent_async import SentConfigError, SentConnectionError
from tests.support.raw_servers import Proxy, RawServer, closed_port, good
from tests.support.servers import MakeClient

PLAIN = "http://sent.test"
SECURE = "https://sent.test"
PASSWORD = "proxy-pa55word"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("sent.test").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_plain_http_through_a_proxy(client: MakeClient) -> None:
    """The proxy is asked for the whole URL, and looks the host up itself."""
    async with RawServer(good) as raw, Proxy(raw.port) as proxy:
        await client(base_url=PLAIN, allow_http=True, proxy=proxy.url).profiles.retrieve("p")
        assert proxy.lines == ["GET http://sent.test/v3/profiles/p HTTP/1.1"]
        assert len(raw.requests) == 1


async def test_https_through_a_proxy(
    client: MakeClient, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """The proxy is asked for a tunnel and sees neither key nor path."""
    async with RawServer(good, tls=server_tls) as raw, Proxy(raw.port) as proxy:
        await client(base_url=SECURE, proxy=proxy.url, ssl=client_tls).profiles.retrieve("p")
        assert proxy.lines == ["CONNECT sent.test:443 HTTP/1.1"]
        assert "x-api-key" not in proxy.heads[0].lower()
        assert raw.requests[0].headers["x-api-key"]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
async def test_the_environment_for_http(client: MakeClient, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """HTTP_PROXY is honoured for plain http."""
    async with RawServer(good) as raw, Proxy(raw.port) as proxy:
        monkeypatch.setenv(name, proxy.url)
        await client(base_url=PLAIN, allow_http=True).profiles.retrieve("p")
        assert len(proxy.lines) == 1


async def test_the_environment_for_https(
    client: MakeClient, monkeypatch: pytest.MonkeyPatch, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """HTTPS_PROXY is honoured for https, and HTTP_PROXY is not."""
    async with RawServer(good, tls=server_tls) as raw, Proxy(raw.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
        await client(base_url=SECURE, ssl=client_tls).profiles.retrieve("p")
        assert proxy.lines == ["CONNECT sent.test:443 HTTP/1.1"]


@pytest.mark.parametrize("no_proxy", ["sent.test", "*", ".test", "other.example, sent.test"])
async def test_no_proxy(client: MakeClient, monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    """Hosts in NO_PROXY are reached directly."""
    async with RawServer(good) as raw, Proxy(raw.port) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", no_proxy)
        with pytest.raises(SentConnectionError):
            await client(base_url=PLAIN, allow_http=True, max_retries=0).profiles.retrieve("p")
        assert proxy.connections == 0


async def test_trust_env_off(client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """trust_env=False ignores the environment."""
    async with RawServer(good) as raw, Proxy(raw.port) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(SentConnectionError):
            await client(base_url=PLAIN, allow_http=True, trust_env=False, max_retries=0).profiles.retrieve("p")
        assert proxy.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_never_for_loopback(client: MakeClient, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A proxy of the environment is not used for a server on this machine."""
    async with RawServer(good) as raw:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
        assert await client(base_url=f"http://{host}:{raw.port}").profiles.retrieve("p")


async def test_looked_up_once(client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is read when the client opens, and not again."""
    async with RawServer(good) as raw, Proxy(raw.port) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        sent = client(base_url=PLAIN, allow_http=True)
        await sent.profiles.retrieve("p")
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
        await sent.with_options(timeout=5).profiles.retrieve("p")
        assert len(raw.requests) == 2


async def test_an_argument_comes_first(client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """``proxy=`` is used in place of the environment and of its exceptions."""
    async with RawServer(good) as raw, Proxy(raw.port) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
        monkeypatch.setenv("NO_PROXY", "*")
        await client(base_url=PLAIN, allow_http=True, proxy=proxy.url).profiles.retrieve("p")
        assert len(proxy.lines) == 1


async def test_a_borrowed_session_through_a_proxy(client: MakeClient) -> None:
    """The proxy is used with a session of the caller's too."""
    async with RawServer(good) as raw, Proxy(raw.port) as proxy, aiohttp.ClientSession() as session:
        sent = client(base_url=PLAIN, allow_http=True, proxy=proxy.url, session=session)
        await sent.profiles.retrieve("p")
        assert len(proxy.lines) == 1


async def test_a_password_goes_to_the_proxy_only(client: MakeClient) -> None:
    """User and password of the proxy's URL are sent to the proxy and shown nowhere."""
    async with RawServer(good) as raw, Proxy(raw.port) as proxy:
        url = proxy.url.replace("//", f"//me:{PASSWORD}@")
        sent = client(base_url=PLAIN, allow_http=True, proxy=url)
        await sent.profiles.retrieve("p")
        assert "proxy-authorization: basic" in proxy.heads[0].lower()
        assert PASSWORD not in repr(sent)


@pytest.mark.parametrize(
    "refusal", [b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 403 X\r\n\r\n"]
)
async def test_a_proxy_that_refuses_the_tunnel(client: MakeClient, refusal: bytes) -> None:
    """Nothing reached the API: a connection error that says so, without the password."""
    async with Proxy(closed_port(), refuse=refusal) as proxy:
        url = proxy.url.replace("//", f"//me:{PASSWORD}@")
        with pytest.raises(SentConnectionError, match="proxy") as caught:
            await client(base_url=SECURE, proxy=url).profiles.create(name="n")
        assert proxy.connections == 3
    assert not caught.value.maybe_sent
    assert PASSWORD not in repr(caught.value) + str(caught.value.__cause__) + str(caught.value.__context__)


async def test_a_proxy_that_is_not_there(client: MakeClient) -> None:
    """A connection error, nothing sent, no password in its words."""
    url = f"http://me:{PASSWORD}@127.0.0.1:{closed_port()}"
    with pytest.raises(SentConnectionError) as caught:
        await client(base_url=SECURE, proxy=url, max_retries=0).profiles.retrieve("p")
    assert not caught.value.maybe_sent
    assert PASSWORD not in repr(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "http://", "http://host:x", "ftp://x", 5])
async def test_a_proxy_of_another_kind(client: MakeClient, proxy: Any) -> None:
    """Only http and https proxies are supported, and the error does not wait for a timeout to say so."""

    async def use() -> None:
        await client(base_url=SECURE, proxy=proxy).profiles.retrieve("p")

    with pytest.raises(SentConfigError, match="proxy"):
        await use()
