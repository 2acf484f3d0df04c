"""The place of a wrong value in a response: a path with real indices, and no value of the response."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from sent_async import Operation, SentDecodeError
from sent_async.envelope import decode
from sent_async.operations import LIST_CAMPAIGNS, LIST_PROFILES, LIST_TEMPLATES, RETRIEVE_PROFILE
from tests.support.clocks import FakeClock
from tests.support.payloads import envelope, payload, profile

CLOCK = FakeClock()


def misfit(operation: Operation[Any], body: bytes) -> SentDecodeError:
    with pytest.raises(SentDecodeError) as caught:
        decode(operation, 200, {"X-Request-Id": "req_1"}, body, CLOCK)
    assert (caught.value.status, caught.value.request_id) == (200, "req_1")
    return caught.value


@pytest.mark.parametrize("index", [0, 1, 2, 7])
def test_the_index_in_a_list(index: int) -> None:
    """The path has the index of the first wrong item."""
    profiles = [profile() for _ in range(8)]
    profiles[index] = profile(created_at="yesterday")
    error = misfit(LIST_PROFILES, envelope({"profiles": profiles}))
    assert error.path == f"$.data.profiles[{index}].created_at"
    assert f"at {error.path}" in str(error)


def test_a_missing_member_deep_in_a_list() -> None:
    """The path has the item that lacks the member."""
    lacking = profile()
    del lacking["created_at"]
    error = misfit(LIST_PROFILES, envelope({"profiles": [profile(), lacking]}))
    assert error.path == "$.data.profiles[1]"
    assert "created_at" in str(error)


def test_lists_in_lists() -> None:
    """Each list on the way has its own index."""
    countries = [{"id": "US"}, {"id": "CA"}, {"id": 7}]
    brand = profile()["brand"]
    odd = profile(brand={**brand, "compliance": {**brand["compliance"], "destination_countries": countries}})
    error = misfit(LIST_PROFILES, envelope({"profiles": [profile(), profile(), odd, profile(name=7)]}))
    assert error.path == "$.data.profiles[2].brand.compliance.destination_countries[2].id"


def test_a_list_at_the_top() -> None:
    """The data is a list, and the path has the names of the API."""
    campaigns = msgspec.json.decode(payload("campaigns-list-200.docs"))["data"]
    odd = {**campaigns[0], "useCases": [campaigns[0]["useCases"][0], {**campaigns[0]["useCases"][0], "id": 7}]}
    error = misfit(LIST_CAMPAIGNS, envelope([campaigns[0], odd]))
    assert error.path == "$.data[1].useCases[1].id"


def test_bare_lists_in_lists() -> None:
    """Indices next to each other are both in the path."""
    grid = Operation("grid", "GET", "/v3/grid", response=list[list[int]])
    assert misfit(grid, envelope([[1, 2], [3], [4, 5, "x"]])).path == "$.data[2][2]"


def test_a_key_in_a_map() -> None:
    """The path has no key of a map, but the index in its list."""
    map_of_lists = Operation("map", "GET", "/v3/map", response=dict[str, list[int]])
    assert misfit(map_of_lists, envelope({"a": [1], "b c": [1, "x"]})).path == "$.data[...][1]"


@pytest.mark.parametrize("key", ["", ".", "a.b", "[0]", "[...]", "`", '"', "$", " - at `$.data`"])
def test_a_map_with_awkward_keys(key: str) -> None:
    """The path starts at the map, whatever its keys are."""
    map_of_lists = Operation("map", "GET", "/v3/map", response=dict[str, list[int]])
    error = misfit(map_of_lists, envelope({"fine": [1], key: [1, "x"]}))
    assert error.path is not None and error.path.startswith("$.data[")


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ([], "$.data"),
        ("x", "$.data"),
        ({}, "$.data"),
        ({"templates": None}, "$.data.templates"),
        ({"templates": {}}, "$.data.templates"),
        ({"templates": [[]]}, "$.data.templates[0]"),
        ({"templates": [], "pagination": []}, "$.data.pagination"),
        ({"templates": [], "pagination": {"page": "1"}}, "$.data.pagination.page"),
    ],
)
def test_wrong_shapes(data: object, path: str) -> None:
    """The path ends at the member that has the wrong shape."""
    assert misfit(LIST_TEMPLATES, envelope(data)).path == path


@pytest.mark.parametrize("body", [b"[]", b'"ok"', b"7", b"true"])
def test_json_that_is_no_envelope(body: bytes) -> None:
    """JSON of another kind fails at its root."""
    assert misfit(RETRIEVE_PROFILE, body).path == "$"


def test_no_value_of_the_response_is_in_the_error() -> None:
    """A wrong value may be private, so the error has only its place and its type."""
    error = misfit(RETRIEVE_PROFILE, envelope(profile(created_at="4111-secret", name="4222-secret")))
    assert "secret" not in str(error) + repr(error)
    assert error.__cause__ is None and (error.__context__ is None or error.__suppress_context__)


def every_nested_member(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each member of an object inside an object stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from every_nested_member(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from every_nested_member(inner, (*path, index))


@pytest.mark.parametrize(
    "path", list(every_nested_member(profile()["brand"])), ids=lambda path: ".".join(map(str, path))
)
def test_one_missing_nested_member_never_costs_a_page(path: tuple[Any, ...]) -> None:
    """When a brand lacks a member, its rest and the other profiles are read."""
    lacking = profile()
    inside: Any = lacking["brand"]
    for part in path[:-1]:
        inside = inside[part]
    del inside[path[-1]]
    data, _ = decode(LIST_PROFILES, 200, {}, envelope({"profiles": [profile(), lacking]}), FakeClock())
    assert [found.id for found in data.profiles] == [lacking["id"]] * 2
