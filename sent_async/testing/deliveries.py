"""Deliveries of events to webhook endpoints: signed, retried after a failure, and recorded."""

from __future__ import annotations

import base64
import hmac
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Final, Literal

import msgspec

from .clock import Clock, stamp
from .events import FAMILIES, Emitted
from .outbox import NOT_ALLOWED, Outbox, Outcome
from .store import JSON, Endpoint, Store, new_id

FIRST_WAIT: Final = 60.0
LONGEST_WAIT: Final = 3600.0
FAILURES: Final = 10
"""The number of failed attempts in a row after which an endpoint is turned off."""
KEPT: Final = 100_000
"""The number of deliveries that are recorded."""


class Delivery(msgspec.Struct, kw_only=True, eq=False):
    """One event for one webhook endpoint, with its state. Times are Unix seconds of the fake's clock."""

    id: str
    """The id of the delivery."""
    endpoint_id: str
    """The endpoint that it goes to."""
    event_id: str
    """The value of ``X-Webhook-Event-ID`` in every attempt."""
    name: str
    """The name of the event, such as ``message.delivered``; the name of the family if it has only one event."""
    body: bytes
    """The body of the request."""
    status: Literal["PENDING", "RETRYING", "DELIVERED", "FAILED"] = "PENDING"
    """The state of the delivery."""
    attempts: int = 0
    """How many requests were made."""
    outcome: Outcome = Outcome()
    """The outcome of the last attempt, or the reason why there was none."""
    created: float
    """When the event happened."""
    started: float | None = None
    """When the first attempt began."""
    completed: float | None = None
    """When it was delivered, or when the last attempt failed."""
    due: float
    """When the next attempt is due; after the last attempt, when that was due."""

    def __repr__(self) -> str:
        """Without the body, which may contain message texts and phone numbers."""
        return f"<Delivery of {self.name} ({self.event_id}): {self.status}, attempts={self.attempts}>"

    @property
    def json(self) -> Any:
        """The decoded body."""
        return msgspec.json.decode(self.body)


