"""Exchanges with Redis one by one, without tasks or requests: what each process holds, and what it learns."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.commands.core import Script

from sent_async.rate_window import GRACE
from sent_async.redis.window import PACE, Reply, SharedWindow
from tests.support.redis_server import RedisServer

LEASE = 100.0


@pytest.fixture
def pace(redis: RedisServer) -> Iterator[Script]:
    """The script on an empty Redis."""
    with Redis.from_url(redis.url) as client:
        yield client.register_script(PACE)


class Process:
    """A process's window and its exchanges, at a time of its own."""

    def __init__(self, pace: Script, fleet: str = "fleet") -> None:
        self.window = SharedWindow()
        self.now = 1000.0
        self._pace = pace
        self._keys = [f"{{{fleet}}}:{part}" for part in ("window", "held", "leases")]
        self._name = secrets.token_hex(4)

    def ask(self, waiting: int = 0, **changes: float) -> Reply:
        report = self.window.make_report(self.now, waiting, 0.25, LEASE)
        report = msgspec.structs.replace(report, **changes)
        return msgspec.json.decode(self._pace(self._keys, [self._name, msgspec.json.encode(report)]), type=Reply)

    def exchange(self, waiting: int = 0, **changes: float) -> Reply:
        reply = self.ask(waiting, **changes)
        self.window.apply(self.now, reply, self.now + LEASE)
        return reply

    def take(self) -> int:
        assert self.window.room(self.now) >= 1
        return self.window.spend(self.now)

    def respond(self, permit: int, status: int, remaining: int, reset_in: float = 60.0) -> None:
        self.window.in_flight -= 1
        wall = self.now + (self.window.wall_ahead or 0.0)
        headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": str(remaining)}
        headers["X-RateLimit-Reset"] = str(wall + reset_in)
        self.window.learn(self.now, wall, permit, status, headers)

    def learn(self, remaining: int) -> None:
        """Ask, and get a response."""
        self.exchange(waiting=1)
        self.respond(self.take(), 200, remaining)
        self.exchange()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    left=st.integers(1, 60),
    steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(0, 30)), max_size=30),
)
def test_permits_never_exceed_the_limit(pace: Script, left: int, steps: list[tuple[int, int, int]]) -> None:
    """Whatever the order of requests and responses, the server never has to refuse."""
    fleet = secrets.token_hex(4)
    processes = [Process(pace, fleet) for _ in range(4)]
    processes[0].learn(left)
    for number, wanted, spent in steps:
        process = processes[number]
        process.exchange(waiting=wanted)
        for permit in [process.take() for _ in range(min(spent, process.window.permits))]:
            left -= 1
            process.respond(permit, 200, left)
        assert 0 <= sum(each.window.permits for each in processes) <= left


def test_one_request_opens_the_window_for_all(pace: Script) -> None:
    """While nothing is known, one permit is given. Its response opens the window for all processes."""
    first, second = Process(pace), Process(pace)
    assert [first.exchange(waiting=9).granted, second.exchange(waiting=9).granted] == [1, 0]

    first.respond(first.take(), 200, 99)
    first.exchange()
    second.exchange(waiting=9)

    assert second.window.permits == 9
    assert (second.window.limit, second.window.remaining) == (100, 99)
    assert second.window.resets_at == pytest.approx(second.now + 60, abs=1)


def test_when_the_first_request_has_no_response_the_others_go(pace: Script) -> None:
    """An outage of the API must not become slower by waiting for one request."""
    first, second = Process(pace), Process(pace)
    first.exchange(waiting=1)

    assert second.exchange(waiting=9).granted == 0
    assert second.exchange(waiting=9, patience=0.0).granted == 9


def test_a_refusal_takes_back_the_permits_of_others(pace: Script) -> None:
    """The others keep the pause. Their own refusals that were in flight begin no other pause."""
    first, second = Process(pace), Process(pace)
    first.learn(50)
    first.exchange(waiting=5)
    second.exchange(waiting=5)
    refused, in_flight = first.take(), second.take()
    first.respond(refused, 429, 0, reset_in=30)
    first.exchange()

    second.exchange(waiting=5)

    assert (first.window.room(first.now), second.window.room(second.now)) == (0, 0)
    assert second.window.paused_until == pytest.approx(second.now + 30, abs=1)
    second.respond(in_flight, 429, 0, reset_in=30)
    assert (second.window.pauses, second.window.recent_pauses) == (1, 1)


def test_a_refusal_during_an_exchange(pace: Script) -> None:
    """Permits that were given before the refusal are not used, and are returned."""
    first, second = Process(pace), Process(pace)
    first.learn(50)
    first.exchange(waiting=1)
    permit = first.take()
    reply = first.ask(waiting=5)
    first.respond(permit, 429, 0, reset_in=30)
    first.window.apply(first.now, reply, first.now + LEASE)

    assert reply.granted == 5
    assert first.window.room(first.now + 31) == 0
    first.exchange()
    second.exchange()

    assert second.window.paused_until == pytest.approx(second.now + 30, abs=1)


def test_a_refusal_while_redis_was_away_is_reported_later(pace: Script) -> None:
    """The pause still counts for the others."""
    first, second = Process(pace), Process(pace)
    first.learn(50)
    first.window.go_local()
    first.respond(first.take(), 429, 0, reset_in=30)
    first.window.make_report(first.now, 0, 0.25, LEASE)  # got lost
    first.window.go_local()

    first.exchange()
    second.exchange(waiting=1)

    assert second.window.paused_until == pytest.approx(second.now + 30, abs=1)


def test_late_reports_change_nothing(pace: Script) -> None:
    """A report of an earlier window changes nothing, and its process learns of the present one."""
    first, late = Process(pace), Process(pace)
    first.learn(50)
    late.exchange()
    late.window.remaining = 3
    first.now += 61
    first.exchange(waiting=1, resets=0.0)
    first.window.resets_at = first.now  # Redis's clock does not follow ours
    first.window.permits = 1
    first.respond(first.take(), 200, 99)
    first.exchange()

    late.exchange()

    assert late.window.remaining == 99


def test_permits_end_with_their_lease(pace: Script) -> None:
    """A process that stood still for too long does not use permits that were given to others."""
    process = Process(pace)
    process.learn(50)
    process.exchange(waiting=5)
    assert process.window.room(process.now) == 5

    process.now += LEASE

    assert process.window.room(process.now) == 0
    assert process.exchange().granted == 0
    assert process.window.permits == 0


def test_only_a_process_that_is_alone_lets_go_by_itself(pace: Script) -> None:
    """With Redis, Redis decides how long requests without a response delay the others."""
    process = Process(pace)
    process.window.learn_silence(process.now)
    assert process.window.probed_at is None

    process.window.go_local()
    process.take()
    process.now += GRACE
    process.window.in_flight -= 1
    process.window.learn(process.now, 0.0, 0, 0, {})

    assert process.window.room(process.now) == math.inf
