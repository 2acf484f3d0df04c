"""A short run of the soak; ``nox -s soak`` makes the long one."""

from __future__ import annotations

import pytest

from checks import soak


@pytest.mark.parametrize("kind", ["profile", "campaign", "template"])
async def test_creates_happen_once(kind: str) -> None:
    """With a fault in three of ten requests there are as many resources as calls."""
    report = await soak.creates(kind, 120, seed=7)
    assert report.faults > 20
    assert (report.made, report.duplicates, report.lost, report.stuck) == (120, 0, 0, 0)


async def test_deletes_end() -> None:
    """Everything is deleted, and only retried calls get a 404."""
    report = await soak.deletes(120, seed=7)
    assert report.faults > 20
    assert (report.made, report.lost, report.stuck) == (120, 0, 0)


async def test_a_retried_create_happens_once() -> None:
    """When connections break after the work, there is one resource for each call."""
    returned, raised, made = await soak.ours(60, retries=2, seed=3)
    assert returned + raised == made == 60
    assert returned > raised
