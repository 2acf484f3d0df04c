"""Signatures: the published scheme with its test vector, and everything that must be refused."""

from __future__ import annotations

import base64
import json
import pickle
from typing import Any

import pytest
from multidict import CIMultiDict

from sent_async import SentConfigError, SentDecodeError
from sent_async.webhooks import MessageStatusEvent, WebhookReceiver, WebhookSignatureError
from tests.support.clocks import FakeClock
from tests.support.deliveries import BODY, ENDPOINT, HEADERS, SECRET, SIGNATURE, STAMP, signed

OTHER = "whsec_" + base64.b64encode(b"another key of another endpoint").decode()


def refusal(receiver: WebhookReceiver, body: bytes, headers: Any) -> str:
    """The reason for which it is refused."""
    with pytest.raises(WebhookSignatureError) as caught:
        receiver.unwrap(body, headers)
    return caught.value.reason


def test_vector(receiver: WebhookReceiver) -> None:
    """The signature of the vector is right, and its body becomes a typed event."""
    assert len(BODY) == 191
    event = receiver.unwrap(BODY, HEADERS)
    assert isinstance(event, MessageStatusEvent)
    assert (event.endpoint_id, event.name, event.payload.message_status) == (ENDPOINT, "message.delivered", "DELIVERED")
    assert event.payload.message_id == "8ba7b830-9dad-11d1-80b4-00c04fd430c8"
    assert event.timestamp is not None
    assert event.timestamp.timestamp() == STAMP


@pytest.mark.parametrize(
    ("body", "changes", "reason"),
    [
        (BODY + b" ", {}, "bad_signature"),
        (json.dumps(json.loads(BODY)).encode(), {}, "bad_signature"),
        (b"", {}, "bad_signature"),
        (BODY, {"x-webhook-id": "9e107d9d-372b-4f2e-9f5b-2d0f3b6a8c11"}, "bad_signature"),
        (BODY, {"x-webhook-timestamp": str(STAMP + 1)}, "bad_signature"),
        (BODY, {"x-webhook-timestamp": str(STAMP - 360)}, "stale"),
        (BODY, {"x-webhook-timestamp": str(STAMP - 301)}, "stale"),
        (BODY, {"x-webhook-timestamp": str(STAMP + 301)}, "stale"),
        (BODY, {"x-webhook-timestamp": str(STAMP * 1000)}, "stale"),
        (BODY, {"x-webhook-timestamp": "9" * 20}, "stale"),
        (BODY, {"x-webhook-timestamp": "9" * 5000}, "bad_timestamp"),
        (BODY, {"x-webhook-timestamp": f"{STAMP}.0"}, "bad_timestamp"),
        (BODY, {"x-webhook-timestamp": f"-{STAMP}"}, "bad_timestamp"),
        (BODY, {"x-webhook-timestamp": f" {STAMP}"}, "bad_timestamp"),
        (BODY, {"x-webhook-timestamp": "nan"}, "bad_timestamp"),
        (BODY, {"x-webhook-timestamp": "١٧٦٧٢٢٥٦٠٠"}, "bad_timestamp"),
        (BODY, {"x-webhook-signature": "v1," + "A" * 44}, "bad_signature"),
        (BODY, {"x-webhook-signature": SIGNATURE.removeprefix("v1,")}, "bad_signature"),
        (BODY, {"x-webhook-signature": SIGNATURE.replace("v1", "v2")}, "bad_signature"),
        (BODY, {"x-webhook-signature": SIGNATURE.rstrip("=")}, "bad_signature"),
        (BODY, {"x-webhook-signature": "v1,"}, "bad_signature"),
        (BODY, {"x-webhook-signature": "v1,é\udcff"}, "bad_signature"),
        (BODY, {"x-webhook-id": "\ud800"}, "bad_signature"),
    ],
)
def test_refused(receiver: WebhookReceiver, body: bytes, changes: dict[str, str], reason: str) -> None:
    """One changed byte is refused."""
    assert refusal(receiver, body, {**HEADERS, **changes}) == reason


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("value", [None, ""])
def test_missing_header(receiver: WebhookReceiver, name: str, value: str | None) -> None:
    """All three headers are needed, and an empty one is missing."""
    headers = {other: text for other, text in HEADERS.items() if other != name}
    assert refusal(receiver, BODY, headers if value is None else {**headers, name: value}) == "missing_header"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_tolerance_is_300_seconds_both_ways(receiver: WebhookReceiver, clock: FakeClock, seconds: int) -> None:
    """A timestamp at the limit is accepted."""
    clock.now += seconds
    assert receiver.unwrap(BODY, HEADERS)


