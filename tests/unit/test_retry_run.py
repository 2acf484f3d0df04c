"""The loop over attempts, on a clock that does not wait."""

from __future__ import annotations

import asyncio

import pytest

from sent_async import RateLimitError, SentAPIError, SentConnectionError, SentError, ServerError
from sent_async.clock import SystemClock
from sent_async.retry import run

from ..conftest import FakeClock


class Attempts:
    """Fails with the given errors in turn, then returns the number of the attempt; hears of its own failures."""

    def __init__(self, *errors: SentError, clock: FakeClock, takes: float = 0.0) -> None:
        self.errors = list(errors)
        self.clock = clock
        self.takes = takes
        self.numbers: list[int] = []
        self.heard: list[tuple[int, SentError, float | None]] = []

    async def __call__(self) -> int:
        number = len(self.numbers) + 1
        self.numbers.append(number)
        self.clock.now += self.takes
        if self.errors:
            raise self.errors.pop(0)
        return number

    async def run(self, *, repeatable: bool = True, max_retries: int = 2, deadline: float | None = None) -> int:
        expires = None if deadline is None else self.clock.now + deadline
        try:
            return await self()
        except SentError as first:
            return await run(
                self,
                first,
                repeatable=repeatable,
                max_retries=max_retries,
                expires=expires,
                clock=self.clock,
                on_failure=lambda error, wait: self.heard.append((len(self.numbers), error, wait)),
            )


def failures(count: int, retry_after: float | None = None) -> list[SentError]:
    return [ServerError(f"failure {n}", status=503, retry_after=retry_after) for n in range(1, count + 1)]


async def test_success_at_once(clock: FakeClock) -> None:
    """A call that succeeds is made once, waits for nothing and reports no failure."""
    attempts = Attempts(clock=clock)
    assert await attempts.run() == 1
    assert (attempts.numbers, attempts.heard, clock.slept) == ([1], [], [])


@pytest.mark.parametrize("max_retries", [0, 1, 2, 5])
async def test_the_last_error_is_raised(clock: FakeClock, max_retries: int) -> None:
    """After max_retries more attempts the last error comes out."""
    attempts = Attempts(*failures(10), clock=clock)
    with pytest.raises(ServerError, match=f"failure {max_retries + 1}$"):
        await attempts.run(max_retries=max_retries)
    assert attempts.numbers == list(range(1, max_retries + 2))
    assert len(clock.slept) == max_retries
    assert all(wait <= min(8, 0.5 * 2**n) for n, wait in enumerate(clock.slept))


async def test_success_after_failures(clock: FakeClock) -> None:
    """A later success is the result; each failure was heard of with the wait that really followed."""
    errors = failures(2)
    attempts = Attempts(*errors, clock=clock)
    assert await attempts.run() == 3
    assert [(number, error) for number, error, _ in attempts.heard] == [(1, errors[0]), (2, errors[1])]
    assert [wait for _, _, wait in attempts.heard] == clock.slept


async def test_the_last_failure_is_heard_without_a_wait(clock: FakeClock) -> None:
    """The failure that ends the call is reported too, with no next attempt."""
    attempts = Attempts(*failures(1), clock=clock)
    with pytest.raises(ServerError):
        await attempts.run(max_retries=0)
    assert [(number, wait) for number, _, wait in attempts.heard] == [(1, None)]


async def test_retry_after_is_a_floor(clock: FakeClock) -> None:
    """The wait is never shorter than the server asked for."""
    attempts = Attempts(*failures(2, retry_after=17.0), clock=clock)
    assert await attempts.run() == 3
    assert clock.slept == [17.0, 17.0]


async def test_retry_after_over_the_cap_is_raised_now(clock: FakeClock) -> None:
    """Beyond the cap nobody waits; the number is on the error."""
    attempts = Attempts(RateLimitError("busy", status=429, retry_after=61.0), clock=clock)
    with pytest.raises(RateLimitError) as caught:
        await attempts.run()
    assert (caught.value.retry_after, attempts.numbers, clock.slept) == (61.0, [1], [])


async def test_the_deadline_cuts_a_wait_off(clock: FakeClock) -> None:
    """A wait that would pass the deadline raises the API's own error, not a timeout."""
    attempts = Attempts(RateLimitError("busy", status=429, retry_after=9.0), clock=clock, takes=2.0)
    with pytest.raises(RateLimitError) as caught:
        await attempts.run(deadline=10.0)
    assert (caught.value.retry_after, attempts.numbers, clock.slept) == (9.0, [1], [])


async def test_the_deadline_leaves_room_for_a_wait(clock: FakeClock) -> None:
    """The deadline counts from the start of the call: a first wait fits, a second one does not."""
    attempts = Attempts(*failures(3, retry_after=4.0), clock=clock, takes=2.0)
    with pytest.raises(ServerError, match="failure 2"):
        await attempts.run(deadline=10.0)
    assert clock.slept == [4.0]


@pytest.mark.parametrize(
    "error",
    [SentConnectionError("reset", maybe_sent=True), SentAPIError("no", status=503)],
    ids=["unanswered", "503"],
)
async def test_what_could_run_twice_is_not_repeated(clock: FakeClock, error: SentError) -> None:
    """Without an idempotency key a write that may have arrived is sent once."""
    attempts = Attempts(error, clock=clock)
    with pytest.raises(type(error)):
        await attempts.run(repeatable=False)
    assert attempts.numbers == [1]


async def test_cancellation_passes_through(clock: FakeClock) -> None:
    """A cancelled attempt is neither repeated nor reported as a failure."""
    heard: list[int] = []

    async def cancelled() -> None:
        heard.append(1)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await run(
            cancelled,
            failures(1)[0],
            repeatable=True,
            max_retries=2,
            expires=None,
            clock=clock,
            on_failure=lambda *_: heard.append(0),
        )
    assert heard == [0, 1]


async def test_other_exceptions_pass_through(clock: FakeClock) -> None:
    """Only this package's own errors are a reason to try again."""

    async def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run(
            broken,
            failures(1)[0],
            repeatable=True,
            max_retries=2,
            expires=None,
            clock=clock,
            on_failure=lambda *_: None,
        )
    assert len(clock.slept) == 1


async def test_the_real_clock() -> None:
    """Without a clock of its own a client lives on one that never goes back and really sleeps."""
    clock = SystemClock()
    before = clock.time()
    await clock.sleep(0.001)
    assert clock.time() > before
