"""Both handlers in real servers, over real sockets."""

from __future__ import annotations

import asyncio
import io
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from fastapi import FastAPI
from starlette.routing import Route

from sent_async.webhooks import Event, MemorySeen, MessageStatusEvent, SQLiteSeen, WebhookReceiver
from tests.support.deliveries import SECRET, Log, Serve, signed, status_body, uvicorn_server

ROOT = Path(__file__).parents[2]
MIB = 1_048_576


async def post(http: aiohttp.ClientSession, url: str, body: bytes, headers: Any = None) -> int:
    """Deliver; the status."""
    # A stream, because aiohttp warns of large bodies in one piece.
    data = io.BytesIO(body)
    async with http.post(url, data=data, headers=signed(body) if headers is None else headers) as response:
        assert await response.read() == b""
        return response.status


def numbered(number: int) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of an event with an id of its own."""
    body = status_body(f"m{number}", "SENT")
    return body, signed(body, event_id=f"evt_{number}")


class Gate:
    """An ``on_event`` that waits for ``open``, and raises its error if it has one."""

    def __init__(self) -> None:
        self.calls = 0
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self.left = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, event: Event) -> None:
        self.calls += 1
        self.entered.set()
        try:
            await self.opened.wait()
            if self.error is not None:
                raise self.error
        finally:
            self.left.set()


async def test_delivered(serve: Serve, http: aiohttp.ClientSession) -> None:
    """``on_event`` is called once with the typed event, and the response is 2xx."""
    log = Log()
    url = await serve(log)
    assert await post(http, url, *numbered(1)) == 204
    [event] = log.events
    assert isinstance(event, MessageStatusEvent)
    assert (event.id, event.payload.message_id) == ("evt_1", "m1")


async def test_refused(serve: Serve, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture) -> None:
    """A bad signature is 401 and a bad body 400. The reason is in our log only, and ``on_event`` is not called."""
    log = Log()
    url = await serve(log)
    body = status_body("m1", "SENT", body="a secret text", outbound_number="+14155550100")
    assert await post(http, url, body, {}) == 401
    assert await post(http, url, body + b" ", signed(body)) == 401
    assert await post(http, url, body, signed(body, stamp=1)) == 401
    assert await post(http, url, b"no json, +14155550100") == 400
    assert await post(http, url, b'{"field": 7, "text": "a secret text"}') == 400
    assert log.events == []
    reasons = [record.getMessage() for record in caplog.records if record.name == "sent_async.webhooks"]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "webhook refused (missing_header)",
        "webhook refused (bad_signature)",
        "webhook refused (stale)",
        "webhook",
        "webhook",
    ]
    assert not [secret for secret in ("a secret text", "+14155550100", SECRET) if secret in caplog.text]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_other_methods(serve: Serve, http: aiohttp.ClientSession, method: str) -> None:
    """The response is 405 and names the right method."""
    url = await serve(Log())
    async with http.request(method, url) as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")


async def test_size(serve: Serve, http: aiohttp.ClientSession) -> None:
    """A body of 1 MiB is read; one byte more is refused, with or without Content-Length."""
    log = Log()
    url = await serve(log)
    body = status_body("m", "SENT", body="x" * (MIB - len(status_body("m", "SENT", body=""))))
    assert len(body) == MIB
    assert await post(http, url, body) == 204

    async def chunks() -> AsyncIterator[bytes]:
        yield body
        yield b" "

    for data in (io.BytesIO(body + b" "), chunks()):
        async with http.post(url, data=data, headers=signed(body + b" ")) as response:
            assert response.status == 413
    assert len(log.events) == 1


async def test_on_event_raises(serve: Serve, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture) -> None:
    """The response is 500, the log has the place but not the text of the error, and the next delivery is handled."""
    calls = 0

    async def on_event(event: Event) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise LookupError("+14155550100 wrote a secret text")

    url = await serve(on_event)
    assert await post(http, url, *numbered(1)) == 500
    assert "evt_1 (message.sent): on_event raised LookupError" in caplog.text
    assert "in on_event" in caplog.text
    assert "+14155550100 wrote" not in "".join(record.getMessage() for record in caplog.records).replace(
        'raise LookupError("+14155550100 wrote a secret text")', ""
    )
    assert [await post(http, url, *numbered(1)) for _ in range(2)] == [204, 204]
    assert calls == 2


async def test_duplicates(serve: Serve, http: aiohttp.ClientSession) -> None:
    """A second delivery of an event is not handled again, with and without an id in the headers."""
    log = Log()
    url = await serve(log)
    body = status_body("m", "SENT")
    for stamp_id in ("evt_1", None, "evt_2"):
        for _ in range(3):
            assert await post(http, url, body, signed(body, event_id=stamp_id)) == 204
    assert len(log.ids) == 3


@pytest.mark.parametrize(("error", "status"), [(None, 204), (ValueError(), 500)])
async def test_concurrent_duplicates(
    serve: Serve, http: aiohttp.ClientSession, error: Exception | None, status: int
) -> None:
    """A duplicate waits for the first delivery and gets its status: an early 2xx could lose the event."""
    gate = Gate()
    gate.error = error
    url = await serve(gate)
    deliveries = [asyncio.create_task(post(http, url, *numbered(1))) for _ in range(20)]
    await gate.entered.wait()
    assert await post(http, url, b"{}", {}) == 401  # by now the server has seen the others, too
    gate.opened.set()
    assert set(await asyncio.gather(*deliveries)) == {status}
    if error is None:
        assert gate.calls == 1


async def test_two_receivers_and_one_file(serve: Serve, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    """While one handles the event, the other responds with 503, and later with 204. It is handled once."""
    gate, log = Gate(), Log()
    async with SQLiteSeen(tmp_path / "seen.sqlite") as one, SQLiteSeen(tmp_path / "seen.sqlite") as other:
        first, second = await serve(gate, one), await serve(log, other)
        delivery = asyncio.create_task(post(http, first, *numbered(1)))
        await gate.entered.wait()
        assert await post(http, second, *numbered(1)) == 503
        gate.opened.set()
        assert await delivery == 204
        assert await post(http, second, *numbered(1)) == 204
    assert (gate.calls, log.events) == (1, [])


async def test_a_store_of_two_methods(serve: Serve, http: aiohttp.ClientSession) -> None:
    """A store needs ``claim`` and ``release`` only."""

    class Least:
        def __init__(self) -> None:
            self.ids: set[str] = set()

        async def claim(self, id: str, /) -> bool:
            new = id not in self.ids
            self.ids.add(id)
            return new

        async def release(self, id: str, /) -> None:
            self.ids.discard(id)

    log, seen = Log(), Least()
    url = await serve(log, seen)
    assert [await post(http, url, *numbered(1)) for _ in range(3)] == [204] * 3
    assert log.ids == ["evt_1"]

    async def fail(event: Event) -> None:
        raise ValueError

    assert await post(http, await serve(fail, seen), *numbered(2)) == 500
    assert seen.ids == {"evt_1"}


class Broken(MemorySeen):
    """A store with one method that fails."""

    def __init__(self, name: str) -> None:
        super().__init__()
        setattr(self, name, self._fail)

    async def _fail(self, id: str, /) -> bool:
        raise ConnectionError("away")


@pytest.mark.parametrize(
    ("method", "fails", "status", "calls"),
    [("claim", False, 500, 0), ("finish", False, 204, 1), ("release", True, 500, 1)],
)
async def test_a_store_that_is_away(
    serve: Serve,
    http: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    method: str,
    fails: bool,
    status: int,
    calls: int,
) -> None:
    """When the claim fails, the response is 500. A later failure of the store does not change the response."""
    log = Log()

    async def on_event(event: Event) -> None:
        await log(event)
        if fails:
            raise ValueError

    url = await serve(on_event, Broken(method))
    assert await post(http, url, *numbered(1)) == status
    assert len(log.events) == calls
    assert f"seen.{method} raised ConnectionError" in caplog.text


async def test_a_cancelled_delivery_can_be_made_again() -> None:
    """When a server cancels the handler, the claim is released."""
    gate, log = Gate(), Log()
    seen = MemorySeen()
    receiver = WebhookReceiver(SECRET)
    body, headers = numbered(1)
    app = web.Application()
    app.router.add_post("/gate", receiver.aiohttp_handler(gate, seen=seen))
    app.router.add_post("/log", receiver.aiohttp_handler(log, seen=seen))
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    [(host, port)] = runner.addresses
    url = f"http://{host}:{port}"
    async with aiohttp.ClientSession() as http:
        delivery = asyncio.create_task(post(http, f"{url}/gate", body, headers))
        await gate.entered.wait()
        delivery.cancel()
        await gate.left.wait()
        assert await post(http, f"{url}/log", body, headers) == 204
    await runner.cleanup()
    assert log.ids == ["evt_1"]


async def test_a_duplicate_of_a_cancelled_delivery() -> None:
    """A duplicate that waited gets 500, because nothing was handled."""
    gate = Gate()
    app = WebhookReceiver(SECRET).asgi_app(gate)
    body, headers = numbered(1)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "headers": raw}
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    delivery = asyncio.create_task(app(scope, receive, send))
    await gate.entered.wait()
    duplicate = asyncio.create_task(app(scope, receive, send))
    await asyncio.sleep(0)
    delivery.cancel()
    await duplicate
    assert delivery.cancelled()
    assert [message["status"] for message in sent if "status" in message] == [500]
    assert gate.calls == 1


async def test_a_caller_that_hangs_up_within_its_body() -> None:
    """The ASGI app sends nothing, and logs no bad signature."""
    log = Log()
    app = WebhookReceiver(SECRET).asgi_app(log)
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(_: Any) -> None:
        raise AssertionError("nobody is there")

    await app({"type": "http", "method": "POST", "headers": []}, receive, send)
    assert log.events == []


async def test_mounted_in_fastapi(http: aiohttp.ClientSession) -> None:
    """The app works as a route and as a mounted app, beside other routes."""
    log = Log()
    app = FastAPI()
    receiver = WebhookReceiver(SECRET)
    app.router.routes.append(Route("/route", receiver.asgi_app(log)))
    app.mount("/mounted", receiver.asgi_app(log))
    async with uvicorn_server(app) as url:
        base = url.removesuffix("/hook")
        assert await post(http, f"{base}/route", *numbered(1)) == 204
        assert await post(http, f"{base}/mounted/", *numbered(2)) == 204
        assert await post(http, f"{base}/route", b"", {}) == 401
        async with http.get(f"{base}/route") as response:
            assert response.status == 405
    assert log.ids == ["evt_1", "evt_2"]


@asynccontextmanager
async def receiving(*arguments: object) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """``tests.programs.receive_webhooks`` in a process of its own; gives the process and its URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.programs.receive_webhooks", *map(str, arguments)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield process, f"http://127.0.0.1:{int(await process.stdout.readline())}/hook"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def deliver(url: str, numbers: list[int]) -> list[int]:
    """Deliver each once, twenty at a time; those that were not taken."""
    limit = asyncio.Semaphore(20)
    async with aiohttp.ClientSession() as http:

        async def one(number: int) -> bool:
            async with limit:
                try:
                    return await post(http, url, *numbered(number)) == 204
                except aiohttp.ClientError:
                    return False

        taken = await asyncio.gather(*(one(number) for number in numbers))
    return [number for number, done in zip(numbers, taken, strict=True) if not done]


