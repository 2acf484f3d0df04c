"""Stores of handled events, so that each event is handled once and none is lost."""

from __future__ import annotations

import sqlite3
from os import PathLike
from typing import Final, Protocol, runtime_checkable

from ..clock import Clock, SystemClock
from ..errors import SentConfigError
from .database import Database, Stored

DAY: Final = 86_400.0


@runtime_checkable
class Seen(Protocol):
    """A store of handled events. These two methods are enough for a store in the memory of one process."""

    async def claim(self, id: str, /) -> bool:
        """Claim an event.

        Args:
            id: The id of the event.

        Returns:
            True for the first caller, who has to handle the event; false for all others.
        """
        ...

    async def release(self, id: str, /) -> None:
        """Give a claim back, because the handling failed. The next caller of ``claim`` gets the event.

        Args:
            id: The id of the event.
        """
        ...


@runtime_checkable
class LeasedSeen(Seen, Protocol):
    """A store that survives its process, or that several processes share. A claim is a lease until ``finish``.

    If a claim is neither finished nor released within the lease, its process must have died. Then the event can be
    claimed again.
    """

    async def finish(self, id: str, /) -> None:
        """Record that the event was handled.

        Args:
            id: The id of the event.
        """
        ...

    async def is_finished(self, id: str, /) -> bool:
        """Whether the event was handled.

        Args:
            id: The id of the event.

        Returns:
            False while it is being handled, and for an unknown event.
        """
        ...


class MemorySeen:
    """Handled events in the memory of this process.

    Args:
        size: The number of events to remember. Older ones are forgotten. 100,000 take about 20 MB.
        ttl: Seconds for which an event is remembered. Sent stops delivering an event after some hours at most.
        clock: A replacement for the system clock, for tests.

    Raises:
        SentConfigError: ``size`` or ``ttl`` is not positive.
    """

    def __init__(self, *, size: int = 100_000, ttl: float = DAY, clock: Clock | None = None) -> None:
        if size < 1 or not ttl > 0:
            raise SentConfigError("size and ttl must be positive")
        self._size = size
        self._ttl = ttl
        self._clock = clock or SystemClock()
        self._until: dict[str, float] = {}  # in the order of the claims, so the oldest is the first
        self._finished: set[str] = set()

    async def claim(self, id: str, /) -> bool:
        """See ``Seen.claim``."""
        now = self._clock.time()
        while self._until and next(iter(self._until.values())) <= now:
            self._forget(next(iter(self._until)))
        if id in self._until:
            return False
        if len(self._until) >= self._size:
            self._forget(next(iter(self._until)))
        self._until[id] = now + self._ttl
        return True

    async def release(self, id: str, /) -> None:
        """See ``Seen.release``."""
        self._forget(id)

    async def finish(self, id: str, /) -> None:
        """See ``LeasedSeen.finish``."""
        if id in self._until:
            self._finished.add(id)

    async def is_finished(self, id: str, /) -> bool:
        """See ``LeasedSeen.is_finished``."""
        return id in self._finished

    def _forget(self, id: str) -> None:
        self._until.pop(id, None)
        self._finished.discard(id)


class SQLiteSeen(Stored):
    """Handled events in an SQLite file. They survive restarts, and the processes of a machine can share them.

    Args:
        path: The file. It is made if it does not exist.
        lease: Seconds after which an unfinished claim ends, because its process must have died. It must be longer than
            ``on_event`` ever takes, and shorter than the minute after which Sent delivers again. With a longer lease,
            the first redelivery after a crash is refused.
        ttl: Seconds for which a handled event is remembered.
        clock: A replacement for the system clock, for tests.

    Raises:
        SentConfigError: The file cannot be opened or is not a store of events, or a time is not positive.
    """

    def __init__(
        self, path: str | PathLike[str], *, lease: float = 45.0, ttl: float = DAY, clock: Clock | None = None
    ) -> None:
        if not lease > 0 or not ttl > 0:
            raise SentConfigError("lease and ttl must be positive")
        self._lease = lease
        self._ttl = ttl
        self._clock = clock or SystemClock()
        self._purge_at = 0.0
        # until: the end of the lease; for a finished event, the time at which it is forgotten.
        self._database = Database(
            path,
            "CREATE TABLE IF NOT EXISTS seen"
            " (id TEXT PRIMARY KEY, until REAL NOT NULL, finished INTEGER NOT NULL) WITHOUT ROWID;"
            " CREATE INDEX IF NOT EXISTS seen_until ON seen (until)",
        )

    async def claim(self, id: str, /) -> bool:
        """See ``Seen.claim``."""
        now = self._clock.wall()  # the other clock has no meaning in another process

        def work(connection: sqlite3.Connection) -> bool:
            if now >= self._purge_at:
                connection.execute("DELETE FROM seen WHERE until <= ? AND finished", (now,))
                self._purge_at = now + 600
            claimed = connection.execute(
                "INSERT INTO seen VALUES (?, ?, 0) ON CONFLICT (id) DO UPDATE"
                " SET until = excluded.until, finished = 0 WHERE until <= ?",
                (id, now + self._lease, now),
            )
            return claimed.rowcount == 1

        return await self._database.run(work)

    async def release(self, id: str, /) -> None:
        """See ``Seen.release``."""
        await self._database.run(lambda connection: connection.execute("DELETE FROM seen WHERE id = ?", (id,)))

    async def finish(self, id: str, /) -> None:
        """See ``LeasedSeen.finish``."""
        row = (id, self._clock.wall() + self._ttl)
        await self._database.run(lambda connection: connection.execute("REPLACE INTO seen VALUES (?, ?, 1)", row))

    async def is_finished(self, id: str, /) -> bool:
        """See ``LeasedSeen.is_finished``."""
        query = "SELECT 1 FROM seen WHERE id = ? AND finished"
        return await self._database.run(lambda connection: connection.execute(query, (id,)).fetchone() is not None)
