"""Create profiles in a batch with a journal, and write each name to a file as it is reported. Killed by a test."""

import asyncio
import sys

from sent_async import SentClient, batch


async def main(url: str, key: str, journal: str, reports: str, count: str) -> None:
    async with SentClient(key, base_url=url) as sent:

        async def create(name: str) -> str:
            return (await sent.profiles.create(name=name, short_name=f"S{name}")).id

        print("begin", flush=True)
        with open(reports, "a", buffering=1) as file:  # noqa: ASYNC230 - a line for each report, before the next one
            async for result in batch(create, [f"P{number}" for number in range(int(count))], journal=journal):
                result.unwrap()
                file.write(f"{result.key}\n")


asyncio.run(main(*sys.argv[1:]))
