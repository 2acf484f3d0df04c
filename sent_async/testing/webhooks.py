"""``FakeSent.webhooks``: the endpoints, and methods that change their deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from ..models import Webhook
from .deliveries import Deliveries, Delivery
from .store import Endpoint, Store, View


class Webhooks(View[Webhook, Endpoint]):
    """The webhook endpoints by id, each with its ``signing_secret``, and methods that change their deliveries.

    Without these methods, an endpoint gets one event at a time, in the order in which the events happened. Each
    ``..._next`` applies to the next ``times`` deliveries, in the order of these calls. An event for two endpoints is
    two deliveries.
    """

    def __init__(self, store: Store, deliveries: Deliveries) -> None:
        super().__init__(Webhook, store.webhooks, attrgetter("wire"))
        self._deliveries = deliveries

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The latest 100,000 deliveries, in the order of their creation. Those of ``webhooks.test`` are included."""
        return list(self._deliveries.log)

    def duplicate_next(self, times: int = 1) -> None:
        """Make the next deliveries twice, as Sent does when it gets no response.

        Args:
            times: The number of deliveries.

        Raises:
            ValueError: ``times`` is below 1 or above 1,000,000.
        """
        self._script(self._deliveries.enqueue_twice, times)

    def drop_next(self, times: int = 1) -> None:
        """Drop the next deliveries.

        Args:
            times: The number of deliveries.

        Raises:
            ValueError: ``times`` is below 1 or above 1,000,000.
        """
        self._script(self._deliveries.drop, times)

    def delay_next(self, seconds: float, times: int = 1) -> None:
        """Delay the next deliveries. ``fake.advance`` ends the delay.

        Args:
            seconds: The delay in seconds of the fake's clock.
            times: The number of deliveries.

        Raises:
            ValueError: ``seconds`` is negative, or ``times`` is below 1 or above 1,000,000.
        """
        if not seconds >= 0:
            raise ValueError(f"a delay is 0 seconds or more, got {seconds!r}")
        self._script(lambda delivery: self._deliveries.delay(delivery, seconds), times)

    def hold(self) -> None:
        """Hold all deliveries and retries, until ``release``."""
        self._deliveries.hold()

    def release(
        self,
        order: Callable[[list[Delivery]], Iterable[Delivery]] = list,
        *,
        at_once: bool = False,
    ) -> None:
        """Make the held deliveries, and hold no more::

            fake.webhooks.release(reversed)                                       # the latest first
            fake.webhooks.release(lambda held: random.sample(held, len(held)))    # in random order
            fake.webhooks.release(lambda held: held * 2)                          # each twice

        Args:
            order: A function from the held deliveries to those to make, in their order.
            at_once: Make all deliveries at the same time instead of one after the other.
        """
        self._deliveries.release(order, at_once=at_once)

    def _script(self, step: Callable[[Delivery], Any], times: int) -> None:
        if not 1 <= times <= 1_000_000:
            raise ValueError(f"times is the number of deliveries, 1 to 1,000,000; got {times!r}")
        self._deliveries.scripted.extend([step] * times)
