"""A batch that ends early leaves nothing running. The fixture of this folder counts the tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import aclosing
from typing import TypeAlias

import pytest

from sent_async import Batch, NotFoundError, Result, batch
from tests.support.gate import Gate, not_found
from tests.support.waiting import settle

Run: TypeAlias = Callable[[Batch[int, int]], Coroutine[None, None, list[Result[int, int]]]]
Source: TypeAlias = Callable[[], Iterable[int] | AsyncIterable[int]]


class OwnError(Exception):
    """Something that is not from this package."""


async def awaited(running: Batch[int, int]) -> list[Result[int, int]]:
    """One way to run a batch."""
    return await running


async def iterated(running: Batch[int, int]) -> list[Result[int, int]]:
    """The other way to run a batch."""
    return [result async for result in running]


def breaks() -> Iterator[int]:
    """A source that raises."""
    yield from range(5)
    raise OwnError


async def breaks_async() -> AsyncIterator[int]:
    """An async source that raises."""
    for number in range(5):
        await asyncio.sleep(0)
        yield number
    raise OwnError


both_ways = pytest.mark.parametrize("run", [awaited, iterated])
both_sources = pytest.mark.parametrize("source", [breaks, breaks_async])


@both_ways
async def test_fail_fast_raises_the_first_error_and_ends_the_rest(run: Run) -> None:
    """The other calls are cancelled and have ended when the error is raised."""
    gate, first = Gate(closed=True), not_found("first")
    gate.fails[3] = first

    with pytest.raises(NotFoundError) as raised:
        await run(batch(gate, iter(range(100)), concurrency=5, fail_fast=True))

    assert raised.value is first
    assert gate.begun == [0, 1, 2, 3, 4]
    assert sorted(gate.cancelled) == [0, 1, 2, 4]
    assert gate.running == 0


@both_ways
async def test_fail_fast_without_failures_changes_nothing(run: Run) -> None:
    """All results arrive."""
    assert len(await run(batch(Gate(), range(10), concurrency=3, fail_fast=True))) == 10


@both_ways
async def test_an_error_of_another_kind_ends_the_batch(run: Run) -> None:
    """An exception that is not a ``SentError`` is raised, and is no result."""
    gate = Gate(closed=True)
    gate.fails[2] = OwnError()

    with pytest.raises(OwnError):
        await run(batch(gate, range(10), concurrency=4))

    assert sorted(gate.cancelled) == [0, 1, 3]
    assert gate.running == 0


@both_ways
@both_sources
async def test_an_error_of_the_source_ends_the_batch(run: Run, source: Source) -> None:
    """The calls are cancelled and awaited, and the error of the source is raised."""
    gate = Gate(closed=True)

    with pytest.raises(OwnError):
        await run(batch(gate, source(), concurrency=8))

    assert gate.running == 0
    assert sorted(gate.cancelled) == sorted(gate.begun)


@both_ways
async def test_an_error_of_the_progress_report_ends_the_batch(run: Run) -> None:
    """The error of ``on_progress`` is raised."""

    def broken(_: object) -> None:
        raise OwnError

    with pytest.raises(OwnError):
        await run(batch(Gate(), range(3), on_progress=broken))


@both_ways
async def test_cancelling_a_batch_cancels_its_calls(run: Run) -> None:
    """The cancelled task continues only when every call has ended."""
    gate = Gate(closed=True)
    task = asyncio.ensure_future(run(batch(gate, iter(range(50)), concurrency=5)))
    await settle()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert sorted(gate.cancelled) == [0, 1, 2, 3, 4]
    assert gate.running == 0


@both_ways
async def test_a_time_limit_round_a_batch(run: Run) -> None:
    """``asyncio.timeout`` cancels the batch, and a ``TimeoutError`` is raised."""
    gate = Gate(closed=True)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await run(batch(gate, range(5)))

    assert sorted(gate.cancelled) == [0, 1, 2, 3, 4]


@both_ways
async def test_a_failing_sibling_in_a_task_group_ends_the_batch(run: Run) -> None:
    """A task group cancels the batch when another task of the group fails."""
    gate = Gate(closed=True)

    async def fail() -> None:
        await settle()
        raise OwnError

    async def in_a_group() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(run(batch(gate, range(5))))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup):
        await in_a_group()

    assert gate.running == 0


@both_ways
async def test_a_call_that_cancels_itself_ends_the_batch(run: Run) -> None:
    """A call that ends by a cancellation of its own is an error: no item may vanish."""

    async def call(item: int) -> int:
        if item == 1:
            raise asyncio.CancelledError
        return item

    with pytest.raises(asyncio.CancelledError):
        await run(batch(call, range(4), concurrency=2))


async def test_leaving_the_loop_early() -> None:
    """After ``break`` the calls are cancelled, without any code of the caller."""
    gate = Gate()

    async for result in batch(gate, iter(range(1000)), concurrency=5):
        if result.key == 20:
            break
    await settle()

    assert gate.running == 0
    assert len(gate.begun) < 50


async def test_leaving_the_loop_early_inside_aclosing() -> None:
    """With ``aclosing`` the calls have ended when the block ends."""
    gate = Gate()

    async with aclosing(aiter(batch(gate, iter(range(1000)), concurrency=5))) as results:
        async for result in results:
            if result.key == 20:
                gate = Gate(closed=True)
                break

    assert gate.running == 0


async def test_an_error_in_the_consumer() -> None:
    """The error in the body of the loop is raised as it is, and the calls end."""
    gate = Gate()

    async def consume() -> None:
        async for _ in batch(gate, iter(range(1000)), concurrency=5):
            raise OwnError

    with pytest.raises(OwnError):
        await consume()
    await settle()

    assert gate.running == 0
    assert len(gate.begun) < 50


async def test_cancelling_the_consumer_while_workers_wait_for_it() -> None:
    """Workers that wait for a slow loop end with it."""
    gate, stuck = Gate(), asyncio.Event()

    async def consume() -> None:
        async for _ in batch(gate, iter(range(1000)), concurrency=5):
            await stuck.wait()

    task = asyncio.ensure_future(consume())
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await settle()

    assert gate.running == 0


@both_ways
async def test_cancelling_while_the_source_is_waited_for(run: Run) -> None:
    """A batch that waits for an async source can be cancelled."""
    ended: list[str] = []

    async def silent() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    task = asyncio.ensure_future(run(batch(Gate(), silent(), concurrency=3)))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ended == ["cancelled"]
