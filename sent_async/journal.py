"""A record of the finished items of a batch in an SQLite file. After a crash, the next run does only the rest."""

# sqlite3 and other modules that only a journal needs are imported where they are used: most programs have no journal.
from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import itertools
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from .choice import read_choice
from .errors import SentConfigError, SentError

if TYPE_CHECKING:
    import sqlite3

K = TypeVar("K")
T = TypeVar("T")
_Row = tuple[str, str, bytes]

_APPLICATION: Final = 0x53454E54  # "SENT"; SQLite stores this number to identify the application
_VERSION: Final = 1
# Rows are appended: sorting them by key would cost four times as much. Keys are looked up in memory.
_SCHEMA: Final = f"""
BEGIN EXCLUSIVE;
CREATE TABLE batch (name TEXT NOT NULL, id TEXT NOT NULL);
CREATE TABLE done (number INTEGER PRIMARY KEY, key TEXT NOT NULL, kind TEXT NOT NULL, value BLOB NOT NULL);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
"""
_GATHER: Final = 0.005
"""Seconds for which finished items are collected for one transaction. One for each item cost a fifth of the speed."""
_MOST_WAITING: Final = 1000
"""How many finished items may wait to be written. When there are more, no new call starts."""
_PLAIN: Final = (type(None), bool, int, float, str, list, dict)


