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
from . import lifecycle
from .contacts import conversation_of, new_contact, store_contact
from .inbound import receive
from .records import MessageOutcome, MessageRecord, with_events


class MessageControls(ABC):
    """Actions of carriers, recipients and contacts.

    A message is routed a tenth of a second after it was queued. It is sent and delivered within a second, and read
    (WhatsApp, RCS) within another two seconds. ``advance`` skips these times. With ``FakeSent(auto_deliver=False)``, a
    message stays ``QUEUED`` (a scheduled one stays ``ROUTED`` when it is due) until one of these methods changes its
    status. A message that must not be sent becomes ``FILTERED`` or ``BLOCKED`` in any case.
    """

    @property
    @abstractmethod
    def _world(self) -> World: ...

    @property
    def messages(self) -> Mapping[str, Message]:
        """The sent and received messages of all owners by id, in the order of creation."""
        return View(Message, self._world.store.messages, with_events)

    @property
    def contacts(self) -> Mapping[str, Contact]:
        """The contacts of all owners by id, in the order of creation."""
        return View(Contact, self._world.store.contacts, attrgetter("wire"))

    def deliver(self, message_id: str, *, channel: str | None = None) -> Message:
        """Bring a message to ``DELIVERED`` through all earlier statuses, without checks.

        A failed message is first queued again. A message with a later status keeps it.

        Args:
            message_id: The id of the message.
            channel: The channel to route it to. Default: the channel that Sent would choose.

        Returns:
            The message.

        Raises:
            KeyError: There is no such message.
            ValueError: The status of the message is final, or there is no such channel.
        """
        return self._move(message_id, "DELIVERED", channel)

    def read(self, message_id: str) -> Message:
        """Bring a message to ``READ`` through all earlier statuses, without checks.

        Args:
            message_id: The id of the message.

        Returns:
            The message.

        Raises:
            KeyError: There is no such message.
            ValueError: The status of the message is final.
        """
        return self._move(message_id, "READ", None)

    def fail(self, message_id: str, reason_code: str = "DELIVERY_003", reason: str | None = None) -> Message:
        """Let a message fail after it was sent. ``FAILED`` is not final: ``deliver`` may follow.

        Args:
            message_id: The id of the message.
            reason_code: The error code.
            reason: The explanation. Default: that of the code.

        Returns:
            The message.

        Raises:
            KeyError: There is no such message.
            ValueError: The status of the message is final.
        """
        record = self._open(message_id)
        if record.status in ("QUEUED", "SCHEDULED", "ROUTED"):
            record = lifecycle.advance_to(self._world, record, "SENT")
        return self._end(record, "FAILED", reason_code, reason)

    def block(
        self, message_id: str, reason_code: str = ErrorCode.INSUFFICIENT_BALANCE, reason: str | None = None
    ) -> Message:
        """Block a message, because the account, a template or a conversation does not allow it.

        Args:
            message_id: The id of the message.
            reason_code: The error code.
            reason: The explanation. Default: that of the code.

        Returns:
            The message.

        Raises:
            KeyError: There is no such message.
            ValueError: The status of the message is final.
        """
        return self._end(self._open(message_id), "BLOCKED", reason_code, reason)

    def set_outcome(
        self, number: str, status: str, *, reason_code: str | None = None, reason: str | None = None
    ) -> None:
        """Set the last status that later messages to a number get automatically.

        Args:
            number: The recipient.
            status: ``FAILED``, ``FILTERED`` or ``BLOCKED``, which have a reason; ``QUEUED``, ``ROUTED``, ``SENT`` or
                ``DELIVERED``, where messages stop; or ``READ`` for the normal behaviour.
            reason_code: The error code. Default: a code that fits the status.
            reason: The explanation. Default: that of the code.

        Raises:
            ValueError: There is no such status.
        """
        if status not in (*lifecycle.PROGRESS, *lifecycle.FAILURES):
            raise ValueError(
                f"an outcome is one of {', '.join((*lifecycle.PROGRESS, *lifecycle.FAILURES))}, not {status!r}"
            )
        if status in lifecycle.FAILURES:
            reason_code = reason_code or _DEFAULT_REASONS[status]
        self._world.store.outcomes[number] = MessageOutcome(status=status, reason_code=reason_code, reason=reason)

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
        """Receive a message from a contact. An unknown number becomes a contact.

        The text STOP, CANCEL, UNSUBSCRIBE, QUIT or END opts the contact out. START, UNSTOP or SUBSCRIBE opts it in.
        HELP and INFO are only reported. The case of letters does not matter.

        Args:
            from_number: The number of the contact.
            text: The text.
            channel: The channel.
            to_number: Your number. Default: the first one of the account.
            media: Attached files, as in the event: ``url``, ``mime_type``, ``size_bytes``, ``hash_sha256``.
            profile_id: The profile that receives the message. Default: the organization.

        Returns:
            The message.

        Raises:
            KeyError: There is no such profile.
            ValueError: The number is not a phone number in E.164 form.
        """
        self._must_be_a_profile(profile_id)
        phone = _phone(from_number)
        record = receive(self._world, profile_id, phone, text, channel=channel, to_number=to_number, media=media)
        return self.messages[record.wire["id"]]

    def add_contact(self, phone_number: str, *, profile_id: str | None = None, **overrides: Any) -> Contact:
        """Store a contact.

        Args:
            phone_number: The number of the contact.
            profile_id: The profile of the contact. Default: the organization.
            overrides: Members of ``Contact``.

        Returns:
            The contact.

        Raises:
            KeyError: There is no such profile.
            TypeError: ``Contact`` has no such member.
            ValueError: The number is not in E.164 form or is a contact already, or a value does not fit its member.
        """
        self._must_be_a_profile(profile_id)
        phone = _phone(phone_number)
        if (profile_id, phone.e164) in self._world.store.contact_ids:
            raise ValueError("there is already a contact with this number")
        record = new_contact(profile_id, phone, stamp(self._world.time()))
        wire = with_overrides(Contact, record.wire, overrides)
        store_contact(self._world.store, msgspec.structs.replace(record, wire=wire))
        return self.contacts[wire["id"]]

    def add_number(self, number: str, *, profile_id: str | None = None) -> None:
        """Add a number to send from.

        Args:
            number: The number in E.164 form.
            profile_id: The only profile that may use it. Default: the organization and all profiles.

        Raises:
            KeyError: There is no such profile.
            ValueError: The number is not a phone number in E.164 form.
        """
        self._must_be_a_profile(profile_id)
        self._world.store.numbers[_phone(number).e164] = profile_id

    def conversation_id(self, contact_id: str) -> str:
        """The id of the conversation with a contact, which the API itself never returns.

        Args:
            contact_id: The id of the contact.

        Returns:
            The id of the conversation.

        Raises:
            KeyError: There is no such contact.
        """
        return conversation_of(self._world.store.contacts[contact_id])

    def _move(self, message_id: str, target: str, channel: str | None) -> Message:
        if channel is not None and channel not in lifecycle.CHANNELS:
            raise ValueError(f"a channel is one of {', '.join(lifecycle.CHANNELS)}, not {channel!r}")
        lifecycle.advance_to(self._world, self._world.store.messages[message_id], target, channel)
        return self.messages[message_id]

    def _open(self, message_id: str) -> MessageRecord:
        record = self._world.store.messages[message_id]
        lifecycle.check_not_final(record)
        return record

    def _end(self, record: MessageRecord, status: str, reason_code: str, reason: str | None) -> Message:
        lifecycle.set_status(
            self._world,
            record,
            status,
            channel=lifecycle.channel_if_unrouted(record),
            reason_code=reason_code,
            reason=reason,
        )
        return self.messages[record.wire["id"]]

    def _must_be_a_profile(self, profile_id: str | None) -> None:
        if profile_id is not None and not self._world.store.has_profile(profile_id):
            raise KeyError(profile_id)


_DEFAULT_REASONS = {
    "FAILED": "DELIVERY_003",
    "FILTERED": ErrorCode.RECIPIENTS_OPTED_OUT,
    "BLOCKED": ErrorCode.INSUFFICIENT_BALANCE,
}


def _phone(number: str) -> Phone:
    phone = parse(number)
    if phone is None:
        raise ValueError("the number must be in the E.164 form, such as +14155551234, with a calling code that exists")
    return phone
