"""Deliveries as Sent makes them, and servers that receive them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import uvicorn
from aiohttp import web
from aiohttp.test_utils import TestServer

from sent_async.webhooks import Event

SECRET = "whsec_c3ludGhldGljLXNpZ25pbmcta2V5LTAxMjM0NTY3ODk="
ENDPOINT = "0f8fad5b-d9cb-469f-a165-70867728950e"
STAMP = 1767225600
BODY = (
    b'{"field":"message","event":"message.delivered","timestamp":"2026-01-01T00:00:00Z","payload":'
    b'{"message_status":"DELIVERED","message_id":"8ba7b830-9dad-11d1-80b4-00c04fd430c8","channel":"sms"}}'
)
SIGNATURE = "v1,46/g/2kJdxVP/NeYfkC1n+wq+ljEBY2N5tO1xpZnE0A="
HEADERS = {"x-webhook-id": ENDPOINT, "x-webhook-timestamp": str(STAMP), "x-webhook-signature": SIGNATURE}

OnEvent: TypeAlias = Callable[[Event], Awaitable[object]]
Serve: TypeAlias = Callable[..., Awaitable[str]]


def signed(
    body: bytes,
    *,
    secret: str = SECRET,
    endpoint: str = ENDPOINT,
    stamp: object = None,
    event_id: str | None = None,
) -> dict[str, str]:
    """The headers of a delivery. Written from the description of the scheme, not from our own code."""
    stamp = int(time.time()) if stamp is None else stamp
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{endpoint}.{stamp}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "X-Webhook-ID": endpoint,
        "X-Webhook-Timestamp": str(stamp),
        "X-Webhook-Signature": "v1," + base64.b64encode(digest).decode(),
    }
    return headers if event_id is None else {**headers, "X-Webhook-Event-ID": event_id}


def event_body(field: str, event: str | None = None, payload: object = None, **members: object) -> bytes:
    """The body of a delivery in the form of late 2026."""
    named = {} if event is None else {"event": event}
    return json.dumps({"field": field, **named, "payload": payload, **members}).encode()


def sent_payload(message_id: str) -> dict[str, str]:
    """The payload of a ``message.sent`` event."""
    return {"message_id": message_id, "message_status": "SENT"}


def status_body(message_id: str, status: str, **payload: object) -> bytes:
    """A change of a message's status."""
    members = {"message_id": message_id, "message_status": status, **payload}
    return event_body("message", f"message.{status.lower()}", members)


def listening() -> socket.socket:
    """A socket that takes connections before the server behind it runs."""
    made = socket.create_server(("127.0.0.1", 0))
    made.setblocking(False)
    return made


@asynccontextmanager
async def uvicorn_server(app: Any) -> AsyncIterator[str]:
    """An ASGI app under uvicorn; gives its URL."""
    listener = listening()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def aiohttp_server(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A handler under aiohttp.web, for every method; gives its URL."""
    app = web.Application()
    app.router.add_route("*", "/hook", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/hook"))


class Log:
    """An ``on_event`` that keeps what it was given."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def ids(self) -> list[str]:
        return [event.id for event in self.events]
