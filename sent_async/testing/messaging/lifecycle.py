"""The statuses of a message, from its creation to its end. Each step reports an event.

As at Sent, consent, template and number are checked when a message is routed. Its creation does not check them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ...models import ErrorCode
from ..clock import stamp
from ..context import World
from ..phones import parse
from ..responses import default_message
from ..seed import ACCOUNT_NUMBER, ORGANIZATION_ID
from ..store import JSON, Store, new_id
from .contacts import contact_of, find_or_add
from .records import ContactRecord, MessageOutcome, MessageRecord
from .rendering import Content

FINAL: Final = ("READ", "FILTERED", "BLOCKED", "CANCELLED", "RECEIVED")
PROGRESS: Final = ("QUEUED", "ROUTED", "SENT", "DELIVERED", "READ")
NO_CHANNEL: Final = ("sent", "auto")
"""The ``channel`` of a message before routing, and of a message that ended before routing."""
FAILURES: Final = ("FAILED", "FILTERED", "BLOCKED")
"""The statuses that have a reason."""

_DESCRIPTIONS: Final = {
    "QUEUED": "Message queued for sending",
    "SCHEDULED": "Message held until it is due",
    "ROUTED": "Message routed to a channel",
    "SENT": "Message handed to the carrier",
    "DELIVERED": "Message delivered to recipient",
    "READ": "Message read by recipient",
    "FAILED": "Message could not be delivered",
    "FILTERED": "Message stopped by a policy",
    "BLOCKED": "Message blocked before it was sent",
    "CANCELLED": "Scheduled message cancelled",
    "RECEIVED": "Message received",
}
_NEXT: Final = {"ROUTED": ("SENT", 0.1), "SENT": ("DELIVERED", 0.3), "DELIVERED": ("READ", 1.5)}
"""The next automatic status, and the seconds until then. The times are invented, because Sent documents none."""
_ROUTING: Final = 0.1
CHANNELS: Final = ("sms", "whatsapp", "rcs", "mms")
_PRICES: Final = {"sms": 0.0055, "whatsapp": 0.014, "rcs": 0.01, "mms": 0.02}
_CONTACT_PRICE: Final = 0.015
_DAY: Final = 24 * 3600.0
_REASONS: Final = {
    "DELIVERY_003": "The carrier could not deliver the message",
    "ERR_TEMPLATE_PARAMS_INVALID": "A variable of the template has no value",
    "WHATSAPP_TEMPLATE_REQUIRED": "The contact has not written on WhatsApp in the last 24 hours",
    "CONVERSATION_TEMPLATE_REQUIRED": "The contact never replied, and got no template in the last 7 days",
}


def create(
    world: World,
    owner: str | None,
    number: str,
    channel: str,
    content: Content,
    *,
    senders: Mapping[str, Sequence[str]] | None = None,
    due: float | None = None,
) -> MessageRecord:
    """Queue a message, or hold it until ``due``. An unknown number becomes a contact."""
    phone, template = parse(number), content.template
    contact = find_or_add(world, owner, phone) if phone else None
    wire: JSON = {
        "id": new_id(),
        "customer_id": owner or ORGANIZATION_ID,
        "contact_id": contact.wire["id"] if contact else None,
        "phone": number,
        "phone_international": phone.international if phone else None,
        "region_code": phone.region_code if phone else None,
        "template_id": template.id if template else None,
        "template_name": template.name if template else None,
        "template_category": template.category if template else None,
        "channel": channel,
        "message_body": _body(content, channel),
        "status": None,
        "direction": "OUTBOUND",
        "created_at": stamp(world.time()),
        "price": None,
        "active_contact_price": None,
    }
    if due is not None:
        wire["scheduled_at"] = stamp(due)
    record = MessageRecord(owner=owner, wire=wire, content=content, senders=senders or {}, due=due)
    world.store.messages[wire["id"]] = record
    record = set_status(world, record, "QUEUED")
    if due is not None:
        record = set_status(world, record, "SCHEDULED")
    plan_next_step(world, record)
    return record


def set_status(
    world: World,
    before: MessageRecord,
    status: str,
    *,
    channel: str | None = None,
    reason_code: str | None = None,
    reason: str | None = None,
) -> MessageRecord:
    """Change the status of a message, and its channel if there is a ``channel``. Report the event."""
    # The steps of a message have different times, so that they can be ordered by time.
    now = max(world.time(), before.changed_at + 0.001)
    wire: JSON = {name: value for name, value in before.wire.items() if name not in ("reason_code", "reason")}
    wire["status"] = status
    if channel is not None:
        wire["channel"] = channel
        wire["message_body"] = _body(before.content, channel)
    if status == "SENT":
        wire["price"] = round((wire["price"] or 0) + _PRICES[wire["channel"]], 4)
        wire["active_contact_price"] = _CONTACT_PRICE
    done: JSON = {
        "status": status,
        "timestamp": stamp(now),
        "description": _DESCRIPTIONS[status],
        "from": _sender(world.store, before, wire["channel"]),
        "price": _as_text(wire["price"]),
        "active_contact_price": _as_text(wire["active_contact_price"]),
    }
    if reason_code is not None:
        explanation = {"reason_code": str(reason_code), "reason": reason or reason_for(reason_code)}
        done |= explanation
        wire |= explanation
    if status in ("SCHEDULED", "CANCELLED"):
        done["scheduled_at"] = wire["scheduled_at"]
    if status == "SCHEDULED":
        world.store.held[wire["id"]] = wire["scheduled_at"]
    else:
        world.store.held.pop(wire["id"], None)
    record = msgspec.structs.replace(before, wire=wire, steps=(*before.steps, done), changed_at=now)
    world.store.messages[wire["id"]] = record
    world.emit("message", f"message.{status.lower()}", _payload(record, done), record.owner)
    return record


def plan_next_step(world: World, record: MessageRecord) -> None:
    """Plan the next automatic step of a message. It is skipped if the message changes before."""
    message_id, seen = record.wire["id"], len(record.steps)
    if record.status == "SCHEDULED" and record.due is not None:
        moment = record.due
    elif record.status == "QUEUED":
        moment = record.changed_at + _ROUTING
    elif record.status in _NEXT and world.settings.auto_deliver:
        moment = record.changed_at + _NEXT[record.status][1]
    else:
        return

    def proceed() -> None:
        now = world.store.messages[message_id]
        if len(now.steps) == seen:
            _proceed(world, now)

    world.call_at(moment, proceed)


def advance_to(world: World, record: MessageRecord, target: str, channel: str | None = None) -> MessageRecord:
    """Bring a message to a status step by step, without checks.

    A failed message is first queued again. A message with a later status keeps it.

    Raises:
        ValueError: The status of the message is final.
    """
    status = check_not_final(record, allowed=("READ",))
    if status == "FAILED":
        record = set_status(world, record, "QUEUED")
        status = "QUEUED"
    reached = PROGRESS.index("QUEUED" if status == "SCHEDULED" else status)
    for next_status in PROGRESS[reached + 1 : PROGRESS.index(target) + 1]:
        to = (channel or _route(world.store, record)) if next_status == "ROUTED" else None
        record = set_status(world, record, next_status, channel=to)
    plan_next_step(world, record)
    return record


def check_not_final(record: MessageRecord, *, allowed: Sequence[str] = ()) -> str:
    """Return the status of a message. Raises ``ValueError`` if it is final and not in ``allowed``."""
    if record.status in FINAL and record.status not in allowed:
        raise ValueError(f"message {record.wire['id']} is {record.status}, which is final")
    return record.status


def reason_for(reason_code: str) -> str | None:
    """The message for an error code."""
    if reason_code in _REASONS:
        return _REASONS[reason_code]
    return default_message(reason_code) if ErrorCode(reason_code).is_known else None


def own_numbers(store: Store, owner: str | None) -> list[str]:
    """The numbers that an account can send from. The first one is the default."""
    profile = store.profiles.get(owner or "", {})
    own = (profile.get("sending_phone_number"), profile.get("whatsapp_phone_number"))
    added = (number for number, holder in store.numbers.items() if holder in (owner, None))
    return [*(number for number in own if number), *added, ACCOUNT_NUMBER]


def _proceed(world: World, record: MessageRecord) -> None:
    outcome = world.store.outcomes.get(record.wire["phone"])
    status = record.status
    if status in ("QUEUED", "SCHEDULED"):
        channel = _route(world.store, record)
        failure = outcome if outcome and outcome.status in FAILURES[1:] else _check(world, record, channel)
        if failure:
            explanation = {"reason_code": failure.reason_code, "reason": failure.reason}
            set_status(world, record, failure.status, channel=channel_if_unrouted(record), **explanation)
            return
        if status == "QUEUED" and (not world.settings.auto_deliver or (outcome and outcome.status == "QUEUED")):
            return
        record = set_status(world, record, "ROUTED", channel=channel)
        _record_template(world, record)
        plan_next_step(world, record)
    elif outcome and outcome.status == "FAILED" and status == "SENT":
        set_status(world, record, "FAILED", reason_code=outcome.reason_code, reason=outcome.reason)
    elif not (outcome and outcome.status == status) and (status != "DELIVERED" or _has_receipts(record)):
        plan_next_step(world, set_status(world, record, _NEXT[status][0]))


def _body(content: Content, channel: str) -> JSON | None:
    return None if channel in NO_CHANNEL else content.body(channel)


def _has_receipts(record: MessageRecord) -> bool:
    return record.wire["channel"] in ("whatsapp", "rcs")


def channel_if_unrouted(record: MessageRecord) -> str | None:
    """The ``channel`` of a message that ends before a channel was chosen."""
    return "auto" if record.wire["channel"] == "sent" else None


def _route(store: Store, record: MessageRecord) -> str:
    """The requested channel. Default: the channel of the contact if the template has it, otherwise the template's."""
    requested: str = record.wire["channel"]
    if requested not in NO_CHANNEL:
        return requested
    contact = store.contacts.get(record.wire["contact_id"] or "")
    preferred: str = contact.wire["default_channel"] if contact else "sms"
    template = record.content.template
    stored = store.templates.get(template.id) if template else None
    possible = (stored.wire["channels"] if stored else None) or [preferred]
    return preferred if preferred in possible else str(possible[0])


