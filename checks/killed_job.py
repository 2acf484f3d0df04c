"""``examples/send_messages.py`` under random faults, killed and run again: each person gets one message.

``python -m checks.killed_job`` sends 10,000 different messages; ``--messages 500`` is a short one.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from sent_async.testing import CutBody, Drop, Fail, FakeSent, Fault, RawAnswer, RecordedRequest

EXAMPLE = Path(__file__).parents[1] / "examples" / "send_messages.py"
MOST_RUNS = 10


class JobResult(msgspec.Struct):
    """The result of the job."""

    right: int
    """The number of people who have exactly one message, with their own text."""
    messages: int
    sent_when_killed: int
    runs: int
    """The number of runs: the killed one, and those after it until the work was done."""
    requests: int
    faults: int
    repeated: int
    """Requests that had the idempotency key of an earlier one."""
    seconds: float


def people_file(folder: Path, count: int) -> dict[str, str]:
    """Write the file that the example reads; the text for each number."""
    texts = {
        f"+1415{2_000_000 + number}": f"Dear customer {number}, your code is {number:06}" for number in range(count)
    }
    with (folder / "people.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "phone", "text"))
        writer.writerows((number, phone, text) for number, (phone, text) in enumerate(texts.items()))
    return texts


# Without 429s and stalled responses: a job waits for them, a minute or the whole timeout.
FAULTS: Final[Sequence[Fault]] = (
    Drop(),
    Drop(after_commit=True),
    CutBody(),
    Fail(status=500, after_commit=True),
    Fail(status=503),
    RawAnswer(status=502, body=b"<html>Bad gateway</html>", headers={"Content-Type": "text/html"}),
)


class RandomFaults:
    """A fault for a share of the requests. Once ``until_killed`` messages are sent, every request loses its response.

    So the job is killed while it does not know what is done.
    """

    def __init__(self, fake: FakeSent, seed: int, rate: float, until_killed: int) -> None:
        self.met = 0
        self.time_to_kill = asyncio.Event()
        self._fake = fake
        self._dice = random.Random(seed)
        self._rate = rate
        self._until_killed = until_killed

    def __call__(self, _: RecordedRequest) -> Fault | None:
        if len(self._fake.messages) >= self._until_killed:
            self.time_to_kill.set()
            return Drop(after_commit=True)
        if self._dice.random() >= self._rate:
            return None
        self.met += 1
        return self._dice.choice(FAULTS)

    def go_on(self) -> None:
        self._until_killed = sys.maxsize


async def start(fake: FakeSent, people: Path) -> asyncio.subprocess.Process:
    environment = {**os.environ, "SENT_BASE_URL": fake.url, "SENT_DM_API_KEY": fake.api_key}
    return await asyncio.create_subprocess_exec(
        sys.executable, EXAMPLE, people, env=environment, stderr=asyncio.subprocess.PIPE
    )


async def run(messages: int, *, rate: float = 0.1, seed: int = 1) -> JobResult:
    """Send, kill the job when a third is sent, and run it until it has nothing left to do.

    Args:
        messages: How many people there are.
        rate: The share of requests that meet a fault.
        seed: Of the faults.
    """
    with tempfile.TemporaryDirectory() as folder:
        texts = people_file(Path(folder), messages)
        async with asyncio.timeout(600), FakeSent(keep_requests=10 * messages) as fake:
            random_faults = RandomFaults(fake, seed, rate, messages // 3)
            fake.fault(random_faults)
            began = time.monotonic()
            process = await start(fake, Path(folder, "people.csv"))
            await random_faults.time_to_kill.wait()
            process.kill()
            await process.communicate()
            random_faults.go_on()
            sent_when_killed, runs = len(fake.messages), 1
            while process.returncode != 0 and runs < MOST_RUNS:
                process = await start(fake, Path(folder, "people.csv"))
                await process.communicate()
                runs += 1
            seconds = time.monotonic() - began
            fake.advance(60)
            got: dict[str, list[str | None]] = {}
            for message in fake.messages.values():
                text = message.message_body.content if message.message_body else None
                got.setdefault(message.phone or "", []).append(text)
            keys = Counter(request.idempotency_key for request in fake.requests)
            return JobResult(
                right=sum(got.get(phone) == [text] for phone, text in texts.items()),
                messages=len(fake.messages),
                sent_when_killed=sent_when_killed,
                runs=runs,
                requests=len(fake.requests),
                faults=random_faults.met,
                repeated=sum(times - 1 for times in keys.values()),
                seconds=seconds,
            )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m checks.killed_job", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    options = parser.parse_args()
    outcome = asyncio.run(run(options.messages))
    print(f"{outcome.messages:,} messages in {outcome.seconds:.0f} s; {outcome.right:,} people have exactly their own")
    print(f"killed with SIGKILL when {outcome.sent_when_killed:,} were sent, done after {outcome.runs} runs")
    print(f"{outcome.requests:,} requests, {outcome.faults:,} met a fault, {outcome.repeated:,} repeated a key")
    if not outcome.right == outcome.messages == options.messages:
        sys.exit("somebody was left out, or got more than one message")


if __name__ == "__main__":
    main()
