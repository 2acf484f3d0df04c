"""Messages of the fake as a service sees them: sent, followed, blocked, sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sent_async import ConflictError, ErrorCode, NotFoundError, SentClient, wait_for_message
from sent_async.models import Message, MessageTemplate
from sent_async.testing import FakeSent
from tests.support.fake_data import NOWHERE, TEMPLATE, definition
from tests.support.messages import JO, ahead, send, statuses
from tests.support.payloads import payload
from tests.support.raw_client import Wire


async def test_a_message_is_delivered_as_time_passes(fake_sent: FakeSent, sent: SentClient) -> None:
    """The 202 says that it is queued. Then it is routed, sent and delivered."""
    queued = await sent.messages.send(to=[JO], text="Your table is ready")
    assert (queued.status, queued.template_id, queued.scheduled_at) == ("QUEUED", None, None)
    recipient = queued.recipients[0]
    assert (recipient.to, recipient.channel, recipient.body) == (JO, None, None)
    message = fake_sent.messages[recipient.message_id]
    assert (message.status, message.channel, message.message_body, message.price) == ("QUEUED", "sent", None, None)
    fake_sent.advance(60)
    message = await sent.messages.retrieve(recipient.message_id)
    assert message == fake_sent.messages[recipient.message_id]
    assert statuses(message) == ["QUEUED", "ROUTED", "SENT", "DELIVERED"]
    assert (message.status, message.channel, message.direction) == ("DELIVERED", "sms", "OUTBOUND")
    assert (message.phone, message.phone_international, message.region_code) == (JO, "+1 415-555-0100", "US")
    assert message.message_body is not None and message.message_body.content == "Your table is ready"
    times = [event.timestamp for event in message.events or () if event.timestamp]
    assert times == sorted(set(times))


async def test_a_message_is_delivered_without_advance(fake_sent: FakeSent, sent: SentClient) -> None:
    """Real time is enough."""
    message = await wait_for_message(sent, await send(sent))
    assert message.status == "DELIVERED"


async def test_messages_are_read_where_there_are_receipts(fake_sent: FakeSent, sent: SentClient) -> None:
    """Messages on WhatsApp and RCS become READ, those by SMS do not."""
    queued = await sent.messages.send(to=[JO], text="Ready", channel=["sms", "whatsapp", "rcs"])
    fake_sent.advance(60)
    ended = {one.channel: str(fake_sent.messages[one.message_id].status) for one in queued.recipients}
    assert ended == {"sms": "DELIVERED", "whatsapp": "READ", "rcs": "READ"}


async def test_several_channels_are_a_broadcast(fake_sent: FakeSent, sent: SentClient) -> None:
    """Each recipient gets a message of its own on each channel, and each is billed."""
    to = [JO, "+442071234567"]
    queued = await sent.messages.send(to=to, text="Ready", channel=["sms", "whatsapp"])
    assert [(one.to, one.channel, one.body) for one in queued.recipients] == [
        (number, channel, "Ready") for number in to for channel in ("sms", "whatsapp")
    ]
    fake_sent.advance(60)
    assert len({one.message_id for one in queued.recipients}) == 4
    assert all(message.price for message in fake_sent.messages.values())


async def test_a_template_is_filled_in(fake_sent: FakeSent, sent: SentClient) -> None:
    """It is named by id or by name, or by both. Undeclared parameters are ignored."""
    template = fake_sent.add_template(name="order", definition=definition())
    parameters = {"name": "Jo", "company": "Acme", "other": "x"}
    for chosen in (
        MessageTemplate(id=template.id, parameters=parameters),
        MessageTemplate(name="order", parameters=parameters),
        MessageTemplate(id=template.id, name="another", parameters=parameters),
    ):
        queued = await sent.messages.send(to=[JO], channel=["sms"], template=chosen)
        assert (queued.template_id, queued.template_name) == (template.id, "order")
        body = queued.recipients[0].body
        assert body is not None and "Jo" in body and "Acme" in body and "{{" not in body
    fake_sent.advance(60)
    assert {message.status for message in fake_sent.messages.values()} == {"DELIVERED"}
    assert {message.template_category for message in fake_sent.messages.values()} == {"MARKETING"}


async def test_of_templates_with_the_same_name_the_approved_one_is_sent(fake_sent: FakeSent, sent: SentClient) -> None:
    """Names are not unique."""
    fake_sent.add_template(name="order", status="REJECTED", variables=[])
    approved = fake_sent.add_template(name="order", variables=[])
    fake_sent.add_template(name="order", status="DRAFT", variables=[])
    queued = await sent.messages.send(to=[JO], template=MessageTemplate(name="order"))
    assert queued.template_id == approved.id


async def test_the_vendors_own_request(fake_sent: FakeSent, wire: Wire) -> None:
    """It is accepted as it is printed, and makes a message for each recipient and channel."""
    accepted = await wire(fake_sent, "POST", "/v3/messages", content=payload("messages-send-request.csharp-tests"))
    assert accepted.status == 202
    assert len(accepted.json["data"]["recipients"]) == len(fake_sent.messages) == 4


NOT_APPROVED = ("DRAFT", "PENDING", "REJECTED", "PAUSED")


@pytest.mark.parametrize("status", NOT_APPROVED)
async def test_a_template_that_is_not_approved(fake_sent: FakeSent, sent: SentClient, status: str) -> None:
    """The request is accepted and the message blocked, without a price."""
    template = fake_sent.add_template(status=status, variables=[])
    message_id = await send(sent, template=MessageTemplate(id=template.id))
    fake_sent.advance(60)
    message = fake_sent.messages[message_id]
    assert (message.status, message.reason_code, message.channel) == ("BLOCKED", "BUSINESS_005", "auto")
    assert (message.price, message.message_body) == (None, None)
    assert statuses(message) == ["QUEUED", "BLOCKED"]


async def test_a_template_that_is_deleted_before_the_message_is_routed(fake_sent: FakeSent, sent: SentClient) -> None:
    """The template is checked when the message is routed."""
    template = fake_sent.add_template(variables=[])
    message_id = await send(sent, template=MessageTemplate(id=template.id), scheduled_at=ahead(minutes=5))
    await sent.templates.delete(template.id)
    fake_sent.advance(600)
    assert fake_sent.messages[message_id].reason_code == "BUSINESS_005"


async def test_a_template_that_is_not_there(fake_sent: FakeSent, sent: SentClient) -> None:
    """404 for an unknown id, an unknown name, and the template of a profile that is not the caller's."""
    foreign = fake_sent.add_template(profile_id=next(iter(fake_sent.profiles)), name="foreign")
    for chosen in (
        *(MessageTemplate(id=NOWHERE), MessageTemplate(name="nothing")),
        *(MessageTemplate(id=foreign.id), MessageTemplate(name="foreign")),
    ):
        with pytest.raises(NotFoundError) as caught:
            await sent.messages.send(to=[JO], template=chosen)
        assert caught.value.code == ErrorCode.TEMPLATE_NOT_FOUND
    assert len(fake_sent.messages) == 0


