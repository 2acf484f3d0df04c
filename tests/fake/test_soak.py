"""A short cut of the soak; ``nox -s soak`` runs all of it."""

from __future__ import annotations

import pytest

from checks import soak


@pytest.mark.parametrize("kind", ["profile", "campaign", "template"])
async def test_creates_happen_once(kind: str) -> None:
    """As many resources as calls, each returned one stored, under a fault in three requests of ten."""
    report = await soak.creates(kind, 120, seed=7)
    assert report.faults > 20
    assert (report.made, report.duplicates, report.lost, report.stuck) == (120, 0, 0, 0)


async def test_deletes_end() -> None:
    """Everything is gone, and a 404 is met only by a call that was sent more than once."""
    report = await soak.deletes(120, seed=7)
    assert report.faults > 20
    assert (report.made, report.lost, report.stuck) == (120, 0, 0)


async def test_a_retried_create_happens_once() -> None:
    """Connections reset after the work: with retries, still one resource for each call."""
    returned, raised, made = await soak.ours(60, retries=2, seed=3)
    assert returned + raised == made == 60
    assert returned > raised
