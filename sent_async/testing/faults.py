"""Faults between a service and the API, and the function that applies them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
from aiohttp import web

from .recording import RecordedRequest
from .responses import Response


class Fail(msgspec.Struct, frozen=True, kw_only=True, tag="fail"):
    """An error response. The request is not executed, or it is executed and the error hides that."""

    status: int = 503
    """The HTTP status."""
    code: str | None = None
    """The error code in the envelope. Default: a code that fits the status."""
    body: bytes | None = None
    """A body in place of the envelope, such as the page of a proxy."""
    details: Mapping[str, Sequence[str]] | None = None
    """The ``details`` of the envelope: messages by member of the request."""
    headers: Mapping[str, str] = {}
    """Headers to add to the response."""
    after_commit: bool = False
    """Whether the request is executed first."""

    def __post_init__(self) -> None:
        _check(self.status, self.headers)


class Drop(msgspec.Struct, frozen=True, kw_only=True, tag="drop"):
    """The connection is reset instead of a response."""

    after_commit: bool = False
    """Whether the request is executed first."""


class Delay(msgspec.Struct, frozen=True, kw_only=True, tag="delay"):
    """The response is late."""

    seconds: float
    """How late, in seconds of real time."""
    after_commit: bool = False
    """Whether the request is executed before the delay. Otherwise its idempotency key is in use during the delay."""


class StallBody(msgspec.Struct, frozen=True, kw_only=True, tag="stall-body"):
    """The request is executed and half of the response is sent. The rest follows later, or never."""

    seconds: float | None = None
    """Seconds of real time until the rest; ``None`` for never."""


class CutBody(msgspec.Struct, frozen=True, kw_only=True, tag="cut-body"):
    """The request is executed and half of the response is sent. Then the connection is closed."""


class RawAnswer(msgspec.Struct, frozen=True, kw_only=True, tag="answer"):
    """Exactly this response, to any request. The request is not executed."""

    status: int
    """The HTTP status, 200 to 599."""
    body: bytes = b""
    """The body."""
    headers: Mapping[str, str] = {}
    """The headers."""

    def __post_init__(self) -> None:
        _check(self.status, self.headers)


def _check(status: int, headers: Mapping[str, str]) -> None:
    """Raise ``ValueError`` for a response that could not be sent."""
    if not 200 <= status <= 599:
        raise ValueError(f"a response has a status of 200 to 599; got {status!r}")
    if any(character in "\r\n\0" for header in headers.items() for character in "".join(header)):
        raise ValueError("header names and values have no line breaks")


Fault = Fail | Drop | Delay | StallBody | CutBody | RawAnswer
Chooser = Callable[[RecordedRequest], Fault | None]


class Scripted(msgspec.Struct, kw_only=True, eq=False):
    """A fault that waits for requests."""

    fault: Fault
    times: int
    """The number of requests that it still applies to."""
    operation: str | None
    """The only operation that it applies to. ``None`` for any request."""


class Script:
    """Scripted faults in their order, each for a number of requests. Then the chooser decides, if there is one."""

    def __init__(self) -> None:
        self.chooser: Chooser | None = None
        self.scripted: list[Scripted] = []

    def add(self, fault: Fault, times: int, operation: str | None) -> None:
        if times < 1:
            raise ValueError(f"times is the number of requests with the fault, 1 or more; got {times!r}")
        self.scripted.append(Scripted(fault=fault, times=times, operation=operation))

    def choose(self, request: RecordedRequest) -> Fault | None:
        for scripted in self.scripted:
            if scripted.operation in (None, request.operation):
                scripted.times -= 1
                if not scripted.times:
                    self.scripted.remove(scripted)
                return scripted.fault
        return self.chooser(request) if self.chooser is not None else None

    @property
    def pending(self) -> int:
        return sum(scripted.times for scripted in self.scripted)

    def clear(self) -> None:
        self.scripted.clear()
        self.chooser = None


class Work(Protocol):
    """A request that was read and not executed yet."""

    async def process(self, pause: Callable[[], Any] | None = None) -> Response: ...

    def failure(self, fault: Fail) -> Response: ...


class _HangUp(Exception):  # noqa: N818 - not an error, because a test asked for it
    """Reset the connection."""


async def respond(
    fault: Fault | None, request: web.BaseRequest, work: Work, closing: asyncio.Event
) -> web.Response | None:
    """Execute the request and respond, as far as the fault allows.

    Returns ``None`` if no complete response was sent.
    """
    try:
        match fault:
            case None:
                return _to_web_response(await work.process())
            case RawAnswer():
                return _to_web_response(Response(fault.status, fault.headers, fault.body))
            case Fail():
                if fault.after_commit:
                    await work.process()
                return _to_web_response(work.failure(fault))
            case Delay(after_commit=False):
                return _to_web_response(await work.process(pause=lambda: _pause(fault.seconds, closing)))
            case Delay():
                response = await work.process()
                await _pause(fault.seconds, closing)
                return _to_web_response(response)
            case CutBody() | StallBody():
                await _send_half(fault, request, await work.process(), closing)
                return None
            case Drop(after_commit=True):
                await work.process()
            case _:
                pass  # The request is dropped and not executed.
    except _HangUp:
        pass
    if request.transport is not None:
        request.transport.abort()
    return None


def _to_web_response(response: Response) -> web.Response:
    return web.Response(status=response.status, headers=response.headers, body=response.body)


async def _pause(seconds: float, closing: asyncio.Event) -> None:
    """Wait in real time. When the fake closes during the wait, the connection is reset."""
    try:
        await asyncio.wait_for(closing.wait(), seconds)
    except TimeoutError:
        return
    raise _HangUp


async def _send_half(
    fault: CutBody | StallBody, request: web.BaseRequest, response: Response, closing: asyncio.Event
) -> None:
    """Send the headers and half of the body. Without a body, send half of the headers."""
    head, body = _head(response), response.body
    half = len(head) + len(body) // 2 if body else len(head) // 2
    message = head + body
    _write(request, message[:half], last=isinstance(fault, CutBody))
    if isinstance(fault, CutBody):
        return
    if fault.seconds is not None:
        await _pause(fault.seconds, closing)
        _write(request, message[half:], last=True)
    while request.transport is not None:
        await _pause(0.02, closing)


def _write(request: web.BaseRequest, content: bytes, *, last: bool) -> None:
    """Write to the connection, unless the client closed it. A later close still delivers what was written."""
    if request.transport is not None:
        request.transport.write(content)
        if last:
            request.transport.close()


def _head(response: Response) -> bytes:
    headers = {**response.headers, "Content-Length": str(len(response.body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
