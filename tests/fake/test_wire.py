"""The fake server as any client sees it: envelope, headers, authentication, scope."""

from __future__ import annotations

import logging
import re

import msgspec
import pytest

from sent_async import AuthenticationError, NotFoundError, PermissionDeniedError, SentClient
from sent_async.testing import FakeSent
from tests.support.fake_data import SEEDED, TEMPLATE, campaign, definition
from tests.support.raw_client import Wire

NOWHERE = "00000000-0000-4000-8000-000000000000"


async def test_the_envelope_of_a_success(fake_sent: FakeSent, wire: Wire) -> None:
    """Data, a null error, and meta with the same request id as the header and a seven-digit time stamp."""
    response = await wire(fake_sent, "GET", f"/v3/templates/{TEMPLATE}")
    assert response.status == 200
    assert list(response.json) == ["success", "data", "error", "meta"]
    assert (response.json["success"], response.json["error"]) == (True, None)
    meta = response.json["meta"]
    assert meta["version"] == "v3"
    assert meta["request_id"] == response.headers["X-Request-Id"]
    assert meta["request_id"].startswith("req_")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00", meta["timestamp"])


async def test_the_envelope_of_an_error(fake_sent: FakeSent, wire: Wire) -> None:
    """``success`` is false, ``data`` null, and the error has its four members."""
    response = await wire(fake_sent, "GET", f"/v3/templates/{NOWHERE}")
    assert response.status == 404
    assert (response.json["success"], response.json["data"]) == (False, None)
    assert response.json["error"] == {
        "code": "RESOURCE_002",
        "message": "Template not found",
        "details": None,
        "doc_url": "https://docs.sent.dm/docs/reference/api/error-catalog",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v3/profiles", 200), ("DELETE", f"/v3/profiles/{SEEDED}", 204), ("POST", "/v3/profiles", 400)],
)
async def test_headers_of_every_response(fake_sent: FakeSent, wire: Wire, method: str, path: str, status: int) -> None:
    """Every response has the documented headers, whatever its status."""
    response = await wire(fake_sent, method, path)
    assert response.status == status
    assert re.fullmatch(r"\d+ms", response.headers["X-Response-Time"])
    assert response.headers["X-API-Version"] == "v3"
    for name in ("X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"):
        assert response.headers[name]
    assert ("Content-Type" in response.headers) == bool(response.content) == (status != 204)


async def test_statuses_of_success(fake_sent: FakeSent, wire: Wire) -> None:
    """201 for creates, 202 then 200 for a completion, 200 for updates, 204 without a body for deletes."""
    created = await wire(fake_sent, "POST", "/v3/profiles", {"name": "Sales"})
    assert created.status == 201
    path = f"/v3/profiles/{created.json['data']['id']}"
    wanted = {"short_name": "SALES", "description": "All", "inherit_tcr_brand": True}
    assert (await wire(fake_sent, "PATCH", path, wanted)).status == 200
    hook = {"webHookUrl": "https://example.com/done"}
    assert (await wire(fake_sent, "POST", f"{path}/complete", hook)).status == 202
    assert (await wire(fake_sent, "POST", f"{path}/complete", hook)).status == 200
    deleted = await wire(fake_sent, "DELETE", path, {})
    assert (deleted.status, deleted.content) == (204, b"")


async def test_a_path_or_method_the_api_does_not_have(fake_sent: FakeSent, wire: Wire) -> None:
    """404 and 405 as a web server gives them; the requests are recorded without an operation."""
    unknown = await wire(fake_sent, "GET", "/v2/profiles")
    assert (unknown.status, unknown.content) == (404, b"FakeSent serves no such path")
    wrong = await wire(fake_sent, "PUT", "/v3/profiles")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, POST")
    fake_sent.fail_next(status=502)
    assert (await wire(fake_sent, "GET", "/")).status == 502
    fake_sent.delay_next(0.001)
    assert (await wire(fake_sent, "GET", "/")).status == 404
    assert [request.operation for request in fake_sent.requests] == [None] * len(fake_sent.requests)


async def test_an_encoded_slash_stays_in_its_id(fake_sent: FakeSent, wire: Wire) -> None:
    """An id is one path segment, however it is written."""
    response = await wire(fake_sent, "GET", "/v3/profiles/a%2Fb")
    assert response.code == "RESOURCE_014"
    assert fake_sent.requests[-1].path == "/v3/profiles/a%2Fb"


async def test_the_key_is_checked_first(fake_sent: FakeSent, wire: Wire) -> None:
    """No key is AUTH_001 and an unknown one AUTH_002, whatever the request is."""
    missing = await wire(fake_sent, "POST", "/v3/profiles", key=None)
    assert (missing.status, missing.code) == (401, "AUTH_001")
    unknown = await wire(fake_sent, "POST", "/v3/profiles", key="other")
    assert (unknown.status, unknown.code) == (401, "AUTH_002")
    assert unknown.headers["X-RateLimit-Limit"]


