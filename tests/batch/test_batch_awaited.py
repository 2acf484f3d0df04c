"""``await batch(...)``: a list of results in the order of the items."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from sent_async import Batch, NotFoundError, Result, SentConfigError, SentError, batch
from tests.support.gate import Gate, not_found
from tests.support.waiting import settle


async def test_results_come_in_the_order_of_the_items() -> None:
    """The order of the list is that of the source, not that in which the items finish."""

    async def slow_for_small(item: int) -> str:
        for _ in range(10 - item):
            await asyncio.sleep(0)
        return f"profile {item}"

    results = await batch(slow_for_small, range(10), concurrency=10)

    assert [result.key for result in results] == list(range(10))
    assert [result.value for result in results] == [f"profile {item}" for item in range(10)]


async def test_a_result_has_key_value_and_success() -> None:
    """A success has a value and no error, and ``unwrap`` returns the value."""
    (result,) = await batch(Gate(), [7])

    assert (result.key, result.ok, result.value, result.error) == (7, True, 70, None)
    assert result.unwrap() == 70


async def test_a_failed_item_is_a_result_with_its_error() -> None:
    """``unwrap`` raises the same ``SentError``. The other items finish."""
    gate, error = Gate(), not_found()
    gate.fails[2] = error

    results = await batch(gate, range(5), concurrency=2)

    assert [result.ok for result in results] == [True, True, False, True, True]
    assert (results[2].key, results[2].error) == (2, error) and results[2].value is None
    with pytest.raises(NotFoundError) as raised:
        results[2].unwrap()
    assert raised.value is error


async def test_every_item_may_fail() -> None:
    """A batch in which nothing succeeds still returns all its results."""
    gate = Gate()
    gate.fails = {item: not_found() for item in range(20)}

    assert [result.ok for result in await batch(gate, range(20), concurrency=3)] == [False] * 20


async def test_a_call_may_return_none() -> None:
    """``ok`` is true although the value is ``None``, as for deletions."""

    async def delete(item: str) -> None: ...

    results: list[Result[str, None]] = await batch(delete, ["a", "b"])

    assert all(result.ok for result in results)
    for result in results:
        result.unwrap()


@pytest.mark.parametrize("concurrency", [1, 2, 7, 50])
async def test_at_most_concurrency_calls_run_at_once(concurrency: int) -> None:
    """As many calls as ``concurrency`` allows run at once, and never more."""
    gate = Gate()

    await batch(gate, iter(range(200)), concurrency=concurrency)

    assert gate.most == concurrency
    assert gate.begun == list(range(200))


async def test_concurrency_defaults_to_fifty() -> None:
    """Without the option fifty calls run at once."""
    gate = Gate()

    await batch(gate, range(120))

    assert gate.most == 50


async def test_no_more_tasks_than_items() -> None:
    """Three items need three tasks, however large ``concurrency`` is."""
    gate, before = Gate(closed=True), len(asyncio.all_tasks())
    run = asyncio.ensure_future(_collect(batch(gate, [1, 2, 3], concurrency=500)))
    await settle()

    assert len(asyncio.all_tasks()) - before == 3 + 1

    gate.open()
    assert len(await run) == 3


async def _collect(running: Batch[int, int]) -> list[Result[int, int]]:
    return await running


async def test_items_are_taken_when_they_are_needed() -> None:
    """While all places are in use no item is taken from the source."""
    gate, taken = Gate(closed=True), list[int]()

    def source() -> Iterator[int]:
        for item in range(30):
            taken.append(item)
            yield item

    run = asyncio.ensure_future(_collect(batch(gate, source(), concurrency=4)))
    await settle()
    assert taken == [0, 1, 2, 3]

    gate.open()
    await run
    assert taken == list(range(30))


async def test_nothing_happens_before_it_is_awaited() -> None:
    """Making a batch takes nothing from the source and starts no task."""
    gate, source, before = Gate(), iter([1, 2]), asyncio.all_tasks()

    waiting = batch(gate, source)
    await settle()

    assert asyncio.all_tasks() == before
    assert gate.begun == []
    assert len(await waiting) == 2


async def _no_items() -> AsyncIterator[int]:
    return
    yield


@pytest.mark.parametrize("source", [list, lambda: iter(()), _no_items], ids=["list", "iterator", "async"])
async def test_an_empty_source(source: Callable[[], list[int] | AsyncIterator[int]]) -> None:
    """The list is empty."""
    gate = Gate()

    assert await batch(gate, source()) == []
    assert gate.begun == []


@pytest.mark.parametrize("concurrency", [0, -1, 2.5, "8", None])
def test_concurrency_is_a_whole_number_above_zero(concurrency: int) -> None:
    """Another value is refused when the batch is made."""
    with pytest.raises(SentConfigError, match="concurrency must be a whole number, 1 or more"):
        batch(Gate(closed=True), [1], concurrency=concurrency)


async def test_an_async_source_is_asked_one_item_at_a_time() -> None:
    """Two workers never wait for the same async generator, which would be an error."""
    gate = Gate()

    async def source() -> AsyncIterator[int]:
        for item in range(40):
            await asyncio.sleep(0)
            yield item

    results = await batch(gate, source(), concurrency=8)

    assert [result.unwrap() for result in results] == [item * 10 for item in range(40)]
    assert gate.most <= 8


async def test_batches_run_side_by_side_in_a_task_group() -> None:
    """Batches are ordinary awaitables inside structured concurrency."""
    first, second = Gate(), Gate()
    second.fails[1] = not_found()

    async with asyncio.TaskGroup() as group:
        one = group.create_task(_collect(batch(first, range(5), concurrency=2)))
        two = group.create_task(_collect(batch(second, range(5), concurrency=3)))

    assert all(result.ok for result in one.result())
    assert sum(isinstance(result.error, SentError) for result in two.result()) == 1
