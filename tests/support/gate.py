"""A call whose end the test decides."""

from __future__ import annotations

import asyncio

from sent_async import NotFoundError


class Gate:
    """A call that keeps the items in it. They pass at once, or with ``closed=True`` when ``open`` is called."""

    def __init__(self, *, closed: bool = False) -> None:
        self.begun: list[int] = []
        self.cancelled: list[int] = []
        self.running = self.most = 0
        self.fails: dict[int, Exception] = {}
        self._open = asyncio.Event()
        if not closed:
            self.open()

    def open(self) -> None:
        """Let all items pass from now on."""
        self._open.set()

    async def __call__(self, item: int) -> int:
        self.begun.append(item)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if item in self.fails:
                raise self.fails[item]
            await asyncio.sleep(0)
            await self._open.wait()
        except asyncio.CancelledError:
            # Cleaning up takes its time: whoever cancels has to wait for it.
            await asyncio.sleep(0)
            self.cancelled.append(item)
            raise
        finally:
            self.running -= 1
        return item * 10


def not_found(message: str = "Profile not found") -> NotFoundError:
    """An error of a call."""
    return NotFoundError(message, status=404, code="RESOURCE_014")
