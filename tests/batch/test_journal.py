"""A batch with a journal: what is in the file is not done again."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import Journal, SentConfigError, SentError, batch
from sent_async.models import Profile
from sent_async.request import given_keys
from sent_async.testing import FakeSent
from tests.support.numbers import Numbers, values


@dataclasses.dataclass
class Row:
    """What a call of a user may return."""

    number: int


async def test_the_second_run_does_the_rest(tmp_path: Path) -> None:
    """Items that failed are called again. Finished items are not; their values are in their places."""
    numbers = Numbers({3, 5})
    path = tmp_path / "batch.sqlite"
    first = await batch(numbers.double, range(8), journal=path)
    assert [result.key for result in first if not result.ok] == [3, 5]
    numbers.failing, numbers.called = set(), []
    assert values(await batch(numbers.double, range(10), journal=str(path))) == [number * 2 for number in range(10)]
    assert sorted(numbers.called) == [3, 5, 8, 9]


async def test_a_finished_batch_is_iterated_without_a_call(tmp_path: Path) -> None:
    """All values come from the file, and nothing is called."""
    numbers = Numbers()
    await batch(numbers.double, range(200), journal=tmp_path / "batch.sqlite")
    numbers.called = []
    found = [result.unwrap() async for result in batch(numbers.double, range(200), journal=tmp_path / "batch.sqlite")]
    assert sorted(found) == [number * 2 for number in range(200)]
    assert numbers.called == []


async def test_reported_results_are_in_the_file(tmp_path: Path) -> None:
    """A copy of the file, made when a result is reported, holds that result."""
    path = tmp_path / "batch.sqlite"
    async for result in batch(Numbers().double, range(50), journal=path, concurrency=7):
        copy = tmp_path / f"copy-{result.key}.sqlite"
        copy.write_bytes(path.read_bytes())
        (tmp_path / f"{copy.name}-wal").write_bytes((tmp_path / "batch.sqlite-wal").read_bytes())
        with sqlite3.connect(copy) as database:
            assert database.execute("SELECT value FROM done WHERE key = ?", (str(result.key),)).fetchall()
        database.close()


@pytest.mark.parametrize("value", [None, True, 7, 1.5, "text", ["a", 1], {"a": None}, Row(7)])
async def test_values_come_back_as_they_were(tmp_path: Path, value: object) -> None:
    """A second run gives the same values of the same types from the file."""

    async def call(_: str) -> object:
        return value

    for _ in range(2):
        (result,) = await batch(call, ["item"], journal=Journal(tmp_path / "batch.sqlite"))
        assert result.unwrap() == value and type(result.unwrap()) is type(value)


async def test_models_come_back_as_they_were(tmp_path: Path) -> None:
    """Models of the API are stored and read as models, without a request."""
    async with FakeSent() as fake, fake.client() as sent:
        path = tmp_path / "profiles.sqlite"
        ids = [profile.id async for profile in sent.profiles.list()]
        first = await batch(sent.profiles.retrieve, ids, journal=path)
        seen = len(fake.requests)
        again = await batch(sent.profiles.retrieve, ids, journal=path)
        assert values(again) == values(first) and isinstance(again[0].value, Profile)
        assert len(fake.requests) == seen


async def test_a_value_that_cannot_be_stored(tmp_path: Path) -> None:
    """The batch ends with an error."""

    async def call(_: str) -> object:
        return object()

    async def deep(_: str) -> object:
        return {"inside": object()}

    for index, each in enumerate((call, deep)):
        with pytest.raises(SentConfigError, match="cannot be stored in a journal"):
            await batch(each, ["item"], journal=tmp_path / f"{index}.sqlite")


async def test_a_value_of_a_class_that_is_gone(tmp_path: Path) -> None:
    """The error says which class cannot be imported."""
    path = tmp_path / "batch.sqlite"
    numbers = Numbers()
    await batch(numbers.double, [1], journal=path)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE done SET kind = 'sent_async.models:Vanished'")
    database.close()
    with pytest.raises(SentConfigError, match="Vanished that can no longer be read"):
        await batch(numbers.double, [1], journal=path)


@given(keys=st.lists(st.text(), unique=True, max_size=20))
def test_any_text_names_an_item(tmp_path_factory: pytest.TempPathFactory, keys: list[str]) -> None:
    """Line breaks, zero bytes and the empty text included."""
    numbers = Numbers()

    async def call(key: str) -> int:
        return await numbers.double(len(key))

    async def run() -> None:
        path = tmp_path_factory.mktemp("journal") / "batch.sqlite"
        for _ in range(2):
            assert values(await batch(call, keys, journal=path)) == [len(key) * 2 for key in keys]

    asyncio.run(run())
    assert len(numbers.called) == len(keys)


async def test_items_without_names_of_their_own(tmp_path: Path) -> None:
    """Two items with the same name, and an item without one, are refused."""
    with pytest.raises(SentConfigError, match="two items have the key '1'"):
        await batch(Numbers().double, [1, 1], journal=tmp_path / "twice.sqlite")
    with pytest.raises(SentConfigError, match="type Row is not a key; pass key= to batch"):
        await batch(_same, [Row(1)], journal=tmp_path / "row.sqlite")


async def _same(row: Row) -> int:
    return row.number


async def test_journals_that_are_refused_stay_as_they_are(tmp_path: Path) -> None:
    """A file of another batch, of a newer version, of another kind, or damaged: refused and not changed."""
    numbers = Numbers()
    paths = {name: tmp_path / f"{name}.sqlite" for name in ("other", "newer", "foreign", "text", "damaged")}
    for name in ("other", "newer", "damaged"):
        await batch(
            numbers.double, range(500), journal=Journal(paths[name], name="sale" if name != "other" else "news")
        )
    with sqlite3.connect(paths["newer"]) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    with sqlite3.connect(paths["foreign"]) as database:
        database.execute("CREATE TABLE people (name TEXT)")
    database.close()
    paths["text"].write_bytes(b"not a database, but long enough to look at" * 100)
    whole = bytearray(paths["damaged"].read_bytes())
    whole[28:32] = (len(whole) // 4096 + 1).to_bytes(4)  # a page more, which nothing uses
    whole += bytes(4096)
    paths["damaged"].write_bytes(whole)
    problems = {
        "other": "belongs to the batch 'news', not to 'sale'",
        "newer": "has version 2, but this package reads up to 1; update sent-async",
        "foreign": "is the database of another application",
        "text": "is not a journal, or is damaged",
        "damaged": "is damaged: .*; restore it from a copy",
    }
    for name, path in paths.items():
        before = path.read_bytes()
        with pytest.raises(SentConfigError, match=problems[name]) as caught:
            await batch(numbers.double, range(3), journal=Journal(path, name="sale"))
        assert str(path) in str(caught.value)
        assert path.read_bytes() == before


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The error says that the file cannot be opened."""
    with pytest.raises(SentConfigError, match="cannot be made: No such file or directory"):
        await batch(Numbers().double, [1], journal=tmp_path / "nowhere" / "batch.sqlite")


