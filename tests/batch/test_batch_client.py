"""Batches of real calls: ``retrieve_many`` and keyed writes, against the fake server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sent_async import ErrorCode, NotFoundError, Result, SentClient, SentConfigError, SentConnectionError, batch
from sent_async.models import Profile, TemplateBody, TemplateBodyContent, TemplateDefinition
from sent_async.testing import Drop, FakeSent
from tests.support.waiting import until

DEFINITION = TemplateDefinition(body=TemplateBody(multi_channel=TemplateBodyContent(template="Hello")))
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def fake() -> AsyncIterator[FakeSent]:
    """A server with state."""
    async with FakeSent() as running:
        yield running


@pytest.fixture
async def sent(fake: FakeSent) -> AsyncIterator[SentClient]:
    """A client of it."""
    async with fake.client() as client:
        yield client


async def test_many_profiles_in_order(fake: FakeSent, sent: SentClient) -> None:
    """Each id has its profile or its error, in the order of the ids."""
    ids = [fake.add_profile(name=f"Team {number}").id for number in range(20)]
    ids.insert(7, UNKNOWN)

    results: list[Result[str, Profile]] = await sent.profiles.retrieve_many(ids, concurrency=6)

    assert [result.key for result in results] == ids
    assert [result.value.id for result in results if result.value is not None] == [i for i in ids if i != UNKNOWN]
    assert isinstance(results[7].error, NotFoundError)
    assert results[7].error.code == ErrorCode.PROFILE_NOT_FOUND


async def test_many_profiles_as_they_come(fake: FakeSent, sent: SentClient) -> None:
    """The same, iterated, from an async source."""
    ids = [fake.add_profile().id for _ in range(10)]

    async def source() -> AsyncIterator[str]:
        for profile_id in ids:
            yield profile_id

    assert {r.unwrap().id async for r in sent.profiles.retrieve_many(source(), concurrency=3)} == set(ids)


async def test_many_templates(fake: FakeSent, sent: SentClient) -> None:
    """Templates have the same method with the same options."""
    ids, reports = [fake.add_template().id for _ in range(5)], list[Any]()

    results = await sent.templates.retrieve_many(ids, concurrency=2, on_progress=reports.append)

    assert [result.unwrap().id for result in results] == ids
    assert reports[-1].done == 5
    with pytest.raises(NotFoundError):
        await sent.templates.retrieve_many([UNKNOWN], fail_fast=True)


async def test_an_unusable_id_is_a_failed_item(fake: FakeSent, sent: SentClient) -> None:
    """An empty id is one failed result, and the other ids are retrieved."""
    good = fake.add_profile().id

    results = await sent.profiles.retrieve_many([good, "", good])

    assert [result.ok for result in results] == [True, False, True]
    assert isinstance(results[1].error, SentConfigError)


async def test_closing_the_client_during_a_batch(fake: FakeSent) -> None:
    """Every item gets a result; those that were not finished have an error."""
    sent = fake.client(pacing=False)
    fake.delay_next(30, times=4)
    run = asyncio.ensure_future(_many(sent, [UNKNOWN] * 8))
    await until(lambda: len(fake.requests) == 4)

    await sent.close()
    results = await run

    assert len(results) == 8
    kinds = [type(result.error) for result in results]
    assert kinds[:4] == [SentConnectionError] * 4
    assert kinds[4:] == [SentConfigError] * 4


async def _many(sent: SentClient, ids: list[str]) -> list[Result[str, Profile]]:
    return await sent.profiles.retrieve_many(ids, concurrency=4)


async def test_keyed_writes_repeat_nothing_in_a_second_run(fake: FakeSent, sent: SentClient) -> None:
    """A run that was interrupted is run again as a whole, and every profile exists once."""
    names = [f"Team {number}" for number in range(10)]
    before = set(fake.profiles)

    async def create(name: str, *, idempotency_key: str) -> Profile:
        return await sent.profiles.create(name=name, short_name=name, idempotency_key=idempotency_key)

    def key(name: str) -> str:
        return "import-" + name.replace(" ", "-")

    crashed = 0
    async for _ in batch(create, names, concurrency=2, key=key):
        crashed += 1
        if crashed == 4:
            break
    first = set(fake.profiles) - before
    again = await batch(create, names, concurrency=2, key=key)

    made = set(fake.profiles) - before
    assert len(made) == 10
    assert first <= made
    assert {result.unwrap().id for result in again} == made
    assert {request.idempotency_key for request in fake.requests} == {key(name) for name in names}


async def test_keyed_writes_survive_lost_responses(fake: FakeSent, sent: SentClient) -> None:
    """When responses are lost after the work, the retry gets the stored response, and nothing exists twice."""
    before = len(fake.templates)
    fake.fault(lambda request: Drop(after_commit=True) if len(fake.requests) % 3 == 0 else None)

    async def create(number: int, *, idempotency_key: str) -> str:
        made = await sent.templates.create(definition=DEFINITION, idempotency_key=idempotency_key)
        return made.id

    results = await batch(create, range(9), concurrency=1, key=lambda number: f"row-{number}")

    assert len({result.unwrap() for result in results}) == 9
    assert len(fake.templates) - before == 9


async def test_a_malformed_key_fails_its_item(sent: SentClient) -> None:
    """The idempotency key is checked as in any other call."""

    async def create(name: str, *, idempotency_key: str) -> Profile:
        return await sent.profiles.create(name=name, short_name=name, idempotency_key=idempotency_key)

    (result,) = await batch(create, ["a b"], key=lambda name: name)

    assert isinstance(result.error, SentConfigError)
