"""The arguments of every handler, and the caller of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..models import ErrorCode
from .deliveries import Deliveries
from .events import Emit
from .responses import Refusal
from .store import JSON, Key, Store


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The options of this fake."""

    empty_auth_bodies: bool = False
    profile_page_size: int | None = None
    check_prerequisites: bool = True
    auto_complete: bool = True
    auto_approve: bool = False
    keep_requests: int = 10_000
    auto_deliver: bool = True
    check_conversations: bool = False
    scheduled_limit: int = 1_000_000


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The caller of a request: a key, and the profile that it acts for."""

    key: Key
    acting: str | None = None
    """The profile of the key, or the one in ``x-profile-id``; ``None`` for the whole organization."""
    by_header: bool = False

    def may_see(self, profile_id: str) -> bool:
        return self.acting is None or self.acting == profile_id

    def must_be_admin(self) -> None:
        if not self.key.admin:
            raise Refusal(ErrorCode.INSUFFICIENT_PERMISSIONS)

    def must_be_organization(self) -> None:
        if self.acting is not None:
            raise Refusal(ErrorCode.INSUFFICIENT_PERMISSIONS, "Only the organization can do this")


class World(msgspec.Struct, frozen=True, kw_only=True):
    """The store, the clock and the event reports. For a sandbox request, they are replaced by ones without effect."""

    store: Store
    settings: Settings
    emit: Emit
    """Reports an event: ``world.emit("message", "message.delivered", payload, owner)``. Store the change before."""
    time: Callable[[], float]
    """The time, in Unix seconds of the fake's clock."""
    call_at: Callable[[float, Callable[[], object]], None]
    """Calls a function when the fake's clock reaches a moment: ``world.call_at(moment, callback)``."""


class Context(World, frozen=True, kw_only=True):
    """One request that is authorized and valid."""

    caller: Caller
    parameters: Mapping[str, str]
    """Path parameters by their names on the wire."""
    query: Mapping[str, str]
    body: Any
    """The operation's request Struct, or ``None``."""
    now: str
    """When the request arrived, as a date-time of the API."""
    documents: list[JSON]
    """The documents of a form, as the API describes them."""
    deliveries: Deliveries
    finish: Callable[[str], None]
    """Ends the completion of a profile, by its id. Not called for a sandbox request."""

    def profile(self) -> JSON:
        """The profile in the path. Raises ``Refusal`` (``RESOURCE_014``) if the caller cannot see such a profile."""
        profile_id = self.parameters["profileId"]
        if profile_id not in self.store.profiles or not self.caller.may_see(profile_id):
            raise Refusal(ErrorCode.PROFILE_NOT_FOUND)
        return self.store.profiles[profile_id]


def authenticate(store: Store, headers: Mapping[str, str]) -> Caller:
    """Find the caller of a request.

    Raises ``Refusal``: ``AUTH_001`` without a key, ``AUTH_002`` for an unknown key, ``AUTH_004`` for a profile key with
    ``x-profile-id``, ``RESOURCE_014`` for a profile that the organization does not have.
    """
    value = headers.get("x-api-key")
    if not value:
        raise Refusal(ErrorCode.NOT_AUTHENTICATED)
    key = store.keys.get(value)
    if key is None or (key.profile_id is not None and not store.has_profile(key.profile_id)):
        raise Refusal(ErrorCode.INVALID_API_KEY)
    profile_id = headers.get("x-profile-id")
    if profile_id is None:
        return Caller(key=key, acting=key.profile_id)
    if key.profile_id is not None:
        raise Refusal(ErrorCode.INSUFFICIENT_PERMISSIONS, "Only organization keys may send x-profile-id")
    if not store.has_profile(profile_id):
        raise Refusal(ErrorCode.PROFILE_NOT_FOUND)
    return Caller(key=key, acting=profile_id, by_header=True)