class Journal:
    """The file of a resumable batch. ``batch(..., journal="sale.sqlite")`` makes one from the path.

    Args:
        path: The file. It is made if it does not exist. SQLite has a ``-wal`` file next to it while the batch runs.
        name: The name of the batch. A file continues only the batch with the same name. Default: the module and name
            of the function that is called. After renaming the function, pass its old name here.
    """

    def __init__(self, path: str | os.PathLike[str], *, name: str | None = None) -> None:
        self.path = Path(path)
        self.name = name
        self._in_use = False

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    async def open(self, call: Callable[..., Any]) -> None:
        """Open the file for a batch. It stays locked until ``close``.

        Args:
            call: The function that the batch calls. It gives the batch its name, if the journal has none.

        Raises:
            SentConfigError: The file belongs to another batch, has a newer version, is in use, or is not a journal. It
                is not changed.
        """
        from concurrent.futures import ThreadPoolExecutor

        if self._in_use:
            raise self._refused("is in use by another batch of this process; wait for it, or use another file")
        self._in_use = True
        self._database: sqlite3.Connection
        self._opened = contextlib.ExitStack()
        self._id = ""
        self._numbers = dict[str, int]()
        """The row ids of the items of earlier runs."""
        self._keys = set[str]()
        self._waiting = list[tuple[_Row, Callable[[], Awaitable[object]]]]()
        self._writing: asyncio.Future[None] | None = None
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._ending = False
        # One thread for all work on the file: each step ends before the next one begins, even if the caller of the
        # first step was cancelled and no longer waits for it.
        self._thread = ThreadPoolExecutor(1, "sent-journal")
        try:
            await self._in_thread(self._open, self.name or _name_of(call))
        except BaseException:
            await self.close()
            raise

    def _in_thread(self, call: Callable[..., T], *args: object) -> asyncio.Future[T]:
        return asyncio.wrap_future(self._thread.submit(call, *args))

    def _open(self, name: str) -> None:
        import sqlite3

        try:
            self.path.touch(mode=0o600)  # results may contain message texts and secrets
            database = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
            self._database = self._opened.enter_context(contextlib.closing(database))
            self._prepare(name)
        except OSError as error:
            raise self._refused(f"cannot be made: {error.strerror}; check the folder and its permissions") from None
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise self._refused("is in use by another process; wait for it to end, or use another file") from None
            raise self._refused(f"is not a journal, or is damaged: {error}; use another file") from None

    def _prepare(self, name: str) -> None:
        from uuid import uuid4

        database = self._database
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if not tables:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_SCHEMA)
            database.execute("INSERT INTO batch VALUES (?, ?)", (name, uuid4().hex))
            database.execute("COMMIT")
        self._check(database, name)
        # A killed process loses nothing with this. A power failure may lose the last moments.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("BEGIN EXCLUSIVE").execute("COMMIT")  # locks the file until it is closed
        self._numbers = dict(database.execute("SELECT key, number FROM done"))

    def _check(self, database: sqlite3.Connection, name: str) -> None:
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION:
            raise self._refused("is the database of another application; use another file")
        if version > _VERSION:
            raise self._refused(f"has version {version}, but this package reads up to {_VERSION}; update sent-async")
        ((problem,), *_) = database.execute("PRAGMA quick_check").fetchall()
        if problem != "ok":
            raise self._refused(f"is damaged: {problem.splitlines()[-1]}; restore it from a copy, or use another file")
        stored_name, self._id = database.execute("SELECT name, id FROM batch").fetchone()
        if stored_name != name:
            problem = f"belongs to the batch {stored_name!r}, not to {name!r}"
            raise self._refused(f"{problem}; use another file, or Journal(path, name={stored_name!r})")

    def _refused(self, problem: str) -> SentConfigError:
        return SentConfigError(f"the journal {self.path} {problem}")

    def register(self, key: object) -> str:
        """Take the key of an item into this run.

        Args:
            key: The key. It must be a ``str`` or an ``int``.

        Returns:
            The key as text.

        Raises:
            SentConfigError: The key has another type, cannot be stored, or belongs to another item of this run.
        """
        if not isinstance(key, (str, int)):
            kind = type(key).__name__
            raise SentConfigError(f"an item of type {kind} is not a key; pass key= to batch, such as the item's id")
        text = str(key)
        if text in self._keys:
            raise SentConfigError(f"two items have the key {text!r}, so the journal cannot tell them apart")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise SentConfigError(f"the key {text!r} has a lone surrogate, which cannot be stored") from None
        self._keys.add(text)
        return text

    def __contains__(self, key: str) -> bool:
        """Whether an earlier run finished the item with this key."""
        return key in self._numbers

    async def value(self, key: str) -> Any:
        """Read the value of an item that an earlier run finished.

        Args:
            key: The key of the item, as ``register`` returned it.

        Returns:
            What the call returned in that run.

        Raises:
            SentConfigError: The class of the value no longer exists, or has changed.
        """
        while self._writing is not None:  # reading the file now would block the event loop
            await asyncio.wait([self._writing])
        number = (self._numbers[key],)
        ((kind, value),) = self._database.execute("SELECT kind, value FROM done WHERE number = ?", number)
        return self._decoded(kind, value)

    def idempotency_keys(self, key: str) -> Iterator[str]:
        """The idempotency keys for the writes of an item, which are the same in every run with this file.

        Args:
            key: The key of the item, as ``register`` returned it.

        Returns:
            One idempotency key after another, without end.
        """
        return map(functools.partial(self._idempotency_key, key), itertools.count(1))

    def _idempotency_key(self, key: str, number: int) -> str:
        from hashlib import sha256

        return sha256(f"{self._id}\0{key}\0{number}".encode()).hexdigest()[:32]

    async def add(self, key: str, value: object, report: Callable[[], Awaitable[object]]) -> None:
        """Add a finished item for ``write``. This waits while many items are not written yet.

        Args:
            key: The key of the item, as ``register`` returned it.
            value: What its call returned.
            report: Called when the item is written.

        Raises:
            SentConfigError: The value has a type that cannot be stored.
        """
        self._waiting.append(((key, *_encoded(value)), report))
        self._news.set()
        while len(self._waiting) >= _MOST_WAITING:
            self._room.clear()
            await self._room.wait()

    async def write(self) -> None:
        """Write and report the items from ``add``, until ``end``. Items added within milliseconds share a transaction.

        Raises:
            SentError: The file cannot be written.
        """
        import sqlite3

        while self._waiting or not self._ending:
            await self._news.wait()
            if not self._ending:
                await asyncio.sleep(_GATHER)
                self._news.clear()
            group, self._waiting = self._waiting, []
            self._writing = self._in_thread(self._commit, [row for row, _ in group])
            try:
                await asyncio.shield(self._writing)
            except sqlite3.Error as error:
                problem = f"the journal {self.path} cannot be written: {error}"
                raise SentError(f"{problem}; the items that it has already are not lost") from None
            finally:
                self._writing = None
            self._room.set()
            for _, report in group:
                await report()

    def end(self) -> None:
        """Let ``write`` return when all added items are written. No more may be added."""
        self._ending = True
        self._news.set()

    def _commit(self, rows: list[_Row]) -> None:
        # One statement for all rows: between two statements a thread may wait milliseconds for the interpreter.
        if rows:
            placeholders = ", ".join(["(?, ?, ?)"] * len(rows))
            self._database.execute(
                f"INSERT INTO done (key, kind, value) VALUES {placeholders}",  # noqa: S608 - no values in the text
                list(itertools.chain(*rows)),
            )

    async def close(self) -> None:
        """Write the pending items, and close the file."""
        closing = self._in_thread(self._close)
        self._thread.shutdown(wait=False)
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await asyncio.wait([closing])  # so that the next batch can open the file at once
            raise

    def _close(self) -> None:
        import sqlite3

        # If the batch ended early, the next run need not repeat these items. No caller knows of them, so an error here
        # loses nothing.
        with self._opened, contextlib.suppress(sqlite3.Error):
            self._commit([row for row, _ in self._waiting])
        self._in_use = False

    def _decoded(self, kind: str, value: bytes) -> Any:
        from pkgutil import resolve_name

        try:
            return msgspec.json.decode(value, type=resolve_name(kind) if kind else Any, dec_hook=read_choice)
        except (ImportError, AttributeError, msgspec.MsgspecError) as error:
            problem = f"has a {kind.partition(':')[2] or 'value'} that can no longer be read: {error}"
            raise self._refused(f"{problem}; run the version that wrote it, or use another file") from None


