"""The stored messages and contacts. They are replaced, never changed in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from .rendering import Content


class MessageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its history."""

    owner: str | None
    """The id of its profile; ``None`` for the organization."""
    wire: dict[str, Any]
    """The message as responses show it, without its events."""
    steps: tuple[dict[str, Any], ...] = ()
    """The activities with all their members. The oldest one is the first."""
    changed_at: float = 0.0
    """When the last step happened, in Unix seconds of the fake's clock."""
    due: float | None = None
    """When a scheduled message is due, in Unix seconds of the fake's clock."""
    content: Content = Content()
    senders: Mapping[str, Sequence[str]] = {}
    """The numbers that it may be sent from, by channel."""

    @property
    def status(self) -> str:
        return str(self.wire["status"])


class ContactRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A contact, and the times that decide whether free text to it is allowed."""

    owner: str | None
    wire: dict[str, Any]
    replied_at: Mapping[str, float] = {}
    """When the contact last wrote, by channel, in Unix seconds of the fake's clock."""
    template_at: float | None = None
    """When a template was last sent to the contact."""


class MessageOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The last status of every message to a number, with its reason."""

    status: str
    reason_code: str | None = None
    reason: str | None = None


EVENT_MEMBERS = ("status", "timestamp", "description", "reason_code", "reason")


def with_events(record: MessageRecord) -> dict[str, Any]:
    """A message with its events, as a retrieve returns it."""
    events = [{name: step[name] for name in EVENT_MEMBERS if name in step} for step in record.steps]
    return {**record.wire, "events": events}
