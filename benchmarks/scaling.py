"""How the cost grows with the payload, the concurrency and the number of ids."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from sent_async import SentClient, operations

from . import payloads, requests, shared, structs
from .decoding import HAND_WRITTEN
from .shared import NAIVE, OURS

Table = list[dict[str, float]]


def scaling(quick: bool) -> dict[str, Table]:
    return {"payload": payload(quick), "concurrency": concurrency(quick), "ids": ids(quick)}


def payload(quick: bool) -> Table:
    """One list of this many profiles: decoded, and fetched one after the other."""
    table: Table = []
    for count in (1, 10, 100, 1000):
        body = payloads.many(count)
        ours, plain = operations.LIST_PROFILES.decode, structs.decoder(one=False).decode
        calls = {OURS: _on(ours, body), HAND_WRITTEN: _on(plain, body)}
        found = shared.interleaved(calls, 5 if quick else 15, 0.02)
        with shared.serving("--profiles", str(count)) as url:
            fetched = asyncio.run(_lists(url, 20 if quick else 100))
        decoded = shared.median(found[OURS])
        table.append(
            {
                "profiles": count,
                "kB": len(body) / 1000,
                "decode µs": decoded * 1e6,
                "µs a profile": decoded * 1e6 / count,
                f"x {HAND_WRITTEN}": shared.ratio(found[OURS], found[HAND_WRITTEN]),
                "list() ms": fetched * 1000,
            }
        )
    return table


def _on(call: Any, body: bytes) -> Any:
    return lambda: call(body)


async def _lists(url: str, count: int) -> float:
    async with SentClient("key", base_url=url) as sent:
        await sent.profiles.list()
        began = time.perf_counter()
        for _ in range(count):
            await sent.profiles.list()
        return (time.perf_counter() - began) / count


def concurrency(quick: bool) -> Table:
    """Requests per second with this many at once."""
    table: Table = []
    with shared.serving() as url:
        for count in (1, 10, 50, 100, 200, 500):
            found = requests.pair(OURS, url, count, quick=quick, requests=max(300, 2 * count), rounds=7)
            table.append(
                {
                    "concurrency": count,
                    "requests/s": found["rate"],
                    f"x {NAIVE}": found["rate_ratio"],
                    "p99 ms": found["p99"] * 1000,
                    f"p99 x {NAIVE}": found["p99_ratio"],
                }
            )
    return table


def ids(quick: bool) -> Table:
    """A batch over this many ids with a call that does nothing: its own cost, and growth of the process."""
    table: Table = []
    for count in (100, 1_000, 10_000, 100_000) if quick else (100, 1_000, 10_000, 100_000, 1_000_000):
        found = shared.child("memory", "nothing", count)
        table.append({"ids": count, "µs an id": found["seconds"] * 1e6, "growth MiB": found["growth"]})
    return table
