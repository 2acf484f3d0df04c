"""Webhook endpoints, the log of their deliveries, and test events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ...models import ErrorCode, WebhookCreate, WebhookTest, WebhookToggleStatus, WebhookUpdate
from ..clock import stamp
from ..context import Context
from ..deliveries import Delivery
from ..events import FAMILIES, Emitted, example_payload, split_name
from ..paging import paged
from ..responses import Refusal, Reply
from ..store import JSON, WEBHOOK_DEFAULTS, Endpoint, new_webhook, new_webhook_secret
from ..validation import Problems, invalid, whole_number

_DEFAULT_PAGE_SIZE: Final = 20
_RANGES: Final = {"retry_count": (1, 5), "timeout_seconds": (5, 120)}


def list_webhooks(context: Context) -> Reply:
    page, size = _page(context)
    on = context.query.get("is_active", "").lower()
    if on not in ("", "true", "false"):
        raise invalid("is_active", "Must be true or false")
    search = context.query.get("search", "").casefold()
    rows = (
        _without_secret(endpoint)
        for endpoint in context.store.webhooks.values()
        if endpoint.owner == context.caller.acting
        and on in ("", str(endpoint.wire["is_active"]).lower())
        and search in f"{endpoint.wire['display_name']} {endpoint.wire['endpoint_url']}".casefold()
    )
    webhooks, pagination = paged(rows, page, size)
    return Reply(200, {"webhooks": webhooks, "pagination": pagination})


def create_webhook(context: Context) -> Reply:
    """Create an endpoint. Only this response and that of ``rotate_webhook_secret`` contain the secret."""
    endpoint = _with_settings(new_webhook(context.caller.acting, context.now), context.body)
    context.store.webhooks[endpoint.wire["id"]] = endpoint
    return Reply(201, endpoint.wire)


def retrieve_webhook(context: Context) -> Reply:
    return Reply(200, _without_secret(_endpoint(context)))


def update_webhook(context: Context) -> Reply:
    """Replace all settings. A setting that the request leaves out gets its default."""
    replaced = _with_settings(_endpoint(context), context.body)
    return Reply(200, _without_secret(_update(context, replaced)))


def delete_webhook(context: Context) -> Reply:
    del context.store.webhooks[_endpoint(context).wire["id"]]
    return Reply(204)


def toggle_webhook_status(context: Context) -> Reply:
    """Turn an endpoint on or off. Turning it on resets its failures, or the next one would turn it off again."""
    body: WebhookToggleStatus = context.body
    before = _endpoint(context)
    failures = 0 if body.is_active else before.wire["consecutive_failures"]
    return Reply(
        200, _without_secret(_update(context, before, is_active=body.is_active, consecutive_failures=failures))
    )


def rotate_webhook_secret(context: Context) -> Reply:
    """Make a new secret. All later deliveries are signed with it, also retries."""
    endpoint = _update(context, _endpoint(context), signing_secret=new_webhook_secret())
    return Reply(200, {"signing_secret": endpoint.wire["signing_secret"]})


async def test_webhook(context: Context) -> Reply:
    """Deliver a test event once. The delivery is listed, but does not count as a failure of the endpoint."""
    body: WebhookTest = context.body
    endpoint = _endpoint(context)
    try:
        payload = example_payload(body.event_type, endpoint.owner, context.time())
    except KeyError:
        problem = "Must be the full name of an event, such as message.sent; list the event types for all of them"
        raise invalid("event_type", problem) from None
    if body.sandbox is True:
        return Reply(200, {"success": True, "message": "Sandbox: nothing was delivered"})
    field, event = split_name(body.event_type)
    outcome = await context.deliveries.test(
        endpoint, Emitted(field=field, event=event, payload=payload, owner=endpoint.owner, at=context.time())
    )
    return Reply(200, {"success": outcome.ok, "message": outcome.problem or f"The response was {outcome.status}"})


def list_webhook_events(context: Context) -> Reply:
    page, size = _page(context)
    endpoint_id = _endpoint(context).wire["id"]
    search = context.query.get("search", "").casefold()
    selected = (
        delivery
        for delivery in context.deliveries.log
        if delivery.endpoint_id == endpoint_id and search in delivery.name.casefold()
    )
    deliveries, pagination = paged(selected, page, size)
    return Reply(200, {"events": [_event_row(delivery) for delivery in deliveries], "pagination": pagination})


def list_webhook_event_types(_: Context) -> Reply:
    """The families with their events. A family without events is an event type itself."""
    rows = [
        _event_type(family, sub_types=[_event_type(f"{family}.{event}") for event in events] or None)
        for family, events in FAMILIES.items()
    ]
    return Reply(200, {"event_types": rows, "pagination": None})


def _event_type(name: str, sub_types: list[JSON] | None = None) -> JSON:
    return {
        "name": name,
        "display_name": name.replace(".", " ").replace("_", " ").capitalize(),
        "description": None,
        "is_active": True,
        "event_type": None if sub_types else name,
        "sub_types": sub_types,
    }


def _page(context: Context) -> tuple[int, int]:
    problems = Problems()
    page = whole_number(context.query, "page", 1, problems)
    size = whole_number(context.query, "page_size", _DEFAULT_PAGE_SIZE, problems, most=100)
    problems.refuse_if_any()
    return page, size


def _endpoint(context: Context) -> Endpoint:
    endpoint = context.store.webhooks.get(context.parameters["id"])
    if endpoint is None or endpoint.owner != context.caller.acting:
        raise Refusal(ErrorCode.WEBHOOK_NOT_FOUND)
    return endpoint


def _update(context: Context, endpoint: Endpoint, **changes: Any) -> Endpoint:
    wire = {**endpoint.wire, **changes, "updated_at": context.now}
    changed = msgspec.structs.replace(endpoint, wire=wire)
    context.store.webhooks[wire["id"]] = changed
    return changed


def _without_secret(endpoint: Endpoint) -> JSON:
    return {**endpoint.wire, "signing_secret": None}


def _with_settings(endpoint: Endpoint, body: WebhookCreate | WebhookUpdate) -> Endpoint:
    """Raise ``Refusal`` with every invalid member. A number that is out of range has its own code."""
    settings = msgspec.to_builtins(body)
    settings.pop("sandbox", None)
    problems = Problems()
    for name, (least, most) in _RANGES.items():
        problems.expect(least <= settings.get(name, least) <= most, name, f"Must be between {least} and {most}")
    problems.refuse_if_any(code=ErrorCode.VALUE_OUT_OF_RANGE)
    problems.expect_text(body.display_name, "display_name")
    problems.expect_url(body.endpoint_url, "endpoint_url")
    _check_subscription(settings, "", problems)
    problems.expect(bool(body.event_types), "event_types", "At least one event type is required")
    profiles = settings.pop("sender_profile", None)
    if profiles is not None:
        profiles = {"event_types": None, "event_filters": None, **profiles}
        _check_subscription(profiles, "sender_profile.", problems)
    problems.refuse_if_any()
    return Endpoint(endpoint.owner, {**endpoint.wire, **WEBHOOK_DEFAULTS, **settings}, profiles)


def _check_subscription(settings: Mapping[str, Any], place: str, problems: Problems) -> None:
    families: Sequence[str] = settings["event_types"] or ()
    for family in families:
        known = ", ".join(FAMILIES)
        problem = f"{family} is not an event type; the event types are {known}"
        problems.expect(family in FAMILIES, f"{place}event_types", problem)
    filters: Mapping[str, Sequence[str]] = settings.get("event_filters") or {}
    for family, events in filters.items():
        member = f"{place}event_filters.{family}"
        problems.expect(family in families, member, "Is not among event_types")
        has_family = any("." in event for event in events)
        problems.expect(not has_family, member, "Name events without their family, such as delivered")


def _event_row(delivery: Delivery) -> JSON:
    outcome = delivery.outcome
    return {
        "id": delivery.id,
        "event_type": delivery.name,
        "event_data": delivery.json,
        "delivery_status": delivery.status,
        "delivery_attempts": delivery.attempts,
        "http_status_code": outcome.status,
        "response_body": outcome.body,
        "error_message": outcome.problem,
        "created_at": stamp(delivery.created),
        "processing_started_at": delivery.started and stamp(delivery.started),
        "processing_completed_at": delivery.completed and stamp(delivery.completed),
    }
