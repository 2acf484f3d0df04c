"""Operations: keyword arguments become a path and a query, and cannot change the rest of the URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import Operation, SentConfigError
from sent_async.operations import ALL, LIST_PROFILES, LIST_TEMPLATES, RETRIEVE_PROFILE, UPDATE_CAMPAIGN
from sent_async.options import check_base_url
from sent_async.request import Headers, build_request

ids = st.text(min_size=1, max_size=40, alphabet=st.characters(exclude_categories=["Cs"])).filter(
    lambda text: text.strip(". ")
)
nasty = st.sampled_from(
    [
        "../x",
        "a/b?c=d",
        "%2e%2e",
        "%2F",
        "a#b",
        "a b",
        "a+b",
        "a&b=c",
        "äöü",
        "日本",
        "a;b",
        "\\..\\",
        "a\r\nb",
        "\x00x",
        "é/",
    ]
)


@given(ids | nasty)
def test_an_id_stays_in_its_segment(value: str) -> None:
    """Any id is one ASCII segment without a query, and the server reads the same id."""
    path, query = RETRIEVE_PROFILE.target({"profile_id": value})
    assert query == "" and path.isascii()
    assert path.count("/") == 3 and not set(path) & set("?#\\ \r\n\x00;")
    assert path.startswith("/v3/profiles/")
    assert unquote(path.removeprefix("/v3/profiles/")) == value


@given(ids | nasty, ids | nasty)
def test_two_ids_stay_in_their_segments(profile_id: str, campaign_id: str) -> None:
    """Neither id changes the place of the other."""
    path, _ = UPDATE_CAMPAIGN.target({"campaign_id": campaign_id, "profile_id": profile_id})
    _, v3, profiles, first, campaigns, second = path.split("/")
    assert (v3, profiles, campaigns) == ("v3", "profiles", "campaigns")
    assert (unquote(first), unquote(second)) == (profile_id, campaign_id)


@pytest.mark.parametrize("value", ["", " ", ".", "..", "...", " . ", ".. ", None, 7, b"x", ["x"], "\ud800"])
def test_refused_ids(value: object) -> None:
    """An id that is empty, only dots, or no text is refused, because it could call another endpoint."""
    with pytest.raises(SentConfigError):
        RETRIEVE_PROFILE.target({"profile_id": value})
    with pytest.raises(SentConfigError):
        UPDATE_CAMPAIGN.target({"profile_id": "p", "campaign_id": value})


@pytest.mark.parametrize("value", ["a", "a.b", "..a", "v1.2", "a..", "~x", "660e8400-e29b-41d4-a716-446655440001"])
def test_accepted_ids(value: str) -> None:
    """Ids are not required to be UUIDs."""
    assert RETRIEVE_PROFILE.target({"profile_id": value}) == (f"/v3/profiles/{value}", "")


def test_unknown_and_missing_parameters() -> None:
    """A misspelt or forgotten parameter is a TypeError that names it."""
    with pytest.raises(TypeError, match="profil_id"):
        RETRIEVE_PROFILE.target({"profil_id": "x"})
    with pytest.raises(TypeError, match="profile_id"):
        RETRIEVE_PROFILE.target({})
    with pytest.raises(TypeError, match="profile_id"):
        UPDATE_CAMPAIGN.target({"campaign_id": "x"})
    with pytest.raises(TypeError, match="page_size"):
        LIST_TEMPLATES.target({"pagesize": 7})
    with pytest.raises(TypeError, match="none"):
        Operation("ping", "GET", "/ping", response=None).target({"x": "y"})


@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        ({}, []),
        ({"page": None, "search": None}, []),
        ({"page": 2, "page_size": 50}, [("page", "2"), ("page_size", "50")]),
        ({"search": "a&b=c d#é"}, [("search", "a&b=c d#é")]),
        ({"search": ""}, [("search", "")]),
        ({"is_welcome_playground": False}, [("is_welcome_playground", "false")]),
        ({"is_welcome_playground": True}, [("is_welcome_playground", "true")]),
    ],
)
def test_the_query(parameters: dict[str, Any], query: list[tuple[str, str]]) -> None:
    """None is left out, booleans are written as in JSON, and text is read as it was."""
    path, text = LIST_TEMPLATES.target(parameters)
    assert path == "/v3/templates"
    assert parse_qsl(text, keep_blank_values=True) == query


@given(st.text(max_size=40, alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_search(text: str) -> None:
    """A value in the query adds no parameter."""
    _, query = LIST_TEMPLATES.target({"search": text})
    assert parse_qsl(query, keep_blank_values=True) == [("search", text)]
    assert query.isascii() and not set(query) & set("# \r\n")


def test_a_search_that_cannot_be_sent() -> None:
    """A lone surrogate in a query value is refused like one in an id."""
    with pytest.raises(SentConfigError):
        LIST_TEMPLATES.target({"search": "\ud800"})


def test_a_list_in_the_query() -> None:
    """A list is repeated names. A text in its place is refused."""
    search: Operation[None] = Operation(
        "search", "GET", "/v3/search", response=None, query_parameters={"tags": "tag"}, query_lists=["tags"]
    )
    assert search.target({"tags": ["a b", "c"]}) == ("/v3/search", "tag=a+b&tag=c")
    assert search.target({"tags": ()}) == search.target({"tags": None}) == ("/v3/search", "")
    with pytest.raises(SentConfigError, match="tags must be a list, not a str; put it in brackets"):
        search.target({"tags": "a"})


def test_the_first_page_of_profiles_has_no_query() -> None:
    """The API documents no parameters for it."""
    assert LIST_PROFILES.target({"page": None}) == ("/v3/profiles", "")
    assert LIST_PROFILES.target({"page": 2}) == ("/v3/profiles", "page=2")


def test_names_of_an_operation_made_by_hand() -> None:
    """Keywords are in snake_case, placeholders in camelCase."""
    operation: Operation[None] = Operation("x", "GET", "/v3/a%20b/{accountId}/{id}", response=None)
    assert operation.target({"account_id": "1", "id": "2 3"}) == ("/v3/a%20b/1/2%203", "")
    assert repr(operation) == "<Operation x: GET /v3/a%20b/{accountId}/{id}>"


def test_each_operation_once() -> None:
    """Every operation is listed once, with a name of its own."""
    assert len({operation.name for operation in ALL}) == len(ALL)
    assert len({(operation.method, operation.path) for operation in ALL}) == len(ALL)


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_writes_are_repeatable(operation: Operation[Any]) -> None:
    """Reads and deletes can be repeated, and other writes with their automatic key."""
    automatic = operation.method in ("POST", "PUT", "PATCH")
    assert (operation.idempotency == "automatic") is automatic
    assert operation.repeatable


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "post"])
def test_a_write_made_by_hand_gets_a_key(method: str) -> None:
    """The key is automatic by default, and the request can be repeated."""
    operation: Operation[None] = Operation("thing", method, "/v3/things", response=None)
    request = build_request(
        operation,
        base_url=check_base_url("https://api.sent.dm", allow_http=False),
        headers=Headers(),
        parameters={},
        body={},
        idempotency_key=None,
    )
    assert operation.idempotency == "automatic" and operation.method == method.upper()
    assert request.repeatable and request.own["Idempotency-Key"] == request.idempotency_key


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD"])
def test_other_methods_made_by_hand_get_none(method: str) -> None:
    """They can be repeated without a key."""
    operation: Operation[None] = Operation("thing", method, "/v3/things", response=None)
    assert operation.idempotency == "none" and operation.repeatable


def test_a_write_made_by_hand_may_do_without() -> None:
    """An explicit ``idempotency`` is used."""
    operation: Operation[None] = Operation("thing", "POST", "/v3/things", response=None, idempotency="none")
    assert operation.idempotency == "none" and not operation.repeatable
