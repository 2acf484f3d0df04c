"""Reports that the fake posts to addresses of the caller's own."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import aiohttp
import msgspec
from yarl import URL

from ..options import is_loopback
from .store import JSON

_PATIENCE: Final = aiohttp.ClientTimeout(total=5)


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """One report of a completion to its ``webHookUrl``."""

    url: str
    body: Any
    status: int | None
    """What the receiver answered; ``None`` when it could not be reached, or is not on this machine and so not tried."""


class Callbacks:
    """Posts reports and remembers how that went. A failure is nobody's error but the receiver's."""

    def __init__(self) -> None:
        self.made: list[Callback] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, url: str, body: JSON) -> None:
        task = asyncio.create_task(self._post(url, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until every report is delivered or given up."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.settle()

    async def _post(self, url: str, body: JSON) -> None:
        status: int | None = None
        if is_loopback(URL(url).host or ""):
            # Whatever an unknown receiver does must not reach the test through its fake API.
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
                async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
                    async with session.post(url, json=body, allow_redirects=False) as answer:
                        status = answer.status
        self.made.append(Callback(url=url, body=body, status=status))
