"""Webhook endpoints: settings, secrets, the log of deliveries, test events."""

from __future__ import annotations

import pytest

from sent_async import NotFoundError, SentClient, SentTimeoutError
from sent_async.models import WebhookSenderProfileData
from sent_async.testing import FakeSent
from tests.support.fake_data import SEEDED
from tests.support.payloads import payload
from tests.support.raw_client import Wire

URL = "https://example.com/webhooks/orders"
GONE = "0f8fad5b-d9cb-469f-a165-70867728950e"


async def test_from_create_to_delete(fake_sent: FakeSent, sent: SentClient) -> None:
    """An endpoint is created with a secret, listed, read, replaced as a whole, and gone after its deletion."""
    created = await sent.webhooks.create(
        display_name="Orders",
        endpoint_url=URL,
        event_types=["message", "templates"],
        event_filters={"message": ["delivered", "failed"]},
        retry_count=5,
        timeout_seconds=60,
    )
    assert created.signing_secret is not None and created.signing_secret.startswith("whsec_")
    assert (created.is_active, created.consecutive_failures, created.last_delivery_attempt_at) == (True, 0, None)
    assert [webhook.id async for webhook in sent.webhooks.list()] == [created.id] == list(fake_sent.webhooks)
    read = await sent.webhooks.retrieve(created.id)
    assert (read.event_filters, read.retry_count) == ({"message": ["delivered", "failed"]}, 5)
    replaced = await sent.webhooks.update(created.id, display_name="All", endpoint_url=URL, event_types=["message"])
    assert (replaced.display_name, replaced.event_types) == ("All", ["message"])
    assert (replaced.event_filters, replaced.retry_count, replaced.timeout_seconds) == (None, 3, 30)
    assert replaced.updated_at is not None
    assert fake_sent.webhooks[created.id].signing_secret == created.signing_secret
    await sent.webhooks.delete(created.id)
    with pytest.raises(NotFoundError) as caught:
        await sent.webhooks.retrieve(created.id)
    assert caught.value.code == "RESOURCE_008"


async def test_the_documented_request(fake_sent: FakeSent, wire: Wire) -> None:
    """The example of the vendor's document is accepted as it stands."""
    request = payload("webhooks-create-request.csharp-tests")
    response = await wire(fake_sent, "POST", "/v3/webhooks", content=request)
    assert response.status == 201
    assert response.json["data"]["display_name"] == "Order Notifications"


async def test_secrets_are_shown_once(fake_sent: FakeSent, sent: SentClient) -> None:
    """Only creation and rotation return a secret, and a rotation replaces it at once."""
    created = fake_sent.add_webhook(endpoint_url=URL)
    reads = [await sent.webhooks.retrieve(created.id), *await sent.webhooks.list()]
    reads.append(await sent.webhooks.toggle_status(created.id, is_active=True))
    assert [read.signing_secret for read in reads] == [None] * 3
    rotated = await sent.webhooks.rotate_secret(created.id)
    assert rotated.signing_secret == fake_sent.webhooks[created.id].signing_secret != created.signing_secret
    rehearsed = await sent.webhooks.rotate_secret(created.id, sandbox=True)
    assert rehearsed.signing_secret != rotated.signing_secret == fake_sent.webhooks[created.id].signing_secret


@pytest.mark.parametrize(
    ("change", "code", "member"),
    [
        ({"display_name": None}, "VALIDATION_001", "display_name"),
        ({"display_name": " "}, "VALIDATION_001", "display_name"),
        ({"endpoint_url": "example.com/hook"}, "VALIDATION_001", "endpoint_url"),
        ({"endpoint_url": "ftp://example.com"}, "VALIDATION_001", "endpoint_url"),
        ({"endpoint_url": "http://[::1"}, "VALIDATION_001", "endpoint_url"),
        ({"event_types": []}, "VALIDATION_001", "event_types"),
        ({"event_types": ["template"]}, "VALIDATION_001", "event_types"),
        ({"event_types": ["message.delivered"]}, "VALIDATION_001", "event_types"),
        ({"event_filters": {"contact": ["opt_out"]}}, "VALIDATION_001", "event_filters.contact"),
        ({"event_filters": {"message": ["message.sent"]}}, "VALIDATION_001", "event_filters.message"),
        ({"sender_profile": {"event_types": ["x"]}}, "VALIDATION_001", "sender_profile.event_types"),
        (
            {"sender_profile": {"event_filters": {"message": []}}},
            "VALIDATION_001",
            "sender_profile.event_filters.message",
        ),
        ({"retry_count": 0}, "VALIDATION_005", "retry_count"),
        ({"retry_count": 6}, "VALIDATION_005", "retry_count"),
        ({"timeout_seconds": 4}, "VALIDATION_005", "timeout_seconds"),
        ({"timeout_seconds": 121}, "VALIDATION_005", "timeout_seconds"),
        ({"retry_count": "3"}, "VALIDATION_001", "retry_count"),
    ],
)
async def test_what_is_refused(
    fake_sent: FakeSent, wire: Wire, change: dict[str, object], code: str, member: str
) -> None:
    """Creation and replacement name the member, and nothing is stored."""
    body = {"display_name": "Orders", "endpoint_url": URL, "event_types": ["message"], **change}
    stored = fake_sent.add_webhook(endpoint_url=URL)
    for method, path in (("POST", "/v3/webhooks"), ("PUT", f"/v3/webhooks/{stored.id}")):
        response = await wire(fake_sent, method, path, body)
        assert (response.status, response.code) == (400, code)
        assert list(response.json["error"]["details"]) == [member]
    assert dict(fake_sent.webhooks) == {stored.id: stored}


