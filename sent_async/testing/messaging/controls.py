"""The methods of ``FakeSent`` about messages and contacts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from ...models import Contact, ErrorCode, Message
from ..clock import stamp
from ..context import World
from ..phones import Phone, parse
from ..store import View, with_overrides
from . import life
from .contacts import conversation_of, keep, new_contact
from .inbound import receive
from .records import MessageRecord, Outcome, with_events


class MessageControls(ABC):
    """Actions of carriers, recipients and contacts.

    By itself a message is routed a tenth of a second after it was queued, is sent and delivered within a second, and
    read (WhatsApp, RCS) within another two. ``advance`` is the way not to wait for it. With
    ``FakeSent(auto_deliver=False)`` it stays ``QUEUED``, or ``ROUTED`` once a scheduled one is due, until one of these
    methods says what becomes of it; one that must not be sent is ``FILTERED`` or ``BLOCKED`` all the same.
    """

    @property
    @abstractmethod
    def _world(self) -> World: ...

    @property
    def messages(self) -> Mapping[str, Message]:
        """By id, in the order of creation, sent and received, of the organization and of all profiles."""
        return View(Message, self._world.store.messages, with_events)

    @property
    def contacts(self) -> Mapping[str, Contact]:
        """By id, in the order of creation, of the organization and of all profiles."""
        return View(Contact, self._world.store.contacts, attrgetter("wire"))

    def deliver(self, message_id: str, *, channel: str | None = None) -> Message:
        """Take a message to ``DELIVERED`` through all earlier states, without its checks.

        A failed message is queued again first, and then routed to ``channel``. A message in a later state stays there.

        Raises:
            KeyError: No such message.
            ValueError: It has ended, or there is no such channel.
        """
        return self._move(message_id, "DELIVERED", channel)

    def read(self, message_id: str) -> Message:
        """Take a message to ``READ``, as ``deliver`` does."""
        return self._move(message_id, "READ", None)

    def fail(self, message_id: str, reason_code: str = "DELIVERY_003", reason: str | None = None) -> Message:
        """End a message as ``FAILED``, after it was sent. ``deliver`` may follow: failing is not final."""
        record = self._open(message_id)
        if record.status in ("QUEUED", "SCHEDULED", "ROUTED"):
            record = life.move(self._world, record, "SENT")
        return self._end(record, "FAILED", reason_code, reason)

    def block(
        self, message_id: str, reason_code: str = ErrorCode.INSUFFICIENT_BALANCE, reason: str | None = None
    ) -> Message:
        """End a message as ``BLOCKED``: the account, a template or a conversation does not allow it."""
        return self._end(self._open(message_id), "BLOCKED", reason_code, reason)

    def set_outcome(
        self, number: str, status: str, *, reason_code: str | None = None, reason: str | None = None
    ) -> None:
        """From now on, let messages to a number end as this status, when they get there by themselves.

        ``FAILED``, ``FILTERED`` and ``BLOCKED`` end them for a reason; ``QUEUED``, ``ROUTED``, ``SENT`` and
        ``DELIVERED`` are as far as they get. ``READ`` is the usual way again.
        """
        if status not in (*life.WAY, *life.ENDS):
            raise ValueError(f"an outcome is one of {', '.join((*life.WAY, *life.ENDS))}, not {status!r}")
        if status in life.ENDS:
            reason_code = reason_code or _USUAL[status]
        self._world.store.outcomes[number] = Outcome(status=status, reason_code=reason_code, reason=reason)

    def receive_message(
        self,
        from_number: str,
        text: str | None = None,
        *,
        channel: str = "sms",
        to_number: str | None = None,
        media: Sequence[Mapping[str, Any]] | None = None,
        profile_id: str | None = None,
    ) -> Message:
        """Receive a message to the organization or to a profile.

        The number becomes a contact. STOP, CANCEL, UNSUBSCRIBE, QUIT and END opt it out, START, UNSTOP and SUBSCRIBE
        opt it in, HELP and INFO are reported; each alone in the message, in any case. ``media`` is as in the event:
        ``url``, ``mime_type``, ``size_bytes``, ``hash_sha256``.
        """
        self._must_be_a_profile(profile_id)
        phone = _phone(from_number)
        record = receive(self._world, profile_id, phone, text, channel=channel, to_number=to_number, media=media)
        return self.messages[record.wire["id"]]

    def add_contact(self, phone_number: str, *, profile_id: str | None = None, **overrides: Any) -> Contact:
        """Store a contact of the organization or of a profile; members as in ``Contact``."""
        self._must_be_a_profile(profile_id)
        phone = _phone(phone_number)
        if (profile_id, phone.e164) in self._world.store.contact_ids:
            raise ValueError("this number is a contact already")
        record = new_contact(profile_id, phone, stamp(self._world.time()))
        wire = with_overrides(Contact, record.wire, overrides)
        keep(self._world.store, msgspec.structs.replace(record, wire=wire))
        return self.contacts[wire["id"]]

    def add_number(self, number: str, *, profile_id: str | None = None) -> None:
        """Add a number to send from, for the organization and all profiles, or for one profile."""
        self._must_be_a_profile(profile_id)
        self._world.store.numbers[_phone(number).e164] = profile_id

    def conversation_id(self, contact_id: str) -> str:
        """The id of the conversation with a contact. The API itself never returns it. Raises ``KeyError``."""
        return conversation_of(self._world.store.contacts[contact_id])

    def _move(self, message_id: str, target: str, channel: str | None) -> Message:
        if channel is not None and channel not in life.CHANNELS:
            raise ValueError(f"a channel is one of {', '.join(life.CHANNELS)}, not {channel!r}")
        life.move(self._world, self._world.store.messages[message_id], target, channel)
        return self.messages[message_id]

    def _open(self, message_id: str) -> MessageRecord:
        record = self._world.store.messages[message_id]
        life.must_be_open(record)
        return record

    def _end(self, record: MessageRecord, status: str, reason_code: str, reason: str | None) -> Message:
        life.step(self._world, record, status, channel=life.unrouted(record), reason_code=reason_code, reason=reason)
        return self.messages[record.wire["id"]]

    def _must_be_a_profile(self, profile_id: str | None) -> None:
        if profile_id is not None and not self._world.store.has_profile(profile_id):
            raise KeyError(profile_id)


_USUAL = {
    "FAILED": "DELIVERY_003",
    "FILTERED": ErrorCode.RECIPIENTS_OPTED_OUT,
    "BLOCKED": ErrorCode.INSUFFICIENT_BALANCE,
}
"""The default reasons of outcomes."""


def _phone(number: str) -> Phone:
    phone = parse(number)
    if phone is None:
        raise ValueError("the number must be in the E.164 form, such as +14155551234, with a calling code that exists")
    return phone
