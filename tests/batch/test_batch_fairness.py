"""A batch shares the event loop, whatever its calls do, and keeps no object longer than it is needed."""

from __future__ import annotations

import asyncio
import copy
import itertools
import pickle
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing
from typing import Any, TypeAlias

import pytest

from sent_async import Batch, NotFoundError, Result, SentClient, SentConfigError, SentConnectionError, batch
from tests.support.clocks import FakeClock
from tests.support.gate import Gate, not_found
from tests.support.servers import API_KEY
from tests.support.waiting import settle

Run: TypeAlias = Callable[[Batch[int, int]], Coroutine[None, None, list[Result[int, int]]]]


async def awaited(running: Batch[int, int]) -> list[Result[int, int]]:
    """One way to run a batch."""
    return await running


async def iterated(running: Batch[int, int]) -> list[Result[int, int]]:
    """The other way to run a batch."""
    return [result async for result in running]


both_ways = pytest.mark.parametrize("run", [awaited, iterated])


async def fails_at_once(item: int) -> int:
    """A call that never gives the event loop a turn."""
    raise not_found()


async def returns_at_once(item: int) -> int:
    """Another one."""
    return item


def until_stopped(stop: Callable[[], object]) -> Iterator[int]:
    """Items without end, ``stop`` in their middle. A loop that gets no turn to obey it fails the test."""
    yield from range(100)
    stop()
    yield from range(10_000)
    pytest.fail("the batch did not let the event loop run")


@both_ways
@pytest.mark.parametrize("call", [fails_at_once, returns_at_once])
@pytest.mark.parametrize("concurrency", [1, 3, 50, 200])
async def test_calls_that_never_suspend_leave_the_loop_to_others(
    run: Run, call: Callable[[int], Coroutine[Any, Any, int]], concurrency: int
) -> None:
    """Another task gets its turn after a bounded number of items."""
    taken, seen = 0, list[int]()

    def source() -> Iterator[int]:
        nonlocal taken
        for item in range(5_000):
            taken += 1
            yield item

    async def other() -> None:
        while True:
            seen.append(taken)
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    results = await run(batch(call, source(), concurrency=concurrency))
    task.cancel()

    assert len(results) == 5_000
    assert max(later - earlier for earlier, later in itertools.pairwise(seen)) <= max(128, concurrency)


@both_ways
async def test_a_time_limit_round_calls_that_never_suspend(run: Run) -> None:
    """``asyncio.timeout`` ends such a batch."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit:
            await run(batch(fails_at_once, until_stopped(lambda: limit.reschedule(0))))


@both_ways
async def test_cancelling_calls_that_never_suspend(run: Run) -> None:
    """Cancelling the task ends such a batch, too."""
    task = asyncio.ensure_future(run(batch(fails_at_once, until_stopped(lambda: task.cancel()))))
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_ids_that_are_all_refused_leave_the_loop_to_others() -> None:
    """Other tasks run while many empty ids are refused one by one."""
    async with SentClient(API_KEY) as sent:
        limit = asyncio.timeout(None)
        lines = until_stopped(lambda: limit.reschedule(0))

        async def refuse_all() -> None:
            async with limit:
                await sent.profiles.retrieve_many("" for _ in lines)

        with pytest.raises(TimeoutError):
            await refuse_all()


async def test_fail_fast_does_not_wait_for_a_slow_consumer() -> None:
    """After the failure no further call begins, and the next step of the loop raises the error."""
    gate = Gate()
    gate.fails[7] = not_found()
    results = aiter(batch(gate, iter(range(1000)), concurrency=4, fail_fast=True))

    assert (await anext(results)).ok
    await settle()
    assert len(gate.begun) <= 7 + 1 + 4
    assert gate.running == 0
    with pytest.raises(NotFoundError):
        await anext(results)


@both_ways
@pytest.mark.parametrize("again", [awaited, iterated])
async def test_a_batch_runs_once(run: Run, again: Run) -> None:
    """A second run would repeat its writes. It is refused, and the error says what to do."""
    gate = Gate()
    running = batch(gate, [1, 2])
    assert len(await run(running)) == 2

    with pytest.raises(SentConfigError, match="has run already; make another"):
        await again(running)
    assert sorted(gate.begun) == [1, 2]


class Source:
    """An async source with something to release."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.closed = 0

    async def __aiter__(self) -> AsyncIterator[int]:
        try:
            while self.left:
                self.left -= 1
                await asyncio.sleep(0)
                yield self.left
        finally:
            await asyncio.sleep(0)
            self.closed += 1


