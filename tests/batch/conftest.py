"""A call whose responses a test releases by hand, and a check that nothing was left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest


@pytest.fixture(autouse=True)
async def _nothing_left_running() -> AsyncIterator[None]:
    """However a batch ends in a test, its tasks have ended too."""
    yield
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
