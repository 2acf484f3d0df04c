"""What each of the fifteen methods sends: the whole request, compared with what is documented."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sent_async import NotFoundError, Page, SentClient
from sent_async.models import Campaign, Profile, ProfileCompletion, Template
from tests.support.examples import CAMPAIGN, CAMPAIGN_WIRE, DEFINITION, DEFINITION_WIRE
from tests.support.payloads import envelope, payload
from tests.support.servers import API_KEY, MakeClient, Server, make_response

P, C, T = "770e8400-e29b-41d4-a716-446655440002", "c3d4e5f6-a7b8", "7ba7b820-9dad"
ONE_CAMPAIGN = make_response(envelope(json.loads(payload("campaigns-list-200.docs"))["data"][0]), 201)
PROFILE = make_response(envelope(json.loads(payload("profiles-list-200.seed"))["data"]["profiles"][0]), 201)
TEMPLATE = make_response(payload("templates-create-2xx.docs"), 201)
GONE = make_response(b"", 204)
KEY = re.compile(r"[a-zA-Z0-9_-]{1,255}")

Call = Callable[[SentClient], Awaitable[Any]]


class Row:
    """One method: the call, the request, the response and the result."""

    def __init__(
        self, name: str, call: Call, sent: str, body: object, reply: Any, kind: type[Any] | None, items: Any = None
    ) -> None:
        self.name, self.call, self.sent, self.body = name, call, sent, body
        self.reply, self.kind, self.items = reply, kind, items


ROWS = [
    Row(
        "profiles.list",
        lambda sent: sent.profiles.list(),
        "GET /v3/profiles",
        None,
        make_response(payload("profiles-list-200.seed")),
        Page,
        Profile,
    ),
    Row(
        "profiles.retrieve",
        lambda sent: sent.profiles.retrieve(P),
        f"GET /v3/profiles/{P}",
        None,
        PROFILE,
        Profile,
    ),
    Row(
        "profiles.create",
        lambda sent: sent.profiles.create(name="Sales", short_name="SALES", description=None, sandbox=True),
        "POST /v3/profiles",
        {"name": "Sales", "short_name": "SALES", "description": None, "sandbox": True},
        PROFILE,
        Profile,
    ),
    Row(
        "profiles.update",
        lambda sent: sent.profiles.update(P, description=None, inherit_tcr_brand=False),
        f"PATCH /v3/profiles/{P}",
        {"description": None, "inherit_tcr_brand": False},
        PROFILE,
        Profile,
    ),
    Row("profiles.delete", lambda sent: sent.profiles.delete(P), f"DELETE /v3/profiles/{P}", {}, GONE, None),
    Row(
        "profiles.complete",
        lambda sent: sent.profiles.complete(P, web_hook_url="https://example.com/done"),
        f"POST /v3/profiles/{P}/complete",
        {"webHookUrl": "https://example.com/done"},
        make_response(payload("profiles-complete-202.docs"), 202),
        ProfileCompletion,
    ),
    Row(
        "profiles.campaigns.list",
        lambda sent: sent.profiles.campaigns.list(P),
        f"GET /v3/profiles/{P}/campaigns",
        None,
        make_response(payload("campaigns-list-200.docs")),
        Page,
        Campaign,
    ),
    Row(
        "profiles.campaigns.create",
        lambda sent: sent.profiles.campaigns.create(P, campaign=CAMPAIGN),
        f"POST /v3/profiles/{P}/campaigns",
        {"campaign": CAMPAIGN_WIRE},
        ONE_CAMPAIGN,
        Campaign,
    ),
    Row(
        "profiles.campaigns.update",
        lambda sent: sent.profiles.campaigns.update(P, C, campaign=CAMPAIGN, sandbox=False),
        f"PUT /v3/profiles/{P}/campaigns/{C}",
        {"campaign": CAMPAIGN_WIRE, "sandbox": False},
        ONE_CAMPAIGN,
        Campaign,
    ),
    Row(
        "profiles.campaigns.delete",
        lambda sent: sent.profiles.campaigns.delete(P, C, sandbox=True),
        f"DELETE /v3/profiles/{P}/campaigns/{C}",
        {"sandbox": True},
        GONE,
        None,
    ),
    Row(
        "templates.list",
        lambda sent: sent.templates.list(status="APPROVED"),
        "GET /v3/templates?page=1&page_size=100&status=APPROVED",
        None,
        make_response(payload("templates-list-200.docs")),
        Page,
        Template,
    ),
    Row(
        "templates.retrieve",
        lambda sent: sent.templates.retrieve(T),
        f"GET /v3/templates/{T}",
        None,
        make_response(payload("templates-retrieve-200.docs")),
        Template,
    ),
    Row(
        "templates.create",
        lambda sent: sent.templates.create(definition=DEFINITION, category="MARKETING", submit_for_review=True),
        "POST /v3/templates",
        {"definition": DEFINITION_WIRE, "category": "MARKETING", "submit_for_review": True},
        TEMPLATE,
        Template,
    ),
    Row(
        "templates.update",
        lambda sent: sent.templates.update(T, name="Spring sale", language=None),
        f"PUT /v3/templates/{T}",
        {"name": "Spring sale", "language": None},
        TEMPLATE,
        Template,
    ),
    Row(
        "templates.delete",
        lambda sent: sent.templates.delete(T, delete_from_meta=True),
        f"DELETE /v3/templates/{T}",
        {"delete_from_meta": True},
        GONE,
        None,
    ),
]
rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def test_there_are_fifteen() -> None:
    """The table has every public method of these resources."""
    sent = SentClient("k")
    resources = {"profiles": sent.profiles, "profiles.campaigns": sent.profiles.campaigns, "templates": sent.templates}
    methods = {
        f"{path}.{name}"
        for path, resource in resources.items()
        for name, _ in inspect.getmembers(resource, inspect.ismethod)
        if not name.startswith("_") and "many" not in name
    }
    assert methods == {row.name for row in ROWS}
    assert len(ROWS) == 15


@rows
async def test_the_request(client: MakeClient, server: Server, row: Row) -> None:
    """Method, path, query, headers and body are exactly the documented ones."""
    server.responses = [row.reply]
    await row.call(client())
    (request,) = server.requests
    assert f"{request.method} {request.path_qs}" == row.sent
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert len(headers) == len(request.headers), "a header twice"
    assert headers.pop("x-api-key") == API_KEY
    assert headers.pop("accept") == "application/json"
    assert headers.pop("user-agent").startswith("sent-async/")
    assert headers.pop("host") in server.url
    headers.pop("accept-encoding")
    if row.body is None:
        assert request.body == b""
    else:
        assert json.loads(request.body) == row.body
        assert headers.pop("content-type") == "application/json"
        assert headers.pop("content-length") == str(len(request.body))
    if request.method in ("POST", "PUT", "PATCH"):
        assert KEY.fullmatch(headers.pop("idempotency-key"))
    assert headers == {}, "headers nobody asked for"


@rows
async def test_the_result(client: MakeClient, server: Server, row: Row) -> None:
    """The documented type, never an envelope."""
    server.responses = [row.reply]
    result = await row.call(client())
    if row.kind is None:
        assert result is None
    else:
        assert type(result) is row.kind
    if row.items is not None:
        assert len(result) > 0 and all(type(item) is row.items for item in result)


@rows
async def test_on_behalf_of_a_profile(client: MakeClient, server: Server, row: Row) -> None:
    """With a profile id every request names it; one without it names none."""
    server.responses = [row.reply]
    sent = client()
    await row.call(sent.with_options(profile_id="child-1"))
    await row.call(sent)
    await row.call(client(profile_id="child-2"))
    assert [request.headers.get("x-profile-id") for request in server.requests] == ["child-1", None, "child-2"]


@rows
async def test_the_client_stays_usable_after_an_error(client: MakeClient, server: Server, row: Row) -> None:
    """Every method raises the API's error, and works afterwards."""
    server.responses = [make_response(payload("profiles-delete-404.docs"), 404), row.reply]
    sent = client()
    with pytest.raises(NotFoundError, match="RESOURCE_014"):
        await row.call(sent)
    await row.call(sent)