BLOCKED: list[tuple[str, dict[str, Any], str]] = [
    ("a number that is none", {"to": ["Jo"], "text": "Hi"}, "VALIDATION_002"),
    ("a calling code that nobody has", {"to": ["+9991234567"], "text": "Hi"}, "VALIDATION_002"),
    ("a variable without a value", {"to": [JO], "template": {"id": TEMPLATE}}, "ERR_TEMPLATE_PARAMS_INVALID"),
    (
        "a channel that the template has no text for",
        {"to": [JO], "channel": ["rcs"], "template": {"id": TEMPLATE}},
        "BUSINESS_012",
    ),
    (
        "a number that is not the account's",
        {"to": [JO], "text": "Hi", "channels": {"sms": [{"from": ["+14155550199"]}]}},
        "BUSINESS_029",
    ),
]


@pytest.mark.parametrize(("body", "code"), [case[1:] for case in BLOCKED], ids=[case[0] for case in BLOCKED])
async def test_accepted_messages_that_are_blocked(
    fake_sent: FakeSent, wire: Wire, body: dict[str, Any], code: str
) -> None:
    """The message has the reason, as code and text."""
    accepted = await wire(fake_sent, "POST", "/v3/messages", body)
    assert accepted.status == 202
    fake_sent.advance(60)
    message = fake_sent.messages[accepted.json["data"]["recipients"][0]["message_id"]]
    assert (message.status, message.reason_code) == ("BLOCKED", code)
    assert message.reason
    assert (message.contact_id is None) == (code == "VALIDATION_002")


