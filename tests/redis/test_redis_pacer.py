"""``RedisPacer``: processes that share one limit in a real Redis, and failures of it or of one of them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from typing import Any

import pytest
from redis.asyncio import Redis

from sent_async import RateLimitError, SentClient, SentConfigError
from sent_async.clock import SystemClock
from sent_async.redis import RedisPacer
from tests.support.limited import ID, Connect, Limited, ServeLimited, fetch
from tests.support.redis_server import RedisServer
from tests.support.servers import API_KEY

AWAY = "unix:///nowhere/redis.sock"


async def fetch_all(clients: list[SentClient], count: int, concurrency: int = 10) -> int:
    """Fetch ``count`` profiles with each at the same time. Returns how many failed."""
    return sum(await asyncio.gather(*(fetch(client, count, concurrency) for client in clients)))


async def dump(redis: RedisServer) -> dict[str, str]:
    """Everything that Redis holds, as text."""
    async with Redis.from_url(redis.url, decode_responses=True) as client:
        found: dict[str, str] = {}
        for key in map(str, await client.keys()):
            kind = await client.type(key)
            if kind == "string":
                found[key] = str(await client.get(key))
            elif kind == "hash":
                found[key] = str(await client.hgetall(key))
            else:
                found[key] = str(await client.zrange(key, 0, -1))
        return found


async def calls(redis: RedisServer) -> int:
    """How many exchanges there were."""
    async with Redis.from_url(redis.url) as client:
        stats = await client.info("commandstats")
        return int(stats["cmdstat_evalsha"]["calls"])


async def test_a_fleet_never_overdraws_the_limit(
    serve_limited: ServeLimited, redis: RedisServer, join: Connect
) -> None:
    """Four processes send three windows' worth of requests: none is refused or lost."""
    server = await serve_limited(Limited(limit=200, window=1.0))

    assert await fetch_all([join(server, redis) for _ in range(4)], 150, concurrency=25) == 0

    assert (server.seen, server.refused) == (600, 0)


async def test_a_bucket_is_never_overdrawn(serve_limited: ServeLimited, redis: RedisServer, join: Connect) -> None:
    """The headers of a bucket are shared as those of a window."""
    server = await serve_limited(Limited("bucket", limit=100, window=1.0, burst=20))

    assert await fetch_all([join(server, redis) for _ in range(3)], 40) == 0

    assert (server.seen, server.refused) == (120, 0)


async def test_redis_is_not_asked_for_each_request(
    serve_limited: ServeLimited, redis: RedisServer, join: Connect
) -> None:
    """Permits come in blocks."""
    server = await serve_limited(Limited(limit=100_000, window=60.0))

    assert await fetch_all([join(server, redis) for _ in range(2)], 1000, concurrency=20) == 0

    assert await calls(redis) < 200


@pytest.mark.parametrize("headers", [True, False])
async def test_one_refusal_pauses_all(
    serve_limited: ServeLimited, redis: RedisServer, join: Connect, headers: bool
) -> None:
    """When another program has spent the window, the first 429 makes all processes wait for its end."""
    server = await serve_limited(Limited(limit=20, window=1.0, headers=headers))
    assert await fetch(join(server, redis, pacing=False), 20) == 0
    async with RedisPacer(redis.url) as pacer:
        with pytest.raises(RateLimitError):
            await join(server, redis, pacing=pacer, max_retries=0).profiles.retrieve(ID)

    assert await fetch(join(server, redis), 5) == 0

    assert server.refused == 1


async def test_requests_of_a_fleet_are_spread_after_a_refusal(
    serve_limited: ServeLimited, redis: RedisServer, join: Connect
) -> None:
    """A limit below the one in the headers causes refusals once, not once for each process."""
    server = await serve_limited(Limited("bucket", limit=40, window=1.0, burst=5, lies=True))

    assert await fetch_all([join(server, redis) for _ in range(3)], 20, concurrency=5) == 0

    assert 1 <= server.refused <= 15  # at most what was in flight


async def test_a_server_without_rate_headers_is_not_held_back(
    serve_limited: ServeLimited, redis: RedisServer, join: Connect
) -> None:
    """All requests go at once."""
    server = await serve_limited(Limited(limit=10_000, headers=False))
    together = asyncio.Barrier(20)
    clients = [join(server, redis) for _ in range(2)]
    assert await fetch_all(clients, 1) == 0

    async def all_twenty() -> None:
        await together.wait()

    server.before_response = all_twenty
    async with asyncio.timeout(30):
        assert await fetch_all(clients, 10) == 0


