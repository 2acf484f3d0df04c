"""A process of a fleet, for tests that kill it: ``python -m tests.redis.worker API REDIS COUNT CONCURRENCY``."""

from __future__ import annotations

import asyncio
import sys

from sent_async import SentClient
from sent_async.redis import RedisPacer
from tests.support.limited import fetch
from tests.support.servers import API_KEY


async def main(url: str, redis: str, count: int, concurrency: int) -> None:
    """Fetch profiles, and print how many failed."""
    async with RedisPacer(redis, lease=1.0) as pacer, SentClient(API_KEY, base_url=url, pacing=pacer) as sent:
        print(await fetch(sent, count, concurrency))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
