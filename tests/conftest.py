"""What most tests need: a server with a script, a clock of the test's own, and clients closed at the end."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import settings

from sent_async import SentClient
from tests.support.clocks import FakeClock, SimulatedClock
from tests.support.limited import ServeLimited, limited_servers
from tests.support.servers import API_KEY, MakeClient, Server

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background jobs ignore Ctrl-C, and so would the programs that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes depends on the machine and says nothing about the code.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, address or proxy of the machine gets into a test."""
    own = ("SENT_DM_API_KEY", "SENT_BASE_URL", "SENT_ALLOW_HTTP")
    for name in (*own, "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulated_clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server on loopback that responds with the customer's profile by default."""
    scripted = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", scripted.handle)
    async with TestServer(app) as running:
        scripted.url = str(running.make_url("")).rstrip("/")
        yield scripted


@pytest.fixture
async def serve_limited() -> AsyncIterator[ServeLimited]:
    """Starts servers that limit requests."""
    async with limited_servers() as start:
        yield start


@pytest.fixture
async def client(server: Server, clock: FakeClock) -> AsyncIterator[MakeClient]:
    """Makes clients of the scripted server, on the test's clock and without pacing by default."""
    made: list[SentClient] = []

    def make(**options: Any) -> SentClient:
        defaults: dict[str, Any] = {"api_key": API_KEY, "base_url": server.url, "pacing": False, "clock": clock}
        made.append(SentClient(**{**defaults, **options}))
        return made[-1]

    yield make
    for sent in made:
        await sent.close()
