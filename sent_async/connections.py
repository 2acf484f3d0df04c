"""The only file that knows aiohttp: connections to the API, and one exchange on one of them.

On connections of our own, aiohttp connects (DNS, TLS, proxies) and its parser reads responses; requests are written
here. A session of the caller is used through its public methods. ``docs/decisions/0009-own-transport.md`` says why,
and which parts of aiohttp this relies on.
"""

from __future__ import annotations

import asyncio
import platform
import ssl as ssl_module
from collections import deque
from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from aiohttp.http import HttpProcessingError, RawResponseMessage, StreamWriter
from yarl import URL

from ._version import __version__
from .clock import Clock, Timer
from .errors import SentConfigError, SentConnectionError, SentDecodeError, SentTimeoutError
from .multipart import Multipart
from .options import BaseURL, check_proxy, is_loopback

if TYPE_CHECKING:
    from .call import Call

USER_AGENT = f"sent-async/{__version__} python/{platform.python_version()} aiohttp/{aiohttp.__version__}"
IDLE_SECONDS = 15.0
"""How long an unused connection is kept. Many servers and load balancers close it after 60 s, some after 20 s."""
FAILURES = (aiohttp.ClientError, HttpProcessingError, OSError)
"""The errors of ``connect`` and ``exchange``. ``connection_error`` turns them into our own."""

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)

Response = tuple[int, Mapping[str, str], bytes]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the API. A client and all its views share these settings, which do not change."""

    base_url: BaseURL
    session: aiohttp.ClientSession | None = None
    limit: int = 100
    proxy: str | None = None
    ssl: ssl_module.SSLContext | bool | None = None
    trust_env: bool = True
    max_response_bytes: int

    def __repr__(self) -> str:
        return f"Settings(base_url={self.base_url}, limit={self.limit})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("base_url", str(self.base_url)), ("limit", self.limit)]


class Connections(Protocol):
    """Our own connections, or a session of the caller. Other code passes a connection on, and does not look into it."""

    headers: Mapping[str, str]
    """The headers of every request that do not depend on the options of a view."""
    limit: int
    """How many requests may be in flight at once."""

    def pop_idle(self, now: float, /) -> Any:
        """Take an open connection that is not in use; ``None`` if there is none."""
        ...

    async def connect(self) -> Any:
        """Make a connection."""
        ...

    def keep(self, connection: Any, /) -> None:
        """Give back a connection on which no request was sent."""
        ...

    async def exchange(self, connection: Any, call: Call[Any], /) -> Response:
        """Write the request of a call and read the response. Then keep or close the connection."""
        ...

    def close_idle(self) -> None:
        """Close the unused connections."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def open_connections(settings: Settings, clock: Clock, loop: asyncio.AbstractEventLoop) -> Connections:
    """Our own connections, or the session in the settings. This makes no connection yet.

    Raises:
        SentConfigError: The session belongs to another event loop.
    """
    if settings.session is None:
        return _OwnConnections(settings, clock)
    return _CallerSession(settings.session, settings, loop)


class _Connection:
    """A connection that aiohttp made, with the parts that every exchange needs."""

    __slots__ = ("_aiohttp", "expires", "protocol", "stream", "used")

    def __init__(self, connection: aiohttp.connector.Connection) -> None:
        if connection.protocol is None or connection.transport is None:
            connection.close()
            raise aiohttp.ServerDisconnectedError
        self._aiohttp = connection
        self.protocol = connection.protocol
        self.stream = connection.transport
        self.used = False
        """Whether a response has been read from it."""
        self.expires = 0.0
        """When it has been unused for too long, on the clock."""

    def close(self) -> None:
        self._aiohttp.close()


