"""The slots of a client: never too many in use and none lost, whatever is cancelled."""

from __future__ import annotations

import asyncio
import random

import pytest

from sent_async.transport import Slots


async def test_first_come_first_served() -> None:
    """A free slot goes to the call that has waited longest."""
    slots = Slots(1)
    await slots.acquire()
    order: list[int] = []

    async def user(number: int) -> None:
        await slots.acquire()
        order.append(number)
        slots.release()

    tasks = [asyncio.create_task(user(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert (slots.free, order) == (0, [])
    slots.release()
    await asyncio.gather(*tasks)
    assert (slots.free, order) == (1, [0, 1, 2, 3, 4])


@pytest.mark.parametrize("give_first", [True, False])
async def test_cancelled_as_the_slot_comes_free(give_first: bool) -> None:
    """A call that is cancelled as it gets a slot passes it on or leaves it free."""
    slots = Slots(1)
    await slots.acquire()
    first, second = asyncio.create_task(slots.acquire()), asyncio.create_task(slots.acquire())
    await asyncio.sleep(0)
    if give_first:
        slots.release()
        first.cancel()
    else:
        first.cancel()
        slots.release()
    await asyncio.wait([first, second])
    assert first.cancelled() and not second.cancelled()
    slots.release()
    assert slots.free == 1


async def test_at_random() -> None:
    """After hundreds of calls, many of them cancelled while they wait or run, all slots are free."""
    draw = random.Random(11)
    slots = Slots(3)
    held = most = 0

    async def user() -> None:
        nonlocal held, most
        await slots.acquire()
        held += 1
        most = max(most, held)
        try:
            for _ in range(draw.randrange(4)):
                await asyncio.sleep(0)
        finally:
            held -= 1
            slots.release()

    for _ in range(20):
        tasks = [asyncio.create_task(user()) for _ in range(30)]
        for _ in range(draw.randrange(40)):
            await asyncio.sleep(0)
            draw.choice(tasks).cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (slots.free, held) == (3, 0)
    assert most == 3
