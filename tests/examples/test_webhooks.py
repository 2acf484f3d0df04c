"""The two receivers of webhooks."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from examples.webhooks_aiohttp import create_app
from sent_async import SentClient
from sent_async.testing import FakeSent
from tests.support.deliveries import SECRET, event_body, signed, status_body
from tests.support.processes import Start


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SENT_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("EVENTS", str(tmp_path / "events.sqlite"))


async def check(http: aiohttp.ClientSession | TestClient[aiohttp.web.Request, aiohttp.web.Application]) -> None:
    """Deliver, deliver again, deliver out of order, ask."""
    read = status_body("m1", "READ", updated_at="2026-01-01T00:00:02Z")
    sent = status_body("m1", "SENT", updated_at="2026-01-01T00:00:01Z")
    other = event_body("invoice", "invoice.paid", {})
    received = event_body("message", "message.received", {"message_id": "m2", "text": "hello"})
    for body in (read, sent, read, other, received):
        async with http.post("/webhooks/sent", data=body, headers=signed(body)) as response:
            assert response.status == 204
    async with http.post("/webhooks/sent", data=read) as response:
        assert response.status == 401
    async with http.get("/messages/m1") as response:
        assert await response.json() == {"id": "m1", "status": "READ"}
    async with http.get("/messages/unknown") as response:
        assert response.status == 404


async def follow(fake: FakeSent, sent: SentClient, url: str) -> None:
    """Let the fake deliver what becomes of a message: the latest first, and each twice."""
    fake.add_webhook(endpoint_url=f"{url}/webhooks/sent", signing_secret=SECRET)
    fake.webhooks.hold()
    message = await sent.messages.send(to=["+14155550100"], text="Your table is ready", channel=["sms"])
    fake.advance(60)
    fake.webhooks.release(lambda held: [*held[::-1], *held])
    await fake.settle()
    assert {(delivery.status, delivery.attempts) for delivery in fake.webhooks.deliveries} == {("DELIVERED", 2)}
    message_id = message.recipients[0].message_id
    async with aiohttp.ClientSession(url) as http, http.get(f"/messages/{message_id}") as response:
        assert await response.json() == {"id": message_id, "status": "DELIVERED"}


async def test_aiohttp(tmp_path: Path, fake_sent: FakeSent, sent: SentClient) -> None:
    """The app as it stands."""
    async with TestClient(TestServer(create_app(str(tmp_path / "events.sqlite")))) as client:
        await check(client)
        await follow(fake_sent, sent, str(client.make_url("")).rstrip("/"))


async def test_fastapi(start: Start, fake_sent: FakeSent, sent: SentClient) -> None:
    """Under uvicorn."""
    process = await start("-m", "uvicorn", "--port", "0", "webhooks_fastapi:app")
    assert process.stderr is not None
    url = ""
    while not url:
        line = (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
        assert line, "the server ended"
        url = found[0] if (found := re.findall(r"http://[\d.]+:\d+", line)) else ""
    async with aiohttp.ClientSession(url) as session:
        await check(session)
    await follow(fake_sent, sent, url)