async def test_permits_of_a_killed_process_come_back(
    serve_limited: ServeLimited, redis: RedisServer, join: Connect
) -> None:
    """After kill -9 with half of the window in flight, the other half is used before the window ends."""
    server = await serve_limited(Limited(limit=20, window=100.0))
    client = join(server, redis, deadline=50)
    assert await fetch(client, 1) == 0
    arrived, never = asyncio.Semaphore(0), asyncio.Event()

    async def hold() -> None:
        arrived.release()
        await never.wait()

    server.before_response = hold
    command = [sys.executable, "-m", "tests.redis.worker", server.url, redis.url, "9", "9"]
    worker = await asyncio.create_subprocess_exec(*command)
    for _ in range(9):
        await arrived.acquire()
    worker.kill()
    await worker.wait()
    server.before_response = None
    never.set()

    assert await fetch(client, 10) == 0

    assert (server.seen, server.refused) == (20, 0)


async def test_clocks_of_hosts_may_differ(serve_limited: ServeLimited, redis: RedisServer, join: Connect) -> None:
    """A host whose clock is an hour ahead reads the reset right, because the time is that of Redis."""

    class Ahead(SystemClock):
        def wall(self) -> float:
            return SystemClock.wall() + 3600

    server = await serve_limited(Limited(limit=20, window=3.0))
    ahead = join(server, redis, pacer={"clock": Ahead()})

    assert await fetch_all([ahead, join(server, redis)], 20) == 0

    assert (server.seen, server.refused) == (40, 0)


