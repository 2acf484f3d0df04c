"""The overhead of a batch, compared with ``asyncio.gather`` and a semaphore."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sent_async import batch

from . import shared
from .shared import OURS, Row, row

GATHER = "gather + semaphore"
ITEMS = 10_000


async def _call(item: int) -> int:
    await asyncio.sleep(0)
    return item


async def _gather() -> None:
    gate = asyncio.Semaphore(50)

    async def one(item: int) -> int:
        async with gate:
            return await _call(item)

    assert len(await asyncio.gather(*(one(item) for item in range(ITEMS)), return_exceptions=True)) == ITEMS


async def _awaited() -> None:
    assert len(await batch(_call, range(ITEMS), concurrency=50)) == ITEMS


async def _iterated() -> None:
    assert len([result async for result in batch(_call, range(ITEMS), concurrency=50)]) == ITEMS


def _in_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    return lambda: asyncio.run(main())


def batches(quick: bool) -> list[Row]:
    """10,000 items of a call that only yields once, 50 at a time."""
    calls = {OURS: _in_loop(_awaited), f"{OURS}, iterated": _in_loop(_iterated), GATHER: _in_loop(_gather)}
    found = shared.interleaved(calls, 5 if quick else 11, 0.05)
    figures = {name: shared.median(times) * 1000 for name, times in found.items()}
    value = shared.ratio(found[OURS], found[GATHER])
    return [row("a batch's own cost, 10,000 items", "ms", figures, value, "≤", 1.05, GATHER)]
