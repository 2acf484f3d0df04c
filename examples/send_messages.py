"""Send everybody in a file a message of their own. Kill it when you like: the next run goes on, and nobody gets two.

    python examples/send_messages.py people.csv

The file has the columns id, phone and text. What is done is in a journal, ``people.csv.sqlite``. A message that was
under way when the job died is sent again under its idempotency key, and Sent, which keeps keys for 24 hours, knows it.
Messages that failed are tried again by the next run. Another campaign needs another file, or another ``CAMPAIGN``.
"""

from __future__ import annotations

import asyncio
import csv
import os
import sys
from pathlib import Path
from typing import NamedTuple

from sent_async import Journal, Progress, Result, SentClient, batch

CAMPAIGN = os.environ.get("CAMPAIGN", "spring")
"""Begins the idempotency key of each message."""


class Person(NamedTuple):
    """A line of the file."""

    id: str
    phone: str
    text: str


def show(progress: Progress) -> None:
    print(f"\r{progress.done:,} done, {progress.rate:,.0f}/s", end="", file=sys.stderr, flush=True)


async def send_all(people: list[Person], journal: Journal) -> list[Result[Person, str]]:
    """The id of the message for each person."""
    async with SentClient() as sent:

        async def send(person: Person, *, idempotency_key: str) -> str:
            message = await sent.messages.send(to=[person.phone], text=person.text, idempotency_key=idempotency_key)
            return message.recipients[0].message_id

        return await batch(
            send, people, key=lambda person: f"{CAMPAIGN}-{person.id}", journal=journal, on_progress=show
        )


def main(source: Path) -> int:
    with source.open(newline="", encoding="utf-8") as file:
        people = [Person(row["id"], row["phone"], row["text"]) for row in csv.DictReader(file)]
    try:
        results = asyncio.run(send_all(people, Journal(f"{source}.sqlite", name=CAMPAIGN)))
    except KeyboardInterrupt:
        print("\nstopped; run it again to go on", file=sys.stderr)
        return 130
    failed = [result for result in results if not result.ok]
    print(f"\r{len(results) - len(failed):,} of {len(people):,} messages are with Sent", file=sys.stderr)
    for result in failed:
        print(f"{result.key.id}: {result.error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
