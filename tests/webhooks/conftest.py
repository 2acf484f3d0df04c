"""Deliveries as Sent makes them, and both handlers under real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from sent_async.webhooks import Seen, WebhookReceiver
from tests.support.clocks import FakeClock
from tests.support.deliveries import SECRET, STAMP, OnEvent, Serve, aiohttp_server, uvicorn_server


@pytest.fixture
def clock() -> FakeClock:
    """At the moment of the test vector."""
    fake = FakeClock()
    fake.now += STAMP - fake.wall()
    return fake


@pytest.fixture
def receiver(clock: FakeClock) -> WebhookReceiver:
    return WebhookReceiver(SECRET, clock=clock)


@pytest.fixture(params=["aiohttp", "asgi"])
async def serve(request: pytest.FixtureRequest) -> AsyncIterator[Serve]:
    """Starts a receiver with this ``on_event`` under a real server, once for each handler; gives its URL."""
    async with AsyncExitStack() as stack:

        async def start(on_event: OnEvent, seen: Seen | None = None) -> str:
            receiver = WebhookReceiver(SECRET)
            if request.param == "asgi":
                return await stack.enter_async_context(uvicorn_server(receiver.asgi_app(on_event, seen=seen)))
            return await stack.enter_async_context(aiohttp_server(receiver.aiohttp_handler(on_event, seen=seen)))

        yield start


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
