"""``RedisSeen``: each event is handled once, on a real Redis."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from sent_async import SentConfigError
from sent_async.redis import RedisSeen
from tests.support.redis_server import RedisServer
from tests.support.seen import check_claims, check_claims_at_once


async def test_claim_finish_release(redis: RedisServer) -> None:
    """Two processes on one Redis share their claims."""
    async with RedisSeen(redis.url) as store, RedisSeen(redis.url) as other:
        await check_claims(store, other)


async def test_claims_at_the_same_time(redis: RedisServer) -> None:
    """One of them is successful."""
    async with RedisSeen(redis.url) as store:
        await check_claims_at_once(store)


async def expire(redis: RedisServer) -> None:
    """Let what Redis holds end, as if its time had passed."""
    async with Redis.from_url(redis.url) as client:
        for key in await client.keys():
            assert 0 < await client.pttl(key) <= 45_000
            await client.pexpire(key, 0)


async def test_a_claim_of_a_process_that_died_ends(redis: RedisServer) -> None:
    """After its lease the event can be claimed again. A late release by the first process changes nothing."""
    async with RedisSeen(redis.url) as late, RedisSeen(redis.url) as store:
        assert await late.claim("a")
        await expire(redis)

        assert await store.claim("a")
        await late.release("a")

        assert not await late.claim("a")


async def test_a_finished_event_is_remembered_for_a_day(redis: RedisServer) -> None:
    """It is remembered longer than the lease, and not for ever."""
    async with RedisSeen(redis.url) as store, Redis.from_url(redis.url) as client:
        assert await store.claim("a")
        await store.finish("a")
        [key] = await client.keys()
        assert 45 < await client.ttl(key) <= 86_400


async def test_services_with_different_names_each_handle_an_event(redis: RedisServer) -> None:
    """Two services with one Redis have claims of their own."""
    async with RedisSeen(redis.url, name="billing") as billing, RedisSeen(redis.url, name="support") as support:
        assert [await billing.claim("a"), await support.claim("a")] == [True, True]


async def test_redis_holds_no_id(redis: RedisServer) -> None:
    """Redis holds digests of names and ids only."""
    async with RedisSeen(redis.url, name="billing") as store, Redis.from_url(redis.url) as client:
        assert await store.claim("evt_123")
        [key] = await client.keys()
        held = str((key, await client.get(key)))
        assert not any(secret in held for secret in ("evt_123", "billing"))


@pytest.mark.parametrize("decode_responses", [True, False])
async def test_the_callers_connection_is_not_closed(redis: RedisServer, decode_responses: bool) -> None:
    """It belongs to the caller, and any of its options works."""
    async with Redis.from_url(redis.url, decode_responses=decode_responses) as connection:
        async with RedisSeen(connection) as store:
            assert await store.claim("a")
            await store.finish("a")
            assert await store.is_finished("a")
        assert await connection.ping()


async def test_without_redis_nothing_is_claimed() -> None:
    """The receiver responds with 500, and the event is delivered again."""
    async with RedisSeen("unix:///nowhere/redis.sock") as store:
        with pytest.raises(RedisConnectionError):
            await store.claim("a")


@pytest.mark.parametrize(
    ("url", "options"), [("http://redis", {}), ("redis://r", {"lease": 0}), ("redis://r", {"ttl": -1})]
)
def test_impossible_options_are_refused(url: str, options: dict[str, Any]) -> None:
    """Impossible options are refused when the store is made."""
    with pytest.raises(SentConfigError):
        RedisSeen(url, **options)