@pytest.mark.parametrize(
    "headers",
    [
        {name.upper(): value for name, value in HEADERS.items()},
        {name.title(): value for name, value in HEADERS.items()},
        CIMultiDict(HEADERS),
        [(name.encode(), value.encode()) for name, value in HEADERS.items()],
        tuple((name.title().encode(), value.encode()) for name, value in HEADERS.items()),
        {**HEADERS, "x-webhook-signature": f"v1,AAAA v2,whatever {SIGNATURE} junk"},
        CIMultiDict([*HEADERS.items(), ("X-Webhook-Signature", "v1,AAAA")]),
        {**HEADERS, "Content-Type": "application/json", "X-Request-Id": "r"},
    ],
)
def test_forms_of_headers(receiver: WebhookReceiver, headers: Any) -> None:
    """Header names in any case, mappings of frameworks, ASGI lists, several signatures and unknown versions are
    read.
    """
    assert receiver.unwrap(BODY, headers)


def test_several_secrets(clock: FakeClock) -> None:
    """During a rotation either secret is accepted, in any order; a third one is not."""
    for secrets in ([SECRET, OTHER], (OTHER, SECRET)):
        receiver = WebhookReceiver(secrets, clock=clock)
        for secret in (SECRET, OTHER):
            assert receiver.unwrap(BODY, signed(BODY, secret=secret, stamp=STAMP))
    assert refusal(WebhookReceiver([OTHER, OTHER], clock=clock), BODY, HEADERS) == "bad_signature"


def test_a_secret_for_each_endpoint(clock: FakeClock) -> None:
    """Only the secret of the endpoint is accepted; an endpoint without a secret is unknown."""
    receiver = WebhookReceiver({ENDPOINT.upper(): SECRET, "other": [OTHER, SECRET]}, clock=clock)
    assert receiver.unwrap(BODY, HEADERS).endpoint_id == ENDPOINT
    assert receiver.unwrap(BODY, signed(BODY, secret=OTHER, endpoint="other", stamp=STAMP)).endpoint_id == "other"
    assert refusal(receiver, BODY, signed(BODY, secret=OTHER, stamp=STAMP)) == "bad_signature"
    assert refusal(receiver, BODY, signed(BODY, endpoint="third", stamp=STAMP)) == "unknown_endpoint"


def test_secret_from_the_environment(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    """It may hold one or several secrets, with a line break at the end."""
    monkeypatch.setenv("SENT_WEBHOOK_SECRET", f"{OTHER} {SECRET}\n")
    assert WebhookReceiver(clock=clock).unwrap(BODY, HEADERS)


def test_secret_without_padding(clock: FakeClock) -> None:
    """Missing base64 padding is added."""
    assert WebhookReceiver(SECRET.rstrip("="), clock=clock).unwrap(BODY, HEADERS)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_====",
        "whsec_A",
        "whsec_not base64 at all",
        "whsec_" + "ä" * 8,
        SECRET + "\n",
        SECRET.removeprefix("whsec_"),
        SECRET.upper(),
        [],
        [SECRET, ""],
        {},
        {ENDPOINT: ""},
        {ENDPOINT: []},
        None,
    ],
)
def test_unusable_secrets(secret: Any) -> None:
    """They are refused when the receiver is made, and not quoted."""
    with pytest.raises(SentConfigError) as caught:
        WebhookReceiver(secret)
    assert "c3ludGhld" not in str(caught.value)


def test_errors_say_what_to_do_and_nothing_that_was_sent(receiver: WebhookReceiver) -> None:
    """Errors have one line, can be pickled, and say what to do."""
    for body, headers in (
        (BODY + b" ", HEADERS),
        (BODY, {}),
        (BODY, {**HEADERS, "x-webhook-timestamp": "1"}),
        (BODY, {**HEADERS, "x-webhook-timestamp": "x"}),
    ):
        with pytest.raises(WebhookSignatureError) as caught:
            receiver.unwrap(body, headers)
        text = str(pickle.loads(pickle.dumps(caught.value)))
        assert text.startswith(f"webhook refused ({caught.value.reason}): ")
        assert "\n" not in text
        assert not any(value in text for value in (SIGNATURE, ENDPOINT, SECRET, str(STAMP)))


def test_event_id(receiver: WebhookReceiver) -> None:
    """It is the header's id; without one, the same body has the same id whenever it was signed."""
    assert receiver.unwrap(BODY, {**HEADERS, "X-Webhook-Event-ID": "evt_1"}).id == "evt_1"
    later = signed(BODY, stamp=STAMP + 60)
    assert receiver.unwrap(BODY, HEADERS).id == receiver.unwrap(BODY, later).id
    other = BODY.replace(b"sms", b"rcs")
    assert receiver.unwrap(other, signed(other, stamp=STAMP)).id != receiver.unwrap(BODY, HEADERS).id


@pytest.mark.parametrize("body", [b"[" * 500_000, b'{"field":"x","payload":' + b'{"a":' * 100_000, b"\xff" * 1000])
def test_hostile_bodies(receiver: WebhookReceiver, body: bytes) -> None:
    """Deeply nested bodies and bytes that are no text are decode errors."""
    with pytest.raises(SentDecodeError):
        receiver.unwrap(body, signed(body, stamp=STAMP))
