"""The campaign over taskiq."""

from __future__ import annotations

from checks.campaign import campaign


async def test_a_killed_worker_loses_nothing_and_repeats_nothing() -> None:
    """Each person has exactly one message, although one of three workers was killed with a third of them sent."""
    outcome = await campaign(150, idle=2, limit=100, window=1)
    assert (outcome.people, outcome.messages) == (150, 150)
