"""Sender profiles: usable at once, with a key that is shown one time."""

from __future__ import annotations

from typing import Any

import pytest

from sent_async import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    SentClient,
)
from sent_async.models import SenderProfileChannelsData, SenderProfileSmsData, SenderProfileWhatsAppData
from sent_async.testing import FakeSent
from tests.support.fake_data import TEMPLATE
from tests.support.payloads import payload
from tests.support.raw_client import Wire


async def test_from_create_to_delete(fake_sent: FakeSent, sent: SentClient) -> None:
    """A profile is created with a key, listed, read, updated in part, and gone with its key after its deletion."""
    created = await sent.sender_profiles.create(name="Example Retail", short_name="Example", description="Shops")
    assert created.api_key is not None and created.api_key.startswith("sk_live_")
    assert (created.channels, created.billing, created.notifications) == (
        None,
        None,
        "ORGANIZATION_AND_SENDER_PROFILE",
    )
    assert [one.id async for one in sent.sender_profiles.list()] == [created.id] == list(fake_sent.sender_profiles)
    assert (await sent.sender_profiles.retrieve(created.id)).api_key is None
    changed = await sent.sender_profiles.update(created.id, name="Retail", description=None)
    assert (changed.name, changed.description, changed.short_name) == ("Retail", None, "Example")
    async with fake_sent.client(api_key=created.api_key) as profile_client:
        assert (await profile_client.templates.retrieve(TEMPLATE)).id == TEMPLATE
        await sent.sender_profiles.delete(created.id)
        with pytest.raises(AuthenticationError):
            await profile_client.me.retrieve()
    with pytest.raises(NotFoundError):
        await sent.sender_profiles.retrieve(created.id)


async def test_the_documented_request(fake_sent: FakeSent, wire: Wire) -> None:
    """The example of the endpoint's page is accepted as it stands."""
    request = payload("sender_profiles-create-request.docs")
    response = await wire(fake_sent, "POST", "/v3/sender-profiles", content=request)
    assert (response.status, response.json["data"]["name"]) == (201, "Example Retail")


async def test_channels_along_with_a_profile(fake_sent: FakeSent, sent: SentClient) -> None:
    """They are its own or the organization's: one object in a request, a list of markets in a response."""
    created = await sent.sender_profiles.create(
        name="Retail",
        short_name="Retail",
        billing={"inherit": True},
        compliance={"brand": {"legal_name": "Acme"}, "campaign": {"inherit": True}},
        channels=SenderProfileChannelsData(
            sms=SenderProfileSmsData(country="US", number_type="TEN_DLC"),
            whatsapp=SenderProfileWhatsAppData(inherit=True),
            rcs={"display_name": "Acme", "agent_use_case": "NOTIFICATIONS"},
        ),
    )
    assert created.billing == {"inherit": True}
    assert created.channels is not None and created.channels.sms is not None
    assert [market.status for market in created.channels.sms] == ["PROVISIONING"]
    assert created.channels.whatsapp is not None and created.channels.whatsapp.inherit is True
    assert created.channels.rcs is not None and created.channels.rcs.status == "PENDING_REVIEW"
    profile_client = sent.with_options(profile_id=created.id)
    assert len(await profile_client.channels.sms.list()) == 1
    assert not await sent.channels.sms.list()
    own = await sent.sender_profiles.create(
        name="Own",
        short_name="Own",
        channels=SenderProfileChannelsData(whatsapp=SenderProfileWhatsAppData(waba_id="waba-1"), rcs={"inherit": True}),
    )
    assert own.channels is not None and own.channels.whatsapp is not None
    assert (own.channels.whatsapp.waba_id, own.channels.sms) == ("waba-1", [])
    await sent.sender_profiles.delete(created.id)
    with pytest.raises(NotFoundError):
        await profile_client.channels.retrieve()


