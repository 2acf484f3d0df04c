"""What endpoints are sent: signed, repeated after failures, and in whatever way a test asks for."""

from __future__ import annotations

import asyncio
import random

import pytest

from sent_async import SentClient
from sent_async.models import Webhook, WebhookSenderProfileData
from sent_async.models.events import EventName
from sent_async.testing import FakeSent
from sent_async.testing.deliveries import signature
from sent_async.webhooks import (
    MessageReceivedEvent,
    TemplateEvent,
    UnknownEvent,
)
from tests.support.deliveries import BODY, ENDPOINT, SECRET, SIGNATURE, STAMP
from tests.support.fake_data import SEEDED
from tests.support.raw_client import Wire
from tests.support.service import Service
from tests.support.waiting import until

MINUTE = 60
DAY = 86_400


@pytest.fixture
def endpoint(fake_sent: FakeSent, service: Service) -> Webhook:
    """Subscribes to everything."""
    return fake_sent.add_webhook(endpoint_url=service.url, signing_secret=SECRET)


def status(message_id: str) -> dict[str, str]:
    return {"message_id": message_id, "message_status": "SENT"}


def test_the_signature_is_the_published_one() -> None:
    """The test vector, byte for byte."""
    assert signature(SECRET, ENDPOINT, str(STAMP), BODY) == SIGNATURE