async def test_empty_bodies_of_401_and_403() -> None:
    """With ``empty_auth_bodies`` they have no body, and the client raises the right errors."""
    async with FakeSent(empty_auth_bodies=True) as fake:
        async with fake.client(api_key="other") as sent:
            with pytest.raises(AuthenticationError) as unauthorized:
                await sent.profiles.list()
        assert (unauthorized.value.code, unauthorized.value.message) == (None, "")
        async with fake.client(api_key=fake.add_key(admin=False)) as sent:
            with pytest.raises(PermissionDeniedError) as forbidden:
                await sent.profiles.create(name="Sales")
        assert forbidden.value.code is None


async def test_a_key_without_admin_role(fake_sent: FakeSent) -> None:
    """It reads, and may not create, change, complete or delete a profile."""
    async with fake_sent.client(api_key=fake_sent.add_key("sk_reader", admin=False)) as sent:
        assert await sent.profiles.retrieve(SEEDED)
        for call in (
            sent.profiles.create(name="Sales"),
            sent.profiles.update(SEEDED, name="Sales"),
            sent.profiles.delete(SEEDED),
            sent.profiles.complete(SEEDED, web_hook_url="https://example.com"),
        ):
            with pytest.raises(PermissionDeniedError) as caught:
                await call
            assert caught.value.code == "AUTH_004"


async def test_a_profile_key_is_confined_to_its_profile(fake_sent: FakeSent) -> None:
    """It sees one profile, creates none, may not use x-profile-id, and ends with its profile."""
    other = fake_sent.add_profile()
    key = fake_sent.add_key(profile_id=other.id)
    async with fake_sent.client(api_key=key) as sent:
        assert [profile.id for profile in await sent.profiles.list()] == [other.id]
        with pytest.raises(NotFoundError):
            await sent.profiles.retrieve(SEEDED)
        with pytest.raises(PermissionDeniedError):
            await sent.profiles.create(name="Sales")
        with pytest.raises(PermissionDeniedError):
            await sent.with_options(profile_id=other.id).profiles.list()
        await sent.profiles.delete(other.id)
        with pytest.raises(AuthenticationError):
            await sent.profiles.list()


