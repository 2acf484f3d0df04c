"""The control API under ``/_fake``, as programs in other languages use it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codegen.openapi.reading import bundle
from sent_async import ConflictError, NotFoundError, SentClient, ServerError
from sent_async.testing import FakeSent
from sent_async.testing.control import MASKED, ROUTES
from tests.support.deliveries import SECRET
from tests.support.fake_data import SEEDED, TEMPLATE
from tests.support.raw_client import RawResponse, Wire
from tests.support.service import Service

FRAGMENT = Path(__file__).parents[2] / "openapi" / "sent-v3.yaml"

Control: TypeAlias = Callable[..., Awaitable[RawResponse]]


@pytest.fixture
async def control(fake_sent: FakeSent, wire: Wire) -> Control:
    """A request to the control API, without a key."""

    async def ask(method: str, path: str, json: object = None, **options: Any) -> RawResponse:
        return await wire(fake_sent, method, f"/_fake{path}", json, key=None, **options)

    return ask


async def test_it_needs_no_key_and_is_not_recorded(fake_sent: FakeSent, control: Control) -> None:
    """It works without a key, and is not limited, recorded or hit by faults."""
    fake_sent.fail_next()
    fake_sent.rate_limit("standard", limit=1)
    for _ in range(3):
        health = await control("GET", "/health")
        assert (health.status, health.json) == (200, {"status": "ok"})
        assert health.headers["Content-Type"] == "application/json"
    assert fake_sent.requests == []
    assert fake_sent.pending_faults == 1


async def test_requests_are_listed_without_secrets(fake_sent: FakeSent, sent: SentClient, control: Control) -> None:
    """Keys and card data are masked."""
    card: Any = {"card_number": "4111111111111111", "expiry": "12/30", "cvc": "123", "zip_code": "94107"}
    await sent.profiles.list()
    created = await sent.profiles.create(name="Sales", payment_details=card, idempotency_key="k1")
    body = (await control("GET", "/requests")).json
    assert body["count"] == 2
    listed, asked = body["requests"]
    assert (listed["operation"], listed["status"], listed["json"], listed["size"]) == ("listProfiles", 200, None, 0)
    assert (asked["method"], asked["path"], asked["idempotency_key"]) == ("POST", "/v3/profiles", "k1")
    assert asked["json"]["name"] == created.name
    assert asked["json"]["payment_details"] == {**card, "card_number": "***", "expiry": "***", "cvc": "***"}
    assert asked["headers"]["x-api-key"] == "***"
    assert asked["seconds"] > 0
    assert b"4111" not in (await control("GET", "/requests")).content


async def test_requests_by_operation_and_the_newest(fake_sent: FakeSent, sent: SentClient, control: Control) -> None:
    """``operation`` and ``newest`` select; the count is that of the operation."""
    for name in ("One", "Two", "Three"):
        await sent.profiles.create(name=name)
        await sent.profiles.list()
    body = (await control("GET", "/requests?operation=createProfile&newest=2")).json
    assert (body["count"], [request["json"]["name"] for request in body["requests"]]) == (3, ["Two", "Three"])
    assert len((await control("GET", "/requests?newest=99")).json["requests"]) == 6
    assert (await control("GET", "/requests?newest=0")).json == {"count": 6, "requests": []}
    assert (await control("DELETE", "/requests")).status == 204
    assert fake_sent.requests == []


async def test_a_list_in_a_body_is_masked_too(fake_sent: FakeSent, wire: Wire, control: Control) -> None:
    """Secrets are masked at every depth."""
    await wire(fake_sent, "POST", "/v3/profiles", [{"Access_Token": "hidden"}, {"name": "shown"}])
    body = (await control("GET", "/requests")).json
    assert body["requests"][0]["json"] == [{"Access_Token": "***"}, {"name": "shown"}]


def credentials(node: Any) -> set[str]:
    """The names of the members in an OpenAPI document that hold a credential."""
    if isinstance(node, list):
        return set[str]().union(*(credentials(item) for item in node))
    if not isinstance(node, dict):
        return set()
    members: dict[str, Any] = {name: schema for name, schema in node.get("properties", {}).items() if schema}
    found = {name for name, schema in members.items() if schema.get("x-secret") or schema.get("format") == "password"}
    return found.union(*(credentials(item) for item in node.values()))


def test_every_secret_of_the_api_is_masked() -> None:
    """Credentials are masked. Texts and phone numbers are shown, because the page is for them."""
    documents = (bundle(path) for path in (FRAGMENT, FRAGMENT.with_name("events.yaml")))
    secrets = set[str]().union(*(credentials(document) for document in documents))
    assert {"card_number", "signing_secret", "url"} < secrets
    # A link to received media needs no key, and a test has to see it.
    assert secrets - {"url"} <= MASKED


async def test_faults(fake_sent: FakeSent, control: Control) -> None:
    """Each ``..._next`` exists with its arguments. Faults are listed in order, and can be cleared."""
    for kind, arguments in {
        "fail": {"times": 2, "code": "VALIDATION_001", "details": {"name": ["Required"]}, "operation": "createProfile"},
        "drop": {"after_commit": True},
        "delay": {"seconds": 1},
        "stall-body": {"seconds": 0.5},
        "cut-body": {"times": 3},
        "answer": {"status": 418, "body": "tea", "headers": {"X-Pot": "1"}},
    }.items():
        assert (await control("POST", f"/faults/{kind}", arguments)).status == 204
    body = (await control("GET", "/faults")).json
    assert body["count"] == 9
    assert [fault["type"] for fault in body["faults"]] == ["fail", "drop", "delay", "stall-body", "cut-body", "answer"]
    assert (body["faults"][0]["details"], body["faults"][0]["body"]) == ({"name": ["Required"]}, None)
    assert (body["faults"][0]["operation"], body["faults"][0]["times"]) == ("createProfile", 2)
    assert body["faults"][-1]["body"] == "tea"
    assert (await control("DELETE", "/faults")).status == 204
    assert (await control("GET", "/faults")).json == {"count": 0, "faults": []}


async def test_a_code_that_is_not_in_the_catalogue(fake_sent: FakeSent, control: Control) -> None:
    """Sent may add codes, so any code is possible with a status."""
    await control("POST", "/faults/fail", {"code": "FUTURE_001", "status": 409, "details": {"name": ["Taken"]}})
    async with fake_sent.client(max_retries=0) as sent:
        with pytest.raises(ConflictError) as refused:
            await sent.profiles.list()
    assert (refused.value.code, refused.value.details) == ("FUTURE_001", {"name": ["Taken"]})


async def test_a_fault_of_a_request(fake_sent: FakeSent, control: Control) -> None:
    """A body may be any JSON, and the record of the request has the fault."""
    await control("POST", "/faults/fail", {"status": 500, "body": {"oops": True}})
    async with fake_sent.client(max_retries=0) as sent:
        with pytest.raises(ServerError):
            await sent.profiles.list()
    assert (await control("GET", "/requests")).json["requests"][0]["status"] == 500


async def test_limits(fake_sent: FakeSent, control: Control) -> None:
    """They are set by tier, and listed."""
    assert (await control("PUT", "/limits/sensitive", {"limit": 10, "kind": "bucket", "burst": 5})).status == 204
    assert (await control("GET", "/limits")).json["sensitive"]["burst"] == 5
    assert fake_sent.limits["sensitive"].limit == 10


async def test_reviews_and_completions(fake_sent: FakeSent, sent: SentClient, control: Control) -> None:
    """They end as a test decides, and the response is the object."""
    template = fake_sent.add_template(status="PENDING")
    approved = await control("POST", f"/templates/{template.id}/approve")
    assert (approved.json["id"], approved.json["status"]) == (template.id, "APPROVED")
    assert (await control("POST", f"/templates/{TEMPLATE}/reject")).json["status"] == "REJECTED"
    finished = await control("POST", f"/profiles/{SEEDED}/finish-completion", {"success": False})
    assert finished.json["status"] == "failed"
    assert (await control("POST", f"/profiles/{SEEDED}/refuse-deletion", {"code": "CONFLICT_013"})).status == 204
    with pytest.raises(ConflictError):
        await sent.profiles.delete(SEEDED)


async def test_time(fake_sent: FakeSent, control: Control) -> None:
    """It can be read and advanced."""
    before = (await control("GET", "/time")).json
    assert (await control("POST", "/time/advance", {"seconds": 3600})).status == 204
    after = (await control("GET", "/time")).json
    assert after["unix"] - before["unix"] >= 3600
    assert before["now"] < after["now"]


async def test_a_key(fake_sent: FakeSent, control: Control) -> None:
    """It is given or made, and works like one that was added in Python."""
    key = (await control("POST", "/keys", {"profile_id": SEEDED, "admin": False})).json
    async with fake_sent.client(api_key=key) as sent:
        assert [profile.id async for profile in sent.profiles.list()] == [SEEDED]
    assert (await control("POST", "/keys", {"key": "sk_mine"})).json == "sk_mine"


async def test_objects_are_added(fake_sent: FakeSent, control: Control) -> None:
    """They may have any member by its name in the API, and the response is the stored object."""
    profile = (await control("POST", "/profiles", {"name": "Bonn", "status": "pending_review"})).json
    assert fake_sent.profiles[profile["id"]].name == "Bonn"
    template = (await control("POST", "/templates", {"profile_id": profile["id"], "status": "REJECTED"})).json
    assert template["customer_id"] == profile["id"]
    campaign = (await control("POST", "/campaigns", {"profile_id": profile["id"], "messageFlow": "Sign up"})).json
    assert fake_sent.campaigns[campaign["id"]].message_flow == campaign["messageFlow"] == "Sign up"
    assert (await control("POST", "/campaigns", {"name": "Ours"})).json["brandId"] is None


async def test_messages(fake_sent: FakeSent, sent: SentClient, control: Control) -> None:
    """They are moved, received and listed, the newest last, without secrets."""
    contact = (await control("POST", "/contacts", {"phone_number": "+14155551234"})).json
    message = (await control("POST", "/messages/receive", {"from_number": "+14155551234", "text": "Hello"})).json
    assert (message["contact_id"], message["direction"]) == (contact["id"], "INBOUND")
    webhook = {"endpoint_url": "https://example.com/hooks", "signing_secret": "whsec_aGlkZGVu"}
    assert (await control("POST", "/webhooks", webhook)).json["signing_secret"] == "whsec_aGlkZGVu"
    await control("POST", "/events", {"name": "message.delivered"})
    state = (await control("GET", "/state?newest=1")).json
    assert state["url"] == fake_sent.url
    assert (state["messages"]["count"], state["messages"]["newest"][0]["id"]) == (1, message["id"])
    assert (state["requests"]["count"], state["profiles"]["count"], state["faults"]) == (
        0,
        1,
        {"count": 0, "newest": []},
    )
    assert state["webhooks"]["newest"][0]["signing_secret"] == "***"
    assert state["deliveries"]["newest"][0]["name"] == "message.delivered"
    assert b"aGlkZGVu" not in (await control("GET", "/state")).content


async def test_the_page(control: Control) -> None:
    """It is one file that loads no other file and allows none."""
    for path in ("", "/"):
        page = await control("GET", path)
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert b"<title>FakeSent</title>" in page.content
    assert set(re.findall(rb"https?://[^'\" ]+", page.content)) == {b"http://www.w3.org/2000/svg"}


async def test_settle_and_reset(fake_sent: FakeSent, sent: SentClient, control: Control) -> None:
    """``settle`` responds when all events are delivered, ``reset`` when the state is that of the start."""
    profile = fake_sent.add_profile(status="incomplete", description="Ours", inherit_tcr_brand=True)
    await sent.profiles.complete(profile.id, web_hook_url=f"{fake_sent.url}/nowhere")
    assert (await control("POST", "/settle")).status == 204
    assert fake_sent.callbacks[0].status == 404
    assert (await control("POST", "/reset")).status == 204
    assert list(fake_sent.profiles) == [SEEDED]


async def test_connections_are_dropped(fake_sent: FakeSent, control: Control) -> None:
    """Idle connections of clients are closed."""
    async with fake_sent.client() as sent:
        await sent.profiles.list()
        assert (await control("POST", "/drop-connections")).status == 204
        with pytest.raises(NotFoundError):
            await sent.profiles.retrieve("nope")


@pytest.mark.parametrize(
    ("method", "path", "json", "status", "problem"),
    [
        ("GET", "/nothing", None, 404, "/_fake/nothing; under /_fake there are GET /, GET /state"),
        ("DELETE", "/health", None, 405, "/_fake/health takes GET"),
        ("POST", "/templates/nope/approve", None, 404, "'nope'"),
        ("POST", "/faults/delay", {}, 400, "`seconds`"),
        ("POST", "/faults/drop", {"tymes": 1}, 400, "`tymes`"),
        ("POST", "/faults/drop", {"times": "1"}, 400, "Expected `int`, got `str` - at `$.times`"),
        ("POST", "/faults/drop", {"times": 0}, 400, "1 or more"),
        ("POST", "/faults/drop", {"operation": "nope"}, 400, "createProfile"),
        ("POST", "/faults/fail", {"body": "no", "details": {}}, 400, "body replaces the envelope"),
        ("POST", "/faults/fail", {"headers": {"X": "a\r\nb"}}, 400, "line breaks"),
        ("POST", "/faults/fail", {"status": 101}, 400, "200 to 599"),
        ("POST", "/faults/answer", {"status": 99}, 400, "200 to 599"),
        ("PUT", "/limits/standard", {"limit": 0}, 400, "limit >= 1"),
        ("POST", "/time/advance", {"seconds": -1}, 400, "forward"),
        ("POST", "/time/advance", {"seconds": 1e300}, 400, "the year 9000"),
        ("POST", "/deliveries/drop", {"times": 10**9}, 400, "1,000,000"),
        ("POST", "/profiles/x/refuse-deletion", {"code": "NOPE"}, 400, "NOPE"),
        ("POST", "/keys", {"profile_id": "nope"}, 404, "'nope'"),
        ("POST", "/profiles", {"colour": "red"}, 400, "Profile has no member 'colour'"),
        ("POST", "/templates", {"created_at": "today"}, 400, "`$.created_at`"),
        ("POST", "/templates", {"profile_id": "nope"}, 404, "'nope'"),
        ("GET", "/requests?newest=x", None, 400, "`$.newest`"),
        ("POST", "/reset", [], 400, "JSON object"),
    ],
)
async def test_errors_explain_what_to_do(
    control: Control, method: str, path: str, json: object, status: int, problem: str
) -> None:
    """The error is JSON and says what to do. The state does not change."""
    refused = await control(method, path, json)
    assert refused.status == status
    assert problem in refused.json["error"]
    assert (await control("GET", "/health")).status == 200


async def test_a_body_that_is_no_json(control: Control) -> None:
    """It is refused, and the error says where it is wrong."""
    for content in (b"{", b"\xff", b"[" * 100_000):
        refused = await control("POST", "/reset", content=content)
        assert (refused.status, "JSON" in refused.json["error"]) == (400, True)


async def test_another_method_is_refused(control: Control) -> None:
    """``Allow`` has all methods of the path."""
    refused = await control("PATCH", "/requests")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, DELETE")


def test_every_method_of_the_fake_can_be_called() -> None:
    """Every method in Python has a call, but for those with Python objects as arguments."""
    python = {"client", "close", "definition", "fault", "start"}
    methods = {name for name in dir(FakeSent) if callable(getattr(FakeSent, name)) and not name.startswith("_")}
    assert methods - {call.__name__ for call in ROUTES.values()} == python


async def test_events_and_their_deliveries(service: Service, control: Control) -> None:
    """Webhooks are added, events emitted and deliveries controlled as in Python, without secrets."""
    endpoint = (await control("POST", "/webhooks", {"endpoint_url": service.url, "signing_secret": SECRET})).json
    payload = {"message_id": "0", "message_status": "SENT", "download_url": "https://example.com/secret"}

    async def report(*numbers: int) -> None:
        for number in numbers:
            body = await control(
                "POST", "/events", {"name": "message.sent", "payload": {**payload, "message_id": str(number)}}
            )
            (delivery,) = body.json["deliveries"]
            assert (delivery["endpoint_id"], delivery["json"]["payload"]["message_id"]) == (endpoint["id"], str(number))
            assert delivery["json"]["payload"]["download_url"] == "***"

    for step, arguments in (("duplicate", {}), ("drop", {"times": 1}), ("delay", {"seconds": 60})):
        assert (await control("POST", f"/deliveries/{step}", arguments)).status == 204
    await report(0, 1, 2, 3)
    await control("POST", "/settle")
    assert service.ids == ["0", "0", "3"]
    await control("POST", "/time/advance", {"seconds": 60})
    await control("POST", "/settle")
    assert service.ids == ["0", "0", "3", "2"]
    body = (await control("GET", "/deliveries?newest=2")).json
    assert body["count"] == 4
    assert [(one["status"], one["attempts"], one["outcome"]["status"]) for one in body["deliveries"]] == [
        ("DELIVERED", 1, 204)
    ] * 2
    for release, expected in (
        ({}, ["5", "6"]),
        ({"order": "last"}, ["6", "5"]),
        ({"order": "any", "times": 2, "at_once": True}, ["5", "5", "6", "6"]),
    ):
        service.events.clear()
        await control("POST", "/deliveries/hold")
        await report(5, 6)
        await control("POST", "/settle")
        assert service.ids == []
        await control("POST", "/deliveries/release", release)
        await control("POST", "/settle")
        assert (sorted(service.ids) if "times" in release else service.ids) == expected


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
asked = st.sampled_from([route for route in ROUTES if route not in ("GET /", "POST /settle", "POST /drop-connections")])


@given(data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_any_arguments_are_taken_or_refused(data: st.DataObject) -> None:
    """Any arguments lead to a success or an error that explains, and the state can still be read."""
    async with FakeSent() as fake, aiohttp.ClientSession() as session:
        for _ in range(data.draw(st.integers(1, 3))):
            method, path = data.draw(asked).split()
            path = path.format(tier="standard", profile_id=SEEDED, template_id=TEMPLATE, message_id="m", contact_id="c",
                               number="%2B14155551234", country="US", number_type="TEN_DLC")  # fmt: skip
            names = st.sampled_from(["name", "id", "times", "seconds", "status", "headers", "body", "payload", "limit"])
            body = msgspec.json.encode(data.draw(st.dictionaries(names, plain, max_size=3)))
            async with session.request(method, f"{fake.url}/_fake{path}", data=body) as response:
                assert response.status in (200, 204, 400, 404), await response.text()
        async with session.get(f"{fake.url}/_fake/state") as response:
            assert response.status == 200