class Deliveries:
    """Delivers events to the endpoints that subscribe to them.

    An endpoint gets one delivery at a time, in the order of the events, unless a test changes that.
    """

    def __init__(self, store: Store, clock: Clock, outbox: Outbox) -> None:
        self.log: deque[Delivery] = deque(maxlen=KEPT)
        self.scripted: deque[Callable[[Delivery], None]] = deque()
        """What to do with the next deliveries, one function for each."""
        self._store = store
        self._clock = clock
        self.outbox = outbox
        self._running = False
        self._queues: dict[str, deque[Delivery]] = {}
        self._busy: set[str] = set()
        self._held: list[Delivery] | None = None

    def start(self) -> None:
        """Start the pending deliveries, and each new one when it is made."""
        self._running = True
        for endpoint_id in self._queues:
            self._wake(endpoint_id)

    def stop(self) -> None:
        """Start no more attempts. The pending deliveries are kept."""
        self._running = False

    def dispatch(self, event: Emitted) -> list[Delivery]:
        """Deliver an event to every active endpoint of its owner that subscribes to it."""
        made = [
            self._new(endpoint, event)
            for endpoint in self._store.webhooks.values()
            if endpoint.wire["is_active"] and is_subscribed(endpoint, event)
        ]
        for delivery in made:
            step = self.scripted.popleft() if self.scripted else self._enqueue
            step(delivery)
        return made

    async def test(self, endpoint: Endpoint, event: Emitted) -> Outcome:
        """Deliver an event once to this endpoint, even if the endpoint does not subscribe to it."""
        delivery = self._new(endpoint, event)
        outcome: Outcome = await self.outbox.start(self._post(endpoint, delivery))
        self._end(delivery, "DELIVERED" if outcome.ok else "FAILED")
        return outcome

    # What a test can do with a delivery

    def enqueue_twice(self, delivery: Delivery) -> None:
        self._enqueue(delivery)
        self._enqueue(delivery)

    def drop(self, delivery: Delivery) -> None:
        delivery.outcome = Outcome(problem="dropped, as the test asked for")
        self._end(delivery, "FAILED")

    def delay(self, delivery: Delivery, seconds: float) -> None:
        delivery.due += seconds
        self._clock.call_at(delivery.due, partial(self._enqueue, delivery))

    def hold(self) -> None:
        if self._held is None:
            self._held = []

    def release(self, order: Callable[[list[Delivery]], Iterable[Delivery]], *, at_once: bool) -> None:
        held, self._held = self._held or [], None
        for delivery in order(held):
            delivery.due = self._clock.now()
            if at_once:
                self.outbox.start(self._attempt(delivery))
            else:
                self._enqueue(delivery)

    def _new(self, endpoint: Endpoint, event: Emitted) -> Delivery:
        delivery = Delivery(
            id=new_id(),
            endpoint_id=endpoint.wire["id"],
            event_id=event.id,
            name=event.name,
            body=event.body(),
            created=event.at,
            due=event.at,
        )
        self.log.append(delivery)
        return delivery

    def _enqueue(self, delivery: Delivery) -> None:
        if self._held is not None:
            self._held.append(delivery)
            return
        self._queues.setdefault(delivery.endpoint_id, deque()).append(delivery)
        self._wake(delivery.endpoint_id)

    def _wake(self, endpoint_id: str) -> None:
        if self._running and endpoint_id not in self._busy:
            self._busy.add(endpoint_id)
            self.outbox.start(self._deliver_queue(endpoint_id))

    async def _deliver_queue(self, endpoint_id: str) -> None:
        queue = self._queues[endpoint_id]
        try:
            while queue:
                await self._attempt(queue[0])
                queue.popleft()  # not earlier: an attempt that ``stop`` interrupts is repeated after the next ``start``
        finally:
            self._busy.discard(endpoint_id)

    async def _attempt(self, delivery: Delivery) -> None:
        endpoint = self._store.webhooks.get(delivery.endpoint_id)
        if endpoint is None or not endpoint.wire["is_active"]:
            delivery.outcome = Outcome(problem=f"the endpoint was {'turned off' if endpoint else 'deleted'}")
            self._end(delivery, "FAILED")
        elif not self.outbox.allows(endpoint.wire["endpoint_url"]):
            # This is not counted as a failure: ten failures would turn off an endpoint that a test only creates.
            delivery.outcome = NOT_ALLOWED
        else:
            outcome = await self._post(endpoint, delivery)
            self._update_endpoint(delivery.endpoint_id, outcome)
            if outcome.ok:
                self._end(delivery, "DELIVERED")
            elif delivery.attempts <= endpoint.wire["retry_count"]:
                self._plan_retry(delivery)
            else:
                self._end(delivery, "FAILED")

    async def _post(self, endpoint: Endpoint, delivery: Delivery) -> Outcome:
        """Make one attempt, signed with the current time and the current secret."""
        wire = endpoint.wire
        now = str(int(time.time()))  # real time: the receiver's clock is not advanced with the fake's
        headers = {
            "X-Webhook-ID": wire["id"],
            "X-Webhook-Timestamp": now,
            "X-Webhook-Signature": signature(wire["signing_secret"], wire["id"], now, delivery.body),
            "X-Webhook-Event-ID": delivery.event_id,
            "X-Webhook-Event-Type": delivery.name,
        }
        if delivery.started is None:
            delivery.started = self._clock.now()
        delivery.outcome = await self.outbox.post(wire["endpoint_url"], delivery.body, headers, wire["timeout_seconds"])
        delivery.attempts += 1
        return delivery.outcome

    def _update_endpoint(self, endpoint_id: str, outcome: Outcome) -> None:
        """Update the endpoint after an attempt. It may have been changed or deleted meanwhile."""
        endpoint = self._store.webhooks.get(endpoint_id)
        if endpoint is None:
            return
        now = stamp(self._clock.now())
        wire: JSON = {**endpoint.wire, "last_delivery_attempt_at": now}
        if outcome.ok:
            wire |= {"last_successful_delivery_at": now, "consecutive_failures": 0}
        else:
            failures = wire["consecutive_failures"] + 1
            wire |= {"consecutive_failures": failures, "is_active": wire["is_active"] and failures < FAILURES}
        self._store.webhooks[endpoint_id] = msgspec.structs.replace(endpoint, wire=wire)

    def _plan_retry(self, delivery: Delivery) -> None:
        """Plan the next attempt: after a minute, then after twice as long each time, up to an hour.

        The wait starts when the last attempt was due.
        """
        if delivery.completed is not None or (delivery.status == "RETRYING" and delivery.due > self._clock.now()):
            return  # its duplicate was delivered already, or has its next attempt
        delivery.status = "RETRYING"
        delivery.due += min(FIRST_WAIT * 2 ** (delivery.attempts - 1), LONGEST_WAIT)
        if delivery.due <= self._clock.now():
            self._enqueue(delivery)
        else:
            self._clock.call_at(delivery.due, partial(self._retry, delivery))

    def _retry(self, delivery: Delivery) -> None:
        if delivery.completed is None:
            self._enqueue(delivery)

    def _end(self, delivery: Delivery, status: Literal["DELIVERED", "FAILED"]) -> None:
        if delivery.status != "DELIVERED":
            delivery.status, delivery.completed = status, self._clock.now()


def is_subscribed(endpoint: Endpoint, event: Emitted) -> bool:
    """Whether an endpoint gets an event. All endpoints get the events of an unknown family."""
    subscription: Mapping[str, Any] = endpoint.wire
    if event.owner != endpoint.owner:
        if endpoint.owner is not None or endpoint.sender_profile is None:
            return False
        subscription = endpoint.sender_profile
    if event.field not in FAMILIES:
        return True
    if event.field not in (subscription["event_types"] or ()):
        return False
    filters: Mapping[str, Collection[str]] = subscription["event_filters"] or {}
    names = filters.get(event.field)
    return names is None or event.event is None or event.event.removeprefix(f"{event.field}.") in names


def signature(secret: str, endpoint_id: str, timestamp: str, body: bytes) -> str:
    """The value of ``X-Webhook-Signature``."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{endpoint_id}.{timestamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(digest).decode()
