"""Inbound messages: store them, report them, and opt the contact in or out if the text is a keyword."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ..clock import stamp
from ..context import World
from ..phones import Phone
from ..store import new_id
from .contacts import find_or_add
from .lifecycle import own_numbers
from .records import ContactRecord, MessageRecord
from .rendering import Content

KEYWORDS: Final = {
    **dict.fromkeys(("stop", "cancel", "unsubscribe", "quit", "end"), "contact.opt_out"),
    **dict.fromkeys(("start", "unstop", "subscribe"), "contact.opt_in"),
    **dict.fromkeys(("help", "info"), "contact.help"),
}
"""Keywords and their events. A keyword must be the whole text of a message. The case of letters does not matter."""


def keyword_event(text: str | None) -> str | None:
    """The event for a text, if the text is a keyword."""
    return KEYWORDS.get((text or "").strip().lower())


def receive(
    world: World,
    owner: str | None,
    phone: Phone,
    text: str | None,
    *,
    channel: str,
    to_number: str | None,
    media: Sequence[Mapping[str, Any]] | None,
) -> MessageRecord:
    """Store a message from a contact and report it. An unknown sender becomes a contact."""
    now = world.time()
    contact = find_or_add(world, owner, phone)
    to = to_number or own_numbers(world.store, owner)[0]
    received = {"status": "RECEIVED", "timestamp": stamp(now), "description": "Message received"}
    unpriced = {"from": phone.e164, "price": None, "active_contact_price": None}
    body = Content(text=text).body(channel)
    wire: dict[str, Any] = {
        "id": new_id(),
        "customer_id": contact.wire["customer_id"],
        "contact_id": contact.wire["id"],
        "phone": phone.e164,
        "phone_international": phone.international,
        "region_code": phone.region_code,
        "template_id": None,
        "template_name": None,
        "template_category": None,
        "channel": channel,
        "message_body": {**body, "media": [_as_read(item) for item in media] if media else None},
        "status": "RECEIVED",
        "direction": "INBOUND",
        "created_at": stamp(now),
        "price": None,
        "active_contact_price": None,
    }
    record = MessageRecord(owner=owner, wire=wire, steps=({**received, **unpriced},), changed_at=now)
    world.store.messages[wire["id"]] = record
    payload = {
        "account_id": wire["customer_id"],
        "message_id": wire["id"],
        "channel": channel,
        "inbound_number": phone.e164,
        "outbound_number": to,
        "text": text,
        "received_at": stamp(now),
        "updated_at": stamp(now),
    }
    world.emit("message", "message.received", {**payload, "media": list(media)} if media else payload, owner)
    contact = msgspec.structs.replace(contact, replied_at={**contact.replied_at, channel: now})
    world.store.contacts[contact.wire["id"]] = contact
    if event := keyword_event(text):
        _consent(world, contact, event, record, to, text)
    return record


def _consent(
    world: World, contact: ContactRecord, event: str, record: MessageRecord, to: str, text: str | None
) -> None:
    """Opt a contact in or out if the keyword asks for it, and report the event."""
    if event != "contact.help":
        opted_out, now = event == "contact.opt_out", record.wire["created_at"]
        wire: dict[str, Any] = {**contact.wire, "opt_out": opted_out, "updated_at": now}
        contact = msgspec.structs.replace(contact, wire=wire)
        world.store.contacts[wire["id"]] = contact
    payload = {
        "account_id": contact.wire["customer_id"],
        "contact_id": contact.wire["id"],
        "from": contact.wire["phone_number"],
        "to": to,
        "opt_out": contact.wire["opt_out"],
        "source": "INBOUND_KEYWORD",
        "channel": record.wire["channel"],
        "message_id": record.wire["id"],
        "template_id": None,
        "text": text,
    }
    world.emit("contact", event, payload, contact.owner)


def _as_read(media: Mapping[str, Any]) -> dict[str, Any]:
    """The media of an event in the form of a message."""
    mime_type = media.get("mime_type")
    return {
        "url": media.get("url"),
        "mediaType": mime_type.partition("/")[0] if mime_type else None,
        "mimeType": mime_type,
        "sizeBytes": media.get("size_bytes"),
        "sourceHashSha256": media.get("hash_sha256"),
    }
