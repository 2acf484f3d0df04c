"""What most tests need: a server with a script, a clock that does not wait, and clients closed at the end."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sent_async import SentClient
from sent_async.clock import SystemClock

API_KEY = "sk_test_k3y_that_must_not_show"
PAYLOADS = Path(__file__).parent / "payloads"
META = {"request_id": "req_7X9zKp2jDw", "timestamp": "2026-03-31T15:21:52.1661009+00:00", "version": "v3"}

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background jobs ignore Ctrl-C, and so would the programs that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

Answer: TypeAlias = tuple[int, bytes, Mapping[str, str]]
MakeClient: TypeAlias = Callable[..., SentClient]


def payload(name: str) -> bytes:
    """A recorded body, byte for byte."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def envelope(data: object, **members: object) -> bytes:
    """A successful body around this data."""
    return json.dumps({"success": True, "data": data, "error": None, "meta": META, **members}).encode()


def problem(code: str | None, message: str = "No.", **members: object) -> bytes:
    """A body that says no."""
    error = {"code": code, "message": message, "details": None, "doc_url": None, **members}
    return json.dumps({"success": False, "data": None, "error": error, "meta": META}).encode()


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    """An entry of ``server.answers``; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, body, {"Content-Type": "application/json", **named}


def profile(**changes: object) -> dict[str, Any]:
    """The customer's own profile, with changes."""
    data: dict[str, Any] = json.loads(payload("profiles-list-200.seed"))["data"]["profiles"][0]
    return {**data, **changes}


PROFILE_ANSWER = answer(envelope(profile()))


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path_qs: str
    headers: Mapping[str, str]
    body: bytes


class Server:
    """Gives the scripted answers one by one, the last one for ever, and keeps every request."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [PROFILE_ANSWER]
        self.requests: list[Received] = []
        self.url = ""

    @property
    def last(self) -> Received:
        return self.requests[-1]

    async def handle(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        self.requests.append(Received(request.method, request.raw_path, request.headers.copy(), body))
        status, content, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, body=content, headers=headers)


@dataclass(eq=False)
class FakeTimer:
    """A callback of ``FakeClock.call_later``."""

    at: float
    callback: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    """Time that passes only when somebody sleeps, and then at once, or when a test calls ``advance``."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.timers: list[FakeTimer] = []

    def time(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_700_000_000.0 + self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> FakeTimer:
        timer = FakeTimer(self.now + seconds, callback)
        self.timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Let time pass, and run in their order the callbacks that become due."""
        until = self.now + seconds
        while due := [timer for timer in self.timers if timer.at <= until and not timer.cancelled]:
            first = min(due, key=lambda timer: timer.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            first.callback()
        self.now = max(self.now, until)


class NoPause(SystemClock):
    """Real time in which nothing waits between attempts."""

    async def sleep(self, _seconds: float) -> None:
        await asyncio.sleep(0)


class WaitlessClock(SystemClock):
    """Real time, for time limits on real sockets, in which the waits between attempts count but take no time."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def time(self) -> float:
        return super().time() + sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, address or proxy of the machine gets into a test."""
    for name in ("SENT_DM_API_KEY", "SENT_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def clock() -> WaitlessClock:
    return WaitlessClock()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server on loopback that answers with the customer's profile until told otherwise."""
    scripted = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", scripted.handle)
    async with TestServer(app) as running:
        scripted.url = str(running.make_url("")).rstrip("/")
        yield scripted


@pytest.fixture
async def client(server: Server, clock: WaitlessClock) -> AsyncIterator[MakeClient]:
    """Makes clients of the scripted server, without pacing or waits between attempts unless told otherwise."""
    made: list[SentClient] = []

    def make(**options: Any) -> SentClient:
        defaults: dict[str, Any] = {"api_key": API_KEY, "base_url": server.url, "pacing": False, "clock": clock}
        made.append(SentClient(**{**defaults, **options}))
        return made[-1]

    yield make
    for sent in made:
        await sent.close()
