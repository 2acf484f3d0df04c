"""Deliveries that fail: repeated, given up, and the effect on the endpoint."""

from __future__ import annotations

import asyncio

from sent_async import SentClient
from sent_async.models import Webhook
from sent_async.testing import FakeSent
from tests.support.deliveries import SECRET, sent_payload
from tests.support.service import Service
from tests.support.waiting import until

MINUTE = 60
DAY = 86_400


async def test_a_failure_is_repeated(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """After one minute, then two, then four. The log and the endpoint show it."""
    service.statuses = [500, 302, 404]
    (delivery,) = fake_sent.emit("message.sent", sent_payload("m1"))
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
    """A long step of the clock makes all repetitions. After the last one the delivery has failed."""
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
    """All repetitions that are due within the step are made."""
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
    """They are signed with the present secret; the old one is not used."""
    service.statuses = [500]
    fake_sent.emit("message.sent")
    await fake_sent.settle()
    service.secret = str((await sent.webhooks.rotate_secret(endpoint.id)).signing_secret)
    fake_sent.advance(MINUTE)
    await fake_sent.settle()
    assert len(service.events) == 2


async def test_a_receivers_clock_is_the_real_one(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """Signatures are not stale, however far the fake's clock was advanced."""
    fake_sent.advance(30 * DAY)
    fake_sent.emit("message.sent")
    await fake_sent.settle()
    assert service.names == ["message.sent"]


async def test_ten_failures_turn_an_endpoint_off(
    fake_sent: FakeSent, sent: SentClient, service: Service, endpoint: Webhook
) -> None:
    """After ten failures in a row, waiting and later events are not delivered."""
    service.statuses = [500] * 10
    deliveries = [fake_sent.emit("message.sent", sent_payload(str(number)))[0] for number in range(11)]
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
    """After a success the count begins again."""
    service.statuses = [*[500] * 9, 200, *[500] * 9, 200]
    for _ in range(20):
        fake_sent.emit("message.sent")
    await fake_sent.settle()
    assert fake_sent.webhooks[endpoint.id].is_active


async def test_a_receiver_that_is_away(fake_sent: FakeSent, service: Service) -> None:
    """A closed port is a failure with a reason, and so is an endpoint that was deleted."""
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


async def test_closing_during_a_delivery(service: Service) -> None:
    """It ends at once. After the next start the interrupted delivery and later ones are made."""
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
