"""The account that a key belongs to, and lookups of phone numbers."""

from __future__ import annotations

from typing import Final

from ...models import ErrorCode
from ..context import Context
from ..phones import parse
from ..responses import Refusal, Reply
from ..seed import ORGANIZATION_EMAIL, ORGANIZATION_ID
from ..store import JSON, Store

_NOT_GIVEN: Final[JSON] = dict.fromkeys(
    ("icon", "description", "organization_id", "short_name", "status", "settings", "email")
)
_SETTINGS: Final = ("billing_model", "inherit_tcr_brand", "inherit_tcr_campaign")
_ALWAYS_FALSE: Final[JSON] = dict.fromkeys(
    ("allow_contact_sharing", "allow_template_sharing", "inherit_contacts", "inherit_templates"), False
)


def retrieve_me(context: Context) -> Reply:
    """The organization with its profiles, or a profile, or a user if the key has no organization."""
    store, acting = context.store, context.caller.acting
    account = _organization(store) if acting is None else _profile(store, acting)
    number = account.pop("sending_phone_number", None)
    others = {
        "channels": _channels(store, acting, number),
        "sending_phone_number": number,
        "sending_phone_number_profile_id": acting if number else None,
        "enable_template_auto_creation_for_sp": False,
    }
    return Reply(200, {**account, **others})


def lookup_number(context: Context) -> Reply:
    """The result that a test set with ``set_lookup``. Otherwise only the number and its country."""
    phone = parse(context.parameters["phoneNumber"])
    if phone is None:
        details = {"phoneNumber": ["Must be a phone number in E.164 form"]}
        raise Refusal(ErrorCode.INVALID_PHONE_NUMBER, details=details)
    facts = {**_UNKNOWN, "phone_number": phone.e164, "is_valid": True, "country_code": phone.region_code}
    return Reply(200, {**facts, **context.store.lookups.get(phone.e164, {})})


_UNKNOWN: Final[JSON] = dict.fromkeys(
    ("carrier_name", "line_type", "mobile_country_code", "mobile_network_code", "is_ported", "is_voip")
)


def _organization(store: Store) -> JSON:
    account: JSON = {
        **_NOT_GIVEN,
        "id": ORGANIZATION_ID,
        "type": "organization" if store.organization else "user",
        "name": "Acme Corp",
        "email": ORGANIZATION_EMAIL,
        "created_at": "2025-12-31T15:21:52.1660895+00:00",
    }
    if store.organization:
        ids = (*store.profiles, *store.sender_profiles)
        account["profiles"] = [_summary(_profile(store, profile_id)) for profile_id in ids]
    return account


def _profile(store: Store, profile_id: str) -> JSON:
    """A profile or a sender profile as an account."""
    profile = store.profiles.get(profile_id) or store.sender_profiles[profile_id]
    members = {name: profile.get(name) for name in (*_NOT_GIVEN, "id", "name", "created_at", "sending_phone_number")}
    settings = {**{name: profile.get(name) for name in _SETTINGS}, **_ALWAYS_FALSE}
    return {**members, "type": "profile", "settings": settings}


def _summary(profile: JSON) -> JSON:
    names = ("id", "name", "icon", "description", "short_name", "status", "settings", "created_at")
    return {**{name: profile[name] for name in names}, "role": "admin"}


def _channels(store: Store, owner: str | None, number: str | None) -> JSON:
    """The state of each channel. A channel that is not set up has only the member ``configured``."""
    senders = [
        one["sender_value"]
        for (holder, _, _), market in store.sms_markets.items()
        for one in market["numbers"]
        if holder == owner
    ]
    numbers = {
        "sms": number or (senders[0] if senders else None),
        "whatsapp": number if owner in store.whatsapp else None,
        "rcs": number if owner in store.rcs_agents else None,
    }
    configured = {"sms": bool(numbers["sms"]), "whatsapp": owner in store.whatsapp, "rcs": owner in store.rcs_agents}
    return {
        channel: {"configured": on, **({"phone_number": numbers[channel]} if numbers[channel] else {})}
        for channel, on in configured.items()
    }
