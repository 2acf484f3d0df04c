"""Contacts and conversations of the fake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import BadRequestError, ConflictError, ErrorCode, NotFoundError, SentClient
from sent_async.models import PreferredChannel
from sent_async.testing import FakeSent
from sent_async.testing.phones import E164, parse
from tests.support.fake_data import NOWHERE, SEEDED
from tests.support.messages import JO, send
from tests.support.payloads import payload
from tests.support.raw_client import Wire


async def test_a_contact_from_create_to_delete(fake_sent: FakeSent, sent: SentClient) -> None:
    """A number is shown in every form, an update keeps what it leaves out, and messages stay after the deletion."""
    contact = await sent.contacts.create(phone_number=JO)
    assert (contact.format_e164, contact.format_international) == (JO, "+1 415-555-0100")
    assert (contact.format_national, contact.format_rfc) == ("(415) 555-0100", "tel:+1-415-555-0100")
    assert (contact.country_code, contact.region_code) == ("1", "US")
    assert (contact.available_channels, contact.default_channel) == ("sms,whatsapp", "sms")
    assert (contact.opt_out, contact.is_inherited, contact.updated_at) == (False, False, None)
    assert await sent.contacts.retrieve(contact.id) == contact == fake_sent.contacts[contact.id]
    changed = await sent.contacts.update(contact.id, default_channel="whatsapp")
    assert (changed.default_channel, changed.opt_out) == ("whatsapp", False)
    changed = await sent.contacts.update(contact.id, opt_out=True, default_channel=None)
    assert (changed.default_channel, changed.opt_out) == ("whatsapp", True)
    assert changed.updated_at is not None
    message_id = await send(sent)
    await sent.contacts.delete(contact.id)
    assert (await sent.messages.retrieve(message_id)).contact_id == contact.id
    assert len(fake_sent.contacts) == 0
    again = await sent.contacts.create(phone_number=JO)
    assert again.id != contact.id


async def test_sending_makes_contacts(fake_sent: FakeSent, sent: SentClient) -> None:
    """There is one contact for each number."""
    await sent.messages.send(to=[JO, JO, "+61412345678"], text="Hi")
    await send(sent)
    contacts = await sent.contacts.list()
    assert [(contact.phone_number, contact.region_code) for contact in contacts] == [
        (JO, "US"),
        ("+61412345678", "AU"),
    ]
    assert contacts[1].format_national == "412345678"


async def test_the_vendors_own_requests(fake_sent: FakeSent, wire: Wire) -> None:
    """Both are accepted as they are printed, although the number is too short."""
    created = await wire(fake_sent, "POST", "/v3/contacts", content=payload("contacts-create-request.csharp-tests"))
    assert (created.status, created.json["data"]["format_rfc"]) == (201, "tel:+1-234-567-890")
    path = f"/v3/contacts/{created.json['data']['id']}"
    updated = await wire(fake_sent, "PATCH", path, content=payload("contacts-update-request.csharp-tests"))
    assert (updated.status, updated.json["data"]["default_channel"]) == (200, "whatsapp")


async def test_finding_contacts(fake_sent: FakeSent, sent: SentClient) -> None:
    """By number, by channel, and by a part of the national form with its punctuation."""
    first = fake_sent.add_contact(JO, available_channels="sms")
    second = fake_sent.add_contact("+442071234567")
    fake_sent.add_contact("+14155550200", profile_id=SEEDED)

    async def found(**filters: Any) -> list[str]:
        return [contact.id async for contact in sent.contacts.list(**filters)]

    assert await found() == [first.id, second.id]
    assert await found(phone=JO) == [first.id]
    assert await found(phone="+14155550200") == []
    assert await found(channel="whatsapp") == [second.id]
    assert await found(search="(415) 555") == [first.id]
    assert await found(search="415555") == []
    assert await found(search="207123") == [second.id]


async def test_paging_through_contacts(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """Each contact comes once. Pages begin with 1, their size is 1 to 100, and the channel must exist."""
    for number in range(7):
        fake_sent.add_contact(f"+1415555020{number}")
    numbers = [contact.phone_number async for contact in sent.contacts.list(page_size=3)]
    assert numbers == [f"+1415555020{number}" for number in range(7)]
    for query in ("page=0", "page_size=101", "page=x", "channel=rcs"):
        refused = await wire(fake_sent, "GET", f"/v3/contacts?{query}")
        assert (refused.status, list(refused.json["error"]["details"])) == (400, [query.partition("=")[0]])


async def test_contacts_that_cannot_be_stored(fake_sent: FakeSent, sent: SentClient) -> None:
    """A wrong number is ``VALIDATION_002``, a second contact with a number a conflict."""
    for number in ("0171 5550100", "+9991234567", ""):
        with pytest.raises(BadRequestError) as caught:
            await sent.contacts.create(phone_number=number)
        assert caught.value.code == ErrorCode.INVALID_PHONE_NUMBER
        assert list(caught.value.details) == ["phone_number"]
    await sent.contacts.create(phone_number=JO, sandbox=True)
    await sent.contacts.create(phone_number=JO)
    with pytest.raises(ConflictError) as conflict:
        await sent.contacts.create(phone_number=JO)
    assert conflict.value.code == ErrorCode.ALREADY_EXISTS
    async with fake_sent.client(profile_id=SEEDED) as branch:
        assert (await branch.contacts.create(phone_number=JO)).customer_id == SEEDED


async def test_an_unknown_channel_is_refused(fake_sent: FakeSent, sent: SentClient) -> None:
    """``VALIDATION_006`` names the known ones, and the contact does not change."""
    contact = fake_sent.add_contact(JO)
    with pytest.raises(BadRequestError, match="sms, whatsapp") as caught:
        await sent.contacts.update(contact.id, default_channel=PreferredChannel("rcs"), opt_out=True)
    assert caught.value.code == ErrorCode.INVALID_ENUM_VALUE
    assert fake_sent.contacts[contact.id] == contact


async def test_a_contact_that_is_not_there(fake_sent: FakeSent, sent: SentClient) -> None:
    """404 ``RESOURCE_001``, also for the contact of another account."""
    foreign = fake_sent.add_contact(JO, profile_id=SEEDED)
    calls: list[Callable[[str], Awaitable[object]]] = [
        sent.contacts.retrieve,
        sent.contacts.update,
        sent.contacts.delete,
        sent.contacts.retrieve_message_summary,
        sent.conversations.list_messages,
    ]
    for contact_id in (NOWHERE, "c-1", foreign.id, fake_sent.conversation_id(foreign.id)):
        for call in calls:
            with pytest.raises(NotFoundError) as caught:
                await call(contact_id)
            assert caught.value.code == ErrorCode.CONTACT_NOT_FOUND


async def test_sandbox_requests_change_no_contact(fake_sent: FakeSent, sent: SentClient) -> None:
    """Update and delete are checked, and the contact does not change."""
    contact = fake_sent.add_contact(JO)
    assert (await sent.contacts.update(contact.id, opt_out=True, sandbox=True)).opt_out is True
    await sent.contacts.delete(contact.id, sandbox=True)
    assert fake_sent.contacts[contact.id] == contact


async def test_the_summary_of_a_contact(fake_sent: FakeSent, sent: SentClient) -> None:
    """It has the number of messages, their times and channels, and the results by channel."""
    contact = fake_sent.add_contact(JO)
    empty = await sent.contacts.retrieve_message_summary(contact.id)
    assert (empty.contact_id, empty.message_count, empty.channels_used) == (contact.id, 0, [])
    assert empty.first_message_at is empty.last_message_at is None
    await send(sent, "+14155550200")
    await sent.messages.send(to=[JO], text="Hi", channel=["sms", "sms", "sms", "whatsapp"])
    failed = await send(sent, text="Hi", channel=["sms"])
    fake_sent.advance(60)
    fake_sent.fail(failed)
    fake_sent.block(await send(sent))
    last = fake_sent.receive_message(JO, "Thanks", channel="whatsapp")
    summary = await sent.contacts.retrieve_message_summary(contact.id)
    assert (summary.message_count, summary.channels_used) == (7, ["sms", "whatsapp"])
    assert summary.first_message_at is not None and last.created_at is not None
    assert summary.first_message_at < last.created_at == summary.last_message_at
    scores = {score.channel: (score.success_score, score.fail_score) for score in summary.channel_scores or ()}
    assert scores == {"sms": (75, 25), "whatsapp": (100, 0)}


async def test_conversations_are_the_latest_first(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """All messages of the account, or of one contact, sent and received, without events."""
    own = [await send(sent), fake_sent.receive_message(JO, "Yes?").id]
    other = await send(sent, "+14155550200")
    own.append(await send(sent))
    fake_sent.receive_message(JO, "Elsewhere", profile_id=SEEDED)
    everything = [message.id async for message in sent.conversations.list(page_size=2)]
    assert everything == [own[2], other, own[1], own[0]]
    contact_id = fake_sent.messages[own[0]].contact_id
    assert contact_id is not None
    conversation = sent.conversations.list_messages(fake_sent.conversation_id(contact_id), page_size=2)
    assert [message.id async for message in conversation] == own[::-1]
    listed = (await wire(fake_sent, "GET", "/v3/conversations?page=1&page_size=100")).json["data"]["messages"]
    assert {one["events"] for one in listed} == {None}


async def test_conversations_have_to_be_asked_for_by_page(fake_sent: FakeSent, wire: Wire) -> None:
    """Both parameters are required, and the size is at most 100."""
    for query, members in (
        ("", {"page", "page_size"}),
        ("?page=1", {"page_size"}),
        ("?page=1&page_size=101", {"page_size"}),
    ):
        refused = await wire(fake_sent, "GET", f"/v3/conversations{query}")
        assert (refused.status, set(refused.json["error"]["details"])) == (400, members)


@given(st.from_regex(E164, fullmatch=True))
def test_any_number_in_the_right_form(number: str) -> None:
    """It has a calling code, and keeps its digits in each form; or it is unknown."""
    phone = parse(number)
    if phone is not None:
        for form in (phone.international, phone.rfc, phone.country_code + phone.national):
            assert "".join(character for character in form if character.isdigit()) == number[1:]
        assert len(phone.region_code) == 2


@given(st.text(max_size=20))
def test_any_text_as_a_number(text: str) -> None:
    """Text that is not in the E.164 form is no number."""
    if not (text.startswith("+") and text[1:].isascii() and text[1:].isdigit()):
        assert parse(text) is None
