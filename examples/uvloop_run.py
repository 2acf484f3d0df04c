"""The same program on uvloop. Nothing in the client depends on which event loop runs it.

pip install uvloop        # not on Windows
SENT_DM_API_KEY=... python examples/uvloop_run.py
"""

from __future__ import annotations

import asyncio

import uvloop

from sent_async import SentClient


async def main() -> None:
    print(f"running on {type(asyncio.get_running_loop()).__module__}")
    async with SentClient() as sent:
        ids = [profile.id async for profile in sent.profiles.list()]
        results = await sent.profiles.retrieve_many(ids, concurrency=50)
        print(f"{sum(result.ok for result in results)} of {len(results)} profiles fetched")


if __name__ == "__main__":
    uvloop.run(main())
