"""The pacer as its users meet it: the readable state, a pacer of one's own, cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from sent_async import NotFoundError, Pacer, SentConnectionError
from sent_async.pacing import HeaderPacer

from ..batch.conftest import until
from ..conftest import MakeClient, Server, answer, problem
from .conftest import ID, Connect, Limited, Serve, fetch


async def test_the_state_is_readable(serve: Serve, connect: Connect) -> None:
    """``rate_limits`` tells what the answers said, by tier."""
    server = await serve(Limited("window", limit=50, window=60.0))
    client = connect(server)
    assert client.rate_limits == {}

    assert await fetch(client, 3) == 0

    (tier, state), *others = client.rate_limits.items()
    assert (tier, others) == ("standard", [])
    assert (state.limit, state.remaining) == (50, 47)
    assert state.resets_in is not None
    assert 0 < state.resets_in <= 61
    assert (state.paused_for, state.in_flight, state.waiting) == (0, 0, 0)


async def test_the_state_without_rate_headers(serve: Serve, connect: Connect) -> None:
    """What no answer has said reads None."""
    server = await serve(Limited("window", headers=False))
    client = connect(server)

    assert await fetch(client, 1) == 0

    state = client.rate_limits["standard"]
    assert (state.limit, state.remaining, state.resets_in) == (None, None, None)


async def test_the_state_during_a_pause(serve: Serve, connect: Connect) -> None:
    """Who waits, and for how long at least."""
    server = await serve(Limited("window", limit=1, window=60.0))
    await connect(server).profiles.retrieve(ID)
    client = connect(server)
    tasks = [asyncio.ensure_future(client.profiles.retrieve(ID)) for _ in range(3)]
    await until(lambda: server.refused and client.rate_limits["standard"].paused_for)

    state = client.rate_limits["standard"]
    assert 50 < state.paused_for <= 60
    assert (state.in_flight, state.waiting, state.remaining) == (0, 2, 0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert client.rate_limits["standard"].waiting == 0
    assert server.seen == 2


class Recorder:
    """A pacer of one's own, which lets everything pass."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, int, str | None]] = []
        self.permits = 0

    async def acquire(self, tier: str) -> int:
        self.permits += 1
        return self.permits

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        self.told.append((tier, permit, status, headers.get("X-Request-Id")))


async def test_a_pacer_of_ones_own_is_asked_and_told_once_per_attempt(server: Server, client: MakeClient) -> None:
    """Errors and retries included; the permit comes back as it was given."""
    recorder = Recorder()
    pacer: Pacer = recorder
    success = server.answers[0]
    server.answers = [answer(problem(None), 503, X_Request_Id="req_1"), answer(problem("RESOURCE_014"), 404), success]
    sent = client(pacing=pacer)

    with pytest.raises(NotFoundError):
        await sent.profiles.retrieve(ID)
    await sent.profiles.complete(ID, web_hook_url="https://example.com/done")

    assert recorder.told == [("standard", 1, 503, "req_1"), ("standard", 2, 404, None), ("sensitive", 3, 200, None)]
    assert sent.rate_limits == {}


async def test_a_pacer_is_told_of_attempts_without_an_answer(client: MakeClient, unused_tcp_port: int) -> None:
    """Status 0 and no headers."""
    recorder = Recorder()
    sent = client(base_url=f"http://127.0.0.1:{unused_tcp_port}", pacing=recorder, max_retries=1)

    with pytest.raises(SentConnectionError):
        await sent.profiles.retrieve(ID)

    assert recorder.told == [("standard", 1, 0, None), ("standard", 2, 0, None)]


async def test_failed_attempts_give_their_permits_back(client: MakeClient, unused_tcp_port: int) -> None:
    """A server that is down holds no permits, and the first to reach it again learns the limit."""
    sent = client(base_url=f"http://127.0.0.1:{unused_tcp_port}", pacing=True, max_retries=0)

    assert await fetch(sent, 5, concurrency=5) == 5

    state = sent.rate_limits["standard"]
    assert (state.in_flight, state.waiting) == (0, 0)


SPENT = {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "0"}
PLENTY = {**SPENT, "X-RateLimit-Remaining": "8"}


async def _waiting(pacer: HeaderPacer, count: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.ensure_future(pacer.acquire("standard")) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


@pytest.mark.parametrize("told_first", [True, False])
async def test_cancelling_while_waiting_loses_no_permit(told_first: bool) -> None:
    """Those behind the cancelled one move up, whether it has run before the permits come or not."""
    pacer = HeaderPacer()
    permit = await pacer.acquire("standard")
    first, second, third = await _waiting(pacer, 3)

    second.cancel()
    if told_first:
        await asyncio.sleep(0)
    pacer.release("standard", permit, 200, PLENTY)

    with pytest.raises(asyncio.CancelledError):
        await second
    assert await first == await third == permit
    state = pacer.rate_limits["standard"]
    assert (state.in_flight, state.waiting) == (2, 0)


async def test_cancelling_just_after_the_permit_was_given_gives_it_back() -> None:
    """The permit was set, the task had not run yet: the next one gets it."""
    pacer = HeaderPacer()
    permit = await pacer.acquire("standard")
    first, second = await _waiting(pacer, 2)

    pacer.release("standard", permit, 200, SPENT)  # one is left, and first has it
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    state = pacer.rate_limits["standard"]
    assert (state.in_flight, state.waiting) == (1, 0)
    assert await second == permit


async def test_cancelling_everybody_leaves_a_clean_pacer() -> None:
    """Nothing in flight, nobody waiting, and the next one is let go."""
    pacer = HeaderPacer()
    permit = await pacer.acquire("standard")
    tasks = await _waiting(pacer, 5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    pacer.release("standard", permit, 200, PLENTY)

    state = pacer.rate_limits["standard"]
    assert (state.in_flight, state.waiting, state.remaining) == (0, 0, 8)
    assert await pacer.acquire("standard") == permit


async def test_permits_go_out_in_the_order_of_asking() -> None:
    """First come, first served, also for one that asks when others wait already."""
    pacer, order = HeaderPacer(), list[int]()
    permit = await pacer.acquire("standard")

    async def ask(number: int) -> None:
        await pacer.acquire("standard")
        order.append(number)

    tasks = [asyncio.ensure_future(ask(number)) for number in range(5)]
    await asyncio.sleep(0)
    pacer.release("standard", permit, 200, PLENTY)
    await asyncio.gather(*tasks)

    assert order == [0, 1, 2, 3, 4]
