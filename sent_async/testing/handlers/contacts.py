"""Contacts. They are created by a request, by sending a message, and by an inbound message."""

from __future__ import annotations

from typing import Final

import msgspec

from ...models import ContactCreate, ContactUpdate, ErrorCode
from ..context import Context
from ..messaging.contacts import CHANNELS, contact_of, new_contact, store_contact
from ..messaging.contacts import delete_contact as delete_stored_contact
from ..messaging.lifecycle import NO_CHANNEL
from ..messaging.records import ContactRecord, MessageRecord
from ..paging import paged
from ..phones import parse
from ..responses import Refusal, Reply
from ..store import JSON
from ..validation import Problems, given_members, whole_number

_DEFAULT_PAGE_SIZE: Final = 20
_DELIVERED: Final = ("DELIVERED", "READ")


def list_contacts(context: Context) -> Reply:
    query, problems = context.query, Problems()
    page = whole_number(query, "page", 1, problems)
    size = whole_number(query, "page_size", _DEFAULT_PAGE_SIZE, problems, most=100)
    channel = query.get("channel")
    problems.expect(channel in (None, *CHANNELS), "channel", _one_of("channel"))
    problems.refuse_if_any()
    phone, search, acting = query.get("phone"), query.get("search", ""), context.caller.acting
    rows = (record.wire for record in context.store.contacts.values() if record.owner == acting)
    rows = (row for row in rows if channel is None or channel in row["available_channels"].split(","))
    rows = (row for row in rows if phone in (None, row["phone_number"]))
    # Only the national form is searched, with its punctuation.
    rows = (row for row in rows if search in row["format_national"])
    contacts, pagination = paged(rows, page, size)
    return Reply(200, {"contacts": contacts, "pagination": pagination})


def create_contact(context: Context) -> Reply:
    body: ContactCreate = context.body
    phone = parse(body.phone_number)
    if phone is None:
        details = {"phone_number": ["Must be a phone number in E.164 form"]}
        raise Refusal(ErrorCode.INVALID_PHONE_NUMBER, details=details)
    if contact_of(context.store, context.caller.acting, phone.e164):
        raise Refusal(ErrorCode.ALREADY_EXISTS, "A contact with this phone number already exists")
    return Reply(201, store_contact(context.store, new_contact(context.caller.acting, phone, context.now)).wire)


def retrieve_contact(context: Context) -> Reply:
    return Reply(200, _contact(context, "id").wire)


def update_contact(context: Context) -> Reply:
    before = _contact(context, "id")
    body: ContactUpdate = context.body
    changes = {name: value for name, value in given_members(body).items() if name != "sandbox"}
    if changes.get("default_channel", CHANNELS[0]) not in CHANNELS:
        raise Refusal(ErrorCode.INVALID_ENUM_VALUE, details={"default_channel": [_one_of("default_channel")]})
    wire = {**before.wire, **changes, "updated_at": context.now}
    context.store.contacts[wire["id"]] = msgspec.structs.replace(before, wire=wire)
    return Reply(200, wire)


def delete_contact(context: Context) -> Reply:
    """Delete a contact. Its messages stay."""
    delete_stored_contact(context.store, _contact(context, "id"))
    return Reply(204)


def message_summary(context: Context) -> Reply:
    contact_id = _contact(context, "contactId").wire["id"]
    messages = [record for record in context.store.messages.values() if record.wire["contact_id"] == contact_id]
    channels = (record.wire["channel"] for record in messages)
    used = dict.fromkeys(channel for channel in channels if channel not in NO_CHANNEL)
    summary = {
        "contact_id": contact_id,
        "message_count": len(messages),
        "first_message_at": messages[0].wire["created_at"] if messages else None,
        "last_message_at": messages[-1].wire["created_at"] if messages else None,
        "channels_used": list(used),
        "channel_scores": [_score(channel, messages) for channel in used],
    }
    return Reply(200, summary)


def _score(channel: str, messages: list[MessageRecord]) -> JSON:
    """The percentages of delivered and failed messages. Sent does not publish its formula."""
    statuses = [record.status for record in messages if record.wire["channel"] == channel]
    delivered = sum(status in _DELIVERED for status in statuses)
    failed = statuses.count("FAILED")
    ended = (delivered + failed) or 1
    return {"channel": channel, "success_score": 100 * delivered // ended, "fail_score": 100 * failed // ended}


def _contact(context: Context, parameter: str) -> ContactRecord:
    record = context.store.contacts.get(context.parameters[parameter])
    if record is None or record.owner != context.caller.acting:
        raise Refusal(ErrorCode.CONTACT_NOT_FOUND)
    return record


def _one_of(member: str) -> str:
    return f"{member} must be one of: {', '.join(CHANNELS)}"