async def test_acting_for_a_profile(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """x-profile-id has the effect of the profile's own key, and is in the response. An unknown profile is a 404."""
    other = fake_sent.add_profile()
    acting = sent.with_options(profile_id=other.id)
    assert [profile.id for profile in await acting.profiles.list()] == [other.id]
    with pytest.raises(PermissionDeniedError):
        await acting.profiles.create(name="Sales")
    with pytest.raises(NotFoundError) as caught:
        await sent.with_options(profile_id=NOWHERE).templates.list()
    assert caught.value.code == "RESOURCE_014"
    scoped = await wire(fake_sent, "GET", "/v3/profiles", x_profile_id=other.id)
    assert scoped.headers["X-Profile-Id"] == other.id
    assert "X-Profile-Id" not in (await wire(fake_sent, "GET", "/v3/profiles")).headers


async def test_templates_belong_to_who_made_them(fake_sent: FakeSent, sent: SentClient) -> None:
    """A profile reads its own and inherited templates, and changes its own. Others do not see them."""
    heir = sent.with_options(profile_id=fake_sent.add_profile(inherit_templates=True).id)
    own = await heir.templates.create(definition=definition())
    assert [template.id async for template in heir.templates.list()] == [TEMPLATE, own.id]
    assert (await heir.templates.retrieve(TEMPLATE)).id == TEMPLATE
    with pytest.raises(NotFoundError):
        await heir.templates.update(TEMPLATE, name="Mine")
    loner = sent.with_options(profile_id=SEEDED)
    assert [template async for template in loner.templates.list()] == []
    assert [template.id async for template in sent.templates.list()] == [TEMPLATE]
    await heir.templates.update(own.id, name="Mine")


async def test_a_deleted_profile_takes_its_own_along(fake_sent: FakeSent, sent: SentClient) -> None:
    """Its templates and campaigns are deleted, those of others are not."""
    other = fake_sent.add_profile()
    fake_sent.add_template(profile_id=other.id)
    fake_sent.add_campaign(other.id)
    kept = fake_sent.add_campaign(SEEDED)
    await sent.profiles.delete(other.id)
    assert (list(fake_sent.templates), list(fake_sent.campaigns)) == ([TEMPLATE], [kept.id])


async def test_a_key_without_an_organization() -> None:
    """Listing and creating profiles is RESOURCE_005."""
    async with FakeSent(organization=False) as fake, fake.client() as sent:
        for call in (sent.profiles.create(name="Sales"), sent.profiles.list()):
            with pytest.raises(NotFoundError) as caught:
                await call
            assert caught.value.code == "RESOURCE_005"


async def test_campaigns_of_a_profile_without_a_brand(fake_sent: FakeSent, sent: SentClient) -> None:
    """Listing and creating is RESOURCE_009; for a profile that is not there, RESOURCE_014."""
    bare = fake_sent.add_profile()
    for call in (
        sent.profiles.campaigns.list(bare.id),
        sent.profiles.campaigns.create(bare.id, campaign=campaign()),
    ):
        with pytest.raises(NotFoundError) as caught:
            await call
        assert caught.value.code == "RESOURCE_009"
    with pytest.raises(NotFoundError) as caught:
        await sent.profiles.campaigns.list(NOWHERE)
    assert caught.value.code == "RESOURCE_014"


async def test_requests_are_recorded(fake_sent: FakeSent, sent: SentClient) -> None:
    """The record has operation, method, path, query, headers and body, and its repr has no secrets."""
    await sent.templates.list(page=1, page_size=5)
    await sent.profiles.create(name="Sales", idempotency_key="key-1")
    listed, created = fake_sent.requests
    assert (listed.operation, listed.method, listed.path) == ("listTemplates", "GET", "/v3/templates")
    assert (dict(listed.query), listed.json, listed.idempotency_key) == ({"page": "1", "page_size": "5"}, None, None)
    assert (created.operation, created.json, created.idempotency_key) == ("createProfile", {"name": "Sales"}, "key-1")
    assert created.headers["X-API-KEY"] == "sk_test_fake"
    assert created.at >= listed.at
    assert repr(created) == "<RecordedRequest createProfile: POST /v3/profiles>"
    with pytest.raises(AttributeError):
        created.method = "GET"  # type: ignore[misc]  # what is refused
    fake_sent.clear()
    assert fake_sent.requests == []


async def test_the_outcome_of_a_request(fake_sent: FakeSent, sent: SentClient) -> None:
    """The record has status and duration. There is no status when the response was not sent whole."""
    fake_sent.drop_next()
    await sent.profiles.list()
    dropped, listed = fake_sent.requests
    assert (dropped.status, listed.status) == (None, 200)
    assert dropped.seconds is not None
    assert str(dropped).startswith("GET /v3/profiles no response ")
    assert re.fullmatch(r"GET /v3/profiles 200 \d+ ms listProfiles", str(listed))


async def test_each_request_is_logged(
    fake_sent: FakeSent, sent: SentClient, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """There is one line at DEBUG, without keys, queries and phone numbers."""
    with caplog.at_level(logging.DEBUG, "sent_async.testing"):
        await sent.numbers.lookup("+14155551234")
        await wire(fake_sent, "GET", "/v3/nothing/14155551234/more?token=hidden")
    first, second = [record.getMessage() for record in caplog.records if record.name == "sent_async.testing"]
    assert first.startswith("GET /v3/numbers/lookup/… 200 ")
    assert second.startswith("GET /v3/nothing/…/more 404 ")
    assert second.endswith(" ms unknown")
    assert repr(fake_sent.requests[0]) == "<RecordedRequest lookupNumber: GET /v3/numbers/lookup/…>"


async def test_sandbox_is_announced(fake_sent: FakeSent, wire: Wire) -> None:
    """Only responses to sandbox requests have X-Sandbox, errors included."""
    allowed = await wire(fake_sent, "POST", "/v3/profiles", {"name": "Sales", "sandbox": True})
    refused = await wire(fake_sent, "POST", "/v3/profiles", {"name": "", "sandbox": True})
    live = await wire(fake_sent, "POST", "/v3/profiles", {"name": "Sales", "sandbox": False})
    assert [response.headers.get("X-Sandbox") for response in (allowed, refused, live)] == ["true", "true", None]
    assert [response.status for response in (allowed, refused, live)] == [201, 400, 201]


async def test_secrets_are_not_kept(fake_sent: FakeSent, wire: Wire) -> None:
    """Card data and access tokens are in no response."""
    body = {
        "name": "Sales",
        "billing_model": "profile",
        "billing_contact": {"name": "Jane", "email": "jane@example.com"},
        "payment_details": {"card_number": "4111111111111111", "expiry": "12/30", "cvc": "987", "zip_code": "10001"},
        "whatsapp_business_account": {"waba_id": "waba-1", "access_token": "token-1"},
    }
    response = await wire(fake_sent, "POST", "/v3/profiles", body)
    assert response.status == 201
    assert response.json["data"]["waba_id"] == "waba-1"
    assert response.json["data"]["billing_contact"] == {
        "name": "Jane", "email": "jane@example.com", "phone": None, "address": None
    }  # fmt: skip
    stored = msgspec.json.encode(fake_sent.profiles[response.json["data"]["id"]])
    for secret in (b"4111111111111111", b'"987"', b"token-1"):
        assert secret not in response.content
        assert secret not in stored
