"""Send a message to everybody in a file, with any number of processes on any number of hosts.

    pip install 'sent-async[redis]' taskiq taskiq-redis
    python campaign.py people.csv                                  # once: puts everybody in the queue
    taskiq worker campaign:broker --workers 4                      # on each host, one process for each core

The file has the columns id, phone and name. ``people.csv`` run twice, a worker that is killed, a message that the queue
delivers twice: nobody is left out, and nobody gets a second message.

- The queue is a Redis stream. A message leaves it when it was sent, or refused for good, and not before. What a dead
  worker held goes to another one after ``IDLE`` seconds.
- ``RedisSeen`` knows what is finished, so a second delivery sends no request.
- Each message has its own idempotency key. A worker that dies between the request and the note of its response does not
  make Sent send a second time.
- ``RedisPacer`` shares the account's rate limit between all processes.
"""

from __future__ import annotations

import asyncio
import csv
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from redis.asyncio import Redis
from taskiq import Context, TaskiqDepends, TaskiqEvents, TaskiqState
from taskiq_redis import RedisStreamBroker

from sent_async import BadRequestError, SentClient, UnprocessableEntityError
from sent_async.models import MessageTemplate
from sent_async.redis import RedisPacer, RedisSeen

NAME = os.environ.get("CAMPAIGN", "spring")
"""Names the queue, and the idempotency keys: another campaign needs another name."""
TEMPLATE = os.environ.get("CAMPAIGN_TEMPLATE", "spring_sale")
IDLE = float(os.environ.get("CAMPAIGN_IDLE", "120"))
"""Seconds after which a message that nobody finished goes to another worker. Longer than a wait for the rate limit."""
REDIS = os.environ.get("REDIS_URL", "redis://localhost")
OUTCOMES = f"{NAME}:outcomes"
"""A Redis hash: by the id of a person, the id of the message or the error code."""

broker = RedisStreamBroker(
    REDIS,
    queue_name=f"{NAME}:queue",
    consumer_id="0",  # messages that were queued before the first worker came count too
    idle_timeout=round(IDLE * 1000),
    unacknowledged_batch_size=1000,
)


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def begin(state: TaskiqState) -> None:
    state.stack = AsyncExitStack()
    state.redis = Redis(connection_pool=broker.connection_pool)
    state.seen = RedisSeen(state.redis, name=NAME, lease=IDLE / 2)
    pacer = await state.stack.enter_async_context(RedisPacer(state.redis))
    state.sent = await state.stack.enter_async_context(SentClient(pacing=pacer))
    state.ticking = asyncio.create_task(tick_always())


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def end(state: TaskiqState) -> None:
    state.ticking.cancel()
    await state.stack.aclose()


@broker.task("tick")
async def tick() -> None:
    """Do nothing. The broker looks for messages of dead workers only after it got a new message."""


async def tick_always() -> None:
    while True:
        await asyncio.sleep(IDLE / 2)
        await tick.kiq()


@broker.task("send", ack_type="manual")
async def send(id: str, phone: str, name: str, context: Context = TaskiqDepends()) -> None:  # noqa: B008 - as in taskiq's documentation
    """Send one message. When this raises, the message stays in the queue and comes again after ``IDLE`` seconds."""
    seen: RedisSeen = context.state.seen
    key = f"{NAME}-{id}"
    while not await seen.claim(key):
        if await seen.is_finished(key):
            await context.ack()
            return
        await asyncio.sleep(IDLE / 20)  # another worker has it, or had it when it died
    try:
        outcome = await send_now(context.state.sent, key, phone, name)
        await context.state.redis.hset(OUTCOMES, id, outcome)
    except BaseException:
        await seen.release(key)
        raise
    await seen.finish(key)
    await context.ack()


async def send_now(sent: SentClient, key: str, phone: str, name: str) -> str:
    """The id of the message; or the error code, where Sent refuses this message and always will."""
    template = MessageTemplate(name=TEMPLATE, parameters={"name": name})
    try:
        message = await sent.messages.send(to=[phone], template=template, idempotency_key=key)
    except (BadRequestError, UnprocessableEntityError) as error:
        return str(error.code)
    return str(message.recipients[0].message_id)


async def fill(people: list[dict[str, str]]) -> None:
    """Put everybody in the queue, and say how far the campaign is until all have an outcome."""
    await broker.startup()
    for person in people:
        await send.kiq(person["id"], person["phone"], person["name"])
    redis = Redis(connection_pool=broker.connection_pool)
    while (done := await redis.hlen(OUTCOMES)) < len(people):
        print(f"{done:,} of {len(people):,}", flush=True)
        await asyncio.sleep(1)
    await broker.shutdown()
    print(f"all {len(people):,} have an outcome, in the Redis hash {OUTCOMES}")


if __name__ == "__main__":
    with Path(sys.argv[1]).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    asyncio.run(fill(rows))
