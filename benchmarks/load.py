"""Load in one process: one client and the naive loop, in alternating bursts. Other modules start it."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import time
from collections.abc import Sequence

from . import payloads, settings, shared
from .peers import CLIENTS, Client


async def burst(client: Client, ids: Sequence[str], concurrency: int) -> list[float]:
    """Fetch every id once. Returns the seconds of each call."""
    seconds: list[float] = []
    left = iter(ids)

    async def worker() -> None:
        for profile_id in left:
            began = time.perf_counter()
            await client.fetch(profile_id)
            seconds.append(time.perf_counter() - began)

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return seconds


class Side:
    """A client, its event loop and its measurements."""

    def __init__(self, name: str, url: str, concurrency: int) -> None:
        bare, _, loop = name.partition(" on ")
        self.client, self.concurrency = CLIENTS[bare](), concurrency
        self.runner = asyncio.Runner(loop_factory=shared.loop_factory(loop))
        self.wall: list[float] = []
        self.cpu: list[float] = []
        self.p99: list[float] = []
        self.runner.run(self.client.open(url, concurrency))
        fetched = self.runner.run(self.client.fetch(payloads.profile_id(7)))
        got = fetched["id"] if isinstance(fetched, dict) else fetched.id
        if got != payloads.profile_id(7):
            raise RuntimeError(f"{name} was given {got}")

    def measure(self, ids: Sequence[str]) -> None:
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        seconds = self.runner.run(burst(self.client, ids, self.concurrency))
        self.wall.append((time.perf_counter() - wall) / len(ids))
        self.cpu.append((time.process_time() - cpu) / len(ids))
        self.p99.append(sorted(seconds)[int(0.99 * len(seconds))])

    def close(self) -> None:
        self.runner.run(self.client.close())
        self.runner.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("client")
    parser.add_argument("url")
    parser.add_argument("--concurrency", type=int, default=50)
    parser.add_argument("--requests", type=int, default=500, help="in a burst")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--alone", action="store_true", help="one burst, no comparison")
    options = parser.parse_args()
    if not options.alone:  # alone is for counting instructions, two processes at a time
        shared.pin(1)
    settings.register()
    ids = [payloads.profile_id(number) for number in range(options.requests)]
    names = [options.client] if options.alone else [options.client, shared.NAIVE]
    sides = [Side(name, options.url, options.concurrency) for name in names]
    if not options.alone:
        for side in sides:  # connections made, caches filled
            side.runner.run(burst(side.client, ids[: 2 * options.concurrency], options.concurrency))
    for turn in range(1 if options.alone else options.rounds):
        for side in sides if turn % 2 else reversed(sides):
            side.measure(ids)
    for side in sides:
        side.close()
    ours, naive = sides[0], sides[-1]
    print(
        json.dumps(
            {
                "rate": 1 / shared.median(ours.wall),
                "naive_rate": 1 / shared.median(naive.wall),
                "rate_ratio": shared.ratio(naive.wall, ours.wall),
                "cpu": shared.median(ours.cpu),
                "naive_cpu": shared.median(naive.cpu),
                "cpu_ratio": shared.ratio(ours.cpu, naive.cpu),
                "p99": shared.median(ours.p99),
                "naive_p99": shared.median(naive.p99),
                "p99_ratio": shared.ratio(ours.p99, naive.p99),
            }
        )
    )


if __name__ == "__main__":
    main()
