"""The latest state of messages, from events in any order."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from os import PathLike
from typing import Any, Final, Protocol

import msgspec

from ..batch import Result, batch
from ..clock import Clock, SystemClock
from ..errors import SentConfigError
from ..following import FINAL
from ..models.enums import MessageStatus
from .database import Database, Stored
from .events import Event, MessageStatusEvent

SETTLED: Final = (*FINAL, MessageStatus.DELIVERED, MessageStatus.FAILED)
"""Statuses after which there may be no other event. Sent may still try another channel after FAILED, and DELIVERED may
be followed by READ."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, status TEXT, channel TEXT, reason_code TEXT,"
    " updated_at INTEGER, emitted_at INTEGER, scheduled_at INTEGER, heard_at INTEGER NOT NULL) WITHOUT ROWID"
)
_BY_ID: Final = "SELECT * FROM message WHERE id = ?"
_LATEST: Final = (
    "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET status = excluded.status,"
    " channel = coalesce(excluded.channel, channel), reason_code = excluded.reason_code,"
    " updated_at = excluded.updated_at, emitted_at = excluded.emitted_at, scheduled_at = excluded.scheduled_at"
    " WHERE status IS NULL OR (excluded.updated_at, excluded.emitted_at) >= (updated_at, emitted_at)"
)
_SILENT: Final = (
    "SELECT * FROM message WHERE heard_at <= ? AND (scheduled_at IS NULL OR scheduled_at <= ?)"
    " AND (status IS NULL OR status NOT IN (?, ?, ?, ?, ?, ?, ?)) ORDER BY heard_at"
)


class MessageState(msgspec.Struct, frozen=True, kw_only=True):
    """The latest state of a message."""

    message_id: str
    """The id of the message."""
    status: MessageStatus | None
    """The latest status; ``None`` before the first event."""
    channel: str | None
    """The channel of the latest event that has one."""
    reason_code: str | None
    """Why the message failed or was not sent, if the latest event says it."""
    updated_at: datetime | None
    """When the status changed, by the clock of Sent."""
    scheduled_at: datetime | None
    """When Sent will send a held message."""
    heard_at: datetime
    """When the tracker last got an event or a call about the message, by our clock."""

    @property
    def settled(self) -> bool:
        """Whether there may be no other event: the status is final, DELIVERED or FAILED."""
        return self.status in SETTLED


class Activity(Protocol):
    """The members of an item of ``sent.messages.list_activities`` that the tracker uses."""

    @property
    def status(self) -> str | None: ...
    @property
    def timestamp(self) -> datetime | None: ...
    @property
    def reason_code(self) -> str | None: ...


