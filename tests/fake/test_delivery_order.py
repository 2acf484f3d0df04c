"""The order of deliveries, and how a test changes it: twice, lost, late, held, released."""

from __future__ import annotations

import asyncio
import random

import pytest

from sent_async.models import Webhook
from sent_async.testing import FakeSent
from tests.support.deliveries import sent_payload
from tests.support.service import Service
from tests.support.waiting import until

DAY = 86_400


async def test_in_order(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """They are made one at a time, in the order of the events, so that tests are repeatable."""
    numbers = [str(number) for number in range(50)]
    for number in numbers:
        fake_sent.emit("message.sent", sent_payload(number))
    await fake_sent.settle()
    assert service.ids == numbers
    assert service.most_inside == 1


async def test_twice_lost_and_late(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """Each instruction holds for a number of deliveries, in the order of the calls."""
    fake_sent.webhooks.duplicate_next()
    fake_sent.webhooks.drop_next(2)
    fake_sent.webhooks.delay_next(30)
    for number in range(6):
        fake_sent.emit("message.sent", sent_payload(str(number)))
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
    """A pair is repeated once, and not at all when one of the two was delivered."""
    service.statuses = [500, 500, 204, 500, 204, 204, 500]
    fake_sent.webhooks.duplicate_next(3)
    (both,) = fake_sent.emit("message.sent", sent_payload("both fail"))
    await fake_sent.settle()
    fake_sent.advance(DAY)
    await fake_sent.settle()
    assert (both.status, both.attempts) == ("DELIVERED", 3)
    (first,) = fake_sent.emit("message.sent", sent_payload("the first fails"))
    await fake_sent.settle()
    (second,) = fake_sent.emit("message.sent", sent_payload("the second fails"))
    await fake_sent.settle()
    fake_sent.advance(DAY)
    await fake_sent.settle()
    assert (first.status, first.attempts) == (second.status, second.attempts) == ("DELIVERED", 2)


async def test_held_and_released_in_any_order(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """While deliveries are held none is made. The test decides the order of the release."""
    numbers = [str(number) for number in range(10)]
    fake_sent.webhooks.hold()
    fake_sent.webhooks.hold()
    for number in numbers:
        fake_sent.emit("message.sent", sent_payload(number))
    await fake_sent.settle()
    assert not service.events
    fake_sent.webhooks.release(reversed)
    await fake_sent.settle()
    assert service.ids == numbers[::-1]
    service.events.clear()
    fake_sent.webhooks.hold()
    for number in numbers:
        fake_sent.emit("message.sent", sent_payload(number))
    chance = random.Random(1)
    fake_sent.webhooks.release(lambda held: chance.sample(held * 2, 20))
    await fake_sent.settle()
    assert sorted(service.ids) == sorted(numbers * 2)
    fake_sent.webhooks.release()


async def test_a_repetition_is_held_too(fake_sent: FakeSent, service: Service, endpoint: Webhook) -> None:
    """Its waits begin again with the release."""
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
    """All deliveries are made at the same time."""
    service.gate = asyncio.Event()
    fake_sent.webhooks.hold()
    for number in range(5):
        fake_sent.emit("message.sent", sent_payload(str(number)))
    fake_sent.webhooks.release(at_once=True)
    await until(lambda: service.inside == 5)
    service.gate.set()
    await fake_sent.settle()
    assert {delivery.status for delivery in fake_sent.webhooks.deliveries} == {"DELIVERED"}
