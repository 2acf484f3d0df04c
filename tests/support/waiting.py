"""Wait for what other tasks do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def turns(count: int) -> None:
    """Let the event loop run this many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def settle() -> None:
    """Let every task run until it can do nothing more by itself."""
    await turns(50)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that another task does."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing sets an event here
            await asyncio.sleep(0.001)
