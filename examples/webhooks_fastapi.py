"""A FastAPI service that receives webhooks and follows messages.

pip install fastapi uvicorn
SENT_WEBHOOK_SECRET=whsec_... uvicorn --app-dir examples webhooks_fastapi:app
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from starlette.routing import Route

from sent_async.webhooks import (
    Event,
    MessageReceivedEvent,
    MessageStatusEvent,
    MessageTracker,
    SQLiteSeen,
    WebhookReceiver,
)

PATH = os.environ.get("EVENTS", "events.sqlite")
"""The file holds which events were handled, and the states of messages."""

seen, tracker = SQLiteSeen(PATH), MessageTracker(PATH)


async def on_event(event: Event) -> None:
    match event:
        case MessageStatusEvent():
            await tracker.record(event)
        case MessageReceivedEvent():
            print(f"message {event.payload.message_id} came in")  # its text is event.payload.text
        case _:
            print(f"{event.name}: nothing to do")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    yield
    await seen.close()
    await tracker.close()


app = FastAPI(lifespan=lifespan)
# A route of its own rather than app.mount, which would redirect a path without a slash at its end.
app.router.routes.append(Route("/webhooks/sent", WebhookReceiver().asgi_app(on_event, seen=seen)))


@app.get("/messages/{message_id}")
async def message(message_id: str) -> dict[str, str | None]:
    """What became of a message."""
    state = await tracker.state(message_id)
    if state is None:
        raise HTTPException(404)
    return {"id": state.message_id, "status": state.status}
