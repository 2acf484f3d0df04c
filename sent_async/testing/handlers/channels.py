"""The channels of an account: SMS markets, the WhatsApp account, the RCS agent, and the requirements of markets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from ...models import (
    ErrorCode,
    RcsAgentCreate,
    RcsUseCase,
    SmsMarketCreate,
    SmsMarketUpdate,
    SmsNumberType,
    WhatsAppChannelCreate,
)
from ..context import Context
from ..responses import Refusal, Reply
from ..seed import ORGANIZATION_ID
from ..store import JSON, Store, new_id
from ..validation import Problems, as_object, invalid, not_found, wire_members

_REQUIREMENTS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("US", "TEN_DLC"): ("brand.legal_name", "campaign.message_flow")
}
"""Examples for the requirements of a market, by country and kind of sender. The real lists are longer."""


def retrieve_channels(context: Context) -> Reply:
    store, acting = context.store, context.caller.acting
    overview = {
        "customer_id": acting or ORGANIZATION_ID,
        "sms": sms_markets_of(store, acting),
        "whatsapp": store.whatsapp.get(acting),
        "rcs": store.rcs_agents.get(acting),
        "mms": [],
        "voice": voice_numbers_of(store, acting),
    }
    return Reply(200, overview)


def list_sms_markets(context: Context) -> Reply:
    return Reply(200, sms_markets_of(context.store, context.caller.acting))


def create_sms_market(context: Context) -> Reply:
    body: SmsMarketCreate = context.body
    problems = Problems()
    problems.expect(body.country.isascii() and body.country.isalpha() and len(body.country) == 2, "country", _COUNTRY)
    problems.expect_one_of(body.number_type, SmsNumberType, "number_type")
    problems.refuse_if_any()
    plain = {"compliance": None, **wire_members(body)}
    if context.documents:
        plain["compliance"] = {**(plain["compliance"] or {}), "documents": context.documents}
    if (context.caller.acting, body.country.upper(), body.number_type) in context.store.sms_markets:
        raise Refusal(ErrorCode.ALREADY_EXISTS, "This market exists already")
    return Reply(201, store_market(context.store, context.caller.acting, plain))


def retrieve_sms_market(context: Context) -> Reply:
    return Reply(200, _market(context))


def update_sms_market(context: Context) -> Reply:
    """Update only the given members, also in nested objects. Null clears a member."""
    before = _market(context)
    body: SmsMarketUpdate = context.body
    if not isinstance(body.compliance, dict) or not body.compliance:
        raise invalid("compliance", "At least one key of compliance is required")
    stored = {key: value for key, value in as_object(before["compliance"]).items() if key != "requirements"}
    compliance = _merged(stored, body.compliance)
    # An account without its own brand or campaign uses the organization's.
    inherited = {key: {"inherit": True} for key in ("brand", "campaign") if body.compliance.get(key, "") is None}
    market = {**before, **_compliance_state(before["country"], before["number_type"], {**compliance, **inherited})}
    context.store.sms_markets[_place(context)] = market
    return Reply(200, market)


def create_whatsapp_channel(context: Context) -> Reply:
    body: WhatsAppChannelCreate = context.body
    problems = Problems()
    problems.expect_text(body.waba_id, "waba_id")
    problems.refuse_if_any()
    channel = new_whatsapp_channel(wire_members(body))
    context.store.whatsapp[context.caller.acting] = channel
    return Reply(201, channel)


def create_rcs_agent(context: Context) -> Reply:
    body: RcsAgentCreate = context.body
    problems = Problems()
    problems.expect_one_of(body.agent_use_case, RcsUseCase, "agent_use_case")
    for name in ("privacy_policy_url", "terms_and_conditions_url", "website_url", "logo_url", "banner_url"):
        problems.expect_url(getattr(body, name), name)
    problems.refuse_if_any()
    agent = new_rcs_agent(wire_members(body), context.now)
    context.store.rcs_agents[context.caller.acting] = agent
    return Reply(201, agent)


def retrieve_compliance_requirements(context: Context) -> Reply:
    """The requirements of an SMS market. The API has none for other channels yet."""
    query, problems = context.query, Problems()
    country, kind, channel = query.get("country", ""), query.get("type", ""), query.get("channel", "sms")
    problems.expect(len(country) == 2, "country", _COUNTRY)
    problems.expect(bool(kind), "type", "This member is required")
    problems.expect(channel in ("sms", "whatsapp", "rcs"), "channel", "Must be one of: sms, whatsapp, rcs")
    problems.refuse_if_any()
    if channel != "sms":
        message = f"The requirements of {channel} are not declared yet"
        raise Refusal(ErrorCode.TEMPORARILY_UNAVAILABLE, message, status=501)
    fields = _REQUIREMENTS.get((country.upper(), kind.upper()), ())
    requirements = {
        "channel": channel,
        "country": country.upper(),
        "type": kind.upper(),
        "required": bool(fields),
        "sender_id_pattern": None,
        "requirements": [{"field": field, "required": True} for field in fields],
        "setup": [{"step": "POST /v3/channels/sms"}],
    }
    return Reply(200, requirements)


def sms_markets_of(store: Store, owner: str | None) -> list[JSON]:
    return [market for (holder, _, _), market in store.sms_markets.items() if holder == owner]


def voice_numbers_of(store: Store, owner: str | None) -> list[JSON]:
    return [record.wire for record in store.voice_numbers.values() if record.owner == owner]


def store_market(store: Store, owner: str | None, members: Mapping[str, Any]) -> JSON:
    """Store a market, and return it."""
    country, kind = members["country"].upper(), members["number_type"]
    sender = members.get("sender_value")
    market = {
        "country": country,
        "number_type": kind,
        "numbers": [{"sender_value": sender, "area_code": None, "status": "PROVISIONING"}] if sender else [],
        "note": None,
        **_compliance_state(country, kind, members["compliance"]),
    }
    store.sms_markets[owner, country, kind] = market
    return market


def active_market(store: Store, place: tuple[str | None, str, str]) -> JSON:
    """The market with the status ACTIVE, and with a number if it had none."""
    market = store.sms_markets[place]
    number = {"sender_value": f"+1212555{100 + list(store.sms_markets).index(place):04d}", "area_code": "212"}
    numbers = [{**one, "status": "ACTIVE"} for one in market["numbers"] or [number]]
    return {**market, "status": "ACTIVE", "numbers": numbers, "reason_code": None, "reason": None}


def new_whatsapp_channel(members: Mapping[str, Any]) -> JSON:
    """A WhatsApp account that was just connected."""
    return {
        "waba_id": members.get("waba_id"),
        "phone_number_id": members.get("phone_number_id"),
        "solution_id": None,
        "owner_business_id": None,
        "status": "PROVISIONING",
        "reason_code": None,
        "reason": None,
    }


def new_rcs_agent(members: Mapping[str, Any], now: str) -> JSON:
    """An RCS agent that was just requested."""
    made = {"id": new_id(), "status": "PENDING_REVIEW", "phone_number": None, "reason_code": None, "reason": None}
    return {**made, **members, "created_at": now}


_COUNTRY: Final = "Must be the two letters of a country"


def _compliance_state(country: str, kind: str, compliance: JSON | None) -> JSON:
    """The status of a market, and the requirements that it does not meet yet."""
    missing = [path for path in _REQUIREMENTS.get((country, kind), ()) if not _is_met(path, compliance or {})]
    if not missing:
        return {"status": "PROVISIONING", "compliance": compliance, "reason_code": None, "reason": None}
    return {
        "status": "ACTION_NEEDED",
        "compliance": {**(compliance or {}), "requirements": missing},
        "reason_code": "CHANNEL_001",
        "reason": "Waiting on compliance",
    }


def _is_met(path: str, compliance: Mapping[str, Any]) -> bool:
    value: object = compliance
    for key in path.split("."):
        parent = as_object(value)
        if parent.get("inherit") is True:
            return True
        value = parent.get(key)
    return bool(value)


def _merged(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> JSON:
    merged = {**stored}
    for key, value in changes.items():
        merged[key] = _merged(as_object(stored.get(key)), cast("JSON", value)) if isinstance(value, dict) else value
    return {key: value for key, value in merged.items() if value is not None}


def _place(context: Context) -> tuple[str | None, str, str]:
    return context.caller.acting, context.parameters["country"].upper(), context.parameters["type"].upper()


def _market(context: Context) -> JSON:
    market = context.store.sms_markets.get(_place(context))
    if market is None:
        raise not_found("There is no market with this country and kind of sender")
    return market
