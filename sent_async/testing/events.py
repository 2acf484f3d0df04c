"""The events that Sent reports to webhook endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from ..models.events import EventName
from . import seed
from .clock import stamp
from .store import JSON, new_id


def _families() -> dict[str, list[str]]:
    families: dict[str, list[str]] = {}
    for name in EventName:
        family, _, event = name.value.partition(".")
        families.setdefault(family, []).extend([event] if event else [])
    return families


FAMILIES: Final[Mapping[str, list[str]]] = _families()
"""The events of each family, without the family's name. The list is empty if the family is the only event."""


class Emitted(msgspec.Struct, frozen=True, kw_only=True):
    """One event before its deliveries."""

    id: str = msgspec.field(default_factory=new_id)
    """The id of the event, which is the same for all endpoints and all attempts."""
    field: str
    """The family of the event, such as ``message``."""
    event: str | None
    """The name, such as ``message.delivered``; ``None`` for a family with only one event."""
    payload: JSON
    owner: str | None
    """The id of the profile that the event is about; ``None`` for the organization."""
    request_id: str | None = None
    """The id of the request that caused it, if there was one."""
    at: float
    """When it happened, in Unix seconds of the fake's clock."""

    @property
    def name(self) -> str:
        return self.event or self.field

    def body(self) -> bytes:
        """The body that an endpoint receives."""
        named = {} if self.event is None else {"event": self.event}
        moment = datetime.fromtimestamp(int(self.at), UTC)
        return msgspec.json.encode(
            {
                "field": self.field,
                **named,
                "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
                "request_id": self.request_id,
                "payload": self.payload,
            }
        )


class Emit(Protocol):
    def __call__(self, field: str, event: str | None, payload: JSON, owner: str | None = None) -> object: ...


def emit_nothing(field: str, event: str | None, payload: JSON, owner: str | None = None) -> None:
    """Report nothing. This is used for sandbox requests."""


def split_name(name: str) -> tuple[str, str | None]:
    """The ``field`` and the ``event`` of a name such as ``message.delivered`` or ``templates``."""
    family, dot, _ = name.partition(".")
    return family, name if dot else None


def example_payload(name: str, owner: str | None, now: float) -> JSON:
    """An example payload of a documented event.

    Raises:
        KeyError: There is no such event.
    """
    family, _, event = EventName(name).value.partition(".")
    if event not in (FAMILIES[family] or [""]):
        raise KeyError(name)
    account = {"account_id": owner or seed.ORGANIZATION_ID}
    at = stamp(now)
    match family:
        case "message" if event == "received":
            return {
                **account,
                "message_id": new_id(),
                "inbound_number": _CONTACT,
                "outbound_number": _OURS,
                "channel": "sms",
                "text": "Thank you!",
                "received_at": at,
                "updated_at": at,
            }
        case "message":
            return {
                **account,
                "message_id": new_id(),
                "message_status": event.upper(),
                "channel": "sms",
                "outbound_number": _CONTACT,
                "body": "Your table is ready",
                "template_id": None,
                "updated_at": at,
                **(_REASON if event in ("failed", "filtered", "blocked") else {}),
                **({"schedule_reason": "SCHEDULED"} if event == "scheduled" else {}),
                **({"scheduled_at": stamp(now + 3600)} if event in ("scheduled", "cancelled") else {}),
            }
        case "templates":
            return {
                **account,
                "status": "APPROVED",
                "whatsapp_template_id": "",
                "template_id": new_id(),
                "template_name": "Welcome Message",
                "category": "MARKETING",
                "language": "en_US",
            }
        case "contact":
            return {
                **account,
                "contact_id": new_id(),
                "from": _CONTACT,
                "to": _OURS,
                "opt_out": event == "opt_out",
                "source": "INBOUND_KEYWORD",
                "channel": "sms",
                "message_id": new_id(),
                "template_id": None,
                "text": {"opt_in": "START", "opt_out": "STOP", "help": "HELP"}.get(event, "MENU"),
            }
        case "channel":
            return {
                **account,
                "channel": "sms",
                "status": "PENDING_REVIEW" if event == "submitted" else "ACTIVE",
                "country": "US",
                "number_type": "TEN_DLC",
                "sender_value": None if event == "submitted" else _OURS,
                "compliance": None,
                "updated_at": at,
            }
        case "link":
            return {
                "record_id": new_id()[:8],
                "link_kind": "url",
                "customer_id": owner or seed.ORGANIZATION_ID,
                "sender_profile_id": None,
                "message_id": new_id(),
                "occurred_at": at,
            }
        case _:
            return {
                **account,
                "call_id": new_id(),
                "channel": "voice",
                "number": _OURS,
                "updated_at": at,
                **({"duration_seconds": 42, "price": 0.014} if event == "completed" else {}),
                **({"reason": "no_answer"} if event == "failed" else {}),
                **({"recording_id": new_id()} if event == "recording_ready" else {}),
            }


_CONTACT: Final = "+14155550100"
_OURS: Final = "+12025550123"
_REASON: Final[dict[str, Any]] = {
    "reason_code": "DELIVERY_003",
    "reason": "The carrier did not deliver the message",
}
