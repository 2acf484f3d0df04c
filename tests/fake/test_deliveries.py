"""Deliveries to webhook endpoints: their form, signature and subscriptions."""

from __future__ import annotations

import asyncio

import pytest

from sent_async import SentClient
from sent_async.models import Webhook, WebhookSenderProfileData
from sent_async.models.events import EventName
from sent_async.testing import FakeSent
from sent_async.testing.deliveries import signature
from sent_async.webhooks import MessageReceivedEvent, TemplateEvent, UnknownEvent
from tests.support.deliveries import BODY, ENDPOINT, SECRET, SIGNATURE, STAMP, sent_payload
from tests.support.fake_data import SEEDED
from tests.support.raw_client import Wire
from tests.support.service import Service
from tests.support.waiting import until

MINUTE = 60
DAY = 86_400


def test_the_signature_is_the_published_one() -> None:
    """It is that of the test vector, byte for byte."""
    assert signature(SECRET, ENDPOINT, str(STAMP), BODY) == SIGNATURE


async def test_every_documented_event(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """Each has an example that the receiver reads as its class."""
    for name in EventName:
        assert len(fake_sent.emit(name)) == 1
    await fake_sent.settle()
    assert service.names == list(EventName)
    assert not [event for event in service.events if isinstance(event, UnknownEvent)]
    assert {delivery.status for delivery in fake_sent.webhooks.deliveries} == {"DELIVERED"}


async def test_what_a_delivery_carries(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """It has the id of the endpoint, an id of the event that stays the same, its name, and the envelope."""
    service.statuses = [500]
    (delivery,) = fake_sent.emit("message.sent", {**sent_payload("m1"), "updated_at": "2026-01-01T00:00:00Z"})
    await fake_sent.settle()
    fake_sent.advance(MINUTE)
    await fake_sent.settle()
    first, second = service.headers
    for headers in (first, second):
        assert headers["X-Webhook-ID"] == endpoint.id
        assert headers["X-Webhook-Event-ID"] == delivery.event_id
        assert headers["X-Webhook-Event-Type"] == "message.sent"
        assert headers["Content-Type"] == "application/json"
    body = delivery.json
    assert list(body) == ["field", "event", "timestamp", "request_id", "payload"]
    assert (body["field"], body["event"], body["payload"]["message_id"]) == ("message", "message.sent", "m1")
    assert len(body["timestamp"]) == len("2026-01-01T00:00:00Z")
    assert "m1" not in repr(delivery)


async def test_an_event_without_a_name_of_its_own(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """A template's review is reported when it ends, without ``event``."""
    template = fake_sent.add_template(status="PENDING")
    fake_sent.approve(template.id)
    fake_sent.reject(template.id)
    await fake_sent.settle()
    events = [event for event in service.events if isinstance(event, TemplateEvent)]
    assert [event.payload.status for event in events] == ["APPROVED", "REJECTED"]
    assert {event.payload.template_id for event in events} == {template.id}
    assert "event" not in fake_sent.webhooks.deliveries[0].json


async def test_an_event_of_ones_own(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """An event of an unknown family reaches all endpoints with the payload that was given."""
    fake_sent.emit("invoice.paid", {"amount": 7})
    await fake_sent.settle()
    (event,) = service.events
    assert isinstance(event, UnknownEvent)
    assert (event.name, event.payload) == ("invoice.paid", {"amount": 7})
    for name in ("invoice.paid", "message.gone", "message", "templates.new"):
        with pytest.raises(ValueError, match=name):
            fake_sent.emit(name)


async def test_subscriptions(fake_sent: FakeSent, service: Service) -> None:
    """Endpoints choose families and events. One that is off gets nothing."""
    fake_sent.add_webhook(
        endpoint_url=service.url,
        signing_secret=SECRET,
        event_types=["message", "templates"],
        event_filters={"message": ["delivered"], "templates": []},
    )
    fake_sent.add_webhook(endpoint_url=service.url, signing_secret=SECRET, is_active=False)
    for name in ("message.sent", "message.delivered", "templates", "contact.opt_out"):
        fake_sent.emit(name)
    await fake_sent.settle()
    assert service.names == ["message.delivered", "templates"]


async def test_owners(fake_sent: FakeSent, sent: SentClient, service: Service) -> None:
    """A profile's events go to its own endpoints, and to those of the organization that ask for them."""
    of_profile = fake_sent.add_webhook(endpoint_url=service.url, profile_id=SEEDED)
    of_organization = fake_sent.add_webhook(endpoint_url=service.url)
    curious = await sent.webhooks.create(
        display_name="All",
        endpoint_url=service.url,
        event_types=["templates"],
        sender_profile=WebhookSenderProfileData(event_types=["message"]),
    )
    assert [delivery.endpoint_id for delivery in fake_sent.emit("message.sent", profile_id=SEEDED)] == [
        of_profile.id,
        curious.id,
    ]
    assert [delivery.endpoint_id for delivery in fake_sent.emit("contact.help", profile_id=SEEDED)] == [of_profile.id]
    assert [delivery.endpoint_id for delivery in fake_sent.emit("message.sent")] == [of_organization.id]
    for refused in (
        lambda: fake_sent.emit("call.failed", profile_id="nobody"),
        lambda: fake_sent.add_webhook(profile_id="nobody"),
    ):
        with pytest.raises(KeyError, match="nobody"):
            refused()
    nothing = await sent.webhooks.create(
        display_name="None", endpoint_url=service.url, event_types=["call"], sender_profile=WebhookSenderProfileData()
    )
    assert nothing.id not in [delivery.endpoint_id for delivery in fake_sent.emit("call.failed", profile_id=SEEDED)]


async def test_hosts_elsewhere(service: Service) -> None:
    """Without ``callback_hosts`` nothing leaves this machine, and this is no failure."""
    async with FakeSent() as fake:
        url = service.url.replace("127.0.0.1", "shop.example.com")
        endpoint = fake.add_webhook(endpoint_url=url)
        deliveries = [delivery for _ in range(11) for delivery in fake.emit("message.sent")]
        await fake.settle()
        assert {(delivery.status, delivery.attempts) for delivery in deliveries} == {("PENDING", 0)}
        assert "callback_hosts" in str(deliveries[0].outcome.problem)
        assert fake.webhooks[endpoint.id].is_active
        async with fake.client() as sent:
            tested = await sent.webhooks.test(endpoint.id, event_type="message.sent")
        assert tested.success is False
        assert "callback_hosts" in str(tested.message)
    async with FakeSent(callback_hosts=["Shop.Example.com"]) as fake:
        fake.add_webhook(endpoint_url=url)
        (delivery,) = fake.emit("message.sent")
        await fake.settle()
        assert (delivery.status, delivery.attempts) == ("RETRYING", 1)
    with pytest.raises(TypeError, match="callback_hosts"):
        FakeSent(callback_hosts="example.com")


async def test_test_events(fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook) -> None:
    """One is delivered once to any endpoint. The result has the outcome, and failures are not counted."""
    quiet = fake_sent.add_webhook(endpoint_url=service.url, signing_secret=SECRET, event_types=["call"])
    tested = await sent.webhooks.test(quiet.id, event_type="message.received")
    assert (tested.success, tested.message) == (True, "The response was 204")
    assert isinstance(service.events[0], MessageReceivedEvent)
    service.statuses = [500]
    tested = await sent.webhooks.test(quiet.id, event_type="templates")
    assert (tested.success, tested.message) == (False, "the response was 500")
    assert fake_sent.webhooks[quiet.id].consecutive_failures == 0
    assert [row.delivery_status async for row in sent.webhooks.list_events(quiet.id)] == ["DELIVERED", "FAILED"]
    fake_sent.advance(DAY)
    await fake_sent.settle()
    assert len(service.events) == 2


@pytest.mark.parametrize("name", ["message", "sent", "message.gone", "invoice.paid", ""])
async def test_test_events_that_do_not_exist(fake_sent: FakeSent, wire: Wire, endpoint: Webhook, name: str) -> None:
    """The full name of a documented event is needed."""
    response = await wire(fake_sent, "POST", f"/v3/webhooks/{endpoint.id}/test", {"event_type": name})
    assert (response.status, list(response.json["error"]["details"])) == (400, ["event_type"])


async def test_the_log(fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook) -> None:
    """It has pages of deliveries of one endpoint, and finds them by event."""
    fake_sent.add_webhook(endpoint_url=service.url, signing_secret=SECRET)
    for name in ("message.sent", "message.delivered", "contact.opt_out"):
        fake_sent.emit(name)
    await fake_sent.settle()
    names = [row.event_type async for row in sent.webhooks.list_events(endpoint.id, page_size=2)]
    assert names == ["message.sent", "message.delivered", "contact.opt_out"]
    found = [row.event_type async for row in sent.webhooks.list_events(endpoint.id, search="MESSAGE")]
    assert found == ["message.sent", "message.delivered"]


async def test_a_reset_forgets_deliveries(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """Those in flight end, and nothing is repeated."""
    service.gate = asyncio.Event()
    fake_sent.emit("message.sent")
    await until(lambda: service.events)
    fake_sent.reset()
    service.gate.set()
    fake_sent.advance(DAY)
    await fake_sent.settle()
    assert len(service.events) == 1
    assert not fake_sent.webhooks
    assert not fake_sent.webhooks.deliveries
    await fake_sent.close()
    fake_sent.add_webhook(endpoint_url=service.url)
    fake_sent.reset()
    assert not fake_sent.webhooks
