"""Fetch thousands of profiles named in a file, with a progress bar. Ctrl-C is fine: the next run goes on from there.

    pip install rich
    python examples/batch_job.py ids.txt profiles.jsonl

Each line of the output is one answer as it came. What is in the file is done; a last line cut short by a crash is not,
and is cut off before the work goes on. Ids the API knows nothing about are noted too, other failures are left for the
next run.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import Progress as Bar

from sent_async import NotFoundError, Progress, SentClient


def done_already(output: Path) -> Iterator[str]:
    """The ids of the whole lines; half a line at the end is cut off."""
    content = output.read_bytes() if output.exists() else b""
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with output.open("r+b") as file:
            file.truncate(whole)
    for line in content[:whole].splitlines():
        entry: dict[str, Any] = msgspec.json.decode(line)
        yield entry["id"]


async def fetch(ids: list[str], output: Path, bar: Bar, done: int) -> int:
    """Append a line for each id as its answer comes. Returns how many failed."""
    task = bar.add_task("profiles", total=done + len(ids), completed=done)
    failed = 0

    def show(progress: Progress) -> None:
        bar.update(task, completed=done + progress.done, description=f"profiles, {progress.rate:,.0f}/s")

    with output.open("ab", buffering=0) as file:  # unbuffered: a line is in the file as soon as it is written
        async with SentClient() as sent:
            async for result in sent.profiles.retrieve_many(ids, concurrency=50, on_progress=show):
                if result.ok:
                    entry: dict[str, object] = {"id": result.key, "profile": result.value}
                elif isinstance(result.error, NotFoundError):
                    entry = {"id": result.key, "error": result.error.code}
                else:
                    failed += 1
                    bar.console.print(f"{result.key}: {result.error}", markup=False)
                    continue
                file.write(msgspec.json.encode(entry) + b"\n")
    return failed


def main(source: Path, output: Path) -> int:
    wanted = dict.fromkeys(line.strip() for line in source.read_text().splitlines() if line.strip())
    done = set(done_already(output)) & wanted.keys()
    left = [profile_id for profile_id in wanted if profile_id not in done]
    try:
        with Bar(console=Console(stderr=True)) as bar:
            failed = asyncio.run(fetch(left, output, bar, len(done)))
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
        return 130
    print(f"{len(wanted) - failed:,} of {len(wanted):,} in {output}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
