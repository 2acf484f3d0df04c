"""Wait for what other tasks do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def settle() -> None:
    """Let every task run until it can do nothing more by itself."""
    for _ in range(50):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that another task does."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing sets an event here
            await asyncio.sleep(0.001)
