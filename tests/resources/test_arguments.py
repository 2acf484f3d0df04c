"""Arguments that are wrong or missing, and values that must stay distinct."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import unquote

import pytest

from sent_async import SentClient, SentConfigError, operations
from sent_async.models import ProfileUpdate
from tests.support.payloads import envelope, payload, profile
from tests.support.servers import MakeClient, Server, make_response

P, T = "660e8400", "7ba7b820"

WRONG: list[Callable[[Any], Any]] = [
    lambda sent: sent.profiles.create(name="n", shortname="S"),
    lambda sent: sent.profiles.create(short_name="S"),
    lambda sent: sent.profiles.create("n"),
    lambda sent: sent.profiles.update(P, descripton="x"),
    lambda sent: sent.profiles.update(P, whatsapp_business_account=None),
    lambda sent: sent.profiles.update(),
    lambda sent: sent.profiles.delete(P, sandbx=True),
    lambda sent: sent.profiles.delete(P, True),
    lambda sent: sent.profiles.complete(P),
    lambda sent: sent.profiles.complete(P, webHookUrl="https://example.com"),
    lambda sent: sent.profiles.campaigns.create(P),
    lambda sent: sent.profiles.campaigns.update(P, campaign=None),
    lambda sent: sent.profiles.campaigns.update(P, "c"),
    lambda sent: sent.profiles.campaigns.delete(P),
    lambda sent: sent.templates.create(name="n"),
    lambda sent: sent.templates.update(T, title="n"),
    lambda sent: sent.templates.delete(T, delete_from_whatsapp=True),
    lambda sent: sent.templates.list(pagesize=7),
    lambda sent: sent.templates.list(1),
    lambda sent: sent.profiles.list(page=1),
    lambda sent: sent.send(operations.RETRIEVE_PROFILE),
    lambda sent: sent.send(operations.RETRIEVE_PROFILE, id=P),
    lambda sent: sent.send(operations.LIST_PROFILES, page_size=1),
]


@pytest.mark.parametrize("call", WRONG)
async def test_a_type_error_and_nothing_sent(client: MakeClient, server: Server, call: Callable[[Any], Any]) -> None:
    """A misspelt, missing or misplaced argument is a ``TypeError``, and nothing is sent."""

    async def run() -> None:
        await call(client())

    with pytest.raises(TypeError):
        await run()
    assert server.requests == []


BAD_IDS: list[Callable[[SentClient, str], Awaitable[Any]]] = [
    lambda sent, bad: sent.profiles.retrieve(bad),
    lambda sent, bad: sent.profiles.update(bad, name="n"),
    lambda sent, bad: sent.profiles.delete(bad),
    lambda sent, bad: sent.profiles.campaigns.list(bad),
    lambda sent, bad: sent.profiles.campaigns.delete("p", bad),
    lambda sent, bad: sent.templates.retrieve(bad),
    lambda sent, bad: sent.templates.delete(bad),
]


@pytest.mark.parametrize("call", BAD_IDS)
@pytest.mark.parametrize("bad", ["", ".", "..", " ", None, 5])
async def test_a_bad_id(
    client: MakeClient, server: Server, call: Callable[[SentClient, str], Awaitable[Any]], bad: Any
) -> None:
    """An empty or dotted id is a ``SentConfigError``, and nothing is sent or deleted."""
    with pytest.raises(SentConfigError):
        await call(client(), bad)
    assert server.requests == []


@pytest.mark.parametrize("profile_id", ["../x", "a/b?c=d", "%2e%2e", "é ü", "a#b"])
async def test_an_odd_id_arrives_whole(client: MakeClient, server: Server, profile_id: str) -> None:
    """The server reads the id that the caller wrote, in one segment of the path."""
    await client().profiles.retrieve(profile_id)
    path = server.last.path_qs
    assert path.count("/") == 3 and "?" not in path
    assert unquote(path.rpartition("/")[2]) == profile_id


@pytest.mark.parametrize("key", ["", " ", "a b", "a\r\nX-Admin: 1", "é", "a" * 256, "a.b", "a\n", 7])
async def test_a_bad_idempotency_key(client: MakeClient, server: Server, key: Any) -> None:
    """A key that breaks the API's rule is refused, and nothing is sent."""
    with pytest.raises(SentConfigError):
        await client().profiles.create(name="n", idempotency_key=key)
    assert server.requests == []


@pytest.mark.parametrize("key", ["a", "A-Z_09", "a" * 255])
async def test_a_good_idempotency_key(client: MakeClient, server: Server, key: str) -> None:
    """A key within the rule is sent as it is."""
    await client().profiles.create(name="n", idempotency_key=key)
    assert server.last.headers["Idempotency-Key"] == key


async def test_absent_null_and_value(client: MakeClient, server: Server) -> None:
    """Left out is not sent, None is null, a value is itself."""
    sent = client()
    await sent.profiles.update(P)
    await sent.profiles.update(P, description=None)
    await sent.profiles.update(P, description="")
    assert [request.body for request in server.requests] == [b"{}", b'{"description":null}', b'{"description":""}']