async def test_each_call_has_its_own_key(client: MakeClient, server: Server) -> None:
    """Two equal calls have two keys."""
    sent = client()
    for _ in range(3):
        await sent.profiles.create(name="Sales")
    keys = {request.headers["Idempotency-Key"] for request in server.requests}
    assert len(keys) == 3


WRITES: list[tuple[str, Callable[[SentClient, str], Awaitable[Any]], Any]] = [
    ("create", lambda sent, key: sent.profiles.create(name="n", idempotency_key=key), PROFILE),
    ("update", lambda sent, key: sent.profiles.update(P, idempotency_key=key), PROFILE),
    ("delete", lambda sent, key: sent.profiles.delete(P, idempotency_key=key), GONE),
    ("complete", lambda sent, key: sent.profiles.complete(P, web_hook_url="u", idempotency_key=key), None),
    (
        "campaign create",
        lambda sent, key: sent.profiles.campaigns.create(P, campaign=CAMPAIGN, idempotency_key=key),
        ONE_CAMPAIGN,
    ),
    (
        "campaign update",
        lambda sent, key: sent.profiles.campaigns.update(P, C, campaign=CAMPAIGN, idempotency_key=key),
        ONE_CAMPAIGN,
    ),
    ("campaign delete", lambda sent, key: sent.profiles.campaigns.delete(P, C, idempotency_key=key), GONE),
    ("template create", lambda sent, key: sent.templates.create(definition=DEFINITION, idempotency_key=key), TEMPLATE),
    ("template update", lambda sent, key: sent.templates.update(T, idempotency_key=key), TEMPLATE),
    ("template delete", lambda sent, key: sent.templates.delete(T, idempotency_key=key), GONE),
]


@pytest.mark.parametrize(("name", "call", "reply"), WRITES, ids=[name for name, _, _ in WRITES])
async def test_an_explicit_key(
    client: MakeClient, server: Server, name: str, call: Callable[[SentClient, str], Awaitable[Any]], reply: Any
) -> None:
    """Every write sends the key it is given, and keeps it out of the body."""
    server.responses = [reply or make_response(payload("profiles-complete-200.docs"))]
    await call(client(), "order-7_a")
    assert server.last.headers["Idempotency-Key"] == "order-7_a"
    assert b"order-7_a" not in server.last.body
