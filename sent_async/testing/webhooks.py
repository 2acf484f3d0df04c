"""``FakeSent.webhooks``: the endpoints, and the script for their deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from ..models import Webhook
from .deliveries import Deliveries, Delivery
from .store import Endpoint, Store, View


class Webhooks(View[Webhook, Endpoint]):
    """The webhook endpoints by id, each with its ``signing_secret``, and a script for what is delivered to them.

    Without a script an endpoint gets one event at a time, in the order in which they happened. Each ``..._next`` holds
    for the next ``times`` deliveries, one of an event to an endpoint counting as one, in the order of the calls.
    """

    def __init__(self, store: Store, deliveries: Deliveries) -> None:
        super().__init__(Webhook, store.webhooks, attrgetter("wire"))
        self._deliveries = deliveries

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The latest 100,000, in the order in which they were made, those of ``webhooks.test`` included."""
        return list(self._deliveries.log)

    def duplicate_next(self, times: int = 1) -> None:
        """Deliver each of them twice in a row, as happens when a response is lost."""
        self._script(self._deliveries.twice, times)

    def drop_next(self, times: int = 1) -> None:
        """Drop the next deliveries."""
        self._script(self._deliveries.lose, times)

    def delay_next(self, seconds: float, times: int = 1) -> None:
        """Deliver them late, by seconds of the fake's clock: ``fake.advance`` brings them forward."""
        if not seconds >= 0:
            raise ValueError(f"a delay is 0 seconds or more, got {seconds!r}")
        self._script(lambda delivery: self._deliveries.delay(delivery, seconds), times)

    def hold(self) -> None:
        """Hold all deliveries from now on, retries included, until ``release``."""
        self._deliveries.hold()

    def release(
        self,
        order: Callable[[list[Delivery]], Iterable[Delivery]] = list,
        *,
        at_once: bool = False,
    ) -> None:
        """Deliver the held deliveries, and stop holding::

            fake.webhooks.release(reversed)                                       # the latest first
            fake.webhooks.release(lambda held: random.sample(held, len(held)))    # in any order
            fake.webhooks.release(lambda held: held * 2)                          # each twice

        Args:
            order: Takes the held deliveries, and returns those to deliver, in their order.
            at_once: Deliver all at the same time rather than one after the other.
        """
        self._deliveries.release(order, at_once=at_once)

    def _script(self, step: Callable[[Delivery], Any], times: int) -> None:
        if not 1 <= times <= 1_000_000:
            raise ValueError(f"times is how many deliveries are meant, 1 to 1,000,000; got {times!r}")
        self._deliveries.scripted.extend([step] * times)
