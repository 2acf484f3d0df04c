"""The only file that knows aiohttp: one exchange becomes a status, headers and bytes, or a connection error."""

from __future__ import annotations

import asyncio
import platform
import ssl as ssl_module
import warnings
from collections.abc import Mapping
from typing import Any, cast
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from aiohttp.connector import Connection as AiohttpConnection
from aiohttp.http import HttpProcessingError
from aiohttp.tracing import Trace

from ._version import __version__
from .errors import SentConfigError, SentConnectionError, SentDecodeError, SentTimeoutError
from .in_flight import AttemptTimer, Call, Slots
from .options import BaseURL, check_proxy, is_loopback
from .request import Request

USER_AGENT = f"sent-async/{__version__} python/{platform.python_version()} aiohttp/{aiohttp.__version__}"
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)

Answer = tuple[int, Mapping[str, str], bytes]


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """How the API is reached. Fixed for the life of a client and shared by all its views."""

    base_url: BaseURL
    api_key: str
    session: aiohttp.ClientSession | None = None
    limit: int = 100
    proxy: str | None = None
    ssl: ssl_module.SSLContext | bool | None = None
    trust_env: bool = True
    max_response_bytes: int

    def __repr__(self) -> str:
        return f"Connection(base_url={self.base_url}, limit={self.limit})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("base_url", str(self.base_url)), ("limit", self.limit)]


class _Connector(aiohttp.TCPConnector):
    """One connection for each attempt, and a note on the call that it was had.

    aiohttp sends an idempotent request again by itself when its connection breaks, which no option turns off. Here the
    second connection is refused, so that one attempt is one request and the retry policy is the only one.
    """

    def __init__(self, calls: Mapping[asyncio.Task[Any] | None, Call], ssl: ssl_module.SSLContext | bool) -> None:
        super().__init__(limit=0, ssl=ssl)  # pyright: ignore[reportUnknownMemberType]
        self._calls = calls
        self._running_in = asyncio.get_running_loop()

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> AiohttpConnection:
        call = self._calls[asyncio.current_task(self._running_in)]
        if call.connected:
            raise aiohttp.ServerDisconnectedError
        connection = await aiohttp.TCPConnector.connect(self, req, traces, timeout)
        call.connected = call.maybe_sent = True
        return connection


