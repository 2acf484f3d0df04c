"""Messages and contacts as the store keeps them. They are replaced, never changed in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from .rendering import Content


class MessageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its history."""

    owner: str | None
    """The profile it belongs to, by its id; ``None`` for the organization."""
    wire: dict[str, Any]
    """The message as responses show it, without its events."""
    steps: tuple[dict[str, Any], ...] = ()
    """The activities, the earliest first, with all their members."""
    changed_at: float = 0.0
    """When the last step was, in Unix seconds of the fake's clock."""
    due: float | None = None
    """When it is to be sent, in the same, if that was asked for."""
    content: Content = Content()
    senders: Mapping[str, Sequence[str]] = {}
    """By channel, the numbers that it may be sent from."""

    @property
    def status(self) -> str:
        return str(self.wire["status"])


class ContactRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A contact, and the times that decide whether free text to it is allowed."""

    owner: str | None
    wire: dict[str, Any]
    replied_at: Mapping[str, float] = {}
    """By channel, when the contact last wrote, in Unix seconds of the fake's clock."""
    template_at: float | None = None
    """When a template was last sent to it."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How every message to a number ends."""

    status: str
    reason_code: str | None = None
    reason: str | None = None


EVENT_MEMBERS = ("status", "timestamp", "description", "reason_code", "reason")


def with_events(record: MessageRecord) -> dict[str, Any]:
    """A message as it is read by itself."""
    events = [{name: step[name] for name in EVENT_MEMBERS if name in step} for step in record.steps]
    return {**record.wire, "events": events}
