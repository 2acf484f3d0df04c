"""``async for result in batch(...)``: each result as it finishes, in constant memory."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from sent_async import Result, batch
from tests.support.gate import Gate, not_found
from tests.support.waiting import settle


async def test_results_come_as_they_finish() -> None:
    """The item that finishes first is the first result, wherever it is in the source."""

    async def slow_for_small(item: int) -> int:
        for _ in range(30 - 10 * item):
            await asyncio.sleep(0)
        return item

    assert [result.key async for result in batch(slow_for_small, range(3))] == [2, 1, 0]


async def test_every_item_is_delivered_once_failures_included() -> None:
    """Each item has one result, also those that failed."""
    gate = Gate()
    gate.fails = {item: not_found() for item in range(0, 100, 10)}

    results = [result async for result in batch(gate, range(100), concurrency=9)]

    assert sorted(result.key for result in results) == list(range(100))
    assert sorted(result.key for result in results if not result.ok) == list(range(0, 100, 10))


async def test_at_most_concurrency_calls_run_at_once() -> None:
    """The limit is the same as when the batch is awaited."""
    gate = Gate()

    async for _ in batch(gate, iter(range(100)), concurrency=6):
        assert gate.running <= 6

    assert gate.most == 6


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_an_empty_source_ends_the_loop(concurrency: int) -> None:
    """The body of the loop never runs."""
    assert [result async for result in batch(Gate(), list[int](), concurrency=concurrency)] == []
    assert [result async for result in batch(Gate(), iter(list[int]()), concurrency=concurrency)] == []


async def test_an_async_source() -> None:
    """Calls begin as soon as items arrive."""
    gate, more = Gate(), asyncio.Event()

    async def source() -> AsyncIterator[int]:
        yield 1
        await more.wait()
        yield 2

    seen: list[int] = []
    async for result in batch(gate, source(), concurrency=3):
        seen.append(result.key)
        more.set()

    assert seen == [1, 2]


async def test_a_slow_consumer_holds_the_batch_back() -> None:
    """While results wait to be read, no new items are taken."""
    gate, taken = Gate(), list[int]()

    def source() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    delivered = 0
    async with aclosing(aiter(batch(gate, source(), concurrency=5))) as results:
        async for _ in results:
            delivered += 1
            await settle()
            assert len(taken) <= delivered + 2 * 5 + 1
            if delivered == 100:
                break

    assert gate.running == 0


async def test_a_slow_consumer_loses_nothing() -> None:
    """All results arrive."""
    seen = 0
    async for result in batch(Gate(), range(60), concurrency=4):
        assert result.ok
        await settle()
        seen += 1

    assert seen == 60


class Big:
    """A value that can be watched."""


async def test_a_long_source_runs_in_constant_memory() -> None:
    """The number of living values depends on ``concurrency``, not on the length of the source."""
    living: weakref.WeakSet[Big] = weakref.WeakSet()
    most = 0

    async def fetch(_: int) -> Big:
        value = Big()
        living.add(value)
        await asyncio.sleep(0)
        return value

    result: Result[int, Big] | None = None
    async for result in batch(fetch, (number for number in range(20_000)), concurrency=10):
        assert result.ok
        if result.key % 1000 == 0:
            most = max(most, len(living))

    assert most <= 2 * 10 + 2
    del result
    gc.collect()
    assert len(living) == 0


async def test_tasks_are_bounded_by_concurrency_not_by_items() -> None:
    """The number of tasks does not depend on the number of items."""
    before = len(asyncio.all_tasks())

    async for _ in batch(Gate(), iter(range(5_000)), concurrency=8):
        assert len(asyncio.all_tasks()) - before <= 8
