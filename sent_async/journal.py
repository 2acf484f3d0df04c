"""What a batch has finished, in an SQLite file, so that a run after a crash does only the rest."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import importlib
import itertools
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from .errors import SentConfigError, SentError

_APPLICATION: Final = 0x53454E54  # "SENT"; SQLite keeps such a number for whose file it is
_VERSION: Final = 1
_SCHEMA: Final = f"""
BEGIN EXCLUSIVE;
CREATE TABLE batch (name TEXT NOT NULL, id TEXT NOT NULL);
CREATE TABLE done (key TEXT PRIMARY KEY, kind TEXT NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
"""
_GATHER: Final = 0.005
"""Seconds in which finished items gather for one transaction. A transaction for each cost a fifth of the throughput."""
_ROWS: Final = 5000  # in one statement; SQLite takes some 32,000 values
_PLAIN: Final = (type(None), bool, int, float, str, list, dict)


class Journal:
    """The file of a resumable batch. ``batch(..., journal="sale.sqlite")`` makes one by itself.

    Args:
        path: The file. It is made when it does not exist. Beside it stand ``-wal`` files while the batch runs.
        name: What the batch is called. A journal continues the batch of the same name only. By default it is the module
            and the name of the function that is called, so a function that is renamed needs the old name here.
    """

    def __init__(self, path: str | os.PathLike[str], *, name: str | None = None) -> None:
        self.path = Path(path)
        self.name = name
        self._database: sqlite3.Connection
        self._in_use = False
        self._is_new = False
        self._id = ""
        self._keys = set[str]()
        self._waiting = list[tuple[tuple[str, str, bytes], asyncio.Future[None]]]()
        self._writing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    def open(self, call: Callable[..., Any]) -> None:
        """Open the file for a batch of this call. It stays locked until ``close``.

        Raises:
            SentConfigError: The file belongs to another batch, is of a newer version, is in use, or is no journal. It
                is left as it is.
        """
        name = self.name or _name_of(call)
        if self._in_use:
            raise self._refused("is in use by another batch of this process; wait for it, or use another file")
        try:
            self._database = self._opened(name)
            self._in_use = True
        except OSError as error:
            raise self._refused(f"cannot be made: {error.strerror}; look at the folder and its permissions") from None
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise self._refused("is in use by another process; wait for it to end, or use another file") from None
            raise self._refused(f"is no journal, or is damaged: {error}; use another file") from None

    def _opened(self, name: str) -> sqlite3.Connection:
        self.path.touch(mode=0o600)  # results may hold message texts and secrets
        database = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if not tables:
                database.execute("PRAGMA journal_mode = WAL")
                database.executescript(_SCHEMA)
                database.execute("INSERT INTO batch VALUES (?, ?)", (name, uuid.uuid4().hex))
                database.execute("COMMIT")
            self._check(database, name)
            # A killed process loses nothing this way. Only a machine that loses its power may lose the last moments.
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("BEGIN EXCLUSIVE").execute("COMMIT")  # takes the lock, and keeps it
        except BaseException:
            database.close()
            raise
        return database

    def _check(self, database: sqlite3.Connection, name: str) -> None:
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION:
            raise self._refused("is a database of something else; use another file")
        if version > _VERSION:
            raise self._refused(f"has version {version}, and this package knows {_VERSION}; update sent-async")
        ((problem,), *_) = database.execute("PRAGMA quick_check").fetchall()
        if problem != "ok":
            raise self._refused(f"is damaged: {problem.splitlines()[-1]}; restore it from a copy, or use another file")
        self._is_new = database.execute("SELECT 1 FROM done LIMIT 1").fetchone() is None
        theirs, self._id = database.execute("SELECT name, id FROM batch").fetchone()
        if theirs != name:
            raise self._refused(f"belongs to the batch {theirs!r}, not to {name!r}; use another file, or that name")

    def _refused(self, problem: str) -> SentConfigError:
        return SentConfigError(f"the journal {self.path} {problem}")

    def begin(self, key: object) -> str:
        """The key of an item as text. Raises ``SentConfigError`` for one that is none, or that another item has."""
        if not isinstance(key, str | int):
            kind = type(key).__name__
            raise SentConfigError(
                f"an item of type {kind} does not name itself; give batch a key=, such as the item's id"
            )
        text = str(key)
        if text in self._keys:
            raise SentConfigError(f"two items have the key {text!r}, so the journal cannot tell them apart")
        self._keys.add(text)
        return text

    def find(self, key: str) -> tuple[Any] | None:
        """The value of an item that an earlier run finished, in a tuple, or ``None``."""
        if self._is_new:
            return None  # nothing to find, and looking costs as much as writing
        row = self._database.execute("SELECT kind, value FROM done WHERE key = ?", (key,)).fetchone()
        return None if row is None else (self._decoded(*row),)

    def idempotency_keys(self, key: str) -> Iterator[str]:
        """A name for each write of an item, the same in every run with this file."""
        return (
            hashlib.sha256(f"{self._id}\0{key}\0{number}".encode()).hexdigest()[:32] for number in itertools.count(1)
        )

    async def record(self, key: str, value: object) -> None:
        """Write that an item is finished. Returns when it is in the file.

        Items that finish within a few milliseconds share a transaction.

        Raises:
            SentConfigError: The value is of a kind that a file cannot hold.
            SentError: The file cannot be written.
        """
        row = (key, *_encoded(value))
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await written

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(_GATHER)
            group, self._waiting = self._waiting, []
            failure: SentError | None = None
            try:
                await asyncio.to_thread(self._commit, [row for row, _ in group])
            except sqlite3.Error as error:
                failure = SentError(f"the journal {self.path} cannot be written: {error}; what it holds is kept")
            for _, written in group:
                if written.done():
                    continue  # its call was cancelled
                if failure is None:
                    written.set_result(None)
                else:
                    written.set_exception(failure)
        self._writing = None

    def _commit(self, rows: list[tuple[str, str, bytes]]) -> None:
        # One statement for all: between two statements a thread may wait milliseconds for the interpreter.
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            marks = ", ".join(["(?, ?, ?)"] * len(part))
            values = list(itertools.chain(*part))
            self._database.execute(f"INSERT OR REPLACE INTO done VALUES {marks}", values)  # noqa: S608 - only marks

    async def close(self) -> None:
        """Write what waits, and let go of the file."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        self._database.close()
        self._keys.clear()
        self._in_use = False

    def _decoded(self, kind: str, value: bytes) -> Any:
        module, _, name = kind.partition(":")
        try:
            found: Any = importlib.import_module(module) if module else None
            for part in name.split(".") if module else ():
                found = getattr(found, part)
            return msgspec.json.decode(value, type=found if module else Any)
        except (ImportError, AttributeError, msgspec.MsgspecError) as error:
            problem = f"holds a {kind.partition(':')[2] or 'value'} that cannot be read any more: {error}"
            raise self._refused(f"{problem}; run the version that wrote it, or use another file") from None


def _name_of(call: Any) -> str:
    target: Any = getattr(call, "func", call)  # of a functools.partial
    if not hasattr(target, "__qualname__"):
        return _name_of(type(target))
    return f"{target.__module__}.{target.__qualname__}"


def _encoded(value: object) -> tuple[str, bytes]:
    """The class of a value, where it has one that the file must name, and its JSON."""
    kind: Any = type(value)
    of_class = _has_members(kind)
    if (of_class and "<locals>" not in kind.__qualname__) or kind in _PLAIN:
        try:
            return (f"{kind.__module__}:{kind.__qualname__}" if of_class else ""), msgspec.json.encode(value)
        except (TypeError, ValueError) as error:
            raise _unwritable(value, str(error)) from None
    raise _unwritable(value, "only models, dataclasses and plain JSON values can be")


def _has_members(kind: Any) -> bool:
    return issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind)


def _unwritable(value: object, why: str) -> SentConfigError:
    return SentConfigError(
        f"a {type(value).__name__} cannot be kept in a journal ({why}); return one of these from the call"
    )
