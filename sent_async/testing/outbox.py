"""Requests that the fake makes to the receivers of callbacks and events."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from typing import Any, Final

import aiohttp
import msgspec
from yarl import URL

from ..options import is_loopback

_LONGEST_RESPONSE: Final = 2048


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one request."""

    status: int | None = None
    """The status of the response. ``None`` when there was no response."""
    body: str | None = None
    """The first 2,048 bytes of the response."""
    timed_out: bool = False
    """Whether there was no response in time."""
    problem: str | None = None
    """Why it failed; ``None`` after a success and before the first attempt."""

    @property
    def ok(self) -> bool:
        """False if the attempt failed."""
        return self.problem is None


NOT_ALLOWED: Final = Outcome(
    problem="not sent: the host is neither on this machine nor in FakeSent(callback_hosts=[...])"
)


class Outbox:
    """Sends requests, and keeps track of the requests in progress.

    Args:
        hosts: The hosts that requests may go to, in addition to this machine.
    """

    def __init__(self, hosts: Collection[str] = ()) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._session: aiohttp.ClientSession | None = None

    def allows(self, url: str) -> bool:
        """Whether requests to this URL are allowed."""
        host = (URL(url).host or "").lower()
        return is_loopback(host) or host in self._hosts

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run this in the background. ``settle`` waits for it, and ``close`` cancels it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Outcome:
        """Post once. An error of the receiver raises nothing, because it must not fail the test's API request."""
        if not self.allows(url):
            return NOT_ALLOWED
        if self._session is None:
            # A new connection for each request, because a kept one would break when the receiver restarts.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        sent = {"Content-Type": "application/json", **headers}
        limit = aiohttp.ClientTimeout(total=timeout)
        try:
            async with self._session.post(
                url, data=body, headers=sent, timeout=limit, allow_redirects=False
            ) as response:
                content = b""
                while len(content) < _LONGEST_RESPONSE and not response.content.at_eof():
                    content += await response.content.read(_LONGEST_RESPONSE - len(content))
        except TimeoutError:
            return Outcome(problem=f"no response within {timeout:g} s", timed_out=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(problem=f"no response: {type(error).__name__}")
        problem = None if 200 <= response.status < 300 else f"the response was {response.status}"
        return Outcome(status=response.status, body=content.decode(errors="replace"), problem=problem)

    def cancel(self) -> None:
        """Cancel the requests in progress."""
        for task in self._tasks:
            task.cancel()

    async def settle(self) -> None:
        """Wait until no request is in progress."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Cancel the requests in progress, and close the connections."""
        self.cancel()
        await self.settle()
        session, self._session = self._session, None
        if session is not None:
            await session.close()
