"""The client: merges options into one immutable request and sends it, whichever method asked for it."""

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
from .request import Headers, build
from .resources import Resources

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")


class SentClient(Resources):
    """An asyncio client for the Sent API v3.

    ::

        async with SentClient() as sent:
            profile = await sent.profiles.retrieve(profile_id)

    Without ``async with``, end it by ``await sent.close()``. A client belongs to the event loop it was first used in.

    ``api_key`` and ``base_url`` default to the environment's ``SENT_DM_API_KEY`` and ``SENT_BASE_URL``.
    ``profile_id`` acts for that profile; it needs an organization key. ``timeout`` limits each attempt, answer
    included, ``deadline`` the whole call with its retries and waits; both in seconds, ``None`` for no limit.
    ``limit`` is how many requests may be under way at once. ``trust_env`` honours ``HTTPS_PROXY``, ``HTTP_PROXY`` and
    ``NO_PROXY``, looked up once. ``session`` borrows an ``aiohttp.ClientSession``, which is never closed here.
    ``pacing`` holds requests back by the server's rate-limit headers; pass a ``Pacer`` of your own to share one.
    ``max_response_bytes`` refuses larger answers. ``on_attempt`` is called after every attempt.

    Raises ``SentConfigError`` for options that cannot work.
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
        from .transport import Settings, Transport  # here, so that importing the package does not load aiohttp

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
        """End the client: calls under way end with a ``SentConnectionError``, connections close. May be called twice.

        On a view made by ``with_options`` it does nothing: the client it came from owns the connections.
        """
        if not self._is_view:
            await self._transport.close()

    @property
    def rate_limits(self) -> dict[str, RateLimit]:
        """What is known of the rate limits, by tier (``standard``, ``sensitive``); empty before the first answer."""
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
        """A view with other options on the same connections, limits and pacing. Cheap; keep it or throw it away.

        ``headers`` are added to the client's own. What is left out stays as it is.
        """
        old = self._options
        view = object.__new__(type(self))
        # Without the resources that have been used: each belongs to the client or view it was made for.
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
        """Make one call: the door that every typed method goes through, for those who need status, headers or meta.

        ``parameters`` are the operation's path and query parameters by their Python names, ``body`` a Struct of
        ``sent_async.models`` or anything msgspec can encode.

        Raises ``SentError``: ``SentAPIError`` when the API says no, ``SentConnectionError`` without a usable answer,
        ``SentDecodeError`` for one in an unknown shape, ``SentConfigError`` for a call that cannot be made as asked.
        """
        loop = self._transport.open()
        if self._headers is None:
            self._headers = Headers(self._transport.headers, self._options.request_headers())
        request = build(
            operation,
            base_url=self._base_url,
            headers=self._headers,
            parameters=parameters,
            body=body,
            idempotency_key=idempotency_key,
        )
        # Told the loop, asyncio need not look for it: before Python 3.12 that is a system call each time.
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
