"""An SQLite file that does not block the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from typing import Self, TypeVar

from ..errors import SentConfigError

T = TypeVar("T")


class Database:
    """A connection with its own thread.

    A commit takes microseconds, but a checkpoint or the lock of another process can take much longer.
    """

    def __init__(self, path: str | PathLike[str], schema: str) -> None:
        try:
            self._connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise SentConfigError(f"cannot open {path}: {error}") from error
        try:
            # With WAL, NORMAL can lose the last commits in a power failure, but it never damages the file.
            self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {schema}")
        except sqlite3.Error as error:
            self._connection.close()
            raise SentConfigError(f"cannot use {path}: {error}; give the path of a new file") from error
        self._thread: ThreadPoolExecutor | None = ThreadPoolExecutor(1, "sent-async-sqlite")

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Call ``work`` on the thread, and return its result."""
        if self._thread is None:
            raise SentConfigError("this store was closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._connection)

    async def close(self) -> None:
        """Close the file. A second call does nothing."""
        if self._thread is None:
            return
        thread, self._thread = self._thread, None
        await asyncio.get_running_loop().run_in_executor(thread, self._connection.close)
        thread.shutdown()


class Stored:
    """The base of classes that keep their state in a database. Close them with ``close`` or ``async with``."""

    _database: Database

    async def close(self) -> None:
        """Close the file. A second call does nothing."""
        await self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