async def test_documents(fake_sent: FakeSent, sent: SentClient) -> None:
    """They come in a form, and are shown by key and name."""
    documents: dict[str, Any] = {
        "letter": b"%PDF",
        "licence": ("licence é.pdf", b"%PDF\r\n\x00\xff", "application/pdf"),
    }
    created = await sent.sender_profiles.create(
        name="Retail", short_name="Retail", compliance={"brand": {"legal_name": "Acme"}}, documents=documents
    )
    assert created.compliance is not None
    assert created.compliance["brand"] == {"legal_name": "Acme"}
    stored = created.compliance["documents"]
    assert [(one["key"], one["file_name"]) for one in stored] == [("letter", "letter"), ("licence", "licence é.pdf")]
    assert all(one["document_id"] for one in stored)


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"short_name": "Example"}, "name"),
        ({"name": " ", "short_name": "Example"}, "name"),
        ({"name": "Retail", "short_name": "12"}, "short_name"),
        ({"name": "Retail", "short_name": "Example", "notifications": "NOBODY"}, "notifications"),
        ({"name": "Retail", "short_name": "Example", "billing": {"inherit": True, "plan": "x"}}, "billing"),
        ({"name": "Retail", "short_name": "Example", "channels": {"rcs": {"inherit": False}}}, "channels.rcs"),
    ],
)
async def test_creations_that_are_refused(
    fake_sent: FakeSent, wire: Wire, body: dict[str, object], member: str
) -> None:
    """The error names the member, and nothing is stored."""
    response = await wire(fake_sent, "POST", "/v3/sender-profiles", body)
    assert (response.status, list(response.json["error"]["details"])) == (400, [member])
    assert not fake_sent.sender_profiles


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "body"),
        ({"sandbox": True}, "body"),
        ({"name": None}, "name"),
        ({"short_name": "!"}, "short_name"),
        ({"billing": {"inherit": True}}, "billing"),
        ({"channels": None, "compliance": {}}, "channels"),
    ],
)
async def test_changes_that_are_refused(fake_sent: FakeSent, wire: Wire, body: object, member: str) -> None:
    """Empty changes, members that cannot be null, and members that cannot change here are refused."""
    stored = fake_sent.add_sender_profile()
    response = await wire(fake_sent, "PATCH", f"/v3/sender-profiles/{stored.id}", body)
    assert response.status == 400
    assert member in response.json["error"]["details"]


async def test_which_keys_may(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """Only the organization lists and creates. A profile reads itself and no other."""
    stored, other = fake_sent.add_sender_profile(), fake_sent.add_sender_profile()
    async with fake_sent.client(api_key=stored.api_key) as profile_client:
        assert (await profile_client.sender_profiles.retrieve(stored.id)).id == stored.id
        with pytest.raises(NotFoundError):
            await profile_client.sender_profiles.retrieve(other.id)
        with pytest.raises(PermissionDeniedError):
            await profile_client.sender_profiles.list()
    acting = sent.with_options(profile_id=stored.id)
    assert len(await acting.sender_profiles.list()) == 2
    async with fake_sent.client(api_key=fake_sent.add_key(admin=False)) as reader:
        with pytest.raises(PermissionDeniedError):
            await reader.sender_profiles.create(name="Retail", short_name="Retail")
    fake_sent.refuse_deletion(stored.id)
    with pytest.raises(ConflictError):
        await sent.sender_profiles.delete(stored.id)
    async with FakeSent(organization=False) as alone:
        assert (await wire(alone, "GET", "/v3/sender-profiles")).code == "RESOURCE_005"


async def test_sandbox_makes_no_key(fake_sent: FakeSent, sent: SentClient) -> None:
    """The key in the response of a sandbox request is not valid."""
    rehearsed = await sent.sender_profiles.create(name="Retail", short_name="Retail", sandbox=True)
    assert not fake_sent.sender_profiles
    async with fake_sent.client(api_key=rehearsed.api_key) as profile_client:
        with pytest.raises(AuthenticationError):
            await profile_client.me.retrieve()


async def test_events_and_messages_of_a_sender_profile(fake_sent: FakeSent, sent: SentClient) -> None:
    """It has endpoints, contacts and messages of its own, as a profile does."""
    stored = fake_sent.add_sender_profile()
    profile_client = sent.with_options(profile_id=stored.id)
    endpoint = await profile_client.webhooks.create(
        display_name="Mine", endpoint_url="https://example.com/", event_types=["message"]
    )
    delivered = fake_sent.emit("message.sent", profile_id=stored.id)
    assert [delivery.endpoint_id for delivery in delivered] == [endpoint.id]
    contact = fake_sent.add_contact("+14155550100", profile_id=stored.id)
    assert [one.id async for one in profile_client.contacts.list()] == [contact.id]
    await profile_client.messages.send(to=["+14155550101"], text="Hello")


async def test_pages(fake_sent: FakeSent, sent: SentClient) -> None:
    """Profiles are in the order of creation."""
    names = [fake_sent.add_sender_profile(name=f"No. {number}").name for number in range(5)]
    assert [one.name async for one in sent.sender_profiles.list(page_size=2)] == names
    with pytest.raises(BadRequestError):
        await sent.sender_profiles.list(page_size=0)


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("/v3/sender-profiles", "multipart/form-data", b"whatever"),
        ("/v3/sender-profiles", "multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
        ("/v3/sender-profiles", "multipart/form-data; boundary=x", b"--y\r\n"),
        (
            "/v3/sender-profiles",
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="profile"\r\n\r\nno json\r\n--x--\r\n',
        ),
        (
            "/v3/sender-profiles",
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\nContent-Disposition: a; name=profile\r\n\r\n",
        ),
        ("/v3/templates", "multipart/form-data; boundary=x", b"--x--\r\n"),
    ],
)
async def test_forms_that_cannot_be_read(
    fake_sent: FakeSent, wire: Wire, path: str, content_type: str, body: bytes
) -> None:
    """They are refused like other bad bodies."""
    response = await wire(fake_sent, "POST", path, content=body, Content_Type=content_type)
    assert (response.status, response.code) == (400, "VALIDATION_001")