async def test_without_redis_each_paces_by_itself(
    serve_limited: ServeLimited, join: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost or refused, and the log says so once."""
    server = await serve_limited(Limited(limit=20, window=0.3))

    assert await fetch(join(server, AWAY), 60) == 0

    assert (server.seen, server.refused) == (60, 0)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "rate limits are not shared" in warnings[0]


async def test_nothing_is_lost_when_redis_restarts(
    serve_limited: ServeLimited, own_redis: RedisServer, join: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """When Redis ends and returns empty, the processes go on alone and join again."""
    caplog.set_level(logging.INFO, "sent_async")
    server = await serve_limited(Limited(limit=100, window=1.0))

    async def interrupt() -> None:
        if server.seen == 50:
            own_redis.kill()
        elif server.seen == 250:
            own_redis.start()

    server.before_response = interrupt
    clients = [join(server, own_redis) for _ in range(3)]
    assert await fetch_all(clients, 150) == 0

    assert server.seen == 450 + server.refused
    assert await dump(own_redis) != {}
    log = [record.getMessage() for record in caplog.records]
    assert sum("are not shared" in line for line in log) == len(clients)
    assert any("are shared again" in line for line in log)


async def test_a_redis_that_hangs_counts_as_away(
    serve_limited: ServeLimited, own_redis: RedisServer, join: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """Requests wait for it once for the time limit, not each."""
    caplog.set_level(logging.INFO, "sent_async")
    server = await serve_limited(Limited(limit=100, window=1.0))
    client = join(server, own_redis, pacer={"timeout": 1.0})
    assert await fetch(client, 1) == 0
    own_redis.freeze()
    try:
        assert await fetch(client, 150) == 0
    finally:
        own_redis.thaw()

    assert await fetch(client, 150) == 0

    assert (server.seen, server.refused) == (301, 0)
    log = [record.getMessage() for record in caplog.records]
    assert [sum(text in line for line in log) for text in ("are not shared", "are shared again")] == [1, 1]


async def test_redis_holds_no_key_path_or_id(serve_limited: ServeLimited, redis: RedisServer, join: Connect) -> None:
    """Redis holds digests and numbers only, and each of them expires."""
    server = await serve_limited(Limited())
    client = join(server, redis)
    assert await fetch(client, 5) == 0

    held = str(await dump(redis))

    assert held != "{}"
    assert not any(secret in held for secret in (API_KEY, ID, "profiles", "standard"))
    async with Redis.from_url(redis.url) as connection:
        assert all([await connection.ttl(key) > 0 for key in await connection.keys()])


async def test_each_key_and_tier_has_a_limit_of_its_own(
    serve_limited: ServeLimited, redis: RedisServer, join: Connect
) -> None:
    """A limit that is spent does not delay requests of another key or tier."""
    server = await serve_limited(Limited(limit=1, window=100.0))
    client = join(server, redis, deadline=30)
    await client.profiles.retrieve(ID)
    server.limit, server.window = 100, 0.001

    for _ in range(2):
        await client.with_options(api_key="sk_test_another").profiles.retrieve(ID)
    await client.profiles.complete(ID, web_hook_url="https://example.com/done")

    assert len([key for key in await dump(redis) if key.endswith(":window")]) == 3
    assert client.rate_limits.keys() == {"standard", "sensitive"}


async def test_a_closed_pacer_gives_its_permits_back(
    serve_limited: ServeLimited, redis: RedisServer, join: Connect
) -> None:
    """Only what was learned is left, and a client that still uses the pacer is paced alone."""
    server = await serve_limited(Limited(window=100.0))
    async with RedisPacer(redis.url) as pacer:
        client = join(server, redis, pacing=pacer)
        assert await fetch(client, 5) == 0
    await pacer.close()

    assert [key.rsplit(":")[-1] for key in await dump(redis)] == ["window"]
    assert await fetch(client, 5) == 0
    await client.profiles.complete(ID, web_hook_url="https://example.com/done")
    assert server.seen == 11


async def test_an_idle_process_gives_its_permits_back(
    serve_limited: ServeLimited, redis: RedisServer, join: Connect
) -> None:
    """It sends Redis nothing more until it has requests."""
    server = await serve_limited(Limited(window=100.0))
    pacer = RedisPacer(redis.url)
    client = join(server, redis, pacing=pacer)
    assert await fetch(client, 5) == 0

    async with asyncio.timeout(30):
        while len(await dump(redis)) > 1:
            pass
    await pacer.close()

    assert await calls(redis) < 20


async def test_a_call_that_waits_when_the_pacer_is_closed(
    serve_limited: ServeLimited, redis: RedisServer, join: Connect
) -> None:
    """It waits for the window as before."""
    server = await serve_limited(Limited(limit=2, window=1.0))
    pacer = RedisPacer(redis.url)
    received = asyncio.Semaphore(0)
    client = join(server, redis, pacing=pacer, on_attempt=lambda _: received.release())
    fetching = asyncio.ensure_future(fetch(client, 4))
    for _ in range(2):
        await received.acquire()
    await pacer.close()

    assert await fetching == 0
    assert (server.seen, server.refused) == (4, 0)


async def test_a_pacer_can_be_closed_while_redis_hangs(own_redis: RedisServer) -> None:
    """A call that waits for its first permit goes on alone."""
    own_redis.freeze()
    pacer = RedisPacer(own_redis.url, timeout=0.1)
    paced = pacer.for_key(API_KEY)

    async def permit() -> int | None:
        assert paced.try_acquire("standard") is None
        await paced.wait("standard", None)
        return paced.try_acquire("standard")

    waiting = asyncio.ensure_future(permit())
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # now the exchange has begun
    await pacer.close()

    assert await waiting is not None


async def test_the_callers_connection_is_not_closed(serve_limited: ServeLimited, redis: RedisServer) -> None:
    """It belongs to the caller."""
    server = await serve_limited(Limited())
    async with Redis.from_url(redis.url, decode_responses=True) as connection:
        async with RedisPacer(connection) as pacer, SentClient(API_KEY, base_url=server.url, pacing=pacer) as client:
            assert await fetch(client, 5) == 0
        assert await connection.ping()


def test_without_the_extra_the_error_says_what_to_install() -> None:
    """The package itself works without redis."""
    code = "import sys; sys.modules['redis'] = None; import sent_async.webhooks; import sent_async.redis"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: sent_async.redis needs the extra: pip install 'sent-async[redis]'" in ended.stderr


@pytest.mark.parametrize(
    ("url", "options"),
    [("localhost:6379", {}), (AWAY, {"lease": 0}), (AWAY, {"timeout": -1}), (AWAY, {"lease": float("nan")})],
)
def test_impossible_options_are_refused(url: str, options: dict[str, Any]) -> None:
    """Impossible options are refused when the pacer is made."""
    with pytest.raises(SentConfigError):
        RedisPacer(url, **options)
