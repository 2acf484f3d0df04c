"""Faults as the client sees them, and the work that was done in spite of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable

import aiohttp
import pytest

from sent_async import (
    BadRequestError,
    NotFoundError,
    RateLimitError,
    SentClient,
    SentConnectionError,
    SentDecodeError,
    ServerError,
    operations,
)
from sent_async.testing import CutBody, Delay, Drop, Fail, FakeSent, Fault, RawAnswer, RecordedRequest, StallBody
from tests.support.fake_data import SEEDED
from tests.support.raw_client import Wire
from tests.support.waiting import until


@pytest.fixture
async def once(fake_sent: FakeSent) -> AsyncIterator[SentClient]:
    """A client that asks once, at once."""
    async with fake_sent.client(max_retries=0, pacing=False) as client:
        yield client


async def give_up(fake_sent: FakeSent, call: Awaitable[object]) -> None:
    """Cancel a call when its request has reached the server."""
    fake_sent.clear()
    task = asyncio.ensure_future(call)
    await until(lambda: fake_sent.requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_fail(fake_sent: FakeSent, once: SentClient) -> None:
    """The response is an error in the API's form, for as many requests as asked for, and the work is not done."""
    fake_sent.fail_next(2)
    assert fake_sent.pending_faults == 2
    for _ in range(2):
        with pytest.raises(ServerError) as caught:
            await once.profiles.create(name="Sales")
        assert (caught.value.status, caught.value.code) == (503, "INTERNAL_005")
        assert caught.value.request_id
    assert fake_sent.pending_faults == 0
    assert len(fake_sent.profiles) == 1
    assert (await once.profiles.create(name="Sales")).id in fake_sent.profiles


async def test_the_form_of_a_failure(fake_sent: FakeSent, once: SentClient) -> None:
    """A code decides the status, or a status the code. Headers can be added, and the body replaced."""
    fake_sent.fail_next(code="RESOURCE_005")
    with pytest.raises(NotFoundError) as missing:
        await once.profiles.list()
    assert missing.value.message == "Organization not found"
    fake_sent.fail_next(status=429, headers={"Retry-After": "7"})
    with pytest.raises(RateLimitError) as limited:
        await once.profiles.list()
    assert (limited.value.code, limited.value.retry_after) == ("BUSINESS_002", 7)
    fake_sent.fail_next(status=500)
    with pytest.raises(ServerError) as internal:
        await once.profiles.list()
    assert internal.value.request_id
    assert internal.value.request_id in internal.value.message
    fake_sent.fail_next(code="VALIDATION_999")
    with pytest.raises(ServerError) as unknown:
        await once.profiles.list()
    assert (unknown.value.status, unknown.value.code) == (503, "VALIDATION_999")
    fake_sent.fail_next(status=400, body={"error": {"code": "VALIDATION_005", "message": "Too small"}})
    with pytest.raises(BadRequestError) as own:
        await once.profiles.list()
    assert own.value.message == "Too small"


async def test_failures_as_a_proxy_sends_them(fake_sent: FakeSent, wire: Wire) -> None:
    """HTML has its content type, and an unknown status an empty body."""
    fake_sent.fail_next(status=502, body="<html>Bad gateway</html>")
    page = await wire(fake_sent, "GET", "/v3/profiles")
    assert (page.status, page.headers["Content-Type"]) == (502, "text/html")
    fake_sent.fail_next(status=408)
    assert (await wire(fake_sent, "GET", "/v3/profiles")).content == b""
    fake_sent.fail_next(body=b"{}", headers={"Content-Type": "application/problem+json"})
    assert (await wire(fake_sent, "GET", "/v3/profiles")).headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("after_commit", [False, True])
async def test_drop(fake_sent: FakeSent, once: SentClient, after_commit: bool) -> None:
    """The connection ends without a response, before the work or after it."""
    fake_sent.drop_next(after_commit=after_commit)
    with pytest.raises(SentConnectionError) as caught:
        await once.profiles.create(name="Sales")
    assert caught.value.maybe_sent
    assert len(fake_sent.profiles) == 1 + after_commit


async def test_a_dropped_write_happens_once(fake_sent: FakeSent, sent: SentClient) -> None:
    """The client's own retry gets the response of the work that was done."""
    fake_sent.drop_next(after_commit=True)
    profile = await sent.profiles.create(name="Sales")
    assert list(fake_sent.profiles) == [SEEDED, profile.id]
    assert len({request.idempotency_key for request in fake_sent.requests}) == 1


async def test_delay(fake_sent: FakeSent, once: SentClient) -> None:
    """A late response is complete. When the client does not wait for it, the work is still done."""
    fake_sent.delay_next(0.01)
    assert await once.profiles.list()
    fake_sent.delay_next(0.01, after_commit=True)
    assert await once.profiles.list()
    for after_commit in (False, True):
        fake_sent.delay_next(0.5, after_commit=after_commit)
        await give_up(fake_sent, once.profiles.create(name="Sales"))
    await until(lambda: len(fake_sent.profiles) == 3)


async def test_stalled_body(fake_sent: FakeSent, once: SentClient) -> None:
    """The response never ends, with or without a body, and the work is done."""
    fake_sent.stall_body_next(2)
    for call in (once.profiles.create(name="Sales"), once.profiles.delete(SEEDED)):
        await give_up(fake_sent, call)
    await until(lambda: [profile.name for profile in fake_sent.profiles.values()] == ["Sales"])
    fake_sent.stall_body_next(seconds=0.01)
    assert len(await once.profiles.list()) == 1


