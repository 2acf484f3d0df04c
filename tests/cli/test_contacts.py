"""``sent-async contacts``."""

from __future__ import annotations

import json

import pytest

from sent_async.testing import FakeSent
from tests.support.payloads import envelope
from tests.support.processes import Cli

CONTACT = {
    "id": "1ba7b830-9dad-11d1-80b4-00c04fd430c8",
    "phone_number": "+14155551234",
    "default_channel": "sms",
    "available_channels": "sms,whatsapp",
    "opt_out": False,
}


async def test_list_finds_a_contact_by_its_number(fake_sent: FakeSent, cli: Cli) -> None:
    """Filters go to the API; yes and no are words."""
    fake_sent.answer_next(200, envelope({"contacts": [CONTACT], "pagination": None}))
    ended = await cli("contacts", "list", "--phone", CONTACT["phone_number"], "--channel", "sms", "--search", "555")
    assert dict(fake_sent.requests[-1].query) == {
        "page": "1",
        "page_size": "100",
        "phone": "+14155551234",
        "channel": "sms",
        "search": "555",
    }
    assert ended.out.splitlines()[1].split() == [CONTACT["id"], "+14155551234", "no", "sms", "sms,whatsapp"]


async def test_get(fake_sent: FakeSent, cli: Cli) -> None:
    """One contact, as JSON."""
    fake_sent.answer_next(200, envelope(CONTACT))
    assert json.loads((await cli("contacts", "get", "c-1", "--json")).out)["phone_number"] == "+14155551234"


@pytest.mark.parametrize(("command", "value", "word"), [("opt-out", True, "yes"), ("opt-in", False, "no")])
async def test_consent_is_set_and_nothing_else(
    fake_sent: FakeSent, cli: Cli, command: str, value: bool, word: str
) -> None:
    """The contact is shown as it is now."""
    fake_sent.answer_next(200, envelope({**CONTACT, "opt_out": value}))
    ended = await cli("contacts", command, "c-1")
    assert (fake_sent.requests[-1].method, fake_sent.requests[-1].json) == ("PATCH", {"opt_out": value})
    assert ["opt_out", word] in [line.split() for line in ended.out.splitlines()]
