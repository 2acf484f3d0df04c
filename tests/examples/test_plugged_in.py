"""The demo, tracing, logging and uvloop."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from sent_async.testing import FakeSent
from tests.support.processes import EXAMPLES, Run


async def test_demo_against_the_server_it_is_given(fake_sent: FakeSent, run: Run) -> None:
    """With a key it talks to the API and stores nothing."""
    code, printed = await run("demo.py")
    assert code == 0
    assert "Talking to the real API" in printed
    assert len(fake_sent.templates) == 1


async def test_demo_brings_its_own_server() -> None:
    """Without a key it needs nothing else, and shows what it says: one write, no refusal, each event handled once."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", EXAMPLES / "demo.py"), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    printed = out.decode()
    assert "Talking to the embedded server" in printed
    assert "2 requests with one idempotency key: True\n  1 profile was created" in printed
    assert "25 succeeded" in printed
    assert "0 were refused" in printed
    assert "5 posts with a valid signature, 4 events handled" in printed
    assert "NotFoundError: 404 RESOURCE_014" in printed


async def test_tracing(fake_sent: FakeSent, run: Run) -> None:
    """A span for the call with an event for each attempt and for the wait between them, and the metrics."""
    fake_sent.fail_next(1)
    code, printed = await run("opentelemetry_tracing.py")
    assert code == 0
    assert printed.count('"name": "GET /v3/profiles"') == 1
    assert printed.count('"name": "list profiles"') == 1
    assert printed.count('"name": "sent.attempt"') == 2
    assert printed.count('"name": "sent.wait"') == 1
    assert '"name": "http.client.request.duration"' in printed
    assert fake_sent.api_key not in printed


async def test_tracing_of_a_lost_connection(fake_sent: FakeSent, run: Run) -> None:
    """The span ends, with the kind of failure."""
    fake_sent.drop_next(100)
    code, printed = await run("opentelemetry_tracing.py")
    assert code == 1
    assert '"error.type": "sent_async.errors.SentConnectionError"' in printed
    assert fake_sent.api_key not in printed


async def test_structured_logging(fake_sent: FakeSent, run: Run) -> None:
    """A JSON line for each attempt, with the order it was made for."""
    fake_sent.fail_next(1)
    code, printed = await run("structured_logging.py")
    assert code == 0
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert [line["order"] for line in lines] == ["order-1001", "order-1001", "order-1002"]
    assert [line["status"] for line in lines] == [503, 200, 200]
    assert all(line["request_id"] for line in lines)


async def test_structured_logging_of_an_error(fake_sent: FakeSent, run: Run) -> None:
    """One failed call ends neither the program nor the log."""
    fake_sent.fail_next(1, status=403)
    code, printed = await run("structured_logging.py")
    assert code == 0
    assert "order-1001: 403 AUTH_" in printed


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not made for Windows")
async def test_uvloop(run: Run) -> None:
    """The same calls on another event loop."""
    code, printed = await run("uvloop_run.py")
    assert (code, "running on uvloop" in printed, "1 of 1 profiles" in printed) == (0, True, True)