class ItemNames(Generic[K]):
    """The names of a batch's items in its journal, and the idempotency keys of their writes."""

    def __init__(self, journal: Journal, call: Callable[..., Any], key: Callable[[K], str] | None) -> None:
        self.journal = journal
        self.call = call
        self._key = key
        self._by_keyword = key is not None and _takes_key(call)

    def register(self, item: K) -> str:
        """The name of an item. See ``Journal.register``."""
        return self.journal.register(item if self._key is None else self._key(item))

    def keywords(self, name: str) -> dict[str, str]:
        """The keyword arguments for the call of an item."""
        return {"idempotency_key": name} if self._by_keyword else {}

    def idempotency_keys(self, name: str) -> Iterator[str]:
        """The keys for those writes of an item that are made without a key."""
        if self._key is None:
            return self.journal.idempotency_keys(name)
        return itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))


def _takes_key(call: Callable[..., Any]) -> bool:
    parameters = inspect.signature(call).parameters.values()
    return any(each.name == "idempotency_key" or each.kind is each.VAR_KEYWORD for each in parameters)


def _name_of(call: Any) -> str:
    target: Any = getattr(call, "func", call)  # of a functools.partial
    if not hasattr(target, "__qualname__"):
        return _name_of(type(target))
    return f"{target.__module__}.{target.__qualname__}"


def _encoded(value: object) -> tuple[str, bytes]:
    """The import path of a value's class, which is empty for JSON types, and the value as JSON."""
    value_type: Any = type(value)
    kind = _name_of_kind(value_type)
    if kind is None:
        raise _unwritable(value, "it is not a model, a dataclass or a plain JSON value")
    try:
        return kind, msgspec.json.encode(value)
    except (TypeError, ValueError) as error:
        raise _unwritable(value, str(error)) from None


@functools.lru_cache(64)
def _name_of_kind(kind: Any) -> str | None:
    """The import path of a class. Empty for JSON types, ``None`` for a class that cannot be stored."""
    if kind in _PLAIN:
        return ""
    has_members = issubclass(kind, msgspec.Struct) or hasattr(kind, "__dataclass_fields__")
    if not has_members or "<locals>" in kind.__qualname__:
        return None
    return f"{kind.__module__}:{kind.__qualname__}"


def _unwritable(value: object, why: str) -> SentConfigError:
    return SentConfigError(
        f"a {type(value).__name__} cannot be stored in a journal: {why}. "
        "The call must return a model, a dataclass or a plain JSON value"
    )
