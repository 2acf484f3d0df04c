"""The events of messages and contacts, as a webhook receiver gets them."""

from __future__ import annotations

import asyncio

from sent_async import SentClient
from sent_async.models import MessageTemplate, Webhook
from sent_async.testing import FakeSent
from sent_async.webhooks import ContactEvent, MessageReceivedEvent, MessageStatusEvent, MessageTracker
from tests.support.deliveries import SECRET
from tests.support.fake_data import SEEDED, TEMPLATE
from tests.support.messages import JO, ahead, send
from tests.support.service import Service
from tests.support.waiting import until


async def happened(fake_sent: FakeSent, service: Service) -> list[str]:
    """The names of the events, once all are delivered."""
    await fake_sent.settle()
    return [name.removeprefix("message.") for name in service.names]


async def test_each_step_is_an_event(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """In order, with the recipient as the number, the text cut at 3,072 letters, and the request that caused it."""
    template = MessageTemplate(id=TEMPLATE, parameters={"name": "Jo" * 2000, "company": "Acme"})
    message_id = await send(sent, template=template, channel=["whatsapp"])
    fake_sent.advance(60)
    assert await happened(fake_sent, service) == ["queued", "routed", "sent", "delivered", "read"]
    events = [event for event in service.events if isinstance(event, MessageStatusEvent)]
    assert [event.payload.message_status for event in events] == ["QUEUED", "ROUTED", "SENT", "DELIVERED", "READ"]
    assert {event.payload.message_id for event in events} == {message_id}
    assert {event.payload.outbound_number for event in events} == {JO}
    assert {event.payload.channel for event in events} == {"whatsapp"}
    assert {len(event.payload.body or "") for event in events} == {3072}
    assert {(event.payload.template_id, event.payload.template_name) for event in events} == {
        (TEMPLATE, "Welcome Message")
    }
    assert len({event.request_id for event in events}) == 1
    times = [event.payload.updated_at for event in events if event.payload.updated_at]
    assert times == sorted(set(times))


async def test_events_come_by_themselves(sent: SentClient, service: Service, endpoint: Webhook) -> None:
    """They are delivered without ``advance`` or a request."""
    await send(sent)
    await until(lambda: "message.delivered" in service.names)


async def test_an_event_before_the_response(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """The first event may arrive before the response of the send."""
    fake_sent.delay_next(3600, after_commit=True)
    sending = asyncio.create_task(send(sent))
    await until(lambda: service.ids)
    assert not sending.done()
    assert service.ids[0] in fake_sent.messages
    sending.cancel()


async def test_members_that_only_some_events_have(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """Failed messages have reasons, scheduled ones a time. Text and template are always present."""
    held = await send(sent, text="Maybe", scheduled_at=ahead(hours=1))
    await sent.messages.cancel(held)
    await sent.messages.cancel(held)
    fake_sent.block(await send(sent))
    assert await happened(fake_sent, service) == ["queued", "scheduled", "cancelled", "queued", "blocked"]
    payloads = [delivery.json["payload"] for delivery in fake_sent.webhooks.deliveries]
    some = ("reason_code", "reason", "schedule_reason", "scheduled_at", "template_name")
    assert [[name for name in some if name in payload] for payload in payloads] == [
        [],
        ["schedule_reason", "scheduled_at"],
        ["scheduled_at"],
        [],
        ["reason_code", "reason"],
    ]
    assert all({"body", "template_id"} <= payload.keys() for payload in payloads)
    assert payloads[-1]["channel"] == "auto"


async def test_a_failed_message_that_arrives_after_all(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """Its id is queued again on another channel, and the event with the latest time is the right one."""
    fake_sent.webhooks.hold()
    message_id = await send(sent, text="Hi", channel=["whatsapp"])
    fake_sent.fail(message_id)
    fake_sent.deliver(message_id, channel="sms")
    fake_sent.webhooks.release(reversed)
    names = await happened(fake_sent, service)
    assert names[::-1] == ["queued", "routed", "sent", "failed", "queued", "routed", "sent", "delivered"]
    async with MessageTracker() as tracker:
        for event in service.events:
            await tracker.record(event)
        state = await tracker.state(message_id)
    assert state is not None
    assert (state.status, state.channel) == ("DELIVERED", "sms")


async def test_messages_of_a_contact(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """The event of the message comes first, then that of its meaning, with the state of the contact."""
    fake_sent.receive_message(JO, "HELP", channel="whatsapp")
    stopped = fake_sent.receive_message(JO, "Stop", to_number="+14155550199")
    fake_sent.receive_message(JO, media=[{"url": "https://media.example/1", "mime_type": "image/png"}])
    fake_sent.receive_message(JO, "start")
    names = await happened(fake_sent, service)
    assert names == [
        "received",
        "contact.help",
        "received",
        "contact.opt_out",
        "received",
        "received",
        "contact.opt_in",
    ]
    written = [event for event in service.events if isinstance(event, MessageReceivedEvent)]
    assert [event.payload.text for event in written] == ["HELP", "Stop", None, "start"]
    assert {event.payload.inbound_number for event in written} == {JO}
    assert [event.payload.outbound_number for event in written][:2] == ["+15551234567", "+14155550199"]
    assert [len(event.payload.media or ()) for event in written] == [0, 0, 1, 0]
    assert written[0].payload.received_at == written[0].payload.updated_at
    decided = [event for event in service.events if isinstance(event, ContactEvent)]
    assert [event.payload.opt_out for event in decided] == [False, True, False]
    assert {event.payload.source for event in decided} == {"INBOUND_KEYWORD"}
    assert (decided[1].payload.message_id, decided[1].payload.from_, decided[1].payload.to) == (
        stopped.id,
        JO,
        "+14155550199",
    )


async def test_changes_by_requests_are_no_events(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """Opting out by a request and sandbox requests cause no event."""
    contact = await sent.contacts.create(phone_number=JO)
    await sent.contacts.update(contact.id, opt_out=True)
    await sent.messages.send(to=[JO], text="Hi", sandbox=True)
    fake_sent.advance(60)
    assert await happened(fake_sent, service) == []


async def test_events_of_a_profile(fake_sent: FakeSent, service: Service) -> None:
    """They go to the endpoints of the profile, with its id as the account."""
    fake_sent.add_webhook(endpoint_url=service.url, signing_secret=SECRET, profile_id=SEEDED)
    async with fake_sent.client(profile_id=SEEDED) as branch:
        await send(branch)
    fake_sent.receive_message(JO, "STOP", profile_id=SEEDED)
    assert await happened(fake_sent, service) == ["queued", "received", "contact.opt_out"]
    accounts = {delivery.json["payload"]["account_id"] for delivery in fake_sent.webhooks.deliveries}
    assert accounts == {SEEDED}
