"""A batch with a journal that does not end by itself: cancelled, killed, or stopped by its disk."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sent_async import Batch, Journal, Progress, Result, SentError, batch
from sent_async.testing import FakeSent
from tests.support.numbers import Numbers, values
from tests.support.waiting import settle, until

PROGRAM = Path(__file__).parents[1] / "programs" / "create_profiles.py"


async def test_a_full_disk_ends_the_batch(tmp_path: Path) -> None:
    """The batch raises, because results that are not stored would be lost."""
    numbers = Numbers()

    async def call(number: int) -> str:
        await numbers.double(number)
        return "x" * 5000

    journal = Journal(tmp_path / "batch.sqlite")
    await journal.open(call)
    await journal.close()
    pages = _limit(tmp_path / "batch.sqlite")
    with pytest.raises(SentError, match="cannot be written: database or disk is full"):
        await batch(call, range(10_000), journal=_Small(tmp_path / "batch.sqlite", pages))
    # One group of 1,000 at the most is being written while another 1,000 wait; beyond them only what is in flight.
    assert len(numbers.called) < 2500


def _limit(path: Path) -> int:
    database = sqlite3.connect(path)
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.close()
    return int(pages) + 40


class _Small(Journal):
    """A journal on a disk that is nearly full: SQLite itself refuses to grow it further."""

    def __init__(self, path: Path, pages: int) -> None:
        super().__init__(path)
        self._pages = pages

    async def open(self, call: Any) -> None:
        await super().open(call)
        self._database.execute(f"PRAGMA max_page_count = {self._pages}")


async def test_a_cancelled_batch_keeps_what_is_finished(tmp_path: Path) -> None:
    """The next run calls only the items that were not finished."""
    numbers, path = Numbers(), tmp_path / "batch.sqlite"
    reported: list[int] = []
    enough = asyncio.Event()

    async def run() -> None:
        async for result in batch(numbers.double, range(100_000), journal=path):
            reported.append(result.key)
            if len(reported) == 500:
                enough.set()

    task = asyncio.create_task(run())
    await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    numbers.called = []
    await batch(numbers.double, range(500), journal=path)
    assert not set(numbers.called) & set(reported)


async def test_a_batch_that_is_cancelled_at_its_start_closes_its_file(tmp_path: Path) -> None:
    """The next batch can use the file at once, at whatever step the first was cancelled."""
    numbers, path = Numbers(), tmp_path / "batch.sqlite"
    for turns in range(30):
        task = asyncio.ensure_future(_awaited(batch(numbers.double, range(3), journal=path)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert values(await batch(numbers.double, range(3), journal=path)) == [0, 2, 4]


async def _awaited(running: Batch[Any, Any]) -> list[Result[Any, Any]]:
    return await running


class _Slow(Journal):
    """A journal on a disk that writes nothing until ``written`` is set."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.written = threading.Event()
        self.asked = 0

    def _commit(self, rows: Any) -> None:
        self.asked += len(rows)
        self.written.wait()
        super()._commit(rows)


async def test_a_slow_disk_does_not_stop_the_event_loop(tmp_path: Path) -> None:
    """Other tasks run while the journal writes and reads."""
    numbers, path = Numbers(), tmp_path / "batch.sqlite"
    await batch(numbers.double, range(10), journal=path)
    slow, reports = _Slow(path), list[Progress]()

    async def items() -> AsyncIterator[int]:
        yield 10
        await until(lambda: slow.asked)
        for number in range(10):
            yield number

    running = batch(numbers.double, items(), journal=slow, concurrency=2, on_progress=reports.append)
    task = asyncio.ensure_future(_awaited(running))
    await until(lambda: slow.asked)
    await settle()
    assert not task.done()
    slow.written.set()
    assert values(await task) == [20, *(number * 2 for number in range(10))]
    assert (reports[-1].done, reports[-1].failed) == (11, 0)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_batch_that_is_cancelled_during_a_write(tmp_path: Path, times: int) -> None:
    """Results that waited for the disk are in the file, even when the end of the batch is cancelled too."""
    numbers, path = Numbers(), tmp_path / "batch.sqlite"
    slow = _Slow(path)
    task = asyncio.ensure_future(_awaited(batch(numbers.double, range(20), journal=slow, concurrency=2)))
    await until(lambda: slow.asked)
    await until(lambda: len(numbers.called) == 20)
    for _ in range(times):
        task.cancel()
        await settle()
    slow.written.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    numbers.called = []
    assert values(await batch(numbers.double, range(20), journal=path)) == [number * 2 for number in range(20)]
    assert numbers.called == []


async def test_a_slow_disk_holds_the_batch_back(tmp_path: Path) -> None:
    """No further call begins while a thousand finished items wait for the disk."""
    numbers = Numbers()
    slow = _Slow(tmp_path / "batch.sqlite")
    task = asyncio.ensure_future(_awaited(batch(numbers.double, range(5000), journal=slow)))
    await until(lambda: slow.asked)
    await until(lambda: len(numbers.called) >= 1000)
    for _ in range(100):
        await settle()
    assert len(numbers.called) < slow.asked + 1000 + 50 + 1
    slow.written.set()
    assert values(await task) == [number * 2 for number in range(5000)]


async def test_a_killed_process_repeats_nothing_that_it_reported(tmp_path: Path) -> None:
    """After SIGKILL at ten random moments each profile exists once, and no reported one was requested again."""
    dice = random.Random(7)
    reports = tmp_path / "reports.txt"
    async with FakeSent() as fake:
        kills = 0
        for kills in range(200):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, PROGRAM, fake.url, fake.api_key, tmp_path / "batch.sqlite", reports, "2000"),
                stdout=asyncio.subprocess.PIPE,
            )
            assert process.stdout is not None
            await process.stdout.readline()
            reported = set(reports.read_text().split()) if reports.exists() else set[str]()
            fake.requests.clear()
            waiting = asyncio.create_task(process.wait())
            if kills < 10:
                goal = len(fake.profiles) + dice.randrange(1, 20)
                while len(fake.profiles) < goal and not waiting.done():
                    await asyncio.wait([waiting], timeout=0.001)
                if not waiting.done():
                    process.send_signal(signal.SIGKILL)
            code = await waiting
            asked = {request.json["name"] for request in fake.requests if request.json}
            assert not asked & reported
            if code == 0:
                break
        assert kills >= 10
        names = [profile.name for profile in fake.profiles.values()]
        assert sorted(name for name in names if name.startswith("P")) == sorted(f"P{number}" for number in range(2000))
