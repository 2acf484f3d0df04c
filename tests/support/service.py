"""A service with a webhook endpoint, for the fake to deliver to."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from sent_async.webhooks import Event, MessageStatusEvent, WebhookReceiver

from .deliveries import SECRET


class Service:
    """A service with a webhook endpoint: it verifies and keeps events, and responds with the given statuses."""

    def __init__(self) -> None:
        self.url = ""
        self.secret = SECRET
        self.statuses: list[int] = []
        """What to respond with, one after the other; then 204."""
        self.events: list[Event] = []
        self.headers: list[Any] = []
        self.gate: asyncio.Event | None = None
        self.inside = self.most_inside = 0

    async def handle(self, request: web.Request) -> web.Response:
        event = WebhookReceiver(self.secret).unwrap(await request.read(), request.headers)
        self.headers.append(request.headers)
        self.events.append(event)
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        if self.gate is not None:
            await self.gate.wait()
        self.inside -= 1
        return web.Response(status=self.statuses.pop(0) if self.statuses else 204, text="noted")

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    @property
    def ids(self) -> list[str]:
        return [event.payload.message_id for event in self.events if isinstance(event, MessageStatusEvent)]
