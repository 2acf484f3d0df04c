"""The memory of profiles and batches. Each figure is from its own process."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

from sent_async import SentClient, batch, operations

from . import payloads, shared, structs
from .decoding import HAND_WRITTEN, vendor_decode
from .shared import OURS, SENTDM, Row, row

MIB = 2**20


def memory(quick: bool) -> list[Row]:
    """Bytes a decoded profile keeps; growth while many ids stream through ``retrieve_many``."""
    names = (OURS, HAND_WRITTEN, SENTDM)
    kept = {name: shared.child("memory", "profile", name, 2_000 if quick else 10_000) / 1000 for name in names}
    ids = 5_000 if quick else 100_000
    with shared.serving() as url:
        growth = shared.child("memory", "stream", url, ids) / MIB
    return [
        row("memory of a decoded profile", "kB", kept, kept[OURS], "≤", 2.1),
        row(f"growth while {ids:,} ids stream", "MiB", {OURS: growth}, growth, "≤", 20),
    ]


def resident() -> int:
    """Bytes of this process in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _profile(name: str, count: int) -> float:
    body = payloads.many(100)
    decoders: dict[str, Callable[[], Callable[[], Any]]] = {
        OURS: lambda: lambda: operations.LIST_PROFILES.decode(body),
        HAND_WRITTEN: lambda: lambda: structs.decoder(one=False).decode(body),
        SENTDM: lambda: vendor_decode(body, one=False),
    }
    decode = decoders[name]()
    decode()
    kept: list[Any] = [None] * (count // 100)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for index in range(len(kept)):
        kept[index] = decode()
    gc.collect()
    return (tracemalloc.get_traced_memory()[0] - before) / count


async def _stream(url: str, count: int) -> int:
    async with SentClient("key", base_url=url) as sent:
        ids = (payloads.profile_id(number) for number in range(1_000))
        assert all([result.ok async for result in sent.profiles.retrieve_many(ids)])
        gc.collect()
        before = most = resident()
        done = 0
        async for result in sent.profiles.retrieve_many(payloads.profile_id(number) for number in range(count)):
            assert result.ok
            done += 1
            if done % 500 == 0:
                most = max(most, resident())
    assert done == count
    return most - before


async def _nothing(count: int) -> dict[str, float]:
    """A batch of a call that does nothing: seconds per item, and memory growth."""

    async def call(item: int) -> int:
        return item

    async for _ in batch(call, range(1_000)):
        pass
    gc.collect()
    before, clock = resident(), asyncio.get_running_loop().time
    began, most, done = clock(), 0, 0
    async for _ in batch(call, (number for number in range(count))):
        done += 1
        if done % 1000 == 0:
            most = max(most, resident() - before)
    return {"seconds": (clock() - began) / count, "growth": most / MIB}


def main() -> None:
    shared.pin(1)
    what, *arguments = sys.argv[1:]
    if what == "profile":
        print(json.dumps(_profile(arguments[0], int(arguments[1]))))
    elif what == "stream":
        print(json.dumps(asyncio.run(_stream(arguments[0], int(arguments[1])))))
    else:
        print(json.dumps(asyncio.run(_nothing(int(arguments[0])))))


if __name__ == "__main__":
    main()
