"""The stores of handled events."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sent_async import SentConfigError
from sent_async.webhooks import MemorySeen, SQLiteSeen
from tests.support.clocks import FakeClock
from tests.support.seen import check_claims, check_claims_at_once

Store: TypeAlias = MemorySeen | SQLiteSeen
Make: TypeAlias = Callable[..., Store]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Make:
    """Makes a store of either kind."""

    def store(**options: Any) -> Store:
        if request.param == "memory":
            return MemorySeen(clock=clock, **options)
        return SQLiteSeen(tmp_path / "seen.sqlite", clock=clock, **options)

    return store


async def close(store: Store) -> None:
    if isinstance(store, SQLiteSeen):
        await store.close()


async def test_claim_finish_release(make: Make) -> None:
    """An event is claimed once until it is released; after it was finished, never again."""
    store = make()
    await check_claims(store, store)
    await close(store)


async def test_claims_at_the_same_time(make: Make) -> None:
    """One of them is successful."""
    store = make()
    await check_claims_at_once(store)
    await close(store)


async def test_forgotten_after_the_ttl(make: Make, clock: FakeClock) -> None:
    """A finished event is remembered for ``ttl`` seconds."""
    store = make(ttl=1000)
    await store.claim("a")
    await store.finish("a")
    clock.advance(999)
    assert not await store.claim("a")
    clock.advance(2)
    assert await store.claim("a")
    assert not await store.is_finished("a")
    await close(store)


async def test_memory_is_bounded(clock: FakeClock) -> None:
    """When there are more than ``size`` events, the oldest are forgotten, finished or not."""
    store = MemorySeen(size=100, clock=clock)
    for number in range(1000):
        assert await store.claim(str(number))
        if number % 2:
            await store.finish(str(number))
    assert len(store._until) == 100
    assert len(store._finished) == 50
    await store.finish("0")
    assert not await store.is_finished("0")
    assert not await store.claim("950")


async def test_sqlite_survives_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    """Finished events stay finished. The claim of a process that died ends with its lease."""
    path = tmp_path / "seen.sqlite"
    async with SQLiteSeen(path, lease=45, clock=clock) as store:
        await store.claim("finished")
        await store.finish("finished")
        await store.claim("interrupted")
    async with SQLiteSeen(path, lease=45, clock=clock) as store:
        assert [await store.claim("finished"), await store.claim("interrupted")] == [False, False]
        clock.advance(46)
        assert [await store.claim("finished"), await store.claim("interrupted")] == [False, True]
        assert await store.is_finished("finished")
        assert not await store.claim("interrupted")


async def test_sqlite_between_two_connections(tmp_path: Path, clock: FakeClock) -> None:
    """Of two processes with one file, one gets each event."""
    path = tmp_path / "seen.sqlite"
    async with SQLiteSeen(path, clock=clock) as one, SQLiteSeen(path, clock=clock) as other:
        claims = [store.claim(str(number)) for number in range(100) for store in (one, other)]
        assert sum(await asyncio.gather(*claims)) == 100


async def test_sqlite_forgets(tmp_path: Path, clock: FakeClock) -> None:
    """Finished events leave the file after ``ttl``. An unfinished claim stays, as it may be claimed again."""
    path = tmp_path / "seen.sqlite"
    async with SQLiteSeen(path, ttl=1000, clock=clock) as store:
        await store.claim("old")
        await store.finish("old")
        await store.claim("unfinished")
        clock.advance(2000)
        await store.claim("new")
    with closing(sqlite3.connect(path)) as database:
        assert {id for (id,) in database.execute("SELECT id FROM seen")} == {"unfinished", "new"}


async def test_closed(tmp_path: Path) -> None:
    """A store can be closed twice; using it afterwards raises an error that says so."""
    store = SQLiteSeen(tmp_path / "seen.sqlite")
    await store.close()
    await store.close()
    with pytest.raises(SentConfigError, match="closed"):
        await store.claim("a")


def test_unusable_files(tmp_path: Path) -> None:
    """A file that is no database is refused at once and not changed."""
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to be looked at closely. " * 20)
    for path in (text, tmp_path, tmp_path / "missing" / "seen.sqlite"):
        with pytest.raises(SentConfigError, match=path.name):
            SQLiteSeen(path)
    assert text.read_text().startswith("not a database")


@pytest.mark.parametrize("options", [{"size": 0}, {"ttl": 0}, {"ttl": -1}, {"ttl": float("nan")}])
def test_memory_options(options: dict[str, Any]) -> None:
    """Impossible options are refused."""
    with pytest.raises(SentConfigError):
        MemorySeen(**options)


@pytest.mark.parametrize("options", [{"lease": 0}, {"ttl": 0}, {"lease": float("nan")}])
def test_sqlite_options(tmp_path: Path, options: dict[str, Any]) -> None:
    """Impossible options are refused."""
    with pytest.raises(SentConfigError):
        SQLiteSeen(tmp_path / "seen.sqlite", **options)
