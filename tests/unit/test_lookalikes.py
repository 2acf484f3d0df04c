"""Values that Python accepts and the API would misunderstand are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import UNSET, UnsetType

from sent_async import Operation, SentConfigError
from sent_async.structs import RequestModel, check_request

LISTING: Operation[None] = Operation(
    "listing", "GET", "/v3/things", response=None, query_parameters={"kinds": "kind", "since": "from", "new": "new"}
)


class Inner(RequestModel):
    words: Sequence[str] | UnsetType = UNSET


class Outer(RequestModel):
    to: Sequence[str]
    at: datetime | UnsetType | None = UNSET
    inner: Inner | UnsetType = UNSET
    inners: Sequence[Inner] | UnsetType | None = UNSET
    map: Mapping[str, str] | UnsetType = UNSET
    name: str | UnsetType = UNSET


class Tree(RequestModel):
    words: Sequence[str]
    parts: Sequence[Tree] = ()


@pytest.mark.parametrize(
    ("body", "member"),
    [
        (Outer(to="+14155551234"), "to"),
        (Outer(to=b"+14155551234"), "to"),  # type: ignore[arg-type]  # what callers without a type checker pass
        (Outer(to=[], at=datetime(2026, 1, 1)), "at"),  # noqa: DTZ001 - what the test is about
        (Outer(to=[], inner=Inner(words="abc")), "words"),
        (Outer(to=[], inners=[Inner(), Inner(words="abc")]), "words"),
        (Tree([], parts=[Tree([]), Tree([], parts=[Tree("abc")])]), "words"),
    ],
)
def test_refused(body: RequestModel, member: str) -> None:
    """A string is a sequence of strings in Python, and a datetime without an offset has no definite time."""
    with pytest.raises(SentConfigError, match=f"^{member} must be") as caught:
        check_request(body)
    assert "4155" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        Outer(to=["a"], at=datetime(2026, 1, 1, tzinfo=UTC), inner=Inner(words=["a"]), inners=[Inner()]),
        Tree(["a"], parts=[Tree([])]),
        Outer(to=("a",), at=None, inners=None, map={"a": "b"}, name="n"),
        Outer(to=[], at="2026-01-01T00:00:00Z"),  # type: ignore[arg-type]  # the API's own form
        {"to": "a plain dict is the caller's own"},
    ],
)
def test_accepted(body: object) -> None:
    """Other values are left to the API."""
    check_request(body)


@pytest.mark.parametrize(
    ("value", "query"),
    [
        ({"kinds": ["a b", "c"], "new": True}, "kind=a+b&kind=c&new=true"),
        ({"since": datetime(2026, 1, 1, tzinfo=UTC)}, "from=2026-01-01T00%3A00%3A00%2B00%3A00"),
        ({"kinds": [], "since": None}, ""),
    ],
)
def test_queries(value: dict[str, Any], query: str) -> None:
    """Lists are repeated, times have their offset, and nothing is sent for ``None``."""
    assert LISTING.target(value) == ("/v3/things", query)


def test_a_naive_time_in_a_query() -> None:
    """It is refused there too."""
    with pytest.raises(SentConfigError, match=r"^since must be a datetime"):
        LISTING.target({"since": datetime(2026, 1, 1) + timedelta(days=1)})  # noqa: DTZ001 - what the test is about
