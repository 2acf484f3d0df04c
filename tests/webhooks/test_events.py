"""Events from the bodies of deliveries: every documented event, old and new forms, and unknown ones."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sent_async import SentDecodeError
from sent_async.webhooks import (
    CallEvent,
    ChannelEvent,
    ContactEvent,
    Event,
    EventName,
    LinkEvent,
    MessageReceivedEvent,
    MessageStatusEvent,
    TemplateEvent,
    UnknownEvent,
    parse_profile_completion,
)
from sent_async.webhooks.events import decode
from tests.support.deliveries import ENDPOINT, event_body

EXAMPLES: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "openapi" / "events.yaml").read_text(encoding="utf-8")
)["components"]["examples"]

STATUS = {"message_id": "m", "message_status": "SENT"}
MESSAGE = {"message_id": "m", "inbound_number": "+14155550100", "received_at": "2026-01-01T00:00:00Z", "text": None}
PAYLOADS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "message": (MessageStatusEvent, STATUS),
    "message.received": (MessageReceivedEvent, MESSAGE),
    "templates": (TemplateEvent, {"status": "APPROVED", "whatsapp_template_id": ""}),
    "contact": (ContactEvent, {"opt_out": True, "source": "INBOUND_KEYWORD", "from": "+14155550100"}),
    "channel": (ChannelEvent, {"country": "US"}),
    "link": (LinkEvent, {"record_id": "Ab3dE9xZ"}),
    "call": (CallEvent, {"call_id": "c"}),
}
SECRETS = ("+14155550100", "+14155550101", "a secret text", "https://media.example/photo", "Jo from Berlin")


def read(body: bytes) -> Event:
    return decode(body, id="evt_1", endpoint_id=ENDPOINT)


@pytest.mark.parametrize("name", [str(name) for name in EventName])
@pytest.mark.parametrize("names", [("event", "payload"), ("sub_type", "payload"), ("event", "value")])
def test_every_documented_event(name: str, names: tuple[str, str]) -> None:
    """Each becomes its class, in each of the three forms that were seen."""
    field = name.partition(".")[0]
    kind, payload = PAYLOADS.get(name) or PAYLOADS[field]
    subtype, member = names
    body = {"field": field, member: payload} | ({} if name == "templates" else {subtype: name})
    event = read(json.dumps(body).encode())
    assert type(event) is kind
    assert event.name == name
    assert event.name.is_known


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_the_description(name: str) -> None:
    """Every example in the description becomes a known class, with all of its members."""
    body = json.dumps(EXAMPLES[name]["value"]).encode()
    if name.startswith("event-profile-completion"):
        assert parse_profile_completion(body).success is True
        return
    event = read(body)
    assert not isinstance(event, UnknownEvent)
    assert event.timestamp is not None


def test_old_form_of_a_status() -> None:
    """As documented until May 2026."""
    event = read(
        b'{"field": "message", "sub_type": "message.delivered", "timestamp": "2025-10-31T10:10:42Z",'
        b' "payload": {"account_id": "7ba7b820-9dad-11d1-80b4-00c04fd430c8", "message_id": "8ba7b830",'
        b' "message_status": "DELIVERED", "channel": "sms", "inbound_number": "+1234567890",'
        b' "outbound_number": "+1987654321", "template_id": "9ba7b840-9dad-11d1-80b4-00c04fd430c8"}}'
    )
    assert isinstance(event, MessageStatusEvent)
    assert (event.name, event.payload.inbound_number) == ("message.delivered", "+1234567890")
    assert event.timestamp == datetime(2025, 10, 31, 10, 10, 42, tzinfo=UTC)


def test_old_form_of_a_received_message() -> None:
    """`from` and `to` instead of two numbers."""
    payload = {"message_id": "m", "from": "+1", "to": "+2", "provider": "p", "text": "hello"}
    event = read(event_body("message", None, payload, sub_type="message.received"))
    assert isinstance(event, MessageReceivedEvent)
    assert (event.payload.from_, event.payload.to, event.payload.text) == ("+1", "+2", "hello")


@pytest.mark.parametrize(("payload", "kind"), [(STATUS, MessageStatusEvent), (MESSAGE, MessageReceivedEvent)])
def test_earliest_form(payload: dict[str, Any], kind: type[Event]) -> None:
    """`field: messages` named no event; the payload decides."""
    assert type(read(event_body("messages", None, payload))) is kind


@pytest.mark.parametrize(
    ("body", "name", "payload"),
    [
        ({"field": "invoice", "event": "invoice.paid", "payload": {"id": 1}}, "invoice.paid", {"id": 1}),
        ({"field": "invoice", "payload": None}, "invoice", {}),
        ({"field": "invoice"}, "invoice", {}),
        ({"field": "message", "event": "message.reaction", "payload": {"message_id": "m"}}, "message.reaction", None),
        ({"field": "link", "event": "link.shared", "payload": {"id": "x"}}, "link.shared", {"id": "x"}),
        ({"field": "call", "event": 5, "payload": {"x": 1}}, "call", {"x": 1}),
    ],
)
def test_unknown_events(body: dict[str, Any], name: str, payload: dict[str, Any] | None) -> None:
    """An unknown family, and an unknown event of a known one, are plain data."""
    event = read(json.dumps(body).encode())
    assert isinstance(event, UnknownEvent)
    assert event.name == name
    assert not event.name.is_known
    assert event.payload == (body["payload"] if payload is None else payload)


def test_new_event_of_a_known_family() -> None:
    """A new event that has the id of its family becomes the class of the family."""
    assert isinstance(read(event_body("channel", "channel.suspended", {"country": "US"})), ChannelEvent)
    event = read(event_body("message", "message.expired", {"message_id": "m", "message_status": "EXPIRED", "x": [1]}))
    assert isinstance(event, MessageStatusEvent)
    assert (event.payload.message_status, event.payload.message_status.is_known) == ("EXPIRED", False)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", None),
        (b"hello", None),
        (b'{"field":"message"', None),
        (b'{"field":"invoice","payload":{"a":01}}', None),
        (b"[]", "$"),
        (b"{}", "$"),
        (b'{"field":null}', "$.field"),
        (b'{"field":"message","event":"message.sent"}', "$.payload"),
        (b'{"field":"message","event":"message.sent","payload":{"message_id":"m"}}', "$.payload"),
        (b'{"field":"message","event":"message.sent","value":{"message_id":"m"}}', "$.value"),
        (b'{"field":"message","event":"message.sent","payload":{"message_id":4}}', "$.payload.message_id"),
        (b'{"field":"invoice","payload":[1]}', "$.payload"),
    ],
)
def test_no_event(body: bytes, path: str | None) -> None:
    """The error says where the body is wrong, and quotes nothing of it."""
    with pytest.raises(SentDecodeError) as caught:
        read(body)
    assert caught.value.status is None
    if path is not None:
        assert caught.value.path == path
    assert str(caught.value).startswith("webhook: ")


def test_request_id_is_on_the_error() -> None:
    """The error has the request id."""
    with pytest.raises(SentDecodeError, match=r"\(request_id=req_1\)$"):
        read(event_body("call", "call.failed", {}, request_id="req_1"))


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.1234567+00:00", datetime(2026, 1, 1, 0, 0, 0, 123457, tzinfo=UTC)),
        ("yesterday", None),
        (17, None),
        (None, None),
    ],
)
def test_stamps(stamp: object, expected: datetime | None) -> None:
    """A ``timestamp`` of the envelope that cannot be read is ``None``, and the event is read."""
    assert read(event_body("message", "message.sent", STATUS, timestamp=stamp)).timestamp == expected


def test_stamp_of_a_payload_without_offset() -> None:
    """It is UTC, as in responses."""
    event = read(event_body("message", "message.sent", {**STATUS, "updated_at": "2026-01-01T00:00:00.5"}))
    assert isinstance(event, MessageStatusEvent)
    assert event.payload.updated_at == datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        event_body("message", "message.sent", {**STATUS, "body": "a secret text", "outbound_number": "+14155550100"}),
        event_body("message", "message.received", {**MESSAGE, "text": "a secret text", "from": "+14155550101"}),
        event_body("message", "message.received", {**MESSAGE, "referral": {"who": "Jo from Berlin"}}),
        event_body("message", "message.received", {**MESSAGE, "media": [{"url": "https://media.example/photo"}]}),
        event_body(
            "contact", "contact.opt_in", {**PAYLOADS["contact"][1], "to": "+14155550101", "text": "a secret text"}
        ),
        event_body("channel", "channel.activated", {"country": "US", "sender_value": "+14155550101"}),
        event_body("channel", "channel.activated", {"country": "US", "compliance": {"brand": {"n": "Jo from Berlin"}}}),
        event_body("call", "call.answered", {"call_id": "c", "number": "+14155550101"}),
        event_body("invoice", "invoice.paid", {"number": "+14155550101", "text": "a secret text"}),
    ],
)
def test_no_repr_shows_texts_or_numbers(body: bytes) -> None:
    """Message texts and phone numbers are in no repr, str or rich form."""
    event = read(body)
    shown = f"{event!r} {event} {event.__rich_repr__()}"
    assert "evt_1" in shown
    assert not [secret for secret in SECRETS if secret in shown]


@given(
    st.recursive(st.none() | st.text() | st.integers() | st.floats(), lambda inner: st.dictionaries(st.text(), inner))
)
def test_any_payload_of_an_unknown_event(payload: Any) -> None:
    """An object is the payload as it is; anything else is refused."""
    body = json.dumps({"field": "future", "payload": payload}).encode()
    try:
        event = read(body)
    except SentDecodeError:
        return
    assert isinstance(event, UnknownEvent)
    assert isinstance(payload, dict) or payload is None


def test_profile_completion() -> None:
    """camelCase on the wire, any status, and nothing but the id is needed."""
    done = parse_profile_completion(
        b'{"profileId": "p", "success": false, "status": "failed", "timestamp": "2026-03-31T15:21:52.1661009", "x": 1}'
    )
    assert (done.profile_id, done.success, done.status) == ("p", False, "failed")
    assert done.timestamp == datetime(2026, 3, 31, 15, 21, 52, 166100, tzinfo=UTC)
    assert parse_profile_completion(b'{"profileId": "p"}').success is None


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"{}", b'{"profileId": 3}', b"[" * 100_000])
def test_no_profile_completion(body: bytes) -> None:
    """The error is as clear as for events."""
    with pytest.raises(SentDecodeError):
        parse_profile_completion(body)


def test_the_package_does_not_import_it() -> None:
    """``import sent_async`` does not import the module of webhooks."""
    code = "import sys, sent_async; sys.exit(any('webhooks' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_construct_events_by_hand() -> None:
    """Events can be made in tests, and are frozen."""
    event = UnknownEvent(id="1", endpoint_id="e", name=EventName("future"), payload={"a": 1})
    with pytest.raises(AttributeError):
        event.id = "2"  # type: ignore[misc]  # what the test is about
