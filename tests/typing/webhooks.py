"""What a type checker must know of events. Checked, never run."""

from __future__ import annotations

from typing import Any, assert_never, assert_type

from aiohttp import web

from sent_async.webhooks import (
    CallEvent,
    ChannelEvent,
    ContactEvent,
    Event,
    LinkEvent,
    MemorySeen,
    MessageReceivedEvent,
    MessageStatus,
    MessageStatusEvent,
    MessageTracker,
    Seen,
    SQLiteSeen,
    TemplateEvent,
    UnknownEvent,
    WebhookReceiver,
)


def every_class(event: Event) -> None:
    """A match over the classes narrows, and is exhaustive."""
    match event:
        case MessageStatusEvent():
            assert_type(event.payload.message_id, str)
            assert_type(event.payload.message_status, MessageStatus)
        case MessageReceivedEvent():
            assert_type(event.payload.text, str | None)
        case UnknownEvent():
            assert_type(event.payload, dict[str, Any])
        case TemplateEvent() | ContactEvent() | ChannelEvent() | LinkEvent() | CallEvent():
            assert_type(event.id, str)
        case _:
            assert_never(event)


async def places(tracker: MessageTracker, request: web.Request) -> None:
    """The headers of frameworks, the stores, and a tracker as ``on_event``."""
    receiver = WebhookReceiver({"endpoint": ["whsec_a", "whsec_b"]})
    assert_type(receiver.unwrap(await request.read(), request.headers), Event)
    receiver.unwrap(b"", [(b"x-webhook-id", b"1")])
    stores: list[Seen] = [MemorySeen(), SQLiteSeen("seen.sqlite")]
    web.Application().router.add_post("/", receiver.aiohttp_handler(tracker.record, seen=stores[0]))
    receiver.asgi_app(tracker.record)
