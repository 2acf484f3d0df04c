"""``/_fake``: the control API of the fake, for tests in any language.

``ROUTES`` maps a method and a path to a function, in most cases a method of ``FakeSent``. The arguments come from the
path, and from the query of a GET or the JSON body of another request. The control API needs no API key, its requests
are not recorded, and no limit or fault applies to them.
"""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, cast, get_type_hints
from urllib.parse import unquote

import msgspec
from aiohttp import web

from .deliveries import Delivery
from .faults import Scripted
from .recording import RecordedRequest
from .scripting import OperationName
from .server import FakeSent

T = TypeVar("T")

ROOT: Final = "/_fake"
MASKED: Final = frozenset(
    (
        *("access_token", "api_key", "callback_secret", "card_number", "cvc"),
        *("download_url", "expiry", "signing_secret", "token"),
        *("authorization", "cookie", "x-api-key"),
    )
)
"""Members and headers whose values are never shown."""


def health(_: FakeSent) -> object:
    return {"status": "ok"}


def time(fake: FakeSent) -> object:
    return {"now": datetime.fromtimestamp(fake.now, UTC), "unix": fake.now}


def requests(fake: FakeSent, operation: str | None = None, newest: int | None = None) -> object:
    """All requests, or those of one operation, or the ``newest`` of them; the oldest first."""
    selected = [request for request in fake.requests if operation in (None, request.operation)]
    return {"count": len(selected), "requests": [_request(request) for request in _newest(selected, newest)]}


def faults(fake: FakeSent) -> object:
    """The scripted faults that still apply to requests, in their order."""
    return {"count": fake.pending_faults, "faults": [_fault(scripted) for scripted in fake.waiting_faults]}


def limits(fake: FakeSent) -> object:
    """The limits that were set, by tier."""
    return fake.limits


def emit(fake: FakeSent, name: str, payload: dict[str, Any] | None = None, profile_id: str | None = None) -> object:
    """Report an event. Returns its deliveries."""
    return {"deliveries": [_delivery(delivery) for delivery in fake.emit(name, payload, profile_id=profile_id)]}


def deliveries(fake: FakeSent, newest: int | None = None) -> object:
    """All deliveries of events, or the ``newest`` of them; the oldest first."""
    made = fake.webhooks.deliveries
    return {"count": len(made), "deliveries": [_delivery(delivery) for delivery in _newest(made, newest)]}


def duplicate_next(fake: FakeSent, times: int = 1) -> None:
    fake.webhooks.duplicate_next(times)


def lose_next(fake: FakeSent, times: int = 1) -> None:
    fake.webhooks.drop_next(times)


def delay_delivery(fake: FakeSent, seconds: float, times: int = 1) -> None:
    fake.webhooks.delay_next(seconds, times)


def hold(fake: FakeSent) -> None:
    fake.webhooks.hold()


def release(
    fake: FakeSent, order: Literal["first", "last", "any"] = "first", times: int = 1, at_once: bool = False
) -> None:
    """Deliver the held deliveries, each ``times`` times: the oldest first, the newest first, or in random order."""

    def ordered(held: list[Delivery]) -> list[Delivery]:
        chosen = held * times
        if order == "any":
            random.shuffle(chosen)
        return chosen[::-1] if order == "last" else chosen

    fake.webhooks.release(ordered, at_once=at_once)


def state(fake: FakeSent, newest: int = 50) -> object:
    """Recorded requests, deliveries and stored objects: the number of each, and the ``newest`` of them."""
    waiting = [_fault(scripted) for scripted in fake.waiting_faults]
    by_tier = [{"tier": tier, **msgspec.to_builtins(limit)} for tier, limit in fake.limits.items()]
    views: dict[str, Mapping[str, Any]] = {name: getattr(fake, name) for name in _VIEWS}
    return {
        "url": fake.url,
        "now": datetime.fromtimestamp(fake.now, UTC),
        "requests": _part(fake.requests, newest, _request),
        "deliveries": _part(fake.webhooks.deliveries, newest, _delivery),
        "callbacks": _part(fake.callbacks, newest, msgspec.to_builtins),
        "faults": {"count": len(waiting), "newest": waiting},
        "limits": {"count": len(by_tier), "newest": by_tier},
        **{name: _part(list(view), newest, view.__getitem__) for name, view in views.items()},
    }


