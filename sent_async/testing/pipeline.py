"""The steps of a request: record, route, authorize, count, execute once, respond."""

from __future__ import annotations

import asyncio
import email.utils
import hashlib
import logging
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from aiohttp import web

from .. import operations
from ..models import ErrorCode
from ..operation import Operation
from . import faults
from .callbacks import Callback, report
from .clock import Clock, stamp
from .context import Caller, Context, Settings, World, authenticate
from .deliveries import Deliveries, Delivery
from .events import Emitted, emit_nothing
from .forms import read_form
from .handlers import HANDLERS
from .handlers.completion import finish_completion
from .idempotency import IdempotencyStore, StoredResponse
from .limits import Limits
from .outbox import Outbox
from .recording import RecordedRequest
from .responses import JSON_TYPE, Refusal, Reply, Response, new_request_id, refusal_body, success_body
from .samples import sample
from .store import JSON, Store
from .validation import check_idempotency_key, decode_body

_log = logging.getLogger("sent_async.testing")


class State:
    """All parts of one fake except its socket."""

    def __init__(self, store: Store, settings: Settings, outbox: Outbox) -> None:
        self.store = store
        self.settings = settings
        self.clock = Clock()
        self.outbox = outbox
        self.deliveries = Deliveries(store, self.clock, outbox)
        self.limits = Limits()
        self.idempotency = IdempotencyStore()
        self.script = faults.Script()
        self.requests: list[RecordedRequest] = []
        self.callbacks: list[Callback] = []
        self.closing = asyncio.Event()

    def start(self) -> None:
        """Start the clock and the deliveries."""
        self.closing.clear()
        self.clock.start()
        self.deliveries.start()

    def stop(self) -> None:
        """Stop the clock and the deliveries, and cancel the requests in progress."""
        self.closing.set()
        self.clock.stop()
        self.deliveries.stop()
        self.outbox.cancel()

    def record(self, request: RecordedRequest) -> None:
        """Record a request. If there are too many, delete the oldest one."""
        if len(self.requests) >= self.settings.keep_requests:
            del self.requests[0]
        self.requests.append(request)

    def finish(self, profile_id: str, success: bool = True) -> None:
        callback = finish_completion(self.store, profile_id, success=success, now=stamp(self.clock.now()))
        if callback is not None:
            self.outbox.start(report(self.outbox, self.callbacks, *callback))

    @property
    def world(self) -> World:
        """The store, the clock and the event reports, for changes without a request."""
        return World(
            store=self.store, settings=self.settings, emit=self.emit, time=self.clock.now, call_at=self.clock.call_at
        )

    def emit(
        self, field: str, event: str | None, payload: JSON, owner: str | None = None, *, request_id: str | None = None
    ) -> list[Delivery]:
        """Report an event to webhook endpoints."""
        now = self.clock.now()
        return self.deliveries.dispatch(
            Emitted(field=field, event=event, payload=payload, owner=owner, request_id=request_id, at=now)
        )


def _routes() -> dict[str, list[tuple[Operation[Any], re.Pattern[str]]]]:
    """The operations by the first word of their path after ``/v3``. Literal paths come first."""
    routes: dict[str, list[tuple[Operation[Any], re.Pattern[str]]]] = {}
    for operation in sorted(operations.ALL, key=lambda operation: operation.path.count("{")):
        route = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path))
        routes.setdefault(operation.path.split("/")[2], []).append((operation, route))
    return routes


_ROUTES: Final = _routes()


async def handle(state: State, request: web.BaseRequest) -> web.StreamResponse:
    """Handle one request from arrival to response."""
    started = time.perf_counter()
    body = await request.read()
    path = request.rel_url.raw_path
    candidates = _ROUTES.get("".join(path.split("/")[2:3]), ())
    matches = [(operation, match) for operation, pattern in candidates if (match := pattern.fullmatch(path))]
    route = next(((operation, match) for operation, match in matches if operation.method == request.method), None)
    record = RecordedRequest(
        operation=route[0].name if route else None,
        method=request.method,
        path=path,
        query=request.query,
        headers=request.headers,
        body=body,
        at=state.clock.now(),
    )
    state.record(record)
    work: faults.Work = UnknownRequest(matches)
    if route:
        operation, match = route
        parameters = {name: unquote(value) for name, value in match.groupdict().items()}
        work = Exchange(state, record, operation, parameters, started)
    response = await faults.respond(state.script.choose(record), request, work, state.closing)
    record.set_result(response.status if response is not None else None, time.perf_counter() - started)
    _log.debug("%s", record)
    # aiohttp needs a response, even if the connection is closed.
    return response if response is not None else web.Response()