class _OwnConnections:
    """Connections that nobody else uses. aiohttp's connector makes them; the unused ones are kept here.

    For the connector, a kept connection is still in use. So it is cheap to keep one, and closing the connector closes
    it too.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        base_url = settings.base_url
        proxy = settings.proxy or (_proxy_from_environment(base_url) if settings.trust_env else None)
        proxy_url = None if proxy is None else URL(proxy)
        self.limit = settings.limit
        self._clock = clock
        self._max_bytes = settings.max_response_bytes
        self._connector = aiohttp.TCPConnector(limit=0, ssl=True if settings.ssl is None else settings.ssl)
        # It tells the connector where to connect, and through which proxy. It has none of our headers, so that none
        # can reach the proxy with CONNECT.
        self._target = aiohttp.ClientRequest(
            "GET", URL(base_url.origin), proxy=proxy_url, loop=asyncio.get_running_loop()
        )
        self._idle: deque[_Connection] = deque()
        self._pruning: Timer | None = None
        self._closed = False
        headers = {
            "Host": base_url.authority,
            "Accept": "application/json",
            "Accept-Encoding": self._target.headers["Accept-Encoding"],  # what this aiohttp can decompress
            "User-Agent": USER_AGENT,
        }
        self._origin = ""
        if proxy_url is not None and base_url.scheme == "http":
            # A proxy reads plain http requests itself: each needs the whole URL and the proxy's password.
            self._origin = base_url.origin
            auth = aiohttp.BasicAuth.from_url(proxy_url)
            if auth is not None:
                headers["Proxy-Authorization"] = auth.encode()
        self.headers: Mapping[str, str] = headers

    def pop_idle(self, now: float) -> _Connection | None:
        """The connection that was used last, unless it is closed or was unused for too long."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.expires > now and connection.protocol.is_connected() and not connection.protocol.should_close:
                return connection
            connection.close()
        return None

    async def connect(self) -> _Connection:
        """A new connection."""
        return _Connection(await self._connector.connect(self._target, [], _NO_TIMEOUT))

    def keep(self, connection: _Connection) -> None:
        """Keep a connection for the next request, if it can serve one."""
        if self._closed or connection.protocol.should_close:
            connection.close()
            return
        connection.expires = self._clock.time() + IDLE_SECONDS
        self._idle.append(connection)
        if self._pruning is None:
            self._pruning = self._clock.call_later(IDLE_SECONDS, self._prune)

    def _prune(self) -> None:
        """Close the connections that were unused for too long."""
        now = self._clock.time()
        while self._idle and self._idle[0].expires <= now:
            self._idle.popleft().close()
        self._pruning = None
        if self._idle:
            self._pruning = self._clock.call_later(self._idle[0].expires - now, self._prune)

    async def exchange(self, connection: _Connection, call: Call[Any]) -> Response:
        """Write the request, read the response. The connection is kept only if both are complete."""
        request, protocol = call.request, connection.protocol
        started = whole = False
        writing: asyncio.Future[None] | None = None
        call.maybe_sent = True
        try:
            # A new parser for each response: what is left of an earlier one must not become the start of this one.
            protocol.set_response_params(skip_payload=request.method == "HEAD", read_until_eof=True)
            connection.stream.write(request.wire(self._origin))
            if isinstance(request.body, Multipart):
                writing = asyncio.ensure_future(_write(connection, request.body))
            message, content = await protocol.read()
            started = True
            while message.code < 200 and message.code != 101:  # 100 and 103 come before the response
                message, content = await protocol.read()
            if content.is_eof() and content.total_bytes <= self._max_bytes:
                body = content.read_nowait()  # most responses come in one piece
            else:
                body = await _read(content, message.code, message.headers, self._max_bytes)
            # A server may respond before it has the whole request.
            written = request.body is None or not connection.stream.get_write_buffer_size()
            whole = content.at_eof() and written and (writing is None or writing.done())
            return message.code, message.headers, body
        except (aiohttp.ServerDisconnectedError, OSError) as error:
            unreadable = writing.exception() if writing is not None and writing.done() else None
            if isinstance(unreadable, SentConfigError):
                raise unreadable from None
            # If the server disconnects within the headers, the error has the part that was parsed.
            has_part = isinstance(getattr(error, "message", ""), RawResponseMessage)
            call.connection_was_dead = connection.used and not started and not has_part
            raise
        finally:
            connection.used = True
            if writing is not None:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
            if whole:
                self.keep(connection)
            else:
                connection.close()

    def close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def close(self) -> None:
        self._closed = True
        if self._pruning is not None:
            self._pruning.cancel()
        self.close_idle()
        await self._connector.close()