@both_ways
async def test_an_async_source_is_closed_at_the_end(run: Run) -> None:
    """It is closed once, when all items were taken."""
    source = Source(20)
    assert len(await run(batch(Gate(), source))) == 20
    assert source.closed == 1


@both_ways
async def test_an_async_source_is_closed_after_a_failure(run: Run) -> None:
    """It is closed when the error is raised."""
    gate, source = Gate(), Source(1000)
    gate.fails = {item: not_found() for item in range(1000)}
    with pytest.raises(NotFoundError):
        await run(batch(gate, source, fail_fast=True, concurrency=3))
    assert source.closed == 1


@both_ways
async def test_an_async_source_is_closed_when_the_batch_is_cancelled(run: Run) -> None:
    """It is closed even if a worker waits for its next item."""
    source = Source(1000)
    task = asyncio.ensure_future(run(batch(Gate(closed=True), source, concurrency=3)))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.closed == 1


async def test_an_async_source_is_closed_when_the_loop_is_left() -> None:
    """It is closed after ``break``."""
    source = Source(1000)
    async with aclosing(aiter(batch(Gate(), source, concurrency=3))) as results:
        async for _ in results:
            break
    assert source.closed == 1


async def test_an_async_iterator_without_aclose_is_fine() -> None:
    """A source that has no ``aclose`` is not closed."""

    class Plain:
        left = 3

        def __aiter__(self) -> Plain:
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    assert len(await batch(Gate(), Plain())) == 3


async def fails_with_a_chain(item: int) -> int:
    """An error with a cause, which has a context, which leads back to the error."""
    failed = SentConnectionError("reset", maybe_sent=True)
    try:
        try:
            raise ValueError(item)
        except ValueError as first:
            first.__context__ = failed
            raise OSError(item) from first
    except OSError as second:
        raise failed from second


@both_ways
async def test_failed_results_keep_no_frames_alive(run: Run) -> None:
    """A stored error holds no traceback, and so none of the local variables of the call."""
    (result,) = await run(batch(fails_with_a_chain, [1]))

    error = result.error
    assert isinstance(error, SentConnectionError) and isinstance(error.__cause__, OSError)
    first = error.__cause__.__cause__
    assert isinstance(first, ValueError)
    assert [chained.__traceback__ for chained in (error, error.__cause__, first)] == [None] * 3
    with pytest.raises(SentConnectionError) as raised:
        result.unwrap()
    assert raised.value is error


@pytest.mark.parametrize("items", ["one-secret-id", b"one-secret-id", bytearray(b"one"), ""])
def test_one_string_is_no_list_of_items(items: Any) -> None:
    """A string as the source is refused, because each letter would be an item."""
    with pytest.raises(SentConfigError, match=r"pass a list") as caught:
        batch(Gate(closed=True), items)
    assert "secret" not in str(caught.value)
    with pytest.raises(SentConfigError):
        SentClient(API_KEY).profiles.retrieve_many(items)


@pytest.mark.parametrize(
    "travel", [lambda r: pickle.loads(pickle.dumps(r)), copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"]
)
async def test_results_can_be_pickled_and_copied(travel: Callable[[Result[int, int]], Result[int, int]]) -> None:
    """A result is the same after pickling and copying."""
    gate = Gate()
    gate.fails[2] = not_found()
    good, bad = await batch(gate, [1, 2])

    assert travel(good) == good
    again = travel(bad)
    assert (again.key, again.ok) == (2, False) and again.value is None
    assert isinstance(again.error, NotFoundError) and str(again.error) == str(bad.error)


async def test_progress_is_measured_on_the_clock_that_was_passed_in() -> None:
    """Reports come at most ten times a second of that clock, with its seconds."""
    clock, reports = FakeClock(), list[tuple[int, float]]()

    async def call(item: int) -> int:
        clock.advance(0.0625)
        return item

    await batch(
        call,
        range(8),
        concurrency=1,
        clock=clock,
        on_progress=lambda progress: reports.append((progress.done, progress.elapsed)),
    )

    assert reports == [(2, 0.125), (4, 0.25), (6, 0.375), (8, 0.5), (8, 0.5)]
