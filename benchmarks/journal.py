"""The cost of a journal: the throughput of a batch with and without one, 50 calls at once, in alternating bursts."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import tempfile
import time
from pathlib import Path

from sent_async import SentClient, batch

from . import payloads, shared
from .shared import OURS, Row, row

WITH = "with a journal"
WITHOUT = "without a journal"
CONCURRENCY = 50


async def burst(sent: SentClient, ids: list[str], journal: Path | None) -> float:
    """Fetch every id in a batch. Returns items per second."""
    gc.collect()
    began = time.perf_counter()
    results = await batch(sent.profiles.retrieve, ids, concurrency=CONCURRENCY, journal=journal)
    if not all(result.ok for result in results):
        raise RuntimeError("a request failed")
    return len(ids) / (time.perf_counter() - began)


async def measure(url: str, items: int, rounds: int) -> dict[str, list[float]]:
    ids = [payloads.profile_id(number) for number in range(items)]
    found: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    async with SentClient("key", base_url=url) as sent:
        await burst(sent, ids[:CONCURRENCY], None)
        for turn in range(rounds):
            for name in shared.rotated(list(found), turn):
                with tempfile.TemporaryDirectory() as folder:
                    journal = Path(folder, "journal.sqlite") if name == WITH else None
                    found[name].append(await burst(sent, ids, journal))
    return found


def journals(quick: bool) -> list[Row]:
    """Against calls of 10 ms, and against a server on the same machine that responds at once."""
    rows: list[Row] = []
    for name, delay, items, bound in (("calls of 10 ms", 0.01, 5000, 0.9), ("calls on loopback", 0.0, 10_000, 0.75)):
        with shared.serving("--delay", str(delay)) as url:
            found = shared.child("journal", url, items, 5 if quick else 15)
        figures = {OURS: shared.median(found[WITH]), WITHOUT: shared.median(found[WITHOUT])}
        value = shared.ratio(found[WITH], found[WITHOUT])
        rows.append(row(f"a journal, {name}, 50 in flight", "items/s", figures, value, "≥", bound, WITHOUT))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journal", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("items", type=int)
    parser.add_argument("rounds", type=int)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.url, options.items, options.rounds))))


if __name__ == "__main__":
    main()