@pytest.mark.parametrize("missing", ["display_name", "endpoint_url", "event_types"])
async def test_a_replacement_needs_the_whole_object(fake_sent: FakeSent, wire: Wire, missing: str) -> None:
    """Unlike templates, an endpoint is not updated in part."""
    stored = fake_sent.add_webhook(endpoint_url=URL)
    body = {"display_name": "Orders", "endpoint_url": URL, "event_types": ["message"]}
    del body[missing]
    response = await wire(fake_sent, "PUT", f"/v3/webhooks/{stored.id}", body)
    assert (response.status, list(response.json["error"]["details"])) == (400, [missing])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"display_name": "Orders", "endpoint_url": URL, "event_types": ["message"]}),
        ("DELETE", "", {}),
        ("PATCH", "/toggle-status", {"is_active": True}),
        ("POST", "/rotate-secret", {}),
        ("POST", "/test", {"event_type": "message.sent"}),
        ("GET", "/events", None),
    ],
)
async def test_the_endpoint_of_another_account(
    fake_sent: FakeSent, wire: Wire, method: str, path: str, body: object
) -> None:
    """It is RESOURCE_008, like one that does not exist."""
    of_a_profile = fake_sent.add_webhook(endpoint_url=URL, profile_id=SEEDED)
    for id in (GONE, of_a_profile.id):
        response = await wire(fake_sent, method, f"/v3/webhooks/{id}{path}", body)
        assert (response.status, response.code) == (404, "RESOURCE_008")
    if method == "GET":
        response = await wire(fake_sent, method, f"/v3/webhooks/{of_a_profile.id}{path}", x_profile_id=SEEDED)
        assert response.status == 200


async def test_the_list(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """It has pages of the own endpoints, by text and by whether they are active."""
    for number in range(5):
        fake_sent.add_webhook(endpoint_url=f"{URL}/{number}", display_name=f"No. {number}", is_active=number != 3)
    fake_sent.add_webhook(endpoint_url=URL, profile_id=SEEDED, display_name="Of a profile")
    names = [webhook.display_name async for webhook in sent.webhooks.list(page_size=2)]
    assert names == [f"No. {number}" for number in range(5)]
    assert [webhook.display_name for webhook in await sent.webhooks.list(search="ORDERS/4")] == ["No. 4"]
    assert [webhook.display_name for webhook in await sent.webhooks.list(is_active=False)] == ["No. 3"]
    assert len(await sent.webhooks.list(is_active=True)) == 4
    for query in ("page_size=101", "page=0", "is_active=perhaps"):
        response = await wire(fake_sent, "GET", f"/v3/webhooks?{query}")
        assert (response.status, list(response.json["error"]["details"])) == (400, [query.partition("=")[0]])


async def test_sandbox_stores_nothing(fake_sent: FakeSent, sent: SentClient) -> None:
    """Every write has the usual response, and changes nothing."""
    stored = fake_sent.add_webhook(endpoint_url="http://127.0.0.1:9/")
    profiles = WebhookSenderProfileData(event_types=["message"])
    created = await sent.webhooks.create(
        display_name="A", endpoint_url=URL, event_types=["link"], sender_profile=profiles, sandbox=True
    )
    assert created.signing_secret is not None
    await sent.webhooks.update(stored.id, display_name="B", endpoint_url=URL, event_types=["call"], sandbox=True)
    await sent.webhooks.toggle_status(stored.id, is_active=False, sandbox=True)
    assert (await sent.webhooks.test(stored.id, event_type="message.sent", sandbox=True)).success
    assert dict(fake_sent.webhooks) == {stored.id: stored}
    assert not fake_sent.webhooks.deliveries


async def test_event_types(sent: SentClient) -> None:
    """Families are listed with their events; a family that is an event has a row of its own."""
    types = {one.name: one for one in await sent.webhooks.list_event_types()}
    assert list(types) == ["message", "templates", "contact", "channel", "link", "call"]
    assert types["message"].sub_types is not None
    assert "message.delivered" in [one.event_type for one in types["message"].sub_types]
    assert types["message"].event_type is None
    assert (types["templates"].event_type, types["templates"].sub_types) == ("templates", None)


async def test_secrets_and_tests_have_the_sensitive_limit(fake_sent: FakeSent, sent: SentClient) -> None:
    """They use a pool of their own."""
    stored = fake_sent.add_webhook(endpoint_url=URL)
    fake_sent.rate_limit("sensitive", limit=2)
    await sent.webhooks.rotate_secret(stored.id)
    await sent.webhooks.test(stored.id, event_type="message.sent")
    impatient = sent.with_options(max_retries=0, deadline=5)
    with pytest.raises(SentTimeoutError, match="limit"):
        await impatient.webhooks.rotate_secret(stored.id)
    await sent.webhooks.retrieve(stored.id)


async def test_adding_an_impossible_endpoint(fake_sent: FakeSent) -> None:
    """The error is raised in the test that adds it."""
    with pytest.raises(ValueError, match="endpoint_url"):
        fake_sent.add_webhook(endpoint_url="nowhere")
    with pytest.raises(TypeError, match="url"):
        fake_sent.add_webhook(url=URL)