class Transport:
    """The connections of one client and the calls that use them. Belongs to the event loop that opened it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._max_bytes = connection.max_response_bytes
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots = Slots(connection.limit)
        self._timers: dict[float, AttemptTimer] = {}
        self._calls: dict[asyncio.Task[Any] | None, Call] = {}
        self._request_options: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        """What every request must carry because the session does not. Known once it is open."""
        self.closed = False

    def open(self) -> None:
        """Make the session, inside the running loop. Does nothing when it is open; needs no ``await``."""
        loop = asyncio.get_running_loop()
        if self.closed:
            raise SentConfigError("this client is closed; make a new SentClient")
        if self._loop is loop:
            return
        if self._loop is not None:
            raise SentConfigError(
                "this client belongs to another event loop: make one SentClient inside each asyncio.run()"
            )
        connection = self._connection
        proxy = connection.proxy or (_proxy_from_environment(connection.base_url) if connection.trust_env else None)
        headers = {"x-api-key": connection.api_key, "Accept": "application/json", "User-Agent": USER_AGENT}
        if connection.session is not None or proxy is not None:
            self.headers = headers  # a session's own headers go to its proxy too, and the key must not
        self._loop = loop
        if connection.session is not None:
            self._session = connection.session
            shared = connection.session.connector.limit if connection.session.connector is not None else 0
            if 0 < shared < connection.limit:
                self._slots = Slots(shared)
            self._request_options = {"timeout": _NO_TIMEOUT, "allow_redirects": False}
            if proxy is not None:
                self._request_options["proxy"] = proxy
            if connection.ssl is not None:
                self._request_options["ssl"] = connection.ssl
            return
        self._request_options = {"allow_redirects": False}
        self._session = aiohttp.ClientSession(
            connector=_Connector(self._calls, True if connection.ssl is None else connection.ssl),
            headers=None if self.headers else headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_NO_TIMEOUT,
            proxy=proxy,
        )

    def begin(self) -> Call:
        """Note that a call is under way, so that ``close`` can end it."""
        loop = asyncio.get_running_loop()
        if self.closed or self._loop is not loop:
            self.open()
        # Told the loop, asyncio need not look for it: before Python 3.12 that is a system call each time.
        task = cast("asyncio.Task[object]", asyncio.current_task(loop))
        call = self._calls[task] = Call(task)
        return call

    def end(self, call: Call) -> None:
        del self._calls[call.task]

    async def exchange(self, call: Call, request: Request, timeout: float | None) -> Answer:
        """Send one request and read its whole answer. Waiting for a slot does not count against ``timeout``."""
        slots = self._slots
        if slots.free:
            slots.free -= 1
        else:
            await slots.take()
        session = cast("aiohttp.ClientSession", self._session)
        timer = None if timeout is None else self._timer(timeout)
        if timer is not None:
            timer.start(call)
        call.attempts += 1
        call.connected = False
        if session is self._connection.session:
            call.maybe_sent = True
        response: aiohttp.ClientResponse | None = None
        failure: SentConnectionError | SentDecodeError
        try:
            response = await session.request(
                request.method, request.url, headers=request.headers, data=request.body, **self._request_options
            )
            content = await self._read(response)
            return response.status, response.headers, content
        except asyncio.CancelledError:
            if not call.was_stopped("timeout"):
                raise
            failure = SentTimeoutError(f"no complete answer within {timeout:g} s", maybe_sent=call.maybe_sent)
        except SentDecodeError as error:
            failure = error
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            failure = _connection_error(error)
        except RuntimeError as error:
            if not session.closed:
                raise
            raise SentConfigError("the aiohttp session of this client is closed") from error
        finally:
            # ``async with`` would do the same, slower: what was not read to its end must not go back to the pool.
            if response is not None and not response.content.at_eof():
                response.close()
            if timer is not None:
                timer.end(call)
            slots.give_back()
        # Raised here, not in the handler, which would chain aiohttp's error and with it the request's headers.
        raise failure

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        content = response.content
        body = await content.readany()
        if not content.at_eof():
            chunks, size = [body], len(body)
            while size <= self._max_bytes and (chunk := await content.readany()):
                chunks.append(chunk)
                size += len(chunk)
            body = b"".join(chunks)
        if len(body) > self._max_bytes:
            raise SentDecodeError(
                f"the answer is larger than max_response_bytes ({self._max_bytes:,} bytes, after decompression)",
                status=response.status,
                request_id=response.headers.get("X-Request-Id"),
            )
        return body

    def _timer(self, timeout: float) -> AttemptTimer:
        timer = self._timers.get(timeout)
        if timer is None:
            timer = self._timers[timeout] = AttemptTimer(timeout, self._timers)
        return timer

    async def close(self) -> None:
        """End the calls under way, each with a ``SentConnectionError``, and the connections we own. Idempotent."""
        if self.closed:
            return
        self.closed = True
        for call in self._calls.values():
            call.stop("close")
        for timer in self._timers.values():
            timer.close()
        if self._session is not None and self._session is not self._connection.session:
            await self._session.close()

    def __del__(self, _warn: Any = warnings.warn) -> None:
        # aiohttp warns of its session too, in words that name nothing the caller knows.
        if not self.closed and self._session not in (None, self._connection.session):
            _warn("a SentClient was not closed: use `async with` or `await sent.close()`", ResourceWarning, source=self)


def _proxy_from_environment(base_url: BaseURL) -> str | None:
    """What ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` say of this host, looked up once."""
    if is_loopback(base_url.host) or proxy_bypass(base_url.authority):
        return None
    proxy = getproxies().get(base_url.scheme)
    return check_proxy(proxy) if proxy else None


def _connection_error(error: Exception) -> SentConnectionError:
    """Our error for one of aiohttp's. Chained are only causes that hold neither request headers nor proxy passwords."""
    unsent = isinstance(
        error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
    )
    kind = SentTimeoutError if isinstance(error, TimeoutError) else SentConnectionError
    cause: BaseException | None = None
    if isinstance(error, aiohttp.ClientConnectorError):
        # Certificate errors keep their cause under another name.
        cause = getattr(error, "certificate_error", None) or error.os_error
        what = f"could not connect to {error.host}:{error.port}: {cause}"
    elif isinstance(error, aiohttp.ClientHttpProxyError):
        what = f"the proxy refused the connection with status {error.status}"
    elif isinstance(error, (aiohttp.ClientResponseError, HttpProcessingError)):
        what = "the answer was not readable as HTTP"
    else:
        cause = error
        what = f"the connection broke before the answer was complete: {error or type(error).__name__}"
    failure = kind(what, maybe_sent=not unsent)
    failure.__cause__ = cause
    return failure
