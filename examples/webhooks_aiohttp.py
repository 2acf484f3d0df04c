"""An aiohttp.web service that receives webhooks and follows messages.

SENT_WEBHOOK_SECRET=whsec_... python webhooks_aiohttp.py
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

from aiohttp import web

from sent_async.webhooks import (
    Event,
    MessageReceivedEvent,
    MessageStatusEvent,
    MessageTracker,
    SQLiteSeen,
    WebhookReceiver,
)

TRACKER = web.AppKey("tracker", MessageTracker)


def create_app(path: str = "events.sqlite") -> web.Application:
    """The file holds which events were handled, and the states of messages."""
    seen, tracker = SQLiteSeen(path), MessageTracker(path)

    async def on_event(event: Event) -> None:
        match event:
            case MessageStatusEvent():
                await tracker.record(event)
            case MessageReceivedEvent():
                print(f"message {event.payload.message_id} came in")  # its text is event.payload.text
            case _:
                print(f"{event.name}: nothing to do")

    async def stores(_: web.Application) -> AsyncIterator[None]:
        yield
        await seen.close()
        await tracker.close()

    app = web.Application()
    app[TRACKER] = tracker
    app.cleanup_ctx.append(stores)
    app.router.add_post("/webhooks/sent", WebhookReceiver().aiohttp_handler(on_event, seen=seen))
    app.router.add_get("/messages/{id}", message)
    return app


async def message(request: web.Request) -> web.Response:
    """What became of a message."""
    state = await request.app[TRACKER].state(request.match_info["id"])
    if state is None:
        raise web.HTTPNotFound
    return web.json_response({"id": state.message_id, "status": state.status})


if __name__ == "__main__":
    web.run_app(create_app(), port=int(os.environ.get("PORT", "8080")))
