"""The states of messages, whatever the order in which events arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import NotFoundError, SentConfigError
from sent_async.models.events import MessageStatusPayload
from sent_async.webhooks import EventName, MessageStatus, MessageStatusEvent, MessageTracker, UnknownEvent
from tests.support.clocks import FakeClock

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(
    status: str, at: float | None, *, message_id: str = "m", sent_out: float | None = None, **payload: Any
) -> MessageStatusEvent:
    """An event about a message; moments in seconds after the start."""
    return MessageStatusEvent(
        id="evt",
        endpoint_id="e",
        name=EventName(f"message.{status.lower()}"),
        timestamp=None if sent_out is None else START + timedelta(seconds=sent_out),
        payload=MessageStatusPayload(
            message_id=message_id,
            message_status=MessageStatus(status),
            updated_at=None if at is None else START + timedelta(seconds=at),
            **payload,
        ),
    )


class Activity(NamedTuple):
    """As ``sent.messages.list_activities`` gives it."""

    status: str | None
    timestamp: datetime | None
    reason_code: str | None = None


@pytest.fixture
async def tracker(clock: FakeClock) -> AsyncIterator[MessageTracker]:
    async with MessageTracker(clock=clock) as made:
        yield made


@pytest.mark.parametrize(
    "course",
    [
        ("QUEUED", "ROUTED", "SENT", "DELIVERED", "READ"),
        ("QUEUED", "SENT", "FAILED", "QUEUED", "SENT"),  # tried again on another channel
        ("DELIVERED", "FAILED"),
    ],
)
async def test_any_order(clock: FakeClock, course: tuple[str, ...]) -> None:
    """The event with the latest ``updated_at`` counts, not the last to arrive or the highest status."""
    for order in permutations(range(len(course))):
        async with MessageTracker(clock=clock) as tracker:
            for at in (*order, order[0]):
                await tracker.record(event(course[at], at))
            state = await tracker.state("m")
            assert state is not None
            assert state.status == course[-1]
            assert state.updated_at == START + timedelta(seconds=len(course) - 1)


@given(st.lists(st.tuples(st.sampled_from(list(MessageStatus)), st.integers(0, 10**9)), min_size=1, max_size=8))
async def test_latest_of_any(events: list[tuple[MessageStatus, int]]) -> None:
    """Times are compared to the microsecond; of equal times the last to arrive counts."""
    async with MessageTracker() as tracker:
        for status, microseconds in events:
            await tracker.record(event(status, microseconds / 1e6))
        state = await tracker.state("m")
    latest = max(range(len(events)), key=lambda index: (events[index][1], index))
    assert state is not None
    assert state.status == events[latest][0]


async def test_equal_moments(tracker: MessageTracker) -> None:
    """When ``updated_at`` is equal, the time of sending decides."""
    await tracker.record(event("DELIVERED", 5, sent_out=7))
    await tracker.record(event("SENT", 5, sent_out=6))
    state = await tracker.state("m")
    assert state is not None
    assert state.status == "DELIVERED"


async def test_without_updated_at(tracker: MessageTracker) -> None:
    """Early forms have only the time of sending."""
    await tracker.record(event("DELIVERED", None, sent_out=7))
    await tracker.record(event("SENT", None, sent_out=6))
    state = await tracker.record(event("QUEUED", None))
    assert state is not None
    assert (state.status, state.updated_at) == ("DELIVERED", START + timedelta(seconds=7))


async def test_facts_of_a_state(tracker: MessageTracker) -> None:
    """Channel and reason are kept with the state, and a known channel is not lost."""
    await tracker.record(event("SENT", 1, channel="sms"))
    state = await tracker.record(event("FAILED", 2, reason_code="DELIVERY_003"))
    assert state is not None
    assert (state.channel, state.reason_code, state.settled) == ("sms", "DELIVERY_003", True)


async def test_other_events(tracker: MessageTracker) -> None:
    """Events of other kinds and of unknown messages are ignored."""
    assert await tracker.record(UnknownEvent(id="1", endpoint_id="e", name=EventName("x"), payload={})) is None
    assert await tracker.state("m") is None


async def test_events_before_the_send_returned(tracker: MessageTracker) -> None:
    """Events that came before the message was expected count."""
    await tracker.record(event("SENT", 1))
    await tracker.expect(["m", "n"])
    states = [await tracker.state(id) for id in ("m", "n")]
    assert [state and state.status for state in states] == ["SENT", None]
    with pytest.raises(SentConfigError):
        await tracker.expect("mn")


async def test_missing(tracker: MessageTracker, clock: FakeClock) -> None:
    """Messages without a final state, the longest silent first. A scheduled message counts from when it is due."""
    await tracker.expect(["nothing"])
    clock.advance(10)
    await tracker.record(event("SENT", 1, message_id="stuck"))
    await tracker.record(event("DELIVERED", 1, message_id="done"))
    held = datetime.fromtimestamp(clock.wall() + 3600, UTC)
    await tracker.record(event("SCHEDULED", 1, message_id="held", scheduled_at=held))
    clock.advance(600)
    await tracker.record(event("SENT", 1, message_id="recent"))
    assert [state.message_id for state in await tracker.missing(after=600)] == ["nothing", "stuck"]
    assert [state.message_id for state in await tracker.missing(after=605)] == ["nothing"]
    clock.advance(3600)
    assert {state.message_id for state in await tracker.missing(after=600)} == {"nothing", "stuck", "held", "recent"}


async def test_reconcile(tracker: MessageTracker, clock: FakeClock) -> None:
    """The latest activity counts. A message is not asked about again at once, unless the call failed."""
    await tracker.expect(["lost", "silent", "gone", "ahead"])
    clock.advance(600)
    await tracker.record(event("SENT", 100, message_id="ahead"))
    clock.advance(600)
    asked: list[str] = []

    async def list_activities(message_id: str) -> AsyncIterator[Activity]:
        asked.append(message_id)
        if message_id == "gone":
            raise NotFoundError(status=404)
        if message_id != "silent":
            yield Activity("FAILED", START + timedelta(seconds=9), "DELIVERY_003")
            yield Activity(None, START + timedelta(seconds=99))
            yield Activity("SENT", START + timedelta(seconds=5))
            yield Activity("QUEUED", None)

    results = {result.key: result for result in await tracker.reconcile(list_activities, after=600)}
    assert results.keys() == {"lost", "silent", "gone", "ahead"}
    lost = results["lost"].unwrap()
    assert (lost.status, lost.reason_code) == ("FAILED", "DELIVERY_003")
    assert results["silent"].unwrap().status is None
    assert isinstance(results["gone"].error, NotFoundError)
    assert results["ahead"].unwrap().status == "SENT"
    asked.clear()
    await tracker.reconcile(list_activities, after=600)
    assert asked == ["gone"]


async def test_forget(tracker: MessageTracker, clock: FakeClock) -> None:
    """Messages are forgotten by the time since their last event."""
    await tracker.record(event("DELIVERED", 1))
    clock.advance(100)
    await tracker.record(event("DELIVERED", 1, message_id="n"))
    assert await tracker.forget(after=50) == 1
    assert await tracker.state("m") is None
    assert await tracker.state("n") is not None


async def test_survives_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    """A tracker with a file has the same states and times after a restart."""
    path = tmp_path / "messages.sqlite"
    async with MessageTracker(path, clock=clock) as tracker:
        before = await tracker.record(event("SCHEDULED", 1.25, scheduled_at=START + timedelta(days=1)))
    async with MessageTracker(path, clock=clock) as tracker:
        assert await tracker.state("m") == before
