"""Sender profiles. They are usable at once. Each has its own key, which is shown once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from ...models import ErrorCode, SenderProfileCreate, SenderProfileNotifications, SenderProfileUpdate
from ..context import Context
from ..paging import paged
from ..responses import Refusal, Reply
from ..store import JSON, Key, Store, new_sender_profile
from ..validation import Problems, invalid, whole_number, wire_members
from .channels import new_rcs_agent, new_whatsapp_channel, sms_markets_of, store_market

_DEFAULT_PAGE_SIZE: Final = 20
_INHERITED: Final = {"inherit": True}


def list_sender_profiles(context: Context) -> Reply:
    _must_be_organization_key(context)
    problems = Problems()
    page = whole_number(context.query, "page", 1, problems)
    size = whole_number(context.query, "page_size", _DEFAULT_PAGE_SIZE, problems, most=100)
    problems.refuse_if_any()
    rows, pagination = paged(context.store.sender_profiles.values(), page, size)
    return Reply(
        200, {"sender_profiles": [shown_sender_profile(context.store, row) for row in rows], "pagination": pagination}
    )


def create_sender_profile(context: Context) -> Reply:
    """Create a sender profile, with the channels, the compliance and the documents in the request."""
    _must_be_organization_key(context)
    context.caller.must_be_admin()
    body: SenderProfileCreate = context.body
    problems = Problems()
    _check(body, problems)
    plain = wire_members(body)
    for name in ("billing", "compliance"):
        _expect_own_or_inherited(plain.get(name), name, problems)
    channels: Mapping[str, Any] = plain.get("channels") or {}
    for name in ("whatsapp", "rcs"):
        _expect_own_or_inherited(channels.get(name), f"channels.{name}", problems)
    problems.refuse_if_any()
    profile: JSON = {
        **new_sender_profile(context.now),
        **{name: value for name, value in plain.items() if name != "channels" and value is not None},
        "compliance": _with_documents(plain.get("compliance"), context),
    }
    profile_id: str = profile["id"]
    context.store.sender_profiles[profile_id] = profile
    if sms := channels.get("sms"):
        store_market(context.store, profile_id, {**sms, "compliance": profile["compliance"]})
    if whatsapp := channels.get("whatsapp"):
        context.store.whatsapp[profile_id] = whatsapp if whatsapp == _INHERITED else new_whatsapp_channel(whatsapp)
    if rcs := channels.get("rcs"):
        context.store.rcs_agents[profile_id] = rcs if rcs == _INHERITED else new_rcs_agent(rcs, context.now)
    key = Key(value=f"sk_live_{secrets.token_hex(16)}", profile_id=profile_id)
    context.store.keys[key.value] = key
    return Reply(201, {**shown_sender_profile(context.store, profile), "api_key": key.value})


def retrieve_sender_profile(context: Context) -> Reply:
    return Reply(200, shown_sender_profile(context.store, _sender_profile(context)))


def update_sender_profile(context: Context) -> Reply:
    """Update only the given members. Null clears a member."""
    context.caller.must_be_admin()
    before = _sender_profile(context)
    body: SenderProfileUpdate = context.body
    changes = wire_members(body)
    if not changes:
        raise invalid("body", "At least one member is required")
    problems = Problems()
    _check(body, problems)
    problems.refuse_if_any()
    profile = {**before, **changes}
    context.store.sender_profiles[profile["id"]] = profile
    return Reply(200, shown_sender_profile(context.store, profile))


def delete_sender_profile(context: Context) -> Reply:
    """Delete a sender profile with its keys, numbers and channels."""
    context.caller.must_be_admin()
    profile_id = _sender_profile(context)["id"]
    store = context.store
    if code := store.undeletable.get(profile_id):
        raise Refusal(code)
    del store.sender_profiles[profile_id]
    for value in [key.value for key in store.keys.values() if key.profile_id == profile_id]:
        del store.keys[value]
    for place in [place for place in store.sms_markets if place[0] == profile_id]:
        del store.sms_markets[place]
    store.whatsapp.pop(profile_id, None)
    store.rcs_agents.pop(profile_id, None)
    return Reply(204)


def _must_be_organization_key(context: Context) -> None:
    """Raise ``Refusal`` without an organization key. ``x-profile-id`` has no effect here."""
    if context.caller.key.profile_id is not None:
        raise Refusal(ErrorCode.INSUFFICIENT_PERMISSIONS, "Only the organization can do this")
    if not context.store.organization:
        raise Refusal(ErrorCode.ORGANIZATION_NOT_FOUND)


def _sender_profile(context: Context) -> JSON:
    profile_id = context.parameters["id"]
    own = context.caller.key.profile_id in (None, profile_id)
    if profile_id not in context.store.sender_profiles or not own:
        raise Refusal(ErrorCode.PROFILE_NOT_FOUND)
    return context.store.sender_profiles[profile_id]


def _check(body: SenderProfileCreate | SenderProfileUpdate, problems: Problems) -> None:
    problems.expect_text(body.name, "name")
    problems.expect_short_name(body.short_name, "short_name")
    problems.expect_one_of(body.notifications, SenderProfileNotifications, "notifications")


def _expect_own_or_inherited(value: object, member: str, problems: Problems) -> None:
    """The value must be an object with its own members, or only ``{"inherit": true}``."""
    if isinstance(value, dict) and "inherit" in value:
        problems.expect(value == _INHERITED, member, 'Must be {"inherit": true} alone, or without inherit')


def _with_documents(compliance: JSON | None, context: Context) -> JSON | None:
    return {**(compliance or {}), "documents": context.documents} if context.documents else compliance


def shown_sender_profile(store: Store, profile: JSON) -> JSON:
    """A sender profile as responses show it, with its channels if it has any."""
    channels: JSON = {
        "sms": sms_markets_of(store, profile["id"]),
        "whatsapp": store.whatsapp.get(profile["id"]),
        "rcs": store.rcs_agents.get(profile["id"]),
    }
    return {**profile, "channels": channels if any(channels.values()) else None}