async def test_every_documented_event(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """Each has an example that the receiver takes for what it is."""
    for name in EventName:
        assert len(fake_sent.emit(name)) == 1
    await fake_sent.settle()
    assert service.names == list(EventName)
    assert not [event for event in service.events if isinstance(event, UnknownEvent)]
    assert {delivery.status for delivery in fake_sent.webhooks.deliveries} == {"DELIVERED"}


async def test_what_a_delivery_carries(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """The endpoint's id, an id of the event that stays the same, its name, and the envelope around the payload."""
    service.statuses = [500]
    (delivery,) = fake_sent.emit("message.sent", {**status("m1"), "updated_at": "2026-01-01T00:00:00Z"})
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
    """A family that nobody can subscribe to reaches everybody, with the payload as given; it needs one."""
    fake_sent.emit("invoice.paid", {"amount": 7})
    await fake_sent.settle()
    (event,) = service.events
    assert isinstance(event, UnknownEvent)
    assert (event.name, event.payload) == ("invoice.paid", {"amount": 7})
    for name in ("invoice.paid", "message.gone", "message", "templates.new"):
        with pytest.raises(ValueError, match=name):
            fake_sent.emit(name)


async def test_subscriptions(fake_sent: FakeSent, service: Service) -> None:
    """By family, and within a family by the filter; an endpoint that is off gets nothing."""
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
    mine = fake_sent.add_webhook(endpoint_url=service.url, profile_id=SEEDED)
    theirs = fake_sent.add_webhook(endpoint_url=service.url)
    curious = await sent.webhooks.create(
        display_name="All",
        endpoint_url=service.url,
        event_types=["templates"],
        sender_profile=WebhookSenderProfileData(event_types=["message"]),
    )
    assert [delivery.endpoint_id for delivery in fake_sent.emit("message.sent", profile_id=SEEDED)] == [
        mine.id,
        curious.id,
    ]
    assert [delivery.endpoint_id for delivery in fake_sent.emit("contact.help", profile_id=SEEDED)] == [mine.id]
    assert [delivery.endpoint_id for delivery in fake_sent.emit("message.sent")] == [theirs.id]
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


async def test_a_failure_is_repeated(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """After one minute, then two, then four, as often as the endpoint says; the log and the endpoint tell of it."""
    service.statuses = [500, 302, 404]
    (delivery,) = fake_sent.emit("message.sent", status("m1"))
    for wait, expected in ((0, 1), (MINUTE - 1, 1), (1, 2), (2 * MINUTE - 1, 2), (1, 3), (4 * MINUTE - 1, 3)):
        fake_sent.advance(wait)
        await fake_sent.settle()
        assert (delivery.attempts, delivery.status) == (expected, "RETRYING")
    failing = await sent.webhooks.retrieve(endpoint.id)
    assert (failing.consecutive_failures, failing.last_successful_delivery_at) == (3, None)
    fake_sent.advance(1)
    await fake_sent.settle()
    assert (delivery.attempts, delivery.status, len(service.events)) == (4, "DELIVERED", 4)
    assert len({event.id for event in service.events}) == 1
    well = await sent.webhooks.retrieve(endpoint.id)
    assert (well.consecutive_failures, well.last_delivery_attempt_at) == (0, well.last_successful_delivery_at)
    (row,) = await sent.webhooks.list_events(endpoint.id)
    assert (row.id, row.event_type, row.delivery_status) == (delivery.id, "message.sent", "DELIVERED")
    assert (row.delivery_attempts, row.http_status_code, row.response_body, row.error_message) == (4, 204, "", None)
    assert row.event_data == delivery.json
    assert row.created_at is not None and row.processing_started_at is not None
    assert row.processing_completed_at is not None
    assert (row.processing_completed_at - row.processing_started_at).total_seconds() >= 7 * MINUTE


async def test_a_failure_for_good(fake_sent: FakeSent, sent: SentClient, service: Service) -> None:
    """One long step of the clock runs all repetitions; after the last one the delivery is given up."""
    endpoint = fake_sent.add_webhook(endpoint_url=service.url, signing_secret=SECRET, retry_count=1)
    service.statuses = [500, 503]
    fake_sent.emit("message.sent")
    await fake_sent.settle()
    fake_sent.advance(DAY)
    await fake_sent.settle()
    fake_sent.advance(DAY)
    await fake_sent.settle()
    (row,) = await sent.webhooks.list_events(endpoint.id)
    assert (row.delivery_status, row.delivery_attempts, row.http_status_code) == ("FAILED", 2, 503)
    assert (row.response_body, row.error_message) == ("noted", "the response was 503")
    assert len(service.events) == 2


async def test_repetitions_in_one_long_step(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """What would have happened in the meantime happens."""
    service.statuses = [500, 500, 500]
    (delivery,) = fake_sent.emit("message.sent")
    fake_sent.advance(DAY)
    await fake_sent.settle()
    fake_sent.advance(DAY)
    await fake_sent.settle()
    assert (delivery.status, delivery.attempts) == ("DELIVERED", 4)


async def test_repetitions_are_signed_anew(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """With the secret of the moment: the old one is dead at once."""
    service.statuses = [500]
    fake_sent.emit("message.sent")
    await fake_sent.settle()
    service.secret = str((await sent.webhooks.rotate_secret(endpoint.id)).signing_secret)
    fake_sent.advance(MINUTE)
    await fake_sent.settle()
    assert len(service.events) == 2


async def test_a_receivers_clock_is_the_real_one(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """However far the fake's clock was moved on, signatures are not stale."""
    fake_sent.advance(30 * DAY)
    fake_sent.emit("message.sent")
    await fake_sent.settle()
    assert service.names == ["message.sent"]


async def test_ten_failures_turn_an_endpoint_off(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """Ten attempts in a row. What waits then is given up, and what happens then is not delivered."""
    service.statuses = [500] * 10
    deliveries = [delivery for number in range(11) for delivery in fake_sent.emit("message.sent", status(str(number)))]
    await fake_sent.settle()
    assert (await sent.webhooks.retrieve(endpoint.id)).is_active is False
    assert len(service.events) == 10
    assert (deliveries[10].status, deliveries[10].outcome.problem) == ("FAILED", "the endpoint was turned off")
    assert not fake_sent.emit("message.sent")
    fake_sent.advance(MINUTE)
    await fake_sent.settle()
    assert {delivery.status for delivery in deliveries} == {"FAILED"}
    on = await sent.webhooks.toggle_status(endpoint.id, is_active=True)
    assert (on.is_active, on.consecutive_failures) == (True, 0)
    fake_sent.emit("message.read")
    await fake_sent.settle()
    assert service.names[-1] == "message.read"


async def test_a_success_forgets_failures(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """Nine failures and a success, as often as you like."""
    service.statuses = [*[500] * 9, 200, *[500] * 9, 200]
    for _ in range(20):
        fake_sent.emit("message.sent")
    await fake_sent.settle()
    assert fake_sent.webhooks[endpoint.id].is_active


async def test_a_receiver_that_is_away(fake_sent: FakeSent, service: Service) -> None:
    """A closed port is a failure with a reason, and so is an endpoint that was deleted meanwhile."""
    away = fake_sent.add_webhook(endpoint_url="http://127.0.0.1:1/hook")
    (delivery,) = fake_sent.emit("message.sent")
    await fake_sent.settle()
    assert (delivery.status, delivery.outcome.status) == ("RETRYING", None)
    assert delivery.outcome.problem == "no response: ClientConnectorError"
    async with fake_sent.client() as sent:
        await sent.webhooks.delete(away.id)
    fake_sent.advance(MINUTE)
    await fake_sent.settle()
    assert (delivery.status, delivery.outcome.problem) == ("FAILED", "the endpoint was deleted")


async def test_a_receiver_that_is_slow(fake_sent: FakeSent, service: Service) -> None:
    """No response within the endpoint's seconds is a failure."""
    fake_sent.add_webhook(endpoint_url=service.url, signing_secret=SECRET, timeout_seconds=1)
    service.gate = asyncio.Event()
    (delivery,) = fake_sent.emit("message.sent")
    await fake_sent.settle()
    service.gate.set()
    assert (delivery.status, delivery.outcome.problem) == ("RETRYING", "no response within 1 s")


async def test_changes_during_a_delivery(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """An endpoint that is deleted while a delivery to it is under way is not brought back by its outcome."""
    service.gate = asyncio.Event()
    fake_sent.emit("message.sent")
    await until(lambda: service.events)
    await sent.webhooks.delete(endpoint.id)
    service.gate.set()
    await fake_sent.settle()
    assert not fake_sent.webhooks


async def test_hosts_elsewhere(service: Service) -> None:
    """Nothing leaves this machine, and nothing is counted as a failure, unless the host is named."""
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
    """Delivered once, whatever is subscribed to; the verdict is in the result, and no failure is counted."""
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
    answer = await wire(fake_sent, "POST", f"/v3/webhooks/{endpoint.id}/test", {"event_type": name})
    assert (answer.status, list(answer.json["error"]["details"])) == (400, ["event_type"])


async def test_the_log(fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook) -> None:
    """Pages of one endpoint's deliveries, by the name of the event."""
    fake_sent.add_webhook(endpoint_url=service.url, signing_secret=SECRET)
    for name in ("message.sent", "message.delivered", "contact.opt_out"):
        fake_sent.emit(name)
    await fake_sent.settle()
    names = [row.event_type async for row in sent.webhooks.list_events(endpoint.id, page_size=2)]
    assert names == ["message.sent", "message.delivered", "contact.opt_out"]
    found = [row.event_type async for row in sent.webhooks.list_events(endpoint.id, search="MESSAGE")]
    assert found == ["message.sent", "message.delivered"]


async def test_in_order(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """One at a time, as they happened, so that a test is the same every time it runs."""
    numbers = [str(number) for number in range(50)]
    for number in numbers:
        fake_sent.emit("message.sent", status(number))
    await fake_sent.settle()
    assert service.ids == numbers
    assert service.most_inside == 1


async def test_twice_lost_and_late(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """Each step of a script holds for so many deliveries, in the order of the calls."""
    fake_sent.webhooks.duplicate_next()
    fake_sent.webhooks.drop_next(2)
    fake_sent.webhooks.delay_next(30)
    for number in range(6):
        fake_sent.emit("message.sent", status(str(number)))
    await fake_sent.settle()
    assert service.ids == ["0", "0", "4", "5"]
    assert service.events[0].id == service.events[1].id
    fake_sent.advance(30)
    await fake_sent.settle()
    assert service.ids == ["0", "0", "4", "5", "3"]
    lost = fake_sent.webhooks.deliveries[1]
    assert (lost.status, lost.attempts) == ("FAILED", 0)
    for refused in (fake_sent.webhooks.duplicate_next, fake_sent.webhooks.drop_next):
        with pytest.raises(ValueError, match="times"):
            refused(0)
    with pytest.raises(ValueError, match="delay"):
        fake_sent.webhooks.delay_next(-1)


async def test_duplicates_that_fail(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """A pair is repeated once, and not at all when one of it was delivered."""
    service.statuses = [500, 500, 204, 500, 204, 204, 500]
    fake_sent.webhooks.duplicate_next(3)
    (both,) = fake_sent.emit("message.sent", status("both fail"))
    await fake_sent.settle()
    fake_sent.advance(DAY)
    await fake_sent.settle()
    assert (both.status, both.attempts) == ("DELIVERED", 3)
    (first,) = fake_sent.emit("message.sent", status("the first fails"))
    await fake_sent.settle()
    (second,) = fake_sent.emit("message.sent", status("the second fails"))
    await fake_sent.settle()
    fake_sent.advance(DAY)
    await fake_sent.settle()
    assert (first.status, first.attempts) == (second.status, second.attempts) == ("DELIVERED", 2)


async def test_held_and_released_in_any_order(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """Nothing is delivered while it is held; what is released comes in the order that is asked for."""
    numbers = [str(number) for number in range(10)]
    fake_sent.webhooks.hold()
    fake_sent.webhooks.hold()
    for number in numbers:
        fake_sent.emit("message.sent", status(number))
    await fake_sent.settle()
    assert not service.events
    fake_sent.webhooks.release(reversed)
    await fake_sent.settle()
    assert service.ids == numbers[::-1]
    service.events.clear()
    fake_sent.webhooks.hold()
    for number in numbers:
        fake_sent.emit("message.sent", status(number))
    chance = random.Random(1)
    fake_sent.webhooks.release(lambda held: chance.sample(held * 2, 20))
    await fake_sent.settle()
    assert sorted(service.ids) == sorted(numbers * 2)
    fake_sent.webhooks.release()


async def test_a_repetition_is_held_too(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """And its waits begin again with the release."""
    service.statuses = [500, 500]
    (delivery,) = fake_sent.emit("message.sent")
    await fake_sent.settle()
    fake_sent.webhooks.hold()
    fake_sent.advance(DAY)
    await fake_sent.settle()
    assert delivery.attempts == 1
    fake_sent.webhooks.release()
    await fake_sent.settle()
    assert (delivery.attempts, delivery.status) == (2, "RETRYING")


async def test_released_at_once(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """All at the same time, so that a service meets itself."""
    service.gate = asyncio.Event()
    fake_sent.webhooks.hold()
    for number in range(5):
        fake_sent.emit("message.sent", status(str(number)))
    fake_sent.webhooks.release(at_once=True)
    await until(lambda: service.inside == 5)
    service.gate.set()
    await fake_sent.settle()
    assert {delivery.status for delivery in fake_sent.webhooks.deliveries} == {"DELIVERED"}


async def test_closing_during_a_delivery(service: Service) -> None:
    """It ends at once; a fake that is started again makes the delivery that was interrupted, and those behind it."""
    fake = FakeSent()
    endpoint = fake.add_webhook(endpoint_url=service.url, signing_secret=SECRET)
    fake.emit("message.queued")
    service.gate = asyncio.Event()
    async with fake, fake.client() as sent:
        fake.emit("message.sent")
        await until(lambda: service.events)
        testing = asyncio.create_task(
            sent.with_options(max_retries=0).webhooks.test(endpoint.id, event_type="templates")
        )
        await until(lambda: len(service.events) == 2)
        await asyncio.wait_for(fake.close(), 5)
        assert isinstance((await asyncio.gather(testing, return_exceptions=True))[0], Exception)
    service.gate.set()
    service.events.clear()
    async with fake:
        await fake.settle()
        assert service.names == ["message.queued", "message.sent"]


async def test_a_reset_forgets_deliveries(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """Those under way are given up, and nothing is repeated afterwards."""
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