async def test_two_batches_cannot_share_a_journal(tmp_path: Path) -> None:
    """A second batch is refused while the first one runs."""
    numbers, path = Numbers(), tmp_path / "batch.sqlite"
    journal = Journal(path)
    async with contextlib.aclosing(
        aiter(batch(numbers.double, range(1000), journal=journal, concurrency=1))
    ) as running:
        await anext(running)
        with pytest.raises(SentConfigError, match="in use by another process"):
            await batch(numbers.double, range(3), journal=path)
        with pytest.raises(SentConfigError, match="in use by another batch"):
            await batch(numbers.double, range(3), journal=journal)


async def test_writes_keep_their_idempotency_keys(tmp_path: Path) -> None:
    """The keys are the same in each run with one file, and differ by item, by write and by file."""
    seen: list[list[str | None]] = []
    async with FakeSent() as fake, fake.client() as sent:

        async def create(name: str) -> None:
            for _ in range(2):
                await sent.profiles.create(name=name, short_name=name)
            raise SentError("not finished")

        for path in ("one", "one", "two"):
            fake.requests.clear()
            await batch(create, ["Ann", "Bob"], journal=tmp_path / path, concurrency=1)
            seen.append([request.idempotency_key for request in fake.requests])
        assert len(fake.profiles) == 1 + 8  # the second run with the first file repeated nothing
    assert seen[0] == seen[1] and len({*seen[0], *seen[2]}) == 8
    assert given_keys.get() is None


async def test_a_key_names_the_writes_too(tmp_path: Path) -> None:
    """The ``key`` of an item decides the idempotency keys, whether the call takes ``idempotency_key`` or not."""
    async with FakeSent() as fake, fake.client() as sent:

        async def plain(name: str) -> None:
            await sent.profiles.create(name=name, short_name=name)
            await sent.profiles.create(name=name, short_name=name)

        async def keyed(name: str, *, idempotency_key: str) -> None:
            await sent.profiles.create(name=name, short_name=name, idempotency_key=idempotency_key)

        await batch(plain, ["Ann"], key=lambda name: f"create-{name}", journal=tmp_path / "plain.sqlite")
        await batch(keyed, ["Ann"], key=lambda name: f"create-{name}", journal=tmp_path / "keyed.sqlite")
        assert [request.idempotency_key for request in fake.requests] == ["create-Ann", "create-Ann-2", "create-Ann"]


async def test_half_a_character_is_refused(tmp_path: Path) -> None:
    """A lone surrogate is refused, in the name of an item and in a value."""

    async def echo(item: str) -> str:
        return "\ud800"

    with pytest.raises(SentConfigError, match="has a lone surrogate"):
        await batch(echo, ["\ud800"], journal=tmp_path / "key.sqlite")
    with pytest.raises(SentConfigError, match="a str cannot be stored in a journal"):
        await batch(echo, ["item"], journal=tmp_path / "value.sqlite")


def test_a_journal_shows_its_path() -> None:
    """The repr has the path."""
    assert repr(Journal("sale.sqlite")) == "Journal('sale.sqlite')"


async def test_a_partial_and_an_object_have_names(tmp_path: Path) -> None:
    """A journal belongs to the function behind a partial, and to the class of an object that is called."""

    class Doubler:
        async def __call__(self, number: int) -> int:
            return number * 2

    numbers = Numbers()
    for name, call in (("partial", functools.partial(numbers.double)), ("object", Doubler())):
        for _ in range(2):
            assert values(await batch(call, [4], journal=tmp_path / name)) == [8]
    assert values(await batch(numbers.double, [4], journal=tmp_path / "partial")) == [8]
    assert numbers.called == [4]