class _CallerSession:
    """A session that belongs to the caller: its hooks, cookies, headers, proxy and limits apply."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        connector = session.connector
        if getattr(connector, "_loop", loop) is not loop:
            raise SentConfigError(
                "the aiohttp session belongs to another event loop: make session and client in the same asyncio.run()"
            )
        limits = [] if connector is None else [connector.limit, connector.limit_per_host]
        self.limit = min([settings.limit, *(limit for limit in limits if limit > 0)])
        self.headers: Mapping[str, str] = {"Accept": "application/json", "User-Agent": USER_AGENT}
        self._session = session
        self._origin = settings.base_url.origin
        self._max_bytes = settings.max_response_bytes
        # The session may have other settings for the requests that its owner makes.
        self._options: dict[str, Any] = {
            "timeout": _NO_TIMEOUT,
            "allow_redirects": False,
            "raise_for_status": False,
            "auto_decompress": True,
        }
        if settings.proxy is not None:
            self._options["proxy"] = settings.proxy
        if settings.ssl is not None:
            self._options["ssl"] = settings.ssl

    def pop_idle(self, _now: float) -> None:
        """The session keeps its own connections."""

    async def connect(self) -> aiohttp.ClientSession:
        """The session itself: it connects when it makes a request."""
        return self._session

    def keep(self, session: object) -> None:
        """The session keeps its own connections."""

    async def exchange(self, _session: object, call: Call[Any]) -> Response:
        """Make the request through the public methods of the session."""
        request, sent_before = call.request, call.maybe_sent
        form = request.body if isinstance(request.body, Multipart) else None
        call.maybe_sent = True
        try:
            response = await self._session.request(
                request.method,
                URL(f"{self._origin}{request.target}", encoded=True),
                headers=request.headers,
                data=request.body if form is None else form.chunks(),
                **self._options,
            )
        except aiohttp.ClientError as error:
            if form is not None and isinstance(error.__cause__, SentConfigError):
                raise error.__cause__ from None  # a file that could not be read
            if isinstance(error, _NOT_SENT):
                call.maybe_sent = sent_before
            raise
        except RuntimeError as error:
            call.maybe_sent = sent_before
            if not self._session.closed:
                raise
            raise SentConfigError("the aiohttp session of this client is closed") from error
        try:
            body = await _read(response.content, response.status, response.headers, self._max_bytes)
            return response.status, response.headers, body
        finally:
            # A connection with an unread rest must not be used again. ``async with`` does the same, but slower.
            if not response.content.at_eof():
                response.close()

    def close_idle(self) -> None:
        """The session belongs to the caller."""

    async def close(self) -> None:
        """The session belongs to the caller."""


async def _write(connection: _Connection, form: Multipart) -> None:
    """Write a form, no faster than the server reads it. If a file cannot be read, close the connection."""
    writer = StreamWriter(connection.protocol, asyncio.get_running_loop())
    try:
        async with aclosing(form.chunks()) as chunks:
            async for chunk in chunks:
                await writer.write(chunk)
    except SentConfigError:
        connection.close()
        raise


async def _read(content: aiohttp.StreamReader, status: int, headers: Mapping[str, str], max_bytes: int) -> bytes:
    """The whole body, decompressed."""
    body = await content.readany()
    if not content.at_eof():
        chunks, size = [body], len(body)
        while size <= max_bytes and (chunk := await content.readany()):
            chunks.append(chunk)
            size += len(chunk)
        body = b"".join(chunks)
    if len(body) > max_bytes:
        raise SentDecodeError(
            f"the response is larger than max_response_bytes ({max_bytes:,} bytes, after decompression)",
            status=status,
            request_id=headers.get("X-Request-Id"),
        )
    return body


def _proxy_from_environment(base_url: BaseURL) -> str | None:
    """The proxy for this host by ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``; ``None`` for none."""
    if is_loopback(base_url.host) or proxy_bypass(base_url.authority):
        return None
    proxy = getproxies().get(base_url.scheme)
    return check_proxy(proxy) if proxy else None


def connection_error(error: Exception, *, maybe_sent: bool) -> SentConnectionError:
    """Our error for one of ``FAILURES``. A cause is chained only if it has no request headers and no password."""
    kind = SentTimeoutError if isinstance(error, TimeoutError) else SentConnectionError
    cause: BaseException | None = None
    if isinstance(error, aiohttp.ClientConnectorError):
        # Certificate errors keep their cause under another name.
        cause = getattr(error, "certificate_error", None) or error.os_error
        what = f"could not connect to {error.host}:{error.port}: {cause}"
    elif isinstance(error, aiohttp.ClientHttpProxyError):
        what = f"the proxy refused the connection with status {error.status}"
    elif isinstance(error, (aiohttp.ClientResponseError, HttpProcessingError)):
        what = "the response was not readable as HTTP"
    else:
        cause = error
        what = f"the connection broke before the response was complete: {error or type(error).__name__}"
    failure = kind(what, maybe_sent=maybe_sent)
    failure.__cause__ = cause
    return failure
