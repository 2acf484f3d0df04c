"""What every store of handled events must do."""

from __future__ import annotations

import asyncio

from sent_async.webhooks import LeasedSeen, Seen


async def check_claims(store: Seen, other: Seen) -> None:
    """One claim of an event is successful until the event is released. After ``finish`` none is.

    Args:
        store: A store that is empty.
        other: Another one on the same data, or the same one.
    """
    assert isinstance(store, LeasedSeen) and isinstance(other, LeasedSeen)
    assert [await store.claim("a"), await other.claim("a"), await other.claim("b")] == [True, False, True]
    assert not await store.is_finished("a")
    await store.release("a")
    assert await other.claim("a")
    await other.finish("a")
    assert await store.is_finished("a")
    assert not await store.claim("a")
    assert not await store.is_finished("b")
    assert not await store.is_finished("unknown")


async def check_claims_at_once(store: Seen) -> None:
    """Of many claims at the same time one is successful."""
    assert sum(await asyncio.gather(*(store.claim("a") for _ in range(50)))) == 1
