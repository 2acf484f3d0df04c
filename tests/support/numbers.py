"""Calls for batches whose values are easy to check."""

from __future__ import annotations

import asyncio
from typing import Any

from sent_async import Result, SentError


class Numbers:
    """A call that fails for some numbers, and remembers what it was called with."""

    def __init__(self, failing: set[int] | None = None) -> None:
        self.failing = failing or set()
        self.called: list[int] = []

    async def double(self, number: int) -> int:
        self.called.append(number)
        await asyncio.sleep(0)
        if number in self.failing:
            raise SentError("no")
        return number * 2


def values(results: list[Result[Any, Any]]) -> list[Any]:
    return [result.value if result.ok else result.error for result in results]