async def test_the_client_may_end_before_a_stalled_body_does(fake_sent: FakeSent, once: SentClient) -> None:
    """The server goes on as usual."""
    fake_sent.stall_body_next(seconds=0.3)
    await give_up(fake_sent, once.profiles.list())
    await until(lambda: fake_sent.requests[0].seconds is not None)
    assert await once.profiles.list()


async def test_a_large_response_arrives_after_its_stall(fake_sent: FakeSent, once: SentClient) -> None:
    """The end of the connection does not cut it off."""
    fake_sent.add_profile(description="x" * 4_000_000)
    fake_sent.stall_body_next(seconds=0)
    assert len(await once.profiles.list()) == 2


async def test_cut_body(fake_sent: FakeSent, once: SentClient) -> None:
    """The response is cut off, with or without a body, and the work is done."""
    fake_sent.cut_body_next()
    with pytest.raises(SentConnectionError):
        await once.profiles.create(name="Sales")
    fake_sent.cut_body_next(2)  # aiohttp resends a DELETE by itself, once.
    with pytest.raises(SentConnectionError):
        await once.profiles.delete(SEEDED, idempotency_key="k1")
    assert [profile.name for profile in fake_sent.profiles.values()] == ["Sales"]


async def test_half_of_the_body_arrives(fake_sent: FakeSent) -> None:
    """Status and headers are complete, and half of the body follows."""
    fake_sent.cut_body_next()
    async with aiohttp.ClientSession(headers={"x-api-key": fake_sent.api_key}) as session:
        async with session.get(fake_sent.url + "/v3/profiles") as response:
            assert response.status == 200
            half = await response.content.readexactly(int(response.headers["Content-Length"]) // 2)
            assert half.startswith(b'{"success":true')
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()


async def test_raw_responses(fake_sent: FakeSent, once: SentClient) -> None:
    """The response has exactly these bytes, status and headers."""
    fake_sent.answer_next(200, b"not JSON", {"X-Request-Id": "req_raw"}, times=2)
    for _ in range(2):
        with pytest.raises(SentDecodeError) as caught:
            await once.profiles.list()
        assert caught.value.request_id == "req_raw"
    fake_sent.answer_next(200, b'{"success":true,"data":{"profiles":[]}}')
    assert not await once.profiles.list()


async def test_faults_wait_for_their_operation(fake_sent: FakeSent, once: SentClient) -> None:
    """A fault for one operation does not affect others. Faults for any operation come in order."""
    fake_sent.fail_next(operation="createProfile")
    fake_sent.fail_next(operation=operations.LIST_TEMPLATES)
    fake_sent.fail_next(status=500)
    with pytest.raises(ServerError) as caught:
        await once.profiles.list()
    assert caught.value.status == 500
    assert await once.profiles.list()
    for call in (once.profiles.create(name="Sales"), once.templates.list()):
        with pytest.raises(ServerError):
            await call
    with pytest.raises(ValueError, match="listProfiles"):
        fake_sent.fail_next(operation="profiles.list")
    with pytest.raises(ValueError, match="times"):
        fake_sent.drop_next(0)


FAULTS: list[Fault | None] = [
    Fail(), Fail(after_commit=True), Drop(), Drop(after_commit=True), Delay(seconds=0),
    Delay(seconds=0, after_commit=True), StallBody(seconds=0), CutBody(), RawAnswer(status=502), None,
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_a_chooser(fake_sent: FakeSent, sent: SentClient, fault: Fault | None) -> None:
    """It is called for each request after the other faults. Whatever it returns, a retried write happens once."""
    seen: list[RecordedRequest] = []

    def choose(request: RecordedRequest) -> Fault | None:
        seen.append(request)
        return fault if len(seen) == 1 else None

    fake_sent.fault(choose)
    profile = await sent.profiles.create(name="Sales")
    assert list(fake_sent.profiles) == [SEEDED, profile.id]
    assert seen == fake_sent.requests
    fake_sent.fail_next()
    fake_sent.clear_faults()
    assert await sent.profiles.list()
    assert len(seen) == len(fake_sent.requests) - 1


async def test_faults_are_values() -> None:
    """They are frozen, compare by content, and have a readable repr."""
    assert Drop(after_commit=True) == Drop(after_commit=True) != Drop()
    assert repr(Delay(seconds=2)) == "Delay(seconds=2, after_commit=False)"
    with pytest.raises(AttributeError):
        Drop().after_commit = True  # type: ignore[misc]  # what the test is about


async def test_dropping_connections(fake_sent: FakeSent, sent: SentClient) -> None:
    """Idle connections are reset, and a write on one of them happens once."""
    await sent.profiles.list()
    fake_sent.drop_connections()
    profile = await sent.profiles.create(name="Sales")
    assert list(fake_sent.profiles) == [SEEDED, profile.id]


@pytest.mark.parametrize(
    "fault", [Delay(seconds=60), Delay(seconds=60, after_commit=True), StallBody(), None], ids=repr
)
async def test_closing_during_a_fault(fault: Fault | None) -> None:
    """The server closes at once. Delayed requests lose their connection, and their work is not done."""
    async with FakeSent() as fake:
        fake.fault(lambda _: fault)
        async with fake.client(max_retries=0) as sent:
            call = asyncio.create_task(sent.profiles.create(name="Sales"))
            await until(lambda: fake.requests and (fault is not None or call.done()))
            await fake.close()
            if fault is not None:
                with pytest.raises(SentConnectionError):
                    await call
        assert len(fake.profiles) == (1 if fault == Delay(seconds=60) else 2)
