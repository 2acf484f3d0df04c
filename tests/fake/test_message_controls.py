"""What a test can do to messages: move them, end them, decide by number, and receive some."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import SentClient
from sent_async.models import Message, MessageTemplate
from sent_async.testing import FakeSent
from sent_async.testing.messaging.inbound import KEYWORDS, keyword_event
from tests.support.fake_data import NOWHERE, SEEDED
from tests.support.messages import JO, ahead, send, statuses


async def test_nothing_is_delivered_without_a_call() -> None:
    """With ``auto_deliver=False`` messages stay queued, or routed when they were due. Blocked ones still end."""
    async with FakeSent(auto_deliver=False) as fake, fake.client() as sent:
        queued = await send(sent)
        due = await send(sent, text="Tonight", scheduled_at=ahead(minutes=10))
        fake.add_contact("+14155550300", opt_out=True)
        filtered = await send(sent, "+14155550300")
        fake.advance(3600)
        now = [str(fake.messages[message_id].status) for message_id in (queued, due, filtered)]
        assert now == ["QUEUED", "ROUTED", "FILTERED"]
        assert statuses(fake.deliver(queued)) == ["QUEUED", "ROUTED", "SENT", "DELIVERED"]
        assert statuses(fake.read(queued))[-1] == "READ"
        fake.advance(3600)
        assert fake.messages[due].status == "ROUTED"


async def test_moving_a_message_on(fake_sent: FakeSent, sent: SentClient) -> None:
    """It takes every step on the way. A message that is that far already does not change."""
    scheduled = await send(sent, text="Tonight", scheduled_at=ahead(minutes=10))
    assert statuses(fake_sent.deliver(scheduled)) == ["QUEUED", "SCHEDULED", "ROUTED", "SENT", "DELIVERED"]
    read = fake_sent.read(await send(sent))
    assert fake_sent.deliver(read.id) == fake_sent.read(read.id) == read
    fake_sent.advance(3600)
    assert fake_sent.messages[read.id] == read
    assert fake_sent.messages[scheduled].status == "DELIVERED"


async def test_steps_at_the_same_time_have_rising_times(fake_sent: FakeSent, sent: SentClient) -> None:
    """The last step has the latest time."""
    events = fake_sent.deliver(await send(sent)).events or []
    times = [event.timestamp for event in events if event.timestamp is not None]
    assert len(times) == len(set(times)) == 4
    assert times == sorted(times)


async def test_failing_is_not_final(fake_sent: FakeSent, sent: SentClient) -> None:
    """A failed message may be queued again under its id on another channel, and be delivered."""
    message_id = await send(sent, text="Hi", channel=["whatsapp"])
    failed = fake_sent.fail(message_id, "DELIVERY_007", "Not on this channel")
    assert (failed.status, failed.reason_code, failed.reason) == ("FAILED", "DELIVERY_007", "Not on this channel")
    delivered = fake_sent.deliver(message_id, channel="sms")
    assert (delivered.status, delivered.channel, delivered.reason_code) == ("DELIVERED", "sms", None)
    way = ["QUEUED", "ROUTED", "SENT", "FAILED", "QUEUED", "ROUTED", "SENT", "DELIVERED"]
    assert statuses(delivered) == way
    assert statuses(fake_sent.fail(message_id)) == [*way, "FAILED"]


async def test_blocking(fake_sent: FakeSent, sent: SentClient) -> None:
    """The reason is the balance unless another one is given. An unknown code has no text."""
    blocked = fake_sent.block(await send(sent))
    assert (blocked.status, blocked.reason_code) == ("BLOCKED", "BUSINESS_003")
    assert blocked.reason == "Insufficient balance"
    assert fake_sent.block(await send(sent), "BUSINESS_099").reason is None


ACTS: list[Callable[[FakeSent, str], Message]] = [FakeSent.deliver, FakeSent.read, FakeSent.fail, FakeSent.block]


@pytest.mark.parametrize("act", ACTS)
async def test_ended_messages_do_not_change(
    fake_sent: FakeSent, sent: SentClient, act: Callable[[FakeSent, str], Message]
) -> None:
    """A message in a final state, a received one and an unknown one cannot be moved."""
    cancelled = await send(sent, text="Maybe", scheduled_at=ahead(hours=1))
    await sent.messages.cancel(cancelled)
    blocked = fake_sent.block(await send(sent)).id
    received = fake_sent.receive_message(JO, "Hi").id
    for message_id, status in ((cancelled, "CANCELLED"), (blocked, "BLOCKED"), (received, "RECEIVED")):
        with pytest.raises(ValueError, match=f"{status}, which is final"):
            act(fake_sent, message_id)
    with pytest.raises(KeyError):
        act(fake_sent, NOWHERE)


OUTCOMES = [
    ("QUEUED", ["QUEUED"]),
    ("ROUTED", ["QUEUED", "ROUTED"]),
    ("SENT", ["QUEUED", "ROUTED", "SENT"]),
    ("DELIVERED", ["QUEUED", "ROUTED", "SENT", "DELIVERED"]),
    ("READ", ["QUEUED", "ROUTED", "SENT", "DELIVERED", "READ"]),
    ("FAILED", ["QUEUED", "ROUTED", "SENT", "FAILED"]),
    ("FILTERED", ["QUEUED", "FILTERED"]),
    ("BLOCKED", ["QUEUED", "BLOCKED"]),
]


@pytest.mark.parametrize(("outcome", "way"), OUTCOMES)
async def test_outcomes_by_number(fake_sent: FakeSent, sent: SentClient, outcome: str, way: list[str]) -> None:
    """The outcome holds for all messages to one number, and for no others."""
    fake_sent.set_outcome(JO, outcome, reason="By number")
    queued = await sent.messages.send(to=[JO, "+14155550200"], text="Hi", channel=["whatsapp"])
    fake_sent.advance(60)
    decided, other = (fake_sent.messages[one.message_id] for one in queued.recipients)
    assert statuses(decided) == way
    assert (decided.reason == "By number") == (outcome in ("FAILED", "FILTERED", "BLOCKED"))
    assert bool(decided.reason_code) == bool(decided.reason)
    assert other.status == "READ"


async def test_an_outcome_with_a_code(fake_sent: FakeSent, sent: SentClient) -> None:
    """The message has the code with its text."""
    fake_sent.set_outcome(JO, "BLOCKED", reason_code="BUSINESS_014")
    message_id = await send(sent)
    fake_sent.advance(60)
    assert fake_sent.messages[message_id].reason == "Account suspended"


async def test_impossible_arguments(fake_sent: FakeSent, sent: SentClient) -> None:
    """Impossible arguments are refused without the number in the error, and nothing is stored."""
    message_id = await send(sent)
    with pytest.raises(ValueError, match="'SCHEDULED'"):
        fake_sent.set_outcome(JO, "SCHEDULED")
    with pytest.raises(ValueError, match="'fax'"):
        fake_sent.deliver(message_id, channel="fax")
    for refused in (fake_sent.receive_message, fake_sent.add_contact, fake_sent.add_number):
        with pytest.raises(ValueError, match=r"E\.164") as caught:
            refused("0171 5550100")
        assert "0171" not in str(caught.value)
        with pytest.raises(KeyError):
            refused("+14155550200", profile_id=NOWHERE)
    with pytest.raises(ValueError, match="already"):
        fake_sent.add_contact(JO)
    with pytest.raises(TypeError, match="'name'"):
        fake_sent.add_contact("+14155550200", name="Jo")
    assert [contact.phone_number for contact in fake_sent.contacts.values()] == [JO]


async def test_a_received_message(fake_sent: FakeSent, sent: SentClient) -> None:
    """It is stored, its sender becomes a contact, and it can be read like any other."""
    media = [{"url": "https://media.example/1", "mime_type": "image/jpeg", "size_bytes": 3, "hash_sha256": "ab"}]
    received = fake_sent.receive_message(JO, "Is it ready?", channel="whatsapp", media=media)
    assert received == await sent.messages.retrieve(received.id)
    assert (received.status, received.direction, received.channel) == ("RECEIVED", "INBOUND", "whatsapp")
    assert statuses(received) == ["RECEIVED"]
    body = received.message_body
    assert body is not None and body.media is not None
    assert (body.content, body.media[0].media_type, body.media[0].size_bytes) == ("Is it ready?", "image", 3)
    assert [contact.id for contact in fake_sent.contacts.values()] == [received.contact_id]
    bare = fake_sent.receive_message(JO, media=[{"url": "https://media.example/2"}])
    assert bare.message_body is not None and bare.message_body.content is None
    assert len(fake_sent.contacts) == 1


async def test_keywords_opt_out_and_in(fake_sent: FakeSent, sent: SentClient) -> None:
    """After STOP a contact gets nothing on any channel until START. HELP changes nothing."""
    for text, opted_out in (("Hello", False), (" stop\n", True), ("help", True), ("Start", False), ("INFO", False)):
        contact_id = fake_sent.receive_message(JO, text, channel="whatsapp").contact_id
        assert contact_id is not None
        assert fake_sent.contacts[contact_id].opt_out is opted_out, text
        message_id = await send(sent)
        fake_sent.advance(60)
        assert fake_sent.messages[message_id].status == ("FILTERED" if opted_out else "DELIVERED"), text


async def test_a_profile_has_contacts_of_its_own(fake_sent: FakeSent, sent: SentClient) -> None:
    """A contact that opted out for a profile did not opt out for the organization."""
    fake_sent.receive_message(JO, "Hi")
    fake_sent.receive_message(JO, "STOP", profile_id=SEEDED)
    assert [contact.opt_out for contact in await sent.contacts.list()] == [False]
    async with fake_sent.client(profile_id=SEEDED) as branch:
        assert [contact.opt_out for contact in await branch.contacts.list()] == [True]


@given(
    word=st.sampled_from(sorted(KEYWORDS)),
    upper=st.lists(st.booleans(), min_size=11, max_size=11),
    before=st.text(" \t\r\n\u00a0", max_size=3),
    after=st.text(" \t\r\n\u00a0", max_size=3),
)
def test_a_keyword_in_any_case_and_space(word: str, upper: list[bool], before: str, after: str) -> None:
    """Case and white space around a keyword do not matter."""
    written = "".join(letter.upper() if up else letter for letter, up in zip(word, upper, strict=False))
    assert keyword_event(f"{before}{written}{after}") == KEYWORDS[word]


@given(word=st.sampled_from(sorted(KEYWORDS)), other=st.text(min_size=1).filter(lambda text: text.strip()))
def test_a_keyword_with_anything_beside_it_is_none(word: str, other: str) -> None:
    """Only a whole message is a keyword."""
    assert keyword_event(f"{word} {other}") is None
    assert keyword_event(f"{other} {word}") is None


@given(st.none() | st.text())
def test_any_text_may_be_written(text: str | None) -> None:
    """Any text is a keyword or an ordinary message."""
    assert keyword_event(text) in {None, *KEYWORDS.values()}


async def test_free_text_needs_an_open_conversation() -> None:
    """With ``check_conversations`` a reply allows it for ever, a template for seven days, on WhatsApp one day only."""
    async with FakeSent(check_conversations=True) as fake, fake.client() as sent:

        async def outcome(channel: str) -> tuple[str, str | None]:
            message_id = await send(sent, text="Hi", channel=[channel])
            fake.advance(60)
            return str(fake.messages[message_id].status), fake.messages[message_id].reason_code

        needs_template = ("BLOCKED", "CONVERSATION_TEMPLATE_REQUIRED")
        assert await outcome("sms") == needs_template
        assert await outcome("whatsapp") == ("BLOCKED", "WHATSAPP_TEMPLATE_REQUIRED")
        parameters = {"name": "Jo", "company": "Acme"}
        await send(sent, template=MessageTemplate(name="Welcome Message", parameters=parameters), channel=["sms"])
        fake.advance(6 * 24 * 3600)
        assert await outcome("sms") == ("DELIVERED", None)
        fake.advance(2 * 24 * 3600)
        assert await outcome("sms") == needs_template
        fake.receive_message(JO, "Hello?", channel="whatsapp")
        assert await outcome("whatsapp") == ("READ", None)
        fake.advance(365 * 24 * 3600)
        assert await outcome("sms") == ("DELIVERED", None)
        assert await outcome("whatsapp") == ("BLOCKED", "WHATSAPP_TEMPLATE_REQUIRED")
        [contact_id] = fake.contacts
        message_id = await send(sent, text="Hi")
        await sent.contacts.delete(contact_id)
        fake.advance(60)
        assert fake.messages[message_id].reason_code == "CONVERSATION_TEMPLATE_REQUIRED"
