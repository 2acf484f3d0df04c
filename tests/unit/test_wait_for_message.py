"""``wait_for_message``: requests for a message until it has the status."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sent_async import SentConfigError, SentTimeoutError, wait_for_message
from tests.support.clocks import FakeClock
from tests.support.payloads import envelope
from tests.support.servers import MakeClient, Server, make_response


def says(server: Server, statuses: Sequence[str | None]) -> None:
    server.responses = [make_response(envelope({"id": "m1", "status": status})) for status in statuses]


async def wait(
    client: MakeClient, until: str | list[str] = "DELIVERED", **options: float | None
) -> tuple[str | None, FakeClock]:
    clock = FakeClock()
    message = await wait_for_message(client(), "m1", until=until, clock=clock, **options)
    return message.status, clock


@pytest.mark.parametrize(
    ("until", "statuses"),
    [
        ("DELIVERED", ["QUEUED", "ROUTED", "SENT", "DELIVERED"]),
        ("DELIVERED", ["SCHEDULED", "READ"]),
        ("READ", ["DELIVERED", "DELIVERED", "READ"]),
        ("SENT", ["QUEUED", "DELIVERED"]),
        (["SENT", "READ"], ["QUEUED", "DELIVERED"]),
        ("DELIVERED", [None, "BLOCKED"]),
        ("DELIVERED", ["QUEUED", "FILTERED"]),
        ("DELIVERED", ["SCHEDULED", "CANCELLED"]),
        ("DELIVERED", ["FAILED", "QUEUED", "FAILED", "ROUTED", "DELIVERED"]),
        ("FAILED", ["SENT", "FAILED"]),
        ("PAUSED", ["QUEUED", "DELIVERED", "PAUSED"]),
    ],
)
async def test_the_wait_ends(client: MakeClient, server: Server, until: str | list[str], statuses: list[str]) -> None:
    """It ends at a wanted status, at a later one, and at a final one."""
    says(server, statuses)
    status, _ = await wait(client, until)
    assert status == statuses[-1]
    assert len(server.requests) == len(statuses)


async def test_a_failure_that_stands(client: MakeClient, server: Server) -> None:
    """After FAILED it waits a minute, in which another channel may be tried."""
    says(server, ["SENT"] + ["FAILED"] * 50)
    status, clock = await wait(client)
    assert status == "FAILED"
    assert 60 <= sum(clock.slept) - 1 <= 75


async def test_it_asks_less_and_less_often(client: MakeClient, server: Server) -> None:
    """200 seconds take fewer than 25 requests."""
    says(server, ["QUEUED"] * 100)
    with pytest.raises(SentTimeoutError, match="the message is still QUEUED after 200 s; this may change") as caught:
        await wait(client, timeout=200)
    assert caught.value.maybe_sent is False
    assert len(server.requests) < 25


async def test_a_wait_without_a_limit(client: MakeClient, server: Server) -> None:
    """Without ``timeout`` it waits until there is an outcome."""
    says(server, ["QUEUED"] * 300 + ["DELIVERED"])
    status, clock = await wait(client, timeout=None)
    assert status == "DELIVERED"
    assert sum(clock.slept) > 3600


async def test_a_message_without_a_status(client: MakeClient, server: Server) -> None:
    """When the timeout ends, the error says that there is no status."""
    says(server, [None] * 9)
    with pytest.raises(SentTimeoutError, match="still without a status"):
        await wait(client, timeout=3)


@pytest.mark.parametrize(("until", "timeout"), [([], 1), ("SENT", 0), ("SENT", float("nan"))])
async def test_impossible_waits_are_refused(client: MakeClient, until: str | list[str], timeout: float) -> None:
    """An empty list of statuses and a timeout that is not above 0 are refused."""
    with pytest.raises(SentConfigError, match=r"until is empty|timeout must be a number of seconds above 0"):
        await wait(client, until, timeout=timeout)
