"""600 profiles under a rate limit, with time scaled down: lost calls, 429 responses and waits."""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time

from . import payloads, shared
from .peers import CLIENTS
from .shared import OURS, SENTDM_AIOHTTP, Row, row

PROFILES, RATE, BURST, CONCURRENCY = 600, 200, 50, 50
SERVERS = (("window", "exact"), ("bucket", "exact"), ("bucket", "window"))


async def _fetch(name: str, url: str) -> dict[str, float]:
    client = CLIENTS[name]()
    await client.open(url, CONCURRENCY)
    ids, failed = iter([payloads.profile_id(number) for number in range(PROFILES)]), 0

    async def worker() -> None:
        nonlocal failed
        for profile_id in ids:
            try:
                await client.fetch(profile_id)
            except Exception:  # noqa: BLE001 - counted, whatever it is
                failed += 1

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    seconds = time.perf_counter() - began
    await client.close()
    return {"seconds": seconds, "failed": failed}


def limits(quick: bool) -> list[Row]:
    """Three servers with rate limits. A minute lasts four seconds (quick: two)."""
    window = 2.0 if quick else 4.0
    rows: list[Row] = []
    for kind, after in SERVERS:
        least = (math.ceil(PROFILES / RATE) - 1) * window if kind == "window" else (PROFILES - BURST) * window / RATE
        failed: dict[str, float] = {}
        refused: dict[str, float] = {}
        total: dict[str, float] = {}
        for name in (OURS, SENTDM_AIOHTTP) if after == "exact" and not quick else (OURS,):
            with shared.serving("--limit", kind, "--retry-after", after, "--window", str(window)) as url:
                found = shared.child("limits", name, url)
                refused[name] = shared.counts(url)["refused"]
            failed[name], total[name] = found["failed"], found["seconds"] / least
        what = f"{kind}, Retry-After {after}"
        rows.append(row(f"{what}: failures surfaced", "of 600", failed, failed[OURS], "≤", 0))
        rows.append(row(f"{what}: responses of 429", "429s", refused, refused[OURS], "≤", 0))
        rows.append(row(f"{what}: time", "x least", total, total[OURS], "≤", 1.05))
    return rows


def main() -> None:
    shared.pin(1)
    print(json.dumps(asyncio.run(_fetch(sys.argv[1], sys.argv[2]))))


if __name__ == "__main__":
    main()
