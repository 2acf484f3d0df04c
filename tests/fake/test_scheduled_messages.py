"""Scheduled messages of the fake: held, sent when they are due, cancelled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sent_async import ConflictError, ErrorCode, RateLimitError, SentClient
from sent_async.testing import FakeSent
from tests.support.messages import JO, ahead, send, statuses


async def test_a_scheduled_message_is_held_until_it_is_due(fake_sent: FakeSent, sent: SentClient) -> None:
    """The response says QUEUED with the time. The message is SCHEDULED until then, and is sent."""
    due = ahead(hours=2)
    queued = await sent.messages.send(to=[JO], text="See you tonight", scheduled_at=due)
    assert queued.status == "QUEUED"
    assert queued.scheduled_at is not None and abs(queued.scheduled_at - due) < timedelta(milliseconds=1)
    message_id = queued.recipients[0].message_id
    fake_sent.advance(3600)
    held = await sent.messages.retrieve(message_id)
    assert (held.status, held.scheduled_at) == ("SCHEDULED", queued.scheduled_at)
    fake_sent.advance(3601)
    message = await sent.messages.retrieve(message_id)
    assert statuses(message) == ["QUEUED", "SCHEDULED", "ROUTED", "SENT", "DELIVERED"]
    assert message.scheduled_at == queued.scheduled_at
    routed = (message.events or [])[2].timestamp
    assert routed is not None and routed >= due - timedelta(milliseconds=1)


async def test_a_held_message_can_be_cancelled(fake_sent: FakeSent, sent: SentClient) -> None:
    """It can be cancelled repeatedly, is never sent, costs nothing, and cannot be sent again."""
    message_id = await send(sent, text="Maybe", scheduled_at=ahead(hours=2))
    cancelled = await sent.messages.cancel(message_id)
    assert (cancelled.status, cancelled.price) == ("CANCELLED", None)
    assert cancelled.scheduled_at is not None
    assert await sent.messages.cancel(message_id) == cancelled
    fake_sent.advance(24 * 3600)
    assert statuses(fake_sent.messages[message_id]) == ["QUEUED", "SCHEDULED", "CANCELLED"]
    with pytest.raises(ConflictError) as caught:
        await sent.messages.resend(message_id)
    assert caught.value.code == ErrorCode.MESSAGE_NOT_MODIFIABLE


async def test_cancelling_too_late(fake_sent: FakeSent, sent: SentClient) -> None:
    """A message that is not held is 409 ``BUSINESS_006``, which is not retried."""
    message_id = await send(sent, text="Now", scheduled_at=ahead(minutes=2))
    fake_sent.advance(180)
    for ended in (message_id, await send(sent)):
        fake_sent.clear()
        with pytest.raises(ConflictError) as caught:
            await sent.messages.cancel(ended)
        assert (caught.value.code, caught.value.status) == (ErrorCode.MESSAGE_NOT_MODIFIABLE, 409)
        assert len(fake_sent.requests) == 1


async def test_the_quota_of_scheduled_messages() -> None:
    """It is 429 ``LIMIT_001``, which is not retried. Cancelled and due messages no longer count."""
    async with FakeSent(scheduled_limit=2) as fake, fake.client() as sent:
        first = await send(sent, text="One", scheduled_at=ahead(hours=1))
        with pytest.raises(RateLimitError) as caught:
            await sent.messages.send(to=[JO, JO], text="Two", scheduled_at=ahead(hours=1))
        assert (caught.value.code, caught.value.attempts) == (ErrorCode.SCHEDULED_LIMIT_REACHED, 1)
        await send(sent, text="Two", scheduled_at=ahead(hours=2))
        await sent.messages.cancel(first)
        await send(sent, text="Three", scheduled_at=ahead(hours=2))
        fake.advance(3 * 3600)
        await sent.messages.send(to=[JO, JO], text="Four", scheduled_at=ahead(hours=4))