def _check(world: World, record: MessageRecord, channel: str) -> MessageOutcome | None:
    """The outcome of a message that must not be sent; ``None`` for any other."""
    store, content = world.store, record.content
    if record.wire["contact_id"] is None:
        return MessageOutcome(status="BLOCKED", reason_code=ErrorCode.INVALID_PHONE_NUMBER)
    contact = contact_of(store, record.owner, record.wire["phone"])
    if contact and contact.wire["opt_out"]:
        return MessageOutcome(status="FILTERED", reason_code=ErrorCode.RECIPIENTS_OPTED_OUT)
    if content.template:
        template = store.templates.get(content.template.id)
        if template is None or template.wire["status"] != "APPROVED":
            return MessageOutcome(status="BLOCKED", reason_code=ErrorCode.TEMPLATE_NOT_APPROVED)
        if channel not in (template.wire["channels"] or (channel,)):
            return MessageOutcome(status="BLOCKED", reason_code=ErrorCode.TEMPLATE_NOT_ACTIVE_ON_CHANNEL)
        if content.missing:
            return MessageOutcome(status="BLOCKED", reason_code="ERR_TEMPLATE_PARAMS_INVALID")
    elif world.settings.check_conversations and (code := _free_text_problem(contact, channel, world.time())):
        return MessageOutcome(status="BLOCKED", reason_code=code)
    if not set(record.senders.get(channel, ())) <= {*own_numbers(store, record.owner)}:
        return MessageOutcome(status="BLOCKED", reason_code=ErrorCode.SENDER_NOT_ACTIVE)
    return None