@pytest.mark.parametrize("kind", ["aiohttp", "asgi"])
async def test_a_thousand_deliveries_and_a_crash(kind: str, tmp_path: Path) -> None:
    """Out of order, many twice or three times, the receiver killed in the middle: every event is handled to its end.

    Once each, but for the few that the crash interrupted between the handling and the note of it.
    """
    seen, log = tmp_path / "seen.sqlite", tmp_path / "log.txt"
    chance = random.Random(7)
    events = list(range(600))
    deliveries = [*events, *chance.sample(events, 300), *chance.sample(events, 100)]
    chance.shuffle(deliveries)
    assert len(deliveries) == 1000
    async with receiving(kind, seen, log, 300, 0) as (process, url):
        left = await deliver(url, deliveries)
        assert await process.wait() == -9
    assert left
    before = log.read_text()
    async with receiving(kind, seen, log, 0, 60) as (_, url):
        while left:
            left = await deliver(url, left)
    lines = Counter(log.read_text().split("\n")[:-1])
    ended = {name.removeprefix("end "): count for name, count in lines.items() if name.startswith("end ")}
    assert ended.keys() == {f"evt_{number}" for number in events}
    assert 300 <= before.count("begin ") < 320
    again = [name for name, count in ended.items() if count > 1]
    assert len(again) <= 20
    assert max(ended.values()) <= 2
