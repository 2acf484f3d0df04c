"""Send, retrieve, resend and cancel messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ...models import ErrorCode, MessageSend, MessageTemplate
from ..context import Context
from ..messaging import lifecycle
from ..messaging.lifecycle import CHANNELS
from ..messaging.records import MessageRecord, with_events
from ..messaging.rendering import Content, TemplateText, has_media
from ..responses import Refusal, Reply
from ..store import JSON, Record
from ..validation import Problems, given_members
from .templates import readable_owners

_RESENDABLE: Final = ("DELIVERED", "READ", "FAILED", "BLOCKED")
_SOONEST: Final = timedelta(minutes=1).total_seconds()
_LATEST: Final = timedelta(days=30).total_seconds()


def send_message(context: Context) -> Reply:
    """Create a message for each recipient and channel. Its checks run later."""
    body: MessageSend = context.body
    template = _template(context, body.template) if body.template else None
    _check(context, body, template)
    due = body.scheduled_at.timestamp() if body.scheduled_at else None
    channels = body.channel or ["sent"]
    if due is not None:
        held = len(context.store.held) + len(body.to) * len(channels)
        if held > context.settings.scheduled_limit:
            raise Refusal(ErrorCode.SCHEDULED_LIMIT_REACHED)
    content = _content(body, template)
    senders = {name: [n for one in entries for n in one.from_ or ()] for name, entries in (body.channels or {}).items()}
    created = [
        lifecycle.create(context, context.caller.acting, number, channel, content, senders=senders, due=due)
        for number in body.to
        for channel in channels
    ]
    return Reply(202, _send_response(created))


def retrieve_message(context: Context) -> Reply:
    return Reply(200, with_events(_message(context)))


def list_activities(context: Context) -> Reply:
    """All activities on one page. The latest one is the first."""
    record = _message(context)
    activities = list(reversed(record.steps))
    return Reply(200, {"message_id": record.wire["id"], "activities": activities, "pagination": None})


def resend_message(context: Context) -> Reply:
    """Queue the same message again, with the same id and channel. All checks run again."""
    record = _message(context)
    if record.status not in _RESENDABLE:
        raise _not_modifiable(record, "sent again")
    record = lifecycle.set_status(context, record, "QUEUED")
    lifecycle.plan_next_step(context, record)
    return Reply(202, _send_response([record]))


def cancel_message(context: Context) -> Reply:
    """Cancel a held message. For a cancelled message, return it without another event."""
    record = _message(context)
    if record.status == "CANCELLED":
        return Reply(200, with_events(record))
    if record.status != "SCHEDULED":
        raise _not_modifiable(record, "cancelled")
    return Reply(200, with_events(lifecycle.set_status(context, record, "CANCELLED")))


def _message(context: Context) -> MessageRecord:
    record = context.store.messages.get(context.parameters["id"])
    if record is None or record.owner != context.caller.acting:
        raise Refusal(ErrorCode.MESSAGE_NOT_FOUND)
    return record


def _not_modifiable(record: MessageRecord, done: str) -> Refusal:
    message = f"A message that is {record.status} cannot be {done}"
    return Refusal(ErrorCode.MESSAGE_NOT_MODIFIABLE, message, status=409)


def _send_response(records: list[MessageRecord]) -> JSON:
    """The response to a send. Channel and text are null until the channel is chosen."""
    wire = records[0].wire
    recipients = [
        {
            "message_id": record.wire["id"],
            "to": record.wire["phone"],
            "channel": None if record.wire["channel"] in lifecycle.NO_CHANNEL else record.wire["channel"],
            "body": record.wire["message_body"] and record.wire["message_body"]["content"],
        }
        for record in records
    ]
    data: JSON = {
        "status": "QUEUED",
        "template_id": wire["template_id"],
        "template_name": wire["template_name"],
        "recipients": recipients,
    }
    return {**data, "scheduled_at": wire["scheduled_at"]} if wire.get("scheduled_at") else data


def _template(context: Context, reference: MessageTemplate) -> Record:
    """Find a template by id or name; an approved one if there are several. Raises ``Refusal`` (``RESOURCE_002``)."""
    owners = readable_owners(context)
    templates = context.store.templates
    if not (reference.id or reference.name):
        raise Refusal(ErrorCode.VALIDATION_FAILED, details={"template": ["The template's id or its name is required"]})
    if reference.id:
        record = templates.get(reference.id)
        candidates = [record] if record else []
    else:
        candidates = [record for record in templates.values() if record.wire["name"] == reference.name]
    candidates = [record for record in candidates if record.owner in owners]
    if not candidates:
        raise Refusal(ErrorCode.TEMPLATE_NOT_FOUND)
    return max(candidates, key=lambda record: record.wire["status"] == "APPROVED")


def _content(body: MessageSend, template: Record | None) -> Content:
    text = (
        TemplateText(
            id=template.wire["id"],
            name=template.wire["name"],
            category=template.wire["category"],
            variables=template.wire["variables"] or (),
            definition=template.definition,
        )
        if template
        else None
    )
    return Content(
        text=body.text or None,
        template=text,
        parameters=given_members(body.template).get("parameters", {}) if body.template else {},
        media_urls=body.media_urls or (),
        subject=body.subject or None,
    )


def _check(context: Context, body: MessageSend, template: Record | None) -> None:
    """Raise ``Refusal`` with every invalid member. Numbers are checked later: an invalid one blocks its message."""
    problems = Problems()
    problems.expect(bool(body.to), "to", "At least one recipient is required")
    for index, number in enumerate(body.to):
        problems.expect_text(number, f"to[{index}]")
    for index, channel in enumerate(body.channel or ()):
        rule = f"Channel must be one of: {', '.join(('sent', *CHANNELS))}"
        problems.expect(channel in ("sent", *CHANNELS), f"channel[{index}]", rule)
    for name in body.channels or {}:
        problems.expect(name in CHANNELS, f"channels.{name}", f"Channel must be one of: {', '.join(CHANNELS)}")
    given_text = isinstance(body.text, str)
    problems.expect(given_text or template is not None, "text", "A text or a template is required")
    problems.expect(not (given_text and template), "text", "Not allowed together with a template")
    problems.expect_text(body.text, "text")
    for index, url in enumerate(body.media_urls or ()):
        problems.expect(url.startswith("https://"), f"media_urls[{index}]", "Must be an https URL")
    if "mms" in (body.channel or ()):
        attached = bool(body.media_urls) or has_media(template.definition if template else None)
        problems.expect(attached, "media_urls", "An MMS needs an attachment")
    if body.template and isinstance(image := (body.template.parameters or {}).get("header_image"), str):
        problems.expect(image.startswith("https://"), "template.parameters.header_image", "Must be an https URL")
    if body.scheduled_at:
        ahead = body.scheduled_at.timestamp() - context.time()
        problems.expect(_SOONEST <= ahead <= _LATEST, "scheduled_at", "Must be 1 minute to 30 days ahead")
    problems.refuse_if_any()
