"""Numbers for phone calls, and the test of their callback. Calls themselves are not simulated."""

from __future__ import annotations

import time
from typing import Final

import msgspec

from ...models import ErrorCode, VoiceNumberCreate, VoiceNumberUpdate
from ..clock import stamp
from ..context import Context
from ..deliveries import signature
from ..outbox import Outcome
from ..phones import parse
from ..responses import Refusal, Reply
from ..store import JSON, VoiceNumber, new_id, new_webhook_secret
from ..validation import Problems, as_object, invalid, not_found, wire_members
from .channels import voice_numbers_of

_TIMEOUT: Final = 2.5
"""Seconds within which a callback must respond."""


def list_voice_numbers(context: Context) -> Reply:
    return Reply(200, voice_numbers_of(context.store, context.caller.acting))


def create_voice_number(context: Context) -> Reply:
    """Turn calls on for a number, or buy a number. A number that was turned off is turned on with its old secret."""
    body: VoiceNumberCreate = context.body
    problems = Problems()
    problems.expect_url(body.callback_url, "callback_url")
    if isinstance(body.number, str):
        problems.expect(parse(body.number) is not None, "number", "Must be a phone number in E.164 form")
        problems.expect(not body.area_code, "area_code", "Cannot be given together with number")
    problems.refuse_if_any()
    number = body.number or f"+1{body.area_code or '212'}555{100 + len(context.store.voice_numbers):04d}"
    before = context.store.voice_numbers.get(number)
    if before is not None and before.owner != context.caller.acting:
        raise Refusal(ErrorCode.VOICE_REQUEST_REFUSED, "This number belongs to another account")
    made: JSON = {
        "number": number,
        "default_for_app_calls": not _active_numbers(context),
        "created_at": context.now,
        "updated_at": None,
    }
    base = {**before.wire, "updated_at": context.now} if before else made
    wire = {**base, "status": "ACTIVE", "callback_url": body.callback_url}
    record = VoiceNumber(context.caller.acting, wire, new_id(), new_webhook_secret())
    if before:
        record = msgspec.structs.replace(before, wire=wire)
    wire = _store(context, record, default=body.default_for_app_calls is True)
    status = 202 if body.sandbox is True else 200
    return Reply(status, {**wire, "callback_secret": None if before else record.secret})


def retrieve_voice_number(context: Context) -> Reply:
    return Reply(200, _number(context).wire)


def update_voice_number(context: Context) -> Reply:
    before = _number(context)
    body: VoiceNumberUpdate = context.body
    changes = {name: value for name, value in wire_members(body).items() if value is not None}
    if not changes:
        raise invalid("body", "At least one of status, default_for_app_calls and callback_url is required")
    if "status" in changes:
        changes["status"] = changes["status"].upper()
    problems = Problems()
    known = changes.get("status", "ACTIVE") in ("ACTIVE", "INACTIVE")
    problems.expect(known, "status", "Status must be one of: ACTIVE, INACTIVE")
    default = changes.pop("default_for_app_calls", None)
    problems.expect(default is not False, "default_for_app_calls", "Make another number the default instead")
    if "callback_url" in changes:
        problems.expect_url(changes["callback_url"], "callback_url")
    wire = {**before.wire, **changes, "updated_at": context.now}
    active = wire["status"] == "ACTIVE"
    problems.expect(active or not default, "default_for_app_calls", "An inactive number cannot be the default")
    problems.refuse_if_any()
    if not active and before.wire["default_for_app_calls"] and len(_active_numbers(context)) > 1:
        # The code of this error is not documented.
        message = "This is the default line and other numbers are active; make one of them the default first"
        raise Refusal(ErrorCode.VOICE_REQUEST_REFUSED, message, status=409)
    return Reply(200, _store(context, msgspec.structs.replace(before, wire=wire), default=bool(default)))


def rotate_voice_secret(context: Context) -> Reply:
    record = msgspec.structs.replace(_number(context), secret=new_webhook_secret())
    _store(context, record, default=False)
    return Reply(202 if context.body.sandbox is True else 200, {"callback_secret": record.secret})


async def test_voice_number(context: Context) -> Reply:
    """Post one callback like that of a call, and return the result."""
    record = _number(context)
    if context.body.sandbox is True:
        return Reply(202, {"outcome": "ok", "request": None, "response": None, "error": None})
    call_id, url, number = new_id(), record.wire["callback_url"], record.wire["number"]
    callback = msgspec.json.encode(
        {
            "type": "call.request",
            "version": "1",
            "callId": call_id,
            "number": number,
            "timestamp": stamp(context.time()),
            "direction": "inbound",
            "from": {"kind": "number", "value": "+14155550100"},
            "to": {"kind": "number", "value": number},
            "test": True,
        }
    )
    now = str(int(time.time()))  # real time: the receiver's clock is not advanced with the fake's
    headers = {
        "X-Webhook-ID": record.callback_id,
        "X-Webhook-Timestamp": now,
        "X-Webhook-Signature": signature(record.secret, record.callback_id, now, callback),
        "X-Request-Id": "req_" + call_id[:8],
    }
    outcome = await context.deliveries.outbox.post(url, callback, headers, _TIMEOUT)
    exchange = {
        "call_id": call_id,
        "request": {"url": url, "headers": headers, "body": callback.decode()},
        "response": None if outcome.status is None else {"status_code": outcome.status, "body": outcome.body},
    }
    return Reply(200, {**exchange, **_callback_result(outcome)})


def _callback_result(outcome: Outcome) -> JSON:
    if not outcome.ok:
        kind = "http_error" if outcome.status is not None else "timeout" if outcome.timed_out else "connection_failed"
        return _failed_result(kind, kind, outcome.problem)
    try:
        answer: object = msgspec.json.decode(outcome.body or "")
    except msgspec.DecodeError:
        return _failed_result("invalid_answer", "malformed_json", "The answer is not JSON")
    action = as_object(as_object(answer).get("action"))
    if not isinstance(action.get("action"), str):
        return _failed_result("invalid_answer", "missing_action", "The answer has no action", "action.action")
    return {"outcome": "ok", "error": None, "answer": answer}


def _failed_result(outcome: str, reason: str, message: str | None, path: str | None = None) -> JSON:
    return {"outcome": outcome, "error": {"reason": reason, "message": message, "path": path}, "answer": None}


def _active_numbers(context: Context) -> list[JSON]:
    numbers = voice_numbers_of(context.store, context.caller.acting)
    return [one for one in numbers if one["status"] == "ACTIVE"]


def _store(context: Context, record: VoiceNumber, *, default: bool) -> JSON:
    """Store a number, and return it. There is only one default number, so a new one replaces the old one."""
    numbers = context.store.voice_numbers
    wire: JSON = record.wire
    if default:
        for number, other in list(numbers.items()):
            if other.owner == record.owner:
                numbers[number] = msgspec.structs.replace(other, wire={**other.wire, "default_for_app_calls": False})
        wire = {**wire, "default_for_app_calls": True}
    numbers[wire["number"]] = msgspec.structs.replace(record, wire=wire)
    return wire


def _number(context: Context) -> VoiceNumber:
    record = context.store.voice_numbers.get(context.parameters["number"])
    if record is None or record.owner != context.caller.acting:
        raise not_found("Phone calls were never turned on for this number")
    return record
