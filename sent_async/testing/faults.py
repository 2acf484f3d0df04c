"""Faults between a service and the API, and the function that applies them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
from aiohttp import web

from .answers import Answer
from .recording import RecordedRequest


class Fail(msgspec.Struct, frozen=True, kw_only=True, tag="fail"):
    """An error instead of the response. The work is not done, or it is done and the response hides it."""

    status: int = 503
    code: str | None = None
    """An error code of the envelope; by default one that goes with the status."""
    body: bytes | None = None
    """Sent in place of an envelope, as a proxy would."""
    details: Mapping[str, Sequence[str]] | None = None
    """The ``details`` of the envelope: messages by member of the request."""
    headers: Mapping[str, str] = {}
    after_commit: bool = False

    def __post_init__(self) -> None:
        _check(self.status, self.headers)


class Drop(msgspec.Struct, frozen=True, kw_only=True, tag="drop"):
    """The connection is reset before the work, or after the work and before the response."""

    after_commit: bool = False


class Delay(msgspec.Struct, frozen=True, kw_only=True, tag="delay"):
    """The response is late. Either the work waits and holds its idempotency key, or only the response waits."""

    seconds: float
    after_commit: bool = False


class StallBody(msgspec.Struct, frozen=True, kw_only=True, tag="stall-body"):
    """The work is done and half of the response is sent. The rest follows after ``seconds``, or never."""

    seconds: float | None = None


class CutBody(msgspec.Struct, frozen=True, kw_only=True, tag="cut-body"):
    """The work is done and half of the response is sent. Then the connection closes."""


class RawAnswer(msgspec.Struct, frozen=True, kw_only=True, tag="answer"):
    """Exactly this response to any request. No work is done."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        _check(self.status, self.headers)


def _check(status: int, headers: Mapping[str, str]) -> None:
    """Refuse now what could not be sent later."""
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
    """Scripted faults in their order, each for a number of requests. After them the chooser, if there is one."""

    def __init__(self) -> None:
        self.chooser: Chooser | None = None
        self.scripted: list[Scripted] = []

    def add(self, fault: Fault, times: int, operation: str | None) -> None:
        if times < 1:
            raise ValueError(f"times is how many requests meet the fault, 1 or more; got {times!r}")
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
    """A request that has been read and not yet worked on."""

    async def answer(self, pause: Callable[[], Any] | None = None) -> Answer: ...

    def failure(self, fault: Fail) -> Answer: ...


class _HangUp(Exception):  # noqa: N818 - asked for
    """Reset the connection."""


async def respond(
    fault: Fault | None, request: web.BaseRequest, work: Work, closing: asyncio.Event
) -> web.Response | None:
    """Do the work and respond, as far as the fault allows. ``None`` when no complete response was sent."""
    try:
        match fault:
            case None:
                return _plain(await work.answer())
            case RawAnswer():
                return _plain(Answer(fault.status, fault.headers, fault.body))
            case Fail():
                if fault.after_commit:
                    await work.answer()
                return _plain(work.failure(fault))
            case Delay(after_commit=False):
                return _plain(await work.answer(pause=lambda: _pause(fault.seconds, closing)))
            case Delay():
                answer = await work.answer()
                await _pause(fault.seconds, closing)
                return _plain(answer)
            case CutBody() | StallBody():
                await _send_half(fault, request, await work.answer(), closing)
                return None
            case Drop(after_commit=True):
                await work.answer()
            case _:
                pass  # A drop before the work.
    except _HangUp:
        pass
    if request.transport is not None:
        request.transport.abort()
    return None


def _plain(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


async def _pause(seconds: float, closing: asyncio.Event) -> None:
    """Wait in real time. When the fake closes during the wait, the connection is reset."""
    try:
        await asyncio.wait_for(closing.wait(), seconds)
    except TimeoutError:
        return
    raise _HangUp


async def _send_half(
    fault: CutBody | StallBody, request: web.BaseRequest, answer: Answer, closing: asyncio.Event
) -> None:
    """The headers and half of the body. Without a body, half of the headers."""
    head, body = _head(answer), answer.body
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


def _head(answer: Answer) -> bytes:
    headers = {**answer.headers, "Content-Length": str(len(answer.body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
