"""The two web services."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from examples.aiohttp_service import create_app
from sent_async.testing import FakeSent
from tests.support.processes import Start

Service = TestClient[web.Request, web.Application]

MISSING = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def service(fake_sent: FakeSent, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """The aiohttp service, talking to the fake_sent."""
    monkeypatch.setenv("SENT_BASE_URL", fake_sent.url)
    monkeypatch.setenv("SENT_DM_API_KEY", fake_sent.api_key)
    async with TestClient(TestServer(create_app())) as client:
        yield client


async def test_aiohttp_service_responds(fake_sent: FakeSent, service: Service) -> None:
    """One profile in our own shape, all of them in the API's."""
    [profile_id] = fake_sent.profiles
    async with service.get(f"/profiles/{profile_id}") as response:
        assert await response.json() == {"id": profile_id, "name": "Marketing Team", "status": "approved"}
    async with service.get("/profiles") as response:
        assert [profile["id"] for profile in await response.json()] == [profile_id]


async def test_aiohttp_service_translates_errors(fake_sent: FakeSent, service: Service) -> None:
    """What went wrong behind it becomes a status its callers can act on."""
    async with service.get(f"/profiles/{MISSING}") as response:
        assert response.status == 404
    fake_sent.fail_next(1, code="BUSINESS_002", headers={"Retry-After": "90"})
    async with service.get("/profiles") as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "90")
    fake_sent.fail_next(1, status=403)
    async with service.get("/profiles") as response:
        assert response.status == 502


async def test_fastapi_service(fake_sent: FakeSent, start: Start) -> None:
    """Creating twice with one order number happens once, errors are translated, and objects of ours are responses."""
    process = await start("-m", "uvicorn", "--port", "0", "fastapi_service:app")
    assert process.stderr is not None
    url = ""
    while not url:
        line = (await process.stderr.readline()).decode()
        assert line, "the server ended"
        url = found[0] if (found := re.findall(r"http://[\d.]+:\d+", line)) else ""
    async with aiohttp.ClientSession(url) as session:
        order = {"text": "Our spring sale starts today!", "order": "1001"}
        drafts = []
        for _ in range(2):
            async with session.post("/announcements", json=order) as response:
                assert response.status == 201
                drafts.append(await response.json())
        assert drafts[0] == drafts[1]
        assert len(fake_sent.templates) == 2
        async with session.get(f"/announcements/{drafts[0]['id']}") as response:
            assert await response.json() == drafts[0]
        async with session.get(f"/announcements/{MISSING}") as response:
            assert response.status == 404
        async with session.post("/announcements", json={"text": " ", "order": "1002"}) as response:
            assert response.status == 422
            assert "details" in await response.json()
        async with session.get("/profiles") as response:
            [profile] = await response.json()
            assert profile["id"] in fake_sent.profiles
        async with session.get("/openapi.json") as response:
            assert "organization_id" in (await response.json())["components"]["schemas"]["Profile"]["properties"]
        fake_sent.fail_next(1, status=403)
        async with session.get(f"/announcements/{MISSING}") as response:
            assert response.status == 502