_VIEWS: Final = (
    *("messages", "contacts", "webhooks", "templates"),
    *("profiles", "campaigns", "sender_profiles", "users"),
)


def page(_: FakeSent) -> object:
    """The page that shows the state in a browser, live."""
    return web.Response(
        body=_PAGE.read_bytes(),
        content_type="text/html",
        charset="utf-8",
        headers={"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-store"},
    )


_PAGE: Final = Path(__file__).with_name("page.html")
_PAGE_POLICY: Final = (
    "default-src 'none'; connect-src 'self'; img-src data:; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


ROUTES: Final[Mapping[str, Callable[..., object]]] = {
    "GET /": page,
    "GET /state": state,
    "GET /health": health,
    "POST /reset": FakeSent.reset,
    "GET /requests": requests,
    "DELETE /requests": FakeSent.clear,
    "GET /faults": faults,
    "DELETE /faults": FakeSent.clear_faults,
    "POST /faults/fail": FakeSent.fail_next,
    "POST /faults/drop": FakeSent.drop_next,
    "POST /faults/delay": FakeSent.delay_next,
    "POST /faults/stall-body": FakeSent.stall_body_next,
    "POST /faults/cut-body": FakeSent.cut_body_next,
    "POST /faults/answer": FakeSent.answer_next,
    "POST /drop-connections": FakeSent.drop_connections,
    "GET /limits": limits,
    "PUT /limits/{tier}": FakeSent.rate_limit,
    "GET /time": time,
    "POST /time/advance": FakeSent.advance,
    "POST /keys": FakeSent.add_key,
    "POST /profiles": FakeSent.add_profile,
    "POST /templates": FakeSent.add_template,
    "POST /campaigns": FakeSent.add_campaign,
    "POST /webhooks": FakeSent.add_webhook,
    "POST /users": FakeSent.add_user,
    "POST /sender-profiles": FakeSent.add_sender_profile,
    "POST /sms-markets/{country}/{number_type}/activate": FakeSent.activate_market,
    "PUT /lookups/{number}": FakeSent.set_lookup,
    "POST /templates/{template_id}/approve": FakeSent.approve,
    "POST /templates/{template_id}/reject": FakeSent.reject,
    "POST /profiles/{profile_id}/finish-completion": FakeSent.finish_completion,
    "POST /profiles/{profile_id}/refuse-deletion": FakeSent.refuse_deletion,
    "POST /contacts": FakeSent.add_contact,
    "GET /contacts/{contact_id}/conversation-id": FakeSent.conversation_id,
    "POST /messages/receive": FakeSent.receive_message,
    "POST /messages/{message_id}/deliver": FakeSent.deliver,
    "POST /messages/{message_id}/read": FakeSent.read,
    "POST /messages/{message_id}/fail": FakeSent.fail,
    "POST /messages/{message_id}/block": FakeSent.block,
    "POST /numbers": FakeSent.add_number,
    "PUT /outcomes/{number}": FakeSent.set_outcome,
    "POST /events": emit,
    "GET /deliveries": deliveries,
    "POST /deliveries/duplicate": duplicate_next,
    "POST /deliveries/drop": lose_next,
    "POST /deliveries/delay": delay_delivery,
    "POST /deliveries/hold": hold,
    "POST /deliveries/release": release,
    "POST /settle": FakeSent.settle,
}


class _Problem(Exception):  # noqa: N818 - a response, not a failure of the fake
    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


async def respond(fake: FakeSent, request: web.BaseRequest) -> web.Response:
    """Call the function of a request. Respond with JSON, with 204, or with ``{"error": ...}`` and 400, 404 or 405."""
    try:
        call, given = _route(request)
        from_text = request.method == "GET"
        members = request.query if from_text else _members(await request.read())
        arguments = _arguments(call, {**members, **given}, from_text=from_text)
        result = await _result(call, fake, arguments)
    except _Problem as problem:
        return _json({"error": str(problem)}, problem.status, problem.headers)
    if isinstance(result, web.Response):
        return result
    return web.Response(status=204) if result is None else _json(result)


def _route(request: web.BaseRequest) -> tuple[Callable[..., object], dict[str, str]]:
    """The function for a request, and the arguments in its path."""
    path = request.rel_url.raw_path.removeprefix(ROOT) or "/"
    matches = [
        (route.split()[0], match, call)
        for route, (pattern, call) in _PATTERNS.items()
        if (match := pattern.fullmatch(path))
    ]
    for method, match, call in matches:
        if method == request.method:
            return call, {name: unquote(value) for name, value in match.groupdict().items()}
    if matches:
        allowed = ", ".join(method for method, _, _ in matches)
        raise _Problem(405, f"{ROOT}{path} takes {allowed}", {"Allow": allowed})
    raise _Problem(404, f"the control API has no {ROOT}{path}; under {ROOT} there are {', '.join(ROUTES)}")


_PATTERNS: Final = {
    route: (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.split()[1])), call)
    for route, call in ROUTES.items()
}


