"""What the client logs: at INFO retries and waits for rate limits, at DEBUG each attempt."""

from __future__ import annotations

import ast
import asyncio
import logging
import re
from pathlib import Path

import pytest

import sent_async
from sent_async import Attempt, NotFoundError, SentClient, SentError, SentTimeoutError, batch
from tests.support.clocks import FakeClock, SimulatedClock
from tests.support.limited import Limited, ServeLimited, fetch
from tests.support.payloads import problem
from tests.support.raw_servers import Connection, RawServer, closed_port, stalled_head
from tests.support.servers import API_KEY, PROFILE_RESPONSE, MakeClient, Server, make_response

RETRY = re.compile(r"(GET|POST) \S+ attempt \d+: .+ in \d+\.\d{3} s( \(request_id=\S+\))?, next attempt in \d+\.\d\d s")
WAIT = re.compile(r"rate limit of tier standard: requests wait \d+\.\d s \((429|the limit is spent)\), \d+ so far")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "sent_async")
    return caplog


def lines(log: pytest.LogCaptureFixture, level: int) -> list[str]:
    """The records of this level by all loggers of the package."""
    return [
        record.getMessage()
        for record in log.records
        if record.levelno == level and record.name.partition(".")[0] == "sent_async"
    ]


async def test_a_retry_says_why_and_how_long(
    client: MakeClient, server: Server, clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    """The line has the status and code or the failure, and the wait. The last attempt is not logged as a retry."""
    server.responses = [
        make_response(problem("SERVICE_001"), 503, X_Request_Id="req_1"),
        make_response(b"", 502),
        PROFILE_RESPONSE,
    ]
    await client().profiles.retrieve("p")
    first, second = lines(log, logging.INFO)
    assert "GET /v3/profiles/{profileId} attempt 1: 503 SERVICE_001 in " in first
    assert first.endswith(f"(request_id=req_1), next attempt in {clock.slept[0]:.2f} s")
    assert "attempt 2: 502 in " in second and "request_id" not in second
    [last] = lines(log, logging.DEBUG)
    assert "attempt 3: 200 in " in last


async def test_a_lost_connection_says_what_happened(client: MakeClient, log: pytest.LogCaptureFixture) -> None:
    """The line has the class and the text of the error."""
    port = closed_port()
    with pytest.raises(SentError):
        await client(base_url=f"http://127.0.0.1:{port}", max_retries=1).profiles.retrieve("p")
    [line] = lines(log, logging.INFO)
    assert f"attempt 1: SentConnectionError (could not connect to 127.0.0.1:{port}: " in line
    [last] = lines(log, logging.DEBUG)
    assert "attempt 2: SentConnectionError (could not connect" in last and "next attempt" not in last


async def test_at_info_there_is_nothing_else(client: MakeClient, server: Server, log: pytest.LogCaptureFixture) -> None:
    """Calls that succeed, and errors that are raised, are not logged at INFO."""
    sent = client()
    await asyncio.gather(*(sent.profiles.retrieve("p") for _ in range(5)))
    await batch(sent.profiles.retrieve, ["p", "q"])
    server.responses = [make_response(problem("RESOURCE_001"), 404)]
    with pytest.raises(NotFoundError):
        await sent.profiles.retrieve("p")
    await sent.close()
    assert [record for record in log.records if record.levelno > logging.DEBUG] == []
    attempts = lines(log, logging.DEBUG)
    assert len(attempts) == 8 == len(server.requests)
    assert "attempt 1: 404 RESOURCE_001 in " in attempts[-1]


@pytest.mark.parametrize("headers", [True, False], ids=["spent", "429"])
async def test_a_wait_for_a_limit_says_why_and_how_long(
    serve_limited: ServeLimited, simulated_clock: SimulatedClock, headers: bool, log: pytest.LogCaptureFixture
) -> None:
    """Each line at INFO is a retry or a wait for a limit."""
    server = await serve_limited(Limited(headers=headers, clock=simulated_clock))
    async with SentClient(API_KEY, base_url=server.url, clock=simulated_clock) as sent:
        # Calls without retries fail at once, so that the next ones wait for the limit.
        await server.run(asyncio.gather(fetch(sent, 30), fetch(sent.with_options(max_retries=0), 30)))
    found = lines(log, logging.INFO)
    assert all(RETRY.fullmatch(line) or WAIT.fullmatch(line) for line in found), found
    reasons = {wait[1] for line in found if (wait := WAIT.fullmatch(line))}
    assert ("the limit is spent" if headers else "429") in reasons


async def test_an_attempt_that_the_deadline_ends_is_logged(
    client: MakeClient, clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    """It is logged at DEBUG like the last attempt of any call."""
    async with RawServer(stalled_head, clock=clock) as raw:
        with pytest.raises(SentTimeoutError):
            await client(base_url=raw.url, deadline=20).profiles.retrieve("p")
    [line] = lines(log, logging.DEBUG)
    assert "attempt 1: SentTimeoutError (retrieveProfile: no response within the deadline of 20 s) in " in line
    assert lines(log, logging.INFO) == []


async def test_a_call_that_its_caller_cancels_is_logged(client: MakeClient, log: pytest.LogCaptureFixture) -> None:
    """It is logged at DEBUG, with how far it got: its caller has no error to read."""
    arrived = asyncio.Event()

    async def stall(connection: Connection) -> None:
        await connection.read()
        arrived.set()
        await connection.hang()

    async with RawServer(stall) as raw:
        task = asyncio.create_task(client(base_url=raw.url).profiles.retrieve("p"))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    [line] = lines(log, logging.DEBUG)
    assert re.fullmatch(
        r"GET /v3/profiles/{profileId}: cancelled by the caller after \d+\.\d{3} s, attempts so far: 1", line
    )
    assert lines(log, logging.INFO) == []


async def test_a_hook_that_raises_is_an_error_in_the_log(client: MakeClient, log: pytest.LogCaptureFixture) -> None:
    """The call goes on, and the log has an error."""

    def hook(_: Attempt) -> None:
        raise ZeroDivisionError

    await client(on_attempt=hook).profiles.retrieve("p")
    assert lines(log, logging.ERROR) == ["on_attempt raised; the call goes on"]
    assert lines(log, logging.INFO) == []


def test_nothing_else_in_the_package_logs_at_info() -> None:
    """The client and the webhook receivers log at INFO in two modules only."""
    root = Path(sent_async.__file__).parent
    found: set[tuple[str, str]] = set()
    for path in root.rglob("*.py"):
        name = path.relative_to(root)
        if name.parts[0] not in ("testing", "cli"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and node.attr in ("info", "INFO"):
                    found.add((str(name), node.attr))
    assert found == {("call.py", "INFO"), ("pacing.py", "info")}
