"""``sent-async contacts``."""

from __future__ import annotations

import json

import pytest

from sent_async.testing import FakeSent
from tests.support.processes import Cli

PHONE = "+14155551234"


async def test_list_finds_a_contact_by_its_number(fake_sent: FakeSent, cli: Cli) -> None:
    """Yes and no are words."""
    contact = fake_sent.add_contact(PHONE)
    fake_sent.add_contact("+14155555678")
    ended = await cli("contacts", "list", "--phone", PHONE)
    [row] = ended.out.splitlines()[1:]
    assert row.split()[:3] == [contact.id, PHONE, "no"]


async def test_list_passes_its_filters_on(fake_sent: FakeSent, cli: Cli) -> None:
    """The API decides what they match."""
    await cli("contacts", "list", "--channel", "sms", "--search", "(415) 555")
    query = fake_sent.requests[-1].query
    assert (query["channel"], query["search"]) == ("sms", "(415) 555")


async def test_get(fake_sent: FakeSent, cli: Cli) -> None:
    """One contact, as JSON."""
    contact = fake_sent.add_contact(PHONE)
    assert json.loads((await cli("contacts", "get", contact.id, "--json")).out)["phone_number"] == PHONE


@pytest.mark.parametrize(("command", "before", "word"), [("opt-out", False, "yes"), ("opt-in", True, "no")])
async def test_consent_is_set_and_nothing_else(
    fake_sent: FakeSent, cli: Cli, command: str, before: bool, word: str
) -> None:
    """The contact is shown as it is now."""
    contact = fake_sent.add_contact(PHONE, opt_out=before)
    ended = await cli("contacts", command, contact.id)
    assert fake_sent.contacts[contact.id].opt_out is not before
    assert fake_sent.requests[-1].json == {"opt_out": not before}
    assert ["opt_out", word] in [line.split() for line in ended.out.splitlines()]