class UnknownRequest:
    """A request to a path or method that the API does not have. The response has no envelope."""

    def __init__(self, matches: Collection[tuple[Operation[Any], object]]) -> None:
        self._allowed = ", ".join(operation.method for operation, _ in matches)

    async def process(self, pause: Callable[[], Awaitable[None]] | None = None) -> Response:
        if pause is not None:
            await pause()
        if self._allowed:
            return Response(405, {"Allow": self._allowed, "Content-Type": "text/plain"}, b"Method not allowed")
        return Response(404, {"Content-Type": "text/plain"}, b"FakeSent serves no such path")

    def failure(self, fault: faults.Fail) -> Response:
        return Response(fault.status, {"Content-Type": "text/plain", **fault.headers}, fault.body or b"")


class Exchange:
    """A request for one of the operations, and the headers of its response."""

    def __init__(
        self,
        state: State,
        request: RecordedRequest,
        operation: Operation[Any],
        parameters: Mapping[str, str],
        started: float,
    ) -> None:
        self._state = state
        self._request = request
        self._operation = operation
        self._parameters = parameters
        self._started = started
        self._request_id = new_request_id()
        self._headers: dict[str, str] = {}

    async def process(self, pause: Callable[[], Awaitable[None]] | None = None) -> Response:
        """Process the request. ``pause`` is awaited right before the request is executed."""
        try:
            caller = authenticate(self._state.store, self._request.headers)
            if caller.by_header:
                self._headers["X-Profile-Id"] = caller.acting or ""
            self._count(caller)
            outcome = await self._execute_once(caller, pause)
        except Refusal as refusal:
            outcome = self._refusal_response(refusal)
        return self._to_response(outcome)

    def failure(self, fault: faults.Fail) -> Response:
        """The response of a scripted failure, in the form of the API's own errors."""
        self._headers.clear()  # A failure after a replay must not look like a replay.
        code = fault.code or _CODES.get(fault.status)
        if fault.body is not None or code is None:
            kind = "text/html" if (fault.body or b"").lstrip().startswith(b"<") else "application/json"
            response = self._to_response(StoredResponse(fault.status, fault.body or b"", self._request_id))
            return Response(fault.status, {**response.headers, "Content-Type": kind, **fault.headers}, response.body)
        response = self._to_response(self._refusal_response(Refusal(code, details=fault.details, status=fault.status)))
        return Response(response.status, {**response.headers, **fault.headers}, response.body)

    def _count(self, caller: Caller) -> None:
        state, tier, key = self._state, self._operation.rate_tier, caller.key.value
        if not state.limits.take(tier, key, state.clock.now()):
            self._headers |= state.limits.retry_after(tier, key, state.clock.now())
            raise Refusal(ErrorCode.RATE_LIMIT_EXCEEDED)

    async def _execute_once(self, caller: Caller, pause: Callable[[], Awaitable[None]] | None) -> StoredResponse:
        """Execute the request, unless a request with the same idempotency key was executed before."""
        key, idempotency = self._request.idempotency_key, self._state.idempotency
        if key is None or self._operation.method == "GET":
            return await self._execute(caller, pause)
        place = (caller.key.value, check_idempotency_key(key))
        fingerprint = _fingerprint(self._request)
        stored = idempotency.claim(place, fingerprint, self._state.clock.now())
        if stored is not None:
            self._headers |= {"Idempotent-Replayed": "true", "X-Original-Request-Id": stored.request_id}
            return stored
        try:
            outcome = await self._execute(caller, pause)
        except BaseException:
            idempotency.release(place)
            raise
        idempotency.settle(place, fingerprint, outcome, self._state.clock.now())
        return outcome

    async def _execute(self, caller: Caller, pause: Callable[[], Awaitable[None]] | None) -> StoredResponse:
        if pause is not None:
            await pause()
        state, sandbox = self._state, False
        now = stamp(state.clock.now())
        content, documents = self._request.body, list[JSON]()
        content_type = self._request.headers.get("Content-Type", "")
        try:
            if content_type.startswith("multipart/"):
                content, documents = read_form(self._operation, content_type, content)
            body = decode_body(self._operation, content)
            sandbox = getattr(body, "sandbox", False) is True
            context = Context(
                store=state.store.draft() if sandbox else state.store,
                settings=state.settings,
                caller=caller,
                parameters=self._parameters,
                query=self._request.query,
                body=body,
                documents=documents,
                now=now,
                deliveries=state.deliveries,
                finish=state.finish,
                emit=emit_nothing if sandbox else partial(state.emit, request_id=self._request_id),
                call_at=_ignore_call if sandbox else state.clock.call_at,
                time=state.clock.now,
            )
            reply = HANDLERS.get(self._operation.name, self._example_response)(context)
            if isinstance(reply, Awaitable):
                reply = await reply
        except Refusal as refusal:
            return self._refusal_response(refusal, sandbox=sandbox)
        if reply.then is not None and not sandbox:
            reply.then()
        content = b"" if reply.status == 204 else success_body(reply.data, self._request_id, now)
        return StoredResponse(reply.status, content, self._request_id, sandbox)

    def _example_response(self, _: Context) -> Reply:
        """The response for an operation that the fake does not simulate: an example made from its schema."""
        self._headers["X-Fake-Sent"] = "by-schema"
        kind: Any = self._operation.response
        if kind is None:
            return Reply(204)
        return Reply(201 if self._operation.name.startswith("create") else 200, sample(kind))

    def _refusal_response(self, refusal: Refusal, *, sandbox: bool = False) -> StoredResponse:
        if refusal.status in (401, 403) and self._state.settings.empty_auth_bodies:
            return StoredResponse(refusal.status, b"", self._request_id, sandbox)
        body = refusal_body(refusal, self._request_id, stamp(self._state.clock.now()))
        return StoredResponse(refusal.status, body, self._request_id, sandbox)

    def _to_response(self, outcome: StoredResponse) -> Response:
        now = self._state.clock.now()
        key = self._request.headers.get("x-api-key", "")
        headers = {
            "X-Request-Id": self._request_id,
            "X-Response-Time": f"{(time.perf_counter() - self._started) * 1000:.0f}ms",
            "X-API-Version": "v3",
            # By the fake's clock, which may be ahead: clients compare the reset of a rate limit with this header.
            "Date": email.utils.formatdate(now, usegmt=True),
            **self._state.limits.headers(self._operation.rate_tier, key, now),
            **({"X-Sandbox": "true"} if outcome.sandbox else {}),
            **({"Content-Type": JSON_TYPE} if outcome.body else {}),
            **self._headers,
        }
        return Response(outcome.status, headers, outcome.body)