def _free_text_problem(contact: ContactRecord | None, channel: str, now: float) -> str | None:
    """The reason why free text to a contact is blocked, or ``None``."""
    replied: Mapping[str, float] = contact.replied_at if contact else {}
    if channel == "whatsapp":
        return None if now - replied.get(channel, 0.0) <= _DAY else "WHATSAPP_TEMPLATE_REQUIRED"
    template_at = (contact.template_at if contact else None) or 0.0
    return None if replied or now - template_at <= 7 * _DAY else "CONVERSATION_TEMPLATE_REQUIRED"


def _record_template(world: World, record: MessageRecord) -> None:
    """Record that a template was sent, which allows free text to the contact."""
    contact = world.store.contacts.get(record.wire["contact_id"] or "")
    if contact and record.content.template:
        world.store.contacts[contact.wire["id"]] = msgspec.structs.replace(contact, template_at=world.time())


def _sender(store: Store, record: MessageRecord, channel: str) -> str | None:
    """The number that a message is sent from; ``None`` without a channel."""
    if channel in NO_CHANNEL or record.wire["direction"] == "INBOUND":
        return None
    return [*record.senders.get(channel, ()), *own_numbers(store, record.owner)][0]


def _payload(record: MessageRecord, done: JSON) -> dict[str, Any]:
    """The payload of an event about a status."""
    wire = record.wire
    text: str | None = wire["message_body"] and wire["message_body"]["content"]
    payload: dict[str, Any] = {
        "account_id": wire["customer_id"],
        "message_id": wire["id"],
        "message_status": wire["status"],
        "channel": wire["channel"],
        # The recipient, since May 2026.
        "outbound_number": wire["phone"],
        "body": text[:3072] if text else None,
        "template_id": wire["template_id"],
        "updated_at": done["timestamp"],
    }
    if wire["template_name"] is not None:
        payload["template_name"] = wire["template_name"]
    if wire["status"] == "SCHEDULED":
        payload["schedule_reason"] = "scheduled_at"
    payload.update({name: done[name] for name in ("reason_code", "reason", "scheduled_at") if name in done})
    return payload


def _as_text(price: float | None) -> str | None:
    return None if price is None else f"{price:.4f}"
