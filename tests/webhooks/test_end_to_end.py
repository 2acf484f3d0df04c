"""The fake, receivers and a tracker together. These are short runs; ``nox -s webhooks`` makes the long ones."""

from __future__ import annotations

import pytest

from checks import webhooks


@pytest.mark.parametrize("kind", webhooks.KINDS)
async def test_a_crash_loses_nothing(kind: str) -> None:
    """Each event is handled to its end once, and delivered, although its receiver was killed in the middle."""
    run = await webhooks.crash(kind, 90, seed=3)
    assert (run.deliveries, run.handled, run.delivered, run.twice) == (150, 90, 90, 0)
    assert run.interrupted == 1


@pytest.mark.parametrize("kind", webhooks.KINDS)
async def test_a_tracker_knows_the_state_of_each_message(kind: str) -> None:
    """Requests fail, and deliveries are lost, repeated and out of order.

    In the end the states are those of the fake.
    """
    followed = await webhooks.follow(kind, 100, seed=3)
    assert (followed.messages, followed.wrong) == (100, 0)
    assert followed.lost > 0
    assert followed.reconciled > 0
    assert set(followed.statuses) == {"DELIVERED", "FAILED", "BLOCKED", "FILTERED", "SENT"}


def test_random_deliveries_raise_only_our_errors() -> None:
    """Any delivery becomes an event or a ``SentError``, and every kind of both occurs."""
    assert webhooks.noise(3000, seed=3).keys() >= webhooks.EVENTS | webhooks.REFUSALS
