"""The handling of a delivery, and adapters for aiohttp.web and ASGI."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final, TypeAlias

from aiohttp import web

from ..errors import SentDecodeError, SentError
from .events import Event
from .seen import LeasedSeen, MemorySeen, Seen

LIMIT: Final = 1_048_576
"""The longest body that is read, in bytes. The bodies of Sent have a few kilobytes."""

Message: TypeAlias = MutableMapping[str, Any]
Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[bytes, bytes]]
Unwrap: TypeAlias = Callable[[bytes, Headers], Event]
OnEvent: TypeAlias = Callable[[Event], Awaitable[object]]

_logger: Final = logging.getLogger("sent_async.webhooks")


class _Deliveries:
    """Handles the deliveries of one endpoint."""

    def __init__(self, unwrap: Unwrap, on_event: OnEvent, seen: Seen | None) -> None:
        self._unwrap = unwrap
        self._on_event = on_event
        self._seen: Seen = seen if seen is not None else MemorySeen()
        self._leased = self._seen if isinstance(self._seen, LeasedSeen) else None
        self._running: dict[str, asyncio.Future[int]] = {}

    async def handle(self, method: str, headers: Headers, chunks: AsyncIterator[bytes]) -> int:
        """Handle one delivery, and return the status of the response."""
        if method != "POST":
            return 405
        body = bytearray()
        async for chunk in chunks:
            body += chunk
            if len(body) > LIMIT:
                return 413
        try:
            event = self._unwrap(bytes(body), headers)
        except SentError as error:
            _logger.warning("%s", error)
            return 400 if isinstance(error, SentDecodeError) else 401
        return await self._handle_once(event)

    async def _handle_once(self, event: Event) -> int:
        """Handle an event. A duplicate that arrives meanwhile gets the same status as the first delivery."""
        running = self._running.get(event.id)
        if running is not None:
            return await asyncio.shield(running)
        outcome = self._running[event.id] = asyncio.get_running_loop().create_future()
        status = 500  # if the delivery is cancelled
        try:
            status = await self._claim_and_handle(event)
            return status
        finally:
            del self._running[event.id]
            outcome.set_result(status)

    async def _claim_and_handle(self, event: Event) -> int:
        try:
            if not await self._seen.claim(event.id):
                # Another process handles the event and may still fail. After a 2xx, the event would then be lost.
                return 204 if self._leased is None or await self._leased.is_finished(event.id) else 503
        except Exception as error:  # noqa: BLE001 - the store may raise anything; Sent delivers again
            return self._failed("seen.claim", event, error)
        handled = False
        try:
            await self._on_event(event)
            handled = True
        except Exception as error:  # noqa: BLE001 - on_event may raise anything; Sent delivers again
            return self._failed("on_event", event, error)
        finally:
            if not handled:  # it raised, or the delivery was cancelled
                await self._release(event)
        if self._leased is not None:
            try:
                await self._leased.finish(event.id)
            except Exception as error:  # noqa: BLE001 - the event is handled, so it must not be delivered again
                self._failed("seen.finish", event, error)
        return 204

    async def _release(self, event: Event) -> None:
        try:
            await self._seen.release(event.id)
        except Exception as error:  # noqa: BLE001 - a claim with a lease ends by itself
            self._failed("seen.release", event, error)

    @staticmethod
    def _failed(what: str, event: Event, error: Exception) -> int:
        """Log where it failed, and return 500. The text of the error is left out: it may contain a message text."""
        frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
        kind = type(error).__name__
        _logger.error("webhook %s (%s): %s raised %s\n%s", event.id, event.name, what, kind, frames)
        return 500


def aiohttp_handler(
    unwrap: Unwrap, on_event: OnEvent, seen: Seen | None
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """See ``WebhookReceiver.aiohttp_handler``."""
    deliveries = _Deliveries(unwrap, on_event, seen)

    async def handle(request: web.Request) -> web.Response:
        # Not request.read(), which has the limit of the whole app.
        status = await deliveries.handle(request.method, request.headers, request.content.iter_any())
        return web.Response(status=status, headers={"Allow": "POST"} if status == 405 else None)

    return handle


class AsgiApp:
    """An ASGI app for one endpoint. It is an object, because Starlette takes a function for a view."""

    def __init__(self, unwrap: Unwrap, on_event: OnEvent, seen: Seen | None) -> None:
        self._deliveries = _Deliveries(unwrap, on_event, seen)

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        try:
            status = await self._deliveries.handle(scope["method"], scope["headers"], _chunks(receive))
        except _DisconnectError:
            return
        headers = [(b"allow", b"POST")] if status == 405 else []
        if status != 204:
            headers.append((b"content-length", b"0"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


class _DisconnectError(Exception):
    """The sender disconnected before the body was complete."""


async def _chunks(receive: Callable[[], Awaitable[Message]]) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _DisconnectError
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    """Confirm the start and the stop of a server that runs only this app. There is nothing to do for them."""
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})
