"""A call can be cancelled at any moment; the client stays usable, and no task is left."""

from __future__ import annotations

import asyncio
import gc
import random
import socket
from collections.abc import Awaitable, Callable

import pytest

from sent_async import SentClient, SentError
from sent_async.clock import SystemClock
from tests.support.raw_servers import Connection, RawServer, good
from tests.support.servers import MakeClient, make_response
from tests.support.waiting import turns, until

LIMIT = 5


class Unreliable:
    """A server that is fast, slow, broken or refuses, at random with a seed, until ``good`` is set."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.good = False

    async def __call__(self, connection: Connection) -> None:
        while True:
            await connection.read()
            behaviour = "quick" if self.good else self.random.choice(["quick", "slow", "split", "503", "429", "reset"])
            if behaviour == "slow":
                await turns(self.random.randrange(30))
            if behaviour == "split":
                await connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{")
                await turns(self.random.randrange(30))
                return
            if behaviour == "reset":
                connection.reset()
                return
            if behaviour in ("503", "429"):
                await connection.reply(make_response(b"", int(behaviour)))
            else:
                await connection.reply()


class ShortWaits(SystemClock):
    """Waits of a few turns of the loop between attempts, so that some calls are cancelled in one."""

    async def sleep(self, seconds: float) -> None:
        await turns(int(seconds * 30))


async def by_cancel(call: Awaitable[object], after: int) -> None:
    task = asyncio.ensure_future(call)
    await turns(after)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is None or isinstance(task.exception(), SentError)


async def by_timeout(call: Awaitable[object], after: int) -> None:
    async def expire(limit: asyncio.Timeout) -> None:
        await turns(after)
        limit.reschedule(0)

    try:
        async with asyncio.timeout(None) as limit:
            expiring = asyncio.ensure_future(expire(limit))
            try:
                await call
            finally:
                expiring.cancel()
    except SentError:
        pass
    except TimeoutError:
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0


async def by_group(call: Awaitable[object], after: int) -> None:
    async def stop() -> None:
        await turns(after)
        raise ZeroDivisionError

    async def run() -> None:
        await call

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(run())
            group.create_task(stop())

    with pytest.raises(ExceptionGroup) as caught:
        await both()
    assert all(isinstance(error, ZeroDivisionError | SentError) for error in caught.value.exceptions)


def some_call(sent: SentClient, draw: random.Random) -> Awaitable[object]:
    view = sent.with_options(deadline=draw.choice([None, None, 5.0]), timeout=draw.choice([None, 5.0]))
    match draw.randrange(3):
        case 0:
            return view.profiles.retrieve("p")
        case 1:
            return view.profiles.create(name="n")
        case _:
            return view.profiles.delete("p")


@pytest.mark.parametrize("how", [by_cancel, by_timeout, by_group])
async def test_cancelled_at_random(
    client: MakeClient, how: Callable[[Awaitable[object], int], Awaitable[None]]
) -> None:
    """After hundreds of cancelled calls, as many as the limit allows succeed at once, and no task is left."""
    draw = random.Random(7)
    unreliable = Unreliable(8)
    before = asyncio.all_tasks()
    async with RawServer(unreliable) as raw:
        sent = client(base_url=raw.url, limit=LIMIT, clock=ShortWaits())
        for _ in range(10):
            await asyncio.gather(*(how(some_call(sent, draw), draw.randrange(120)) for _ in range(30)))
        unreliable.good = True
        together = asyncio.gather(*(sent.profiles.retrieve("p") for _ in range(LIMIT)))
        async with asyncio.timeout(10):
            assert len(await together) == LIMIT
        await sent.close()
    gc.collect()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("steps", range(12))
async def test_cancelled_after_so_many_steps(client: MakeClient, steps: int) -> None:
    """The first steps of a call, connecting included, one by one: the single slot is free again each time."""
    async with RawServer(good) as raw:
        sent = client(base_url=raw.url, limit=1)
        task = asyncio.ensure_future(sent.profiles.retrieve("p"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        async with asyncio.timeout(10):
            assert (await sent.profiles.retrieve("p")).name == "Marketing Team"


async def test_cancelled_while_connecting(client: MakeClient) -> None:
    """A call that waits for a connection ends when it is cancelled."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        sent = client(base_url=f"http://127.0.0.1:{address[1]}", limit=1)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(sent.profiles.retrieve("p"), 0.02)
        for filler in fillers:
            filler.close()


async def test_a_cancelled_wait_for_a_slot(client: MakeClient) -> None:
    """Cancelled calls leave the queue, and the others are served."""
    gate = asyncio.Event()

    async def gated(connection: Connection) -> None:
        while True:
            await connection.read()
            await gate.wait()
            await connection.reply()

    async with RawServer(gated) as raw:
        sent = client(base_url=raw.url, limit=2)
        tasks = [asyncio.ensure_future(sent.profiles.retrieve("p")) for _ in range(20)]
        await until(lambda: len(raw.requests) == 2)
        for task in tasks[4:16]:
            task.cancel()
        gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(result, asyncio.CancelledError) for result in results] == [4 <= n < 16 for n in range(20)]
        assert len(raw.requests) == 8