class MessageTracker(Stored):
    """Keeps the latest state of each message.

    Events arrive in any order, and more than once. The state is that of the event with the latest ``updated_at``. If
    two events have the same, the one that was sent later counts. If they were sent in the same second, the one that
    arrived later counts.

    Args:
        path: An SQLite file, which survives restarts. Default: the state is in the memory of this process.
        clock: A replacement for the system clock, for tests.

    Raises:
        SentConfigError: The file cannot be opened, or is not the file of a tracker.
    """

    def __init__(self, path: str | PathLike[str] = ":memory:", *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        # Times are stored in microseconds since 1970, which compare exactly.
        self._database = Database(path, _SCHEMA)

    async def expect(self, message_ids: Iterable[str]) -> None:
        """Add messages that were just sent, so that ``missing`` finds those without events.

        A message that already had an event keeps its state.

        Args:
            message_ids: ``[one.message_id for one in sent_message.recipients]``.

        Raises:
            SentConfigError: ``message_ids`` is a single string.
        """
        if isinstance(message_ids, str):
            raise SentConfigError("message_ids is a string; pass a list of ids")
        rows = [(message_id, self._now()) for message_id in message_ids]

        def work(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT OR IGNORE INTO message (id, heard_at) VALUES (?, ?)", rows)

        await self._database.run(work)

    async def record(self, event: Event) -> MessageState | None:
        """Record an event.

        Args:
            event: Any event. All but ``MessageStatusEvent`` are ignored.

        Returns:
            The state of the message after the event; ``None`` if the event was ignored.
        """
        if not isinstance(event, MessageStatusEvent):
            return None
        payload = event.payload
        emitted_at = _microseconds(event.timestamp)
        return await self._learn(
            payload.message_id,
            status=str(payload.message_status),
            channel=payload.channel,
            reason_code=payload.reason_code,
            updated_at=_microseconds(payload.updated_at) or emitted_at,
            emitted_at=emitted_at,
            scheduled_at=_microseconds(payload.scheduled_at),
        )

    async def state(self, message_id: str) -> MessageState | None:
        """Read the state of a message.

        Args:
            message_id: The id of the message.

        Returns:
            The state; ``None`` for a message that was neither expected nor in an event.
        """

        def work(connection: sqlite3.Connection) -> MessageState | None:
            row = connection.execute(_BY_ID, (message_id,)).fetchone()
            return _state(row) if row is not None else None

        return await self._database.run(work)

    async def missing(self, *, after: float) -> list[MessageState]:
        """Find the messages that are not settled and had no event for a while.

        Args:
            after: Seconds without an event. For a held message, they count from its ``scheduled_at``.

        Returns:
            Their states. The message with the longest time without an event is the first.
        """
        before = self._now() - round(after * 1e6)

        def work(connection: sqlite3.Connection) -> list[MessageState]:
            return [_state(row) for row in connection.execute(_SILENT, (before, before, *SETTLED))]

        return await self._database.run(work)

    async def reconcile(
        self, list_activities: Callable[[str], AsyncIterable[Activity]], *, after: float, concurrency: int = 10
    ) -> list[Result[str, MessageState]]:
        """Retrieve the states of missing messages from Sent.

        Args:
            list_activities: ``sent.messages.list_activities``.
            after: As for ``missing``.
            concurrency: How many calls may run at once.

        Returns:
            A ``Result`` for each message, with its state or the ``SentError`` of the call.
        """

        async def retrieve(message_id: str) -> MessageState:
            latest: Activity | None = None
            moment = 0
            async for activity in list_activities(message_id):
                at = _microseconds(activity.timestamp)
                if activity.status and (latest is None or at > moment):
                    latest, moment = activity, at
            if latest is None:
                return await self._learn(message_id)
            return await self._learn(
                message_id, status=latest.status, reason_code=latest.reason_code, updated_at=moment, emitted_at=moment
            )

        silent = [state.message_id for state in await self.missing(after=after)]
        return await batch(retrieve, silent, concurrency=concurrency)

    async def forget(self, *, after: float) -> int:
        """Delete the states of messages that had no event for a while.

        Args:
            after: Seconds without an event.

        Returns:
            How many states were deleted.
        """
        before = self._now() - round(after * 1e6)
        query = "DELETE FROM message WHERE heard_at <= ?"
        return await self._database.run(lambda connection: connection.execute(query, (before,)).rowcount)

    async def _learn(
        self,
        message_id: str,
        *,
        status: str | None = None,
        channel: str | None = None,
        reason_code: str | None = None,
        updated_at: int = 0,
        emitted_at: int = 0,
        scheduled_at: int = 0,
    ) -> MessageState:
        row = (message_id, status, channel, reason_code, updated_at, emitted_at, scheduled_at or None, self._now())

        def work(connection: sqlite3.Connection) -> MessageState:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_LATEST, row)
                connection.execute("UPDATE message SET heard_at = ? WHERE id = ?", (row[-1], message_id))
                return _state(connection.execute(_BY_ID, (message_id,)).fetchone())

        return await self._database.run(work)

    def _now(self) -> int:
        return round(self._clock.wall() * 1e6)


def _state(row: tuple[Any, ...]) -> MessageState:
    id, status, channel, reason_code, updated_at, _, scheduled_at, heard_at = row
    return MessageState(
        message_id=id,
        status=MessageStatus(status) if status else None,
        channel=channel,
        reason_code=reason_code,
        updated_at=_moment(updated_at),
        scheduled_at=_moment(scheduled_at),
        heard_at=_EPOCH + timedelta(microseconds=heard_at),
    )


def _moment(microseconds: int | None) -> datetime | None:
    return _EPOCH + timedelta(microseconds=microseconds) if microseconds else None


def _microseconds(moment: datetime | None) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) if moment is not None else 0
