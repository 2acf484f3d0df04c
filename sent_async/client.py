"""The client. Every method builds one immutable request from its arguments and the options, and sends it here."""

from __future__ import annotations

import asyncio
import os
import ssl as ssl_module
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from msgspec import UNSET, UnsetType

from .call import Attempt, Call
from .clock import Clock, SystemClock
from .envelope import SentResponse
from .operation import Operation
from .options import (
    DEFAULT_BASE_URL,
    DEFAULT_MAX_RESPONSE_BYTES,
    Options,
    check_api_key,
    check_base_url,
    check_count,
    check_proxy,
    check_ssl,
)
from .pacing import HeaderPacer, NoPacer, Pacer, RateLimit
from .request import Headers, build_request
from .resources import Resources

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")


class SentClient(Resources):
    """An asyncio client for the Sent API v3::

        async with SentClient() as sent:
            profile = await sent.profiles.retrieve(profile_id)

    Without ``async with``, close it with ``await sent.close()``. A client belongs to the event loop in which it is
    first used.

    Args:
        api_key: The API key. Default: the environment variable ``SENT_DM_API_KEY``.
        base_url: Where the API is, without ``/v3``. Default: ``SENT_BASE_URL``, or ``https://api.sent.dm``.
        profile_id: Act for this profile. Needs the key of an organization.
        timeout: Seconds for each attempt, from connecting to the last byte of the response. Waiting for a free slot
            (see ``limit``) or for a rate limit does not count. ``None`` for no limit.
        deadline: Seconds for the whole call, with its retries and waits. ``None`` for no limit.
        max_retries: How many times a failed attempt is repeated, if the error allows it.
        headers: Headers for every request, in addition to those that the client sets.
        session: An ``aiohttp.ClientSession`` to send requests with. The client never closes it. Default: the client
            makes its own connections, which is faster.
        limit: The largest number of requests in flight at once. Other requests wait for a free slot.
        proxy: URL of an HTTP proxy, with user and password if it needs them.
        ssl: An ``ssl.SSLContext`` for certificates of your own; ``False`` checks none.
        trust_env: Use the proxy in ``HTTPS_PROXY`` or ``HTTP_PROXY``, unless ``NO_PROXY`` names the host. They are read
            once, when the client is opened. A ``session`` has its own setting.
        allow_http: Allow a plain ``http`` URL to a host other than this machine. The API key is then sent unencrypted.
            ``SENT_ALLOW_HTTP=1`` has the same effect.
        pacing: Delay requests so that they stay within the rate limits that the response headers report. ``False``
            turns it off. A ``Pacer``, such as ``sent_async.redis.RedisPacer``, shares limits between clients.
        max_response_bytes: A response with a larger body, after decompression, raises a ``SentDecodeError``.
        on_attempt: Called with an ``Attempt`` after every attempt. If it raises, the error is logged and the call goes
            on.
        clock: A replacement for the system clock, for tests.

    Raises:
        SentConfigError: There is no API key, or an option has an invalid value.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        profile_id: str | None = None,
        timeout: float | None = 30.0,
        deadline: float | None = None,
        max_retries: int = 2,
        headers: Mapping[str, str] | None = None,
        session: aiohttp.ClientSession | None = None,
        limit: int = 100,
        proxy: str | None = None,
        ssl: ssl_module.SSLContext | bool | None = None,
        trust_env: bool = True,
        allow_http: bool = False,
        pacing: bool | Pacer = True,
        max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES,
        on_attempt: Callable[[Attempt], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        # Imported here, so that importing the package does not load aiohttp.
        from .connections import Settings
        from .transport import Transport

        check_count("limit", limit, least=1)
        check_count("max_response_bytes", max_response_bytes, least=1)
        self._options = Options(
            api_key=check_api_key(api_key if api_key is not None else os.environ.get("SENT_DM_API_KEY")),
            profile_id=profile_id,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
            headers=dict(headers or {}),
        )
        self._base_url = check_base_url(
            base_url or os.environ.get("SENT_BASE_URL") or DEFAULT_BASE_URL,
            allow_http=allow_http or os.environ.get("SENT_ALLOW_HTTP") == "1",
        )
        self._clock: Clock = SystemClock() if clock is None else clock
        self._transport = Transport(
            Settings(
                base_url=self._base_url,
                session=session,
                limit=limit,
                proxy=None if proxy is None else check_proxy(proxy),
                ssl=check_ssl(ssl),
                trust_env=trust_env,
                max_response_bytes=max_response_bytes,
            ),
            self._clock,
        )
        if isinstance(pacing, bool):
            pacing = HeaderPacer(self._clock) if pacing else NoPacer()
        self._pacer: Pacer = pacing.for_key(self._options.api_key)
        self._on_attempt = on_attempt
        self._is_view = False
        self._headers: Headers | None = None

    def __repr__(self) -> str:
        return f"<SentClient {self._base_url} {self._options!r}>"

    async def __aenter__(self) -> Self:
        self._transport.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. Calls in flight raise a ``SentConnectionError``. A second call does nothing.

        A view made by ``with_options`` does not own the connections, so closing it does nothing.
        """
        if not self._is_view:
            await self._transport.close()

    @property
    def rate_limits(self) -> dict[str, RateLimit]:
        """The known rate limits by tier (``standard``, ``sensitive``). Empty before the first call."""
        return self._pacer.rate_limits if isinstance(self._pacer, HeaderPacer) else {}

    def with_options(
        self,
        *,
        api_key: str | UnsetType = UNSET,
        profile_id: str | UnsetType | None = UNSET,
        timeout: float | UnsetType | None = UNSET,
        deadline: float | UnsetType | None = UNSET,
        max_retries: int | UnsetType = UNSET,
        headers: Mapping[str, str] | UnsetType = UNSET,
    ) -> SentClient:
        """Make a view of the client with other options, on the same connections, limits and pacing.

        A view is cheap: keep it, or make one for a single call. An option that is left out keeps its value.

        Args:
            api_key: The key of another account, which has its own rate limits.
            profile_id: Act for this profile; ``None`` for the account itself.
            timeout: Seconds for each attempt; ``None`` for no limit.
            deadline: Seconds for the whole call; ``None`` for no limit.
            max_retries: How many times a failed attempt is repeated.
            headers: Added to the headers of the client.

        Returns:
            The view. Closing it does nothing.

        Raises:
            SentConfigError: An option has an invalid value.
        """
        old = self._options
        view = object.__new__(type(self))
        # The resources that were used already are not copied: each belongs to the client or view it was made for.
        view.__dict__.update({name: value for name, value in self.__dict__.items() if name.startswith("_")})
        view._options = Options(
            api_key=old.api_key if api_key is UNSET else check_api_key(api_key),
            profile_id=old.profile_id if profile_id is UNSET else profile_id,
            timeout=old.timeout if timeout is UNSET else timeout,
            deadline=old.deadline if deadline is UNSET else deadline,
            max_retries=old.max_retries if max_retries is UNSET else max_retries,
            headers=old.headers if headers is UNSET else {**old.headers, **headers},
        )
        if view._options.api_key != old.api_key:
            view._pacer = self._pacer.for_key(view._options.api_key)
        view._is_view = True
        view._headers = None
        return view

    async def send(
        self,
        operation: Operation[T],
        *,
        body: object = None,
        idempotency_key: str | None = None,
        **parameters: object,
    ) -> SentResponse[T]:
        """Make one call, and return the whole response: data, status, headers and meta.

        Every typed method uses it. Call it to get the status or the headers too, or for an endpoint without a method::

            response = await sent.send(operations.RETRIEVE_PROFILE, profile_id=profile_id)
            print(response.request_id, response.data)

        Args:
            operation: One of ``sent_async.operations``, or your own ``Operation``.
            body: A request model of ``sent_async.models``, or any value that msgspec can encode.
            idempotency_key: The server executes a write only once for the same key. Default: a new key for each write.
            parameters: The path and query parameters of the operation, by their Python names.

        Returns:
            The response. Its ``data`` has the response type of the operation.

        Raises:
            SentAPIError: The API refused the request. The class depends on the status.
            SentConnectionError: There was no usable response.
            SentDecodeError: The response does not have the expected form.
            SentConfigError: An id, the key or the body is invalid, or the client is closed.
            TypeError: A parameter is missing or unknown.
        """
        loop = self._transport.open()
        if self._headers is None:
            self._headers = Headers(self._transport.headers, self._options.request_headers())
        request = build_request(
            operation,
            base_url=self._base_url,
            headers=self._headers,
            parameters=parameters,
            body=body,
            idempotency_key=idempotency_key,
        )
        # Without the argument, asyncio looks for the loop, which is a system call each time before Python 3.12.
        task = cast("asyncio.Task[Any]", asyncio.current_task(loop))
        return await Call(
            operation,
            request,
            self._options,
            transport=self._transport,
            pacer=self._pacer,
            clock=self._clock,
            on_attempt=self._on_attempt,
            task=task,
        ).run()
