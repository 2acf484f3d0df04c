"""The reports that ``on_progress`` gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sent_async import Progress, batch
from tests.support.gate import Gate, not_found
from tests.support.waiting import settle


async def test_the_last_report_counts_everything() -> None:
    """There is always a report at the end, which counts failures too."""
    gate, reports = Gate(), list[Progress]()
    gate.fails = {3: not_found(), 5: not_found()}

    await batch(gate, range(40), concurrency=4, on_progress=reports.append)

    last = reports[-1]
    assert (last.done, last.failed, last.total) == (40, 2, 40)
    assert last.elapsed >= 0
    assert last.rate > 0


async def test_the_total_is_unknown_for_a_source_without_length() -> None:
    """For a generator ``total`` is ``None``."""
    reports: list[Progress] = []

    await batch(Gate(), (item for item in range(3)), on_progress=reports.append)

    assert (reports[-1].done, reports[-1].total) == (3, None)


async def test_iterating_reports_too() -> None:
    """The reports of an iterated batch are those of an awaited one."""
    reports: list[Progress] = []

    async for _ in batch(Gate(), range(12), concurrency=5, on_progress=reports.append):
        await settle()

    assert reports[-1].done == 12


@pytest.mark.parametrize("total", [0, None])
async def test_an_empty_batch_reports_its_end(total: int | None) -> None:
    """A batch without items makes one report."""
    reports: list[Progress] = []
    nothing: list[int] | Iterator[int] = [] if total == 0 else iter(())

    await batch(Gate(), nothing, on_progress=reports.append)

    assert [(report.done, report.failed, report.total) for report in reports] == [(0, 0, total)]


async def test_reports_between_are_few_and_never_go_back() -> None:
    """A long batch reports at intervals, not for each item, and the counts only rise."""
    reports: list[Progress] = []

    def source() -> Iterator[int]:
        item = 0
        while len(reports) < 3:
            yield item
            item += 1

    results = await batch(Gate(), source(), concurrency=3, on_progress=reports.append)

    done = [report.done for report in reports]
    assert done == sorted(done)
    assert done[-1] == len(results)
    assert len(reports) < len(results) / 10


def test_a_progress_prints_readably() -> None:
    """``on_progress=print`` prints readable lines."""
    assert str(Progress(1200, 0, None, 2.0)) == "1,200 done, 600/s"
    assert str(Progress(1200, 3, 5000, 2.0)) == "1,200 of 5,000 done, 3 failed, 600/s"


def test_the_rate_before_any_time_has_passed() -> None:
    """There is no division by zero in the first report."""
    assert Progress(0, 0, 5, 0.0).rate == 0.0
