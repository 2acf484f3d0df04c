"""Fetch thousands of profiles named in a file, with a progress bar. Ctrl-C is fine: the next run goes on from there.

    pip install rich
    python examples/batch_job.py ids.txt profiles.jsonl

What is finished is in a journal, ``profiles.jsonl.sqlite``. At the end of a run the output gets one line for each id
that is done, in the order of the file, with ``null`` for ids that Sent does not know. Other failures are left for the
next run. To fetch everything anew, delete the journal.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress as Bar

from sent_async import Journal, NotFoundError, Progress, Result, SentClient, batch
from sent_async.models import Profile


async def fetch(ids: list[str], journal: Journal, bar: Bar) -> list[Result[str, Profile | None]]:
    """The profile of each id, or ``None`` where there is none."""
    task = bar.add_task("profiles", total=len(ids))

    def show(progress: Progress) -> None:
        bar.update(task, completed=progress.done, description=f"profiles, {progress.rate:,.0f}/s")

    async with SentClient() as sent:

        async def find(profile_id: str) -> Profile | None:
            try:
                return await sent.profiles.retrieve(profile_id)
            except NotFoundError:
                return None

        return await batch(find, ids, concurrency=50, journal=journal, on_progress=show)


def main(source: Path, output: Path) -> int:
    ids = list(dict.fromkeys(line.strip() for line in source.read_text().splitlines() if line.strip()))
    journal = Journal(f"{output}.sqlite", name="profiles")
    try:
        with Bar(console=Console(stderr=True)) as bar:
            results = asyncio.run(fetch(ids, journal, bar))
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
        return 130
    lines: list[bytes] = []
    for result in results:
        if result.ok:
            lines.append(msgspec.json.encode({"id": result.key, "profile": result.value}) + b"\n")
        else:
            print(f"{result.key}: {result.error}", file=sys.stderr)
    unfinished = output.with_name(f"{output.name}.tmp")
    unfinished.write_bytes(b"".join(lines))
    unfinished.replace(output)
    print(f"{len(lines):,} of {len(ids):,} in {output}", file=sys.stderr)
    return 0 if len(lines) == len(ids) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
