"""``sent-async webhooks``, apart from ``listen``."""

from __future__ import annotations

import json

from sent_async.testing import FakeSent
from tests.support.deliveries import SECRET
from tests.support.payloads import envelope
from tests.support.processes import Cli

URL = "https://example.com/hooks"


async def test_list_shows_no_secret(fake_sent: FakeSent, cli: Cli) -> None:
    """Even if the API sends it along, on which sources disagree."""
    webhook = fake_sent.add_webhook(endpoint_url=URL, display_name="Orders", event_types=["message"])
    entry = json.loads(webhook.to_json())
    assert entry["signing_secret"]
    fake_sent.answer_next(200, envelope({"webhooks": [entry], "pagination": None}))
    ended = await cli("webhooks", "list")
    assert ended.out.splitlines()[1].split() == [webhook.id, "Orders", "yes", URL, "message", "0"]


async def test_create_shows_the_secret_on_stdout_only(fake_sent: FakeSent, cli: Cli) -> None:
    """That is where a person reads it and a script takes it from. stderr, which is often logged, says to keep it."""
    command = ("webhooks", "create", URL, "--name", "Orders", "--event", "message.delivered")
    ended = await cli(*command)
    [webhook] = fake_sent.webhooks.values()
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["signing_secret", webhook.signing_secret] in lines
    assert ["event_filters", '{"message":["delivered"]}'] in lines
    assert "keep the signing_secret" in ended.err
    assert str(webhook.signing_secret) not in ended.err
    assert json.loads((await cli(*command, "--json")).out)["signing_secret"].startswith("whsec_")


async def test_create_tells_families_from_single_events(fake_sent: FakeSent, cli: Cli) -> None:
    """A family that is wanted whole has no filter."""
    events = ["message.delivered", "message.failed", "contact", "contact.opt_out", "templates"]
    options = [argument for event in events for argument in ("--event", event)]
    await cli("webhooks", "create", URL, "--name", "Orders", *options, "--retries", "5", "--timeout", "10", "--sandbox")
    assert fake_sent.requests[-1].json == {
        "display_name": "Orders",
        "endpoint_url": URL,
        "event_types": ["message", "contact", "templates"],
        "event_filters": {"message": ["delivered", "failed"]},
        "retry_count": 5,
        "timeout_seconds": 10,
        "sandbox": True,
    }


async def test_create_with_families_only(fake_sent: FakeSent, cli: Cli) -> None:
    """What was not given is left to the API."""
    await cli("webhooks", "create", URL, "--name", "Orders", "--event", "message")
    assert fake_sent.requests[-1].json == {"display_name": "Orders", "endpoint_url": URL, "event_types": ["message"]}


async def test_create_needs_a_name_and_events(fake_sent: FakeSent, cli: Cli) -> None:
    """Nothing is sent without them."""
    ended = await cli("webhooks", "create", URL, "--name", "Orders")
    assert ended.code == 2
    assert "--event" in ended.err
    assert fake_sent.requests == []


async def test_test_of_an_endpoint_that_does_not_respond(fake_sent: FakeSent, cli: Cli) -> None:
    """The request succeeds. The verdict is shown, and the exit code is that of the delivery."""
    webhook = fake_sent.add_webhook(endpoint_url="http://127.0.0.1:9/hooks", signing_secret=SECRET)
    ended = await cli("webhooks", "test", webhook.id, "message.delivered", "--json")
    assert (ended.code, json.loads(ended.out)["success"]) == (1, False)