def _members(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Problem(400, f"the body must be a JSON object: {error}") from None


def _arguments(call: Callable[..., object], given: Mapping[str, Any], *, from_text: bool) -> Mapping[str, Any]:
    signature = _signature(call)
    if signature is None:
        return given
    try:
        return msgspec.structs.asdict(msgspec.convert(given, signature, strict=not from_text))
    except msgspec.ValidationError as error:
        raise _Problem(400, str(error)) from None


@cache
def _signature(call: Callable[..., object]) -> type[msgspec.Struct] | None:
    """The arguments of a function as a Struct that msgspec checks; ``None`` if the function checks them itself."""
    hints = get_type_hints(call)
    _, *parameters = inspect.signature(call).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    fields = [
        (
            parameter.name,
            # In JSON an operation is given by its name.
            str | None if hints[parameter.name] == OperationName else hints[parameter.name],
            msgspec.NODEFAULT if parameter.default is parameter.empty else parameter.default,
        )
        for parameter in parameters
    ]
    return msgspec.defstruct("Arguments", fields, kw_only=True, forbid_unknown_fields=True)


async def _result(call: Callable[..., object], fake: FakeSent, arguments: Mapping[str, Any]) -> object:
    try:
        result = call(fake, **arguments)
        return await result if inspect.isawaitable(result) else result
    except KeyError as error:
        raise _Problem(404, f"nothing is stored under {error.args[0]!r}") from None
    except (TypeError, ValueError) as error:
        raise _Problem(400, str(error)) from None


def _json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, headers=headers, body=msgspec.json.encode(content), content_type="application/json"
    )


def _request(request: RecordedRequest) -> object:
    return {
        "operation": request.operation,
        "method": request.method,
        "path": request.path,
        "query": dict(request.query),
        "headers": _masked(dict(request.headers)),
        "json": _masked(request.json),
        "size": len(request.body),
        "idempotency_key": request.idempotency_key,
        "at": datetime.fromtimestamp(request.at, UTC),
        "status": request.status,
        "seconds": request.seconds,
    }


def _delivery(delivery: Delivery) -> object:
    return {
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "name": delivery.name,
        "json": _masked(delivery.json),
        "status": delivery.status,
        "attempts": delivery.attempts,
        "outcome": delivery.outcome,
        "created": datetime.fromtimestamp(delivery.created, UTC),
    }


def _fault(scripted: Scripted) -> object:
    members = msgspec.to_builtins(scripted.fault, builtin_types=[bytes])
    if isinstance(body := members.get("body"), bytes):
        members["body"] = body.decode(errors="replace")
    return {**members, "times": scripted.times, "operation": scripted.operation}


def _part(items: Sequence[T], newest: int, shown: Callable[[T], object]) -> object:
    rows = [_masked(msgspec.to_builtins(shown(item))) for item in _newest(items, newest)]
    return {"count": len(items), "newest": rows}


def _newest(items: Sequence[T], count: int | None) -> Sequence[T]:
    return items if count is None else items[max(0, len(items) - max(0, count)) :]


def _masked(value: object) -> Any:
    """The same data without the values of secrets."""
    if isinstance(value, list):
        return [_masked(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {name: "***" if name.lower() in MASKED else _masked(item) for name, item in members.items()}
    return value
