"""Turn the body of a webhook into a typed event. Pure: no I/O and no clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from .. import repair
from ..choice import read_choice
from ..errors import SentDecodeError
from ..models.events import (
    CallPayload,
    ChannelPayload,
    ContactPayload,
    EventName,
    LinkPayload,
    MessageReceivedPayload,
    MessageStatusPayload,
    ProfileCompletionCallback,
    TemplatePayload,
)
from ..structs import ResponseModel, SecretMap, Timestamp

T = TypeVar("T")

_NULL: Final = msgspec.Raw(b"null")
_NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Event(ResponseModel, frozen=True, kw_only=True):
    id: str
    """The id to recognize duplicates by: ``X-Webhook-Event-ID``, or a hash of the body if there is no such header."""
    endpoint_id: str
    """The webhook endpoint that it was sent to, from ``X-Webhook-ID``."""
    name: EventName
    """The name, such as ``message.delivered``. A family with only one event has the family's name: ``templates``."""
    timestamp: datetime | None = None
    """When Sent first sent the event, in whole seconds. It does not tell the order of a message's events."""
    request_id: str | None = None
    """The id to give to the vendor's support."""


class MessageStatusEvent(_Event, frozen=True, kw_only=True):
    """The status of a message changed."""

    payload: MessageStatusPayload
    """The message and its status."""


class MessageReceivedEvent(_Event, frozen=True, kw_only=True):
    """A contact sent you a message."""

    payload: MessageReceivedPayload
    """The message."""


class TemplateEvent(_Event, frozen=True, kw_only=True):
    """The review state of a template changed."""

    payload: TemplatePayload
    """The template and its status."""


class ContactEvent(_Event, frozen=True, kw_only=True):
    """A contact opted in or out, or sent a keyword."""

    payload: ContactPayload
    """The contact and its choice."""


class ChannelEvent(_Event, frozen=True, kw_only=True):
    """The state of one of your channels changed."""

    payload: ChannelPayload
    """The channel and its status."""


class LinkEvent(_Event, frozen=True, kw_only=True):
    """A short link in a message was opened, or has expired."""

    payload: LinkPayload
    """The link and the message that contains it."""


class CallEvent(_Event, frozen=True, kw_only=True):
    """The state of a call changed."""

    payload: CallPayload
    """The call and what is known about it."""


class UnknownEvent(_Event, frozen=True, kw_only=True):
    """An event that this version does not know. Sent may add events at any time."""

    payload: SecretMap
    """The payload as a plain dict. No ``repr`` shows it."""


Event: TypeAlias = (
    MessageStatusEvent
    | MessageReceivedEvent
    | TemplateEvent
    | ContactEvent
    | ChannelEvent
    | LinkEvent
    | CallEvent
    | UnknownEvent
)


class _Envelope(msgspec.Struct, gc=False):
    """The members of every event. Only ``field`` has a type: an unexpected value of another must not lose the event."""

    field: str
    event: Any = None
    sub_type: Any = None
    payload: msgspec.Raw = _NULL
    value: msgspec.Raw = _NULL
    timestamp: Any = None
    request_id: Any = None


_Kind: TypeAlias = tuple[Callable[..., Event], type[msgspec.Struct], msgspec.json.Decoder[Any]]


def _kind(event: Callable[..., Event], payload: type[msgspec.Struct]) -> _Kind:
    return event, payload, msgspec.json.Decoder(payload, dec_hook=read_choice)


_STATUS: Final = _kind(MessageStatusEvent, MessageStatusPayload)
_RECEIVED: Final = _kind(MessageReceivedEvent, MessageReceivedPayload)
_FAMILIES: Final = {
    "message": (_STATUS,),
    "messages": (_STATUS, _RECEIVED),  # the oldest form, which has no name of the event
    "templates": (_kind(TemplateEvent, TemplatePayload),),
    "contact": (_kind(ContactEvent, ContactPayload),),
    "channel": (_kind(ChannelEvent, ChannelPayload),),
    "link": (_kind(LinkEvent, LinkPayload),),
    "call": (_kind(CallEvent, CallPayload),),
}

_envelope: Final = msgspec.json.Decoder(_Envelope)
_completion: Final = msgspec.json.Decoder(ProfileCompletionCallback)


def decode(body: bytes, *, id: str, endpoint_id: str) -> Event:
    """Decode the event in a verified body.

    Raises:
        SentDecodeError: The body is not a JSON object with a ``field``, or a known event lacks a required member.
    """
    try:
        envelope = _envelope.decode(body)
    except msgspec.ValidationError as error:
        path, what = repair.path_and_message(error)
        raise SentDecodeError(f"{what} - at {path}", path=path) from None
    except _NOT_JSON:
        raise SentDecodeError("the body is not JSON" if body.strip() else "the body is empty") from None
    request_id = _text(envelope.request_id)
    raw, place = envelope.payload, "$.payload"
    if raw == _NULL and envelope.value != _NULL:
        raw, place = envelope.value, "$.value"
    name = EventName(_text(envelope.event) or _text(envelope.sub_type) or envelope.field)
    common: dict[str, Any] = {
        "id": id,
        "endpoint_id": endpoint_id,
        "name": name,
        "timestamp": _moment(envelope.timestamp),
        "request_id": request_id,
    }
    kinds = (_RECEIVED,) if name == "message.received" else _FAMILIES.get(envelope.field, ())
    first_error: msgspec.ValidationError | None = None
    try:
        for event, struct, decoder in kinds:
            try:
                return event(**common, payload=_payload(raw, struct, decoder))
            except msgspec.ValidationError as error:
                first_error = first_error or error
        if first_error is not None and name.is_known:
            raise first_error
        return UnknownEvent(**common, payload=msgspec.json.decode(raw, type=dict[str, Any] | None) or {})
    except msgspec.ValidationError as error:
        path, what = repair.path_and_message(error)
        path = place + path[1:]
        raise SentDecodeError(f"{what} - at {path}", request_id=request_id, path=path) from None
    except _NOT_JSON:
        raise SentDecodeError("the payload is not JSON", request_id=request_id, path=place) from None


def parse_profile_completion(body: bytes) -> ProfileCompletionCallback:
    """Read the callback that Sent posts to the ``web_hook_url`` of ``profiles.complete`` after the onboarding.

    The callback is not signed, so anybody can send one. Put your own secret into the URL, and retrieve the profile
    before you rely on the callback.

    Args:
        body: The body as it was received.

    Returns:
        The callback.

    Raises:
        SentDecodeError: The body does not have the id of a profile.
    """
    try:
        return _payload(body, ProfileCompletionCallback, _completion)
    except msgspec.ValidationError as error:
        path, what = repair.path_and_message(error)
        raise SentDecodeError(f"{what} - at {path}", path=path) from None
    except _NOT_JSON:
        raise SentDecodeError("the body is not JSON" if body.strip() else "the body is empty") from None


def _payload(raw: bytes | msgspec.Raw, struct: type[T], decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return repair.convert(msgspec.json.decode(raw), struct, hook=read_choice)  # such as a time without offset


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: object) -> datetime | None:
    try:
        return repair.convert([value], list[Timestamp])[0]
    except msgspec.ValidationError:
        return None