async def test_own_numbers_may_be_sent_from(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """These are the numbers of the account, added ones, and those of the profile."""
    profile = fake_sent.add_profile(sending_phone_number="+14155550111")
    fake_sent.add_number("+14155550122")
    fake_sent.add_number("+14155550133", profile_id=profile.id)
    for number, status in (("+14155550111", "BLOCKED"), ("+14155550122", "DELIVERED"), ("+14155550133", "BLOCKED")):
        body = {"to": [JO], "text": "Hi", "channels": {"sms": [{"from": [number]}, {"country": "US"}]}}
        ours = await wire(fake_sent, "POST", "/v3/messages", body)
        of_profile = await wire(fake_sent, "POST", "/v3/messages", body, x_profile_id=profile.id)
        fake_sent.advance(60)
        for accepted, expected in ((ours, status), (of_profile, "DELIVERED")):
            message_id = accepted.json["data"]["recipients"][0]["message_id"]
            assert fake_sent.messages[message_id].status == expected, number
    async with fake_sent.client(profile_id=profile.id) as branch:
        message_id = await send(branch)
        fake_sent.advance(60)
        assert {one.from_ for one in await branch.messages.list_activities(message_id)} == {None, "+14155550111"}


async def test_opting_out_holds_for_all_channels(fake_sent: FakeSent, sent: SentClient) -> None:
    """Messages to the contact are filtered. The contacts of other accounts are not affected."""
    contact = fake_sent.add_contact(JO, opt_out=True)
    queued = await sent.messages.send(to=[JO], text="Sale!", channel=["sent", "sms", "whatsapp"])
    fake_sent.advance(60)
    for one in queued.recipients:
        message = fake_sent.messages[one.message_id]
        assert (message.status, message.reason_code, message.price) == ("FILTERED", "BUSINESS_004", None)
        assert message.contact_id == contact.id
    async with fake_sent.client(profile_id=next(iter(fake_sent.profiles))) as branch:
        message_id = await send(branch)
        fake_sent.advance(60)
        assert fake_sent.messages[message_id].status == "DELIVERED"


async def test_reasons_are_left_out_where_there_is_none(fake_sent: FakeSent, wire: Wire) -> None:
    """Members without a value are absent from the response."""
    accepted = await wire(fake_sent, "POST", "/v3/messages", {"to": [JO], "text": "Hi"})
    assert "scheduled_at" not in accepted.json["data"]
    fake_sent.advance(60)
    path = f"/v3/messages/{accepted.json['data']['recipients'][0]['message_id']}"
    message = (await wire(fake_sent, "GET", path)).json["data"]
    assert not {"reason_code", "reason", "scheduled_at"} & message.keys()
    for event in message["events"]:
        assert set(event) == {"status", "timestamp", "description"}
    activities = (await wire(fake_sent, "GET", f"{path}/activities")).json["data"]["activities"]
    assert not {"reason_code", "reason", "scheduled_at"} & set().union(*activities)


async def test_activities_are_the_latest_first_with_prices_as_text(
    fake_sent: FakeSent, sent: SentClient, wire: Wire
) -> None:
    """The price is a number on a message and a text on an activity; before sending there is none."""
    message_id = await send(sent)
    fake_sent.advance(60)
    data = (await wire(fake_sent, "GET", f"/v3/messages/{message_id}/activities")).json["data"]
    assert [one["status"] for one in data["activities"]] == ["DELIVERED", "SENT", "ROUTED", "QUEUED"]
    assert [one["price"] for one in data["activities"]] == ["0.0055", "0.0055", None, None]
    assert (await wire(fake_sent, "GET", f"/v3/messages/{message_id}")).json["data"]["price"] == 0.0055
    assert [str(one.status) async for one in sent.messages.list_activities(message_id)] == [
        one["status"] for one in data["activities"]
    ]


Act = Callable[[FakeSent, str], Message]


@pytest.mark.parametrize("end", [FakeSent.deliver, FakeSent.read, FakeSent.fail, FakeSent.block])
async def test_a_message_is_sent_again(fake_sent: FakeSent, sent: SentClient, end: Act) -> None:
    """A delivered, read, failed or blocked one is queued again under its id, checked and billed again."""
    message_id = await send(sent)
    price = end(fake_sent, message_id).price or 0
    again = await sent.messages.resend(message_id)
    assert (again.status, [one.message_id for one in again.recipients or ()]) == ("QUEUED", [message_id])
    assert fake_sent.messages[message_id].reason_code is None
    fake_sent.advance(60)
    message = fake_sent.messages[message_id]
    assert (message.status, message.channel) == ("DELIVERED", "sms")
    assert isinstance(message.price, float) and isinstance(price, float | int)
    assert message.price == pytest.approx(price + 0.0055)


async def test_queued_and_stopped_messages_are_not_sent_again(fake_sent: FakeSent, sent: SentClient) -> None:
    """Queued, filtered and received messages are refused."""
    queued = await send(sent)
    received = fake_sent.receive_message("+14155550200", "Hi").id
    fake_sent.add_contact("+14155550300", opt_out=True)
    filtered = await send(sent, "+14155550300")
    for message_id in (queued, received):
        with pytest.raises(ConflictError, match="BUSINESS_006"):
            await sent.messages.resend(message_id)
    fake_sent.advance(60)
    with pytest.raises(ConflictError, match="FILTERED"):
        await sent.messages.resend(filtered)


async def test_a_template_is_routed_where_it_has_a_text(fake_sent: FakeSent, sent: SentClient) -> None:
    """The channel is that of the contact, or else one of the template. A deleted contact has none."""
    contact = fake_sent.add_contact(JO, default_channel="whatsapp")
    only_rcs = fake_sent.add_template(channels=["rcs"], variables=[])
    for template, channel in ((TEMPLATE, "whatsapp"), (only_rcs.id, "rcs")):
        chosen = MessageTemplate(id=template, parameters={"name": "Jo", "company": "Acme"})
        message_id = await send(sent, template=chosen)
        fake_sent.advance(60)
        assert fake_sent.messages[message_id].channel == channel
    message_id = await send(sent)
    await sent.contacts.delete(contact.id)
    fake_sent.advance(60)
    assert (fake_sent.messages[message_id].channel, fake_sent.messages[message_id].status) == ("sms", "DELIVERED")
