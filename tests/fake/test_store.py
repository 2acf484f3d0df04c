"""The parts of the fake server's store: drafts, views, pages and the record of requests."""

from __future__ import annotations

from collections.abc import MutableMapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import SentClient
from sent_async.testing import FakeSent
from sent_async.testing.paging import paged
from sent_async.testing.store import Draft

KEYS = st.sampled_from("abcdef")
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.integers()))


def _apply(changes: list[tuple[str, int | None]], mapping: MutableMapping[str, int]) -> list[str]:
    """Set what has a value, delete the rest; the keys that could not be deleted."""
    missing: list[str] = []
    for key, value in changes:
        if value is not None:
            mapping[key] = value
        else:
            try:
                del mapping[key]
            except KeyError:
                missing.append(key)
    return missing


@given(stored=st.dictionaries(KEYS, st.integers()), changes=CHANGES)
def test_a_draft_behaves_like_a_copy(stored: dict[str, int], changes: list[tuple[str, int | None]]) -> None:
    """It has what a changed copy would have, and the mapping below does not change."""
    before, copy, draft = dict(stored), dict(stored), Draft(stored)
    assert _apply(changes, draft) == _apply(changes, copy)
    assert dict(draft) == copy
    assert len(draft) == len(copy)
    assert {key: key in draft for key in "abcdef"} == {key: key in copy for key in "abcdef"}
    assert stored == before


@given(total=st.integers(0, 30), page=st.integers(1, 40), size=st.integers(1, 40))
def test_pages_of_a_list(total: int, page: int, size: int) -> None:
    """A page is a slice by number and size, and ``has_more`` says whether there is another one."""
    rows = [{"number": number} for number in range(total)]
    chosen, pagination = paged(iter(rows), page, size)
    assert chosen == rows[(page - 1) * size : page * size]
    assert pagination["total_count"] == total
    assert pagination["has_more"] == bool(rows[page * size :])
    assert (pagination["total_pages"] - 1) * size < total <= pagination["total_pages"] * size


async def test_views_are_live(fake_sent: FakeSent) -> None:
    """A view shows the present state, and can be iterated during changes."""
    profiles = fake_sent.profiles
    added = fake_sent.add_profile()
    assert profiles[added.id] == added
    assert added.id in profiles and len(profiles) == 2
    for _ in profiles:
        fake_sent.add_profile()
    assert len(profiles) == 4


async def test_the_record_of_requests_is_bounded() -> None:
    """The latest ``keep_requests`` requests are kept, at least one."""
    async with FakeSent(keep_requests=3) as fake, fake.client() as sent:
        for number in range(5):
            await sent.profiles.create(name=f"Branch {number}")
        assert [request.json["name"] for request in fake.requests] == ["Branch 2", "Branch 3", "Branch 4"]
    with pytest.raises(ValueError, match="keep_requests"):
        FakeSent(keep_requests=0)


async def test_a_sandbox_request_sees_its_own_change(fake_sent: FakeSent, sent: SentClient) -> None:
    """It is checked against all that is stored, and leaves all of it as it was."""
    before = msgspec.to_builtins(list(fake_sent.profiles.values()))
    updated = await sent.profiles.update(next(iter(fake_sent.profiles)), name="Other", sandbox=True)
    assert updated.name == "Other"
    assert msgspec.to_builtins(list(fake_sent.profiles.values())) == before
