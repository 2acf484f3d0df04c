"""``sent-async webhooks``, apart from ``listen``."""

from __future__ import annotations

import json
from typing import Any

from sent_async.testing import FakeSent
from tests.support.deliveries import SECRET
from tests.support.payloads import envelope
from tests.support.processes import Cli

URL = "https://example.com/hooks"
WEBHOOK: dict[str, Any] = {
    "id": "2ba7b830-9dad-11d1-80b4-00c04fd430c8",
    "display_name": "Orders",
    "endpoint_url": URL,
    "signing_secret": SECRET,
    "is_active": True,
    "event_types": ["message"],
    "event_filters": {"message": ["delivered", "failed"]},
    "retry_count": 3,
}


async def test_list_shows_no_secret(fake_sent: FakeSent, cli: Cli) -> None:
    """Even where the API sends it along."""
    fake_sent.answer_next(200, envelope({"webhooks": [WEBHOOK], "pagination": None}))
    ended = await cli("webhooks", "list")
    assert ended.out.splitlines()[1].split() == [WEBHOOK["id"], "Orders", "yes", URL, "message"]
    assert SECRET not in ended.out


async def test_create_shows_the_secret_on_stdout_only(fake_sent: FakeSent, cli: Cli) -> None:
    """That is where a person reads it and a script takes it from. stderr, which is often logged, says to keep it."""
    fake_sent.answer_next(201, envelope(WEBHOOK), times=2)
    command = ("webhooks", "create", URL, "--name", "Orders", "--event", "message.delivered")
    ended = await cli(*command)
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["signing_secret", SECRET] in lines
    assert ["event_filters", '{"message":["delivered","failed"]}'] in lines
    assert "keep the signing_secret" in ended.err
    assert SECRET not in ended.err
    assert json.loads((await cli(*command, "--json")).out)["signing_secret"] == SECRET


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


async def test_test_reports_the_verdict_of_the_delivery(fake_sent: FakeSent, cli: Cli) -> None:
    """The request succeeds either way; the exit code is that of the delivery."""
    fake_sent.answer_next(200, envelope({"success": True, "message": "delivered"}))
    fake_sent.answer_next(200, envelope({"success": False, "message": "the endpoint responded with 500"}))
    good = await cli("webhooks", "test", "w-1", "message.delivered")
    assert (good.code, good.out.splitlines()) == (0, ["success  yes", "message  delivered"])
    assert fake_sent.requests[-1].json == {"event_type": "message.delivered"}
    bad = await cli("webhooks", "test", "w-1", "message.delivered", "--json")
    assert (bad.code, json.loads(bad.out)["success"]) == (1, False)
