"""What happened in the fake that Sent would report to webhook endpoints."""

from __future__ import annotations

from typing import Protocol

import msgspec

from .store import JSON


class Emitted(msgspec.Struct, frozen=True, kw_only=True):
    """One event, before anybody is told."""

    field: str
    """Family of the event, such as ``message``."""
    event: str | None
    """Such as ``message.delivered``; ``None`` for a family without names of its own."""
    payload: JSON
    owner: str | None
    """The profile it happened to, by its id; ``None`` for the organization."""
    request_id: str | None
    """The request that caused it, if there was one."""
    at: float
    """When it happened, in Unix seconds of the fake's clock."""


class Emit(Protocol):
    def __call__(self, field: str, event: str | None, payload: JSON, owner: str | None = None) -> None: ...


def discard(field: str, event: str | None, payload: JSON, owner: str | None = None) -> None:
    """For a sandbox request, which changes nothing and so reports nothing."""