_CODES: Final[Mapping[int, str]] = {
    400: ErrorCode.VALIDATION_FAILED,
    401: ErrorCode.INVALID_API_KEY,
    403: ErrorCode.INSUFFICIENT_PERMISSIONS,
    404: ErrorCode.PROFILE_NOT_FOUND,
    409: ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT,
    422: ErrorCode.QUOTA_EXCEEDED,
    429: ErrorCode.RATE_LIMIT_EXCEEDED,
    500: ErrorCode.INTERNAL_ERROR,
    502: ErrorCode.PROVIDER_ERROR,
    503: ErrorCode.TEMPORARILY_UNAVAILABLE,
    504: ErrorCode.PROCESSING_TIMEOUT,
}
"""The error code of a scripted failure with only a status."""


def _fingerprint(request: RecordedRequest) -> bytes:
    """A hash of a request that does not depend on whitespace or on the order of members."""
    content = msgspec.json.encode(request.json, order="deterministic") if request.json is not None else request.body
    acting = request.headers.get("x-profile-id", "")
    return hashlib.sha256(b"\0".join([f"{request.method} {request.path} {acting}".encode(), content])).digest()


def _ignore_call(moment: float, callback: Callable[[], object]) -> None:
    """Replaces ``Clock.call_at`` for a sandbox request, which has no effect later."""
