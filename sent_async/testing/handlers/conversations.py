"""Conversations: lists of messages without their events. The latest message is the first."""

from __future__ import annotations

from ...models import ErrorCode
from ..context import Context
from ..paging import paged
from ..responses import Refusal, Reply
from ..validation import Problems, whole_number


def list_conversations(context: Context) -> Reply:
    return _page(context, None)


def list_conversation_messages(context: Context) -> Reply:
    contact_id = context.store.conversations.get(context.parameters["id"])
    if contact_id is None or context.store.contacts[contact_id].owner != context.caller.acting:
        raise Refusal(ErrorCode.CONTACT_NOT_FOUND)
    return _page(context, contact_id)


def _page(context: Context, contact_id: str | None) -> Reply:
    problems = Problems()
    for name in ("page", "page_size"):
        problems.expect(name in context.query, name, "This parameter is required")
    page = whole_number(context.query, "page", 1, problems)
    size = whole_number(context.query, "page_size", 1, problems, most=100)
    problems.refuse_if_any()
    messages = context.store.messages
    newest_first = (messages[message_id] for message_id in reversed(list(messages)))
    ours = (record.wire for record in newest_first if record.owner == context.caller.acting)
    rows, pagination = paged((wire for wire in ours if contact_id in (None, wire["contact_id"])), page, size)
    return Reply(200, {"messages": [{**wire, "events": None} for wire in rows], "pagination": pagination})