async def test_a_body_that_cannot_be_written(client: MakeClient, server: Server) -> None:
    """A value JSON has no form for is a SentConfigError that does not repeat the value."""
    with pytest.raises(SentConfigError, match="updateProfile") as caught:
        await client().profiles.update(P, name=cast("str", {1j: "sk_secret"}))
    assert "sk_secret" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert server.requests == []


async def test_send_gives_everything_around_the_data(client: MakeClient, server: Server) -> None:
    """``send`` returns status, headers, meta, request id and the number of attempts."""
    headers = {"X_Request_Id": "req_h", "Idempotent_Replayed": "true"}
    server.responses = [make_response(b"", 503), make_response(envelope(profile()), 200, **headers)]
    response = await client().send(operations.UPDATE_PROFILE, profile_id=P, body=ProfileUpdate(name="n"))
    assert response.data.name == "Marketing Team"
    assert (response.status, response.attempts, response.request_id) == (200, 2, "req_h")
    assert response.headers["x-request-id"] == "req_h" and response.replayed
    assert response.meta is not None and response.meta.version == "v3"
    assert response.elapsed >= 0


async def test_send_takes_any_body(client: MakeClient, server: Server) -> None:
    """``send`` accepts a plain dict, and a key on a GET."""
    sent = client()
    await sent.send(operations.CREATE_PROFILE, body={"name": "n", "new_member": 1})
    assert json.loads(server.last.body) == {"name": "n", "new_member": 1}
    await sent.send(operations.RETRIEVE_PROFILE, profile_id=P, idempotency_key="k")
    assert (server.last.headers["Idempotency-Key"], server.last.body) == ("k", b"")
    await sent.send(operations.CREATE_PROFILE)
    assert server.last.body == b"{}"


async def test_profiles_page_by_page(client: MakeClient, server: Server) -> None:
    """The first request has no query. The next ones have a page number."""
    position: dict[str, Any] = {"page_size": 1, "total_count": 2, "total_pages": 2}
    server.responses = [
        make_response(
            envelope({"profiles": [profile(id="a")], "pagination": position | {"page": 1, "has_more": True}})
        ),
        make_response(
            envelope({"profiles": [profile(id="b")], "pagination": position | {"page": 2, "has_more": False}})
        ),
    ]
    assert [item.id async for item in client().profiles.list()] == ["a", "b"]
    assert [request.path_qs for request in server.requests] == ["/v3/profiles", "/v3/profiles?page=2"]


async def test_templates_page_by_page(client: MakeClient, server: Server) -> None:
    """Page and size are always sent, filters on every page, and the first page is the one asked for."""
    template = json.loads(payload("templates-retrieve-200.docs"))["data"]

    def page(number: int, more: bool) -> Any:
        position = {"page": number, "page_size": 1, "total_count": 4, "total_pages": 4, "has_more": more}
        return make_response(envelope({"templates": [{**template, "id": f"t{number}"}], "pagination": position}))

    server.responses = [page(3, True), page(4, False)]
    templates = client().templates.list(page=3, page_size=1, search="a b", is_welcome_playground=False)
    assert [item.id async for item in templates] == ["t3", "t4"]
    rest = "page_size=1&search=a+b&is_welcome_playground=false"
    assert [request.path_qs for request in server.requests] == [
        f"/v3/templates?page=3&{rest}",
        f"/v3/templates?page=4&{rest}",
    ]


async def test_a_base_url_with_a_path(client: MakeClient, server: Server) -> None:
    """The API may live below a path; a trailing slash makes no difference."""
    for base_url in (f"{server.url}/gateway/sent", f"{server.url}/gateway/sent/"):
        await client(base_url=base_url).profiles.retrieve("p")
        assert server.last.path_qs == "/gateway/sent/v3/profiles/p"


async def test_own_headers(client: MakeClient, server: Server) -> None:
    """Headers of the client and of a view are sent; those of the view take precedence."""
    sent = client(headers={"X-A": "1", "X-B": "1"})
    await sent.with_options(headers={"X-B": "2", "X-C": "2"}).profiles.retrieve("p")
    assert [server.last.headers.get(f"X-{letter}") for letter in "ABC"] == ["1", "2", "2"]


@pytest.mark.parametrize(
    "name", ["X-Api-Key", "ACCEPT", "user-agent", "X-PROFILE-ID", "content-type", "Content-Type", "X-a"]
)
async def test_no_header_goes_out_twice(client: MakeClient, server: Server, name: str) -> None:
    """Of two spellings of one header name, one header is sent."""
    sent = client(headers={name: "application/json"}, profile_id="p1").with_options(headers={"X-A": "other"})
    await sent.profiles.create(name="n")
    names = [header.lower() for header in server.last.headers]
    assert len(names) == len(set(names))
