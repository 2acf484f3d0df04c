"""The operations of profiles, campaigns and templates, called with the SDK."""

from __future__ import annotations

import msgspec
import pytest

from sent_async import NotFoundError, SentClient
from sent_async.testing import FakeSent
from tests.support.fake_data import SEEDED, TEMPLATE, brand, campaign, definition
from tests.support.payloads import payload
from tests.support.raw_client import Wire


async def test_the_seeded_profile_is_the_documented_one(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """A list without any set-up holds the documented profile, member by member, and no pagination."""
    documented = msgspec.json.decode(payload("profiles-list-200.seed"))
    page = await sent.profiles.list()
    assert page.pagination is None
    assert [profile.id for profile in page] == [SEEDED]
    assert list(fake_sent.profiles) == [SEEDED]
    assert (await wire(fake_sent, "GET", "/v3/profiles")).json["data"] == documented["data"]


async def test_profiles_from_create_to_delete(fake_sent: FakeSent, sent: SentClient) -> None:
    """A profile is created, read, updated in part, and gone after its deletion."""
    created = await sent.profiles.create(name="Sales", short_name="SALES", description="All of sales")
    assert created.status == "incomplete"
    assert await sent.profiles.retrieve(created.id) == created == fake_sent.profiles[created.id]
    updated = await sent.profiles.update(created.id, name="Sales 2", description=None)
    assert (updated.name, updated.description, updated.short_name) == ("Sales 2", "All of sales", "SALES")
    assert updated.updated_at is not None
    await sent.profiles.delete(created.id)
    with pytest.raises(NotFoundError) as caught:
        await sent.profiles.delete(created.id)
    assert caught.value.code == "RESOURCE_014"
    assert list(fake_sent.profiles) == [SEEDED]


async def test_completing_a_profile(sent: SentClient) -> None:
    """The first completion is accepted, the second says that it is done."""
    profile = await sent.profiles.create(name="Sales", short_name="SALES", description="All of sales", brand=brand())
    accepted = await sent.profiles.complete(profile.id, web_hook_url="https://example.com/done")
    assert (accepted.status, accepted.message) == (None, "Profile completion in progress")
    done = await sent.profiles.complete(profile.id, web_hook_url="https://example.com/done")
    assert done.status == "completed"
    assert (await sent.profiles.retrieve(profile.id)).status == "approved"


async def test_a_brand_reads_back_as_it_was_given(sent: SentClient) -> None:
    """A brand goes in as camelCase and comes out as snake_case, with its own id kept when it is replaced."""
    profile = await sent.profiles.create(name="Sales", brand=brand())
    assert profile.brand is not None
    assert profile.brand.contact is not None
    assert profile.brand.compliance is not None and profile.brand.compliance.destination_countries is not None
    assert profile.brand.contact.business_name == "Acme Corp"
    assert profile.brand.compliance.destination_countries[0].is_main is True
    changed = await sent.profiles.update(profile.id, brand=brand())
    assert changed.brand is not None
    assert changed.brand.id == profile.brand.id
    assert changed.brand.updated_at is not None


async def test_campaigns_from_create_to_delete(fake_sent: FakeSent, sent: SentClient) -> None:
    """A campaign is created, listed, replaced as a whole and deleted."""
    campaigns = sent.profiles.campaigns
    created = await campaigns.create(SEEDED, campaign=campaign())
    assert created.brand_id == "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
    assert [item.id for item in await campaigns.list(SEEDED)] == [created.id] == list(fake_sent.campaigns)
    with_flow = campaign("With flow")
    with_flow.message_flow = "Sign up"
    assert (await campaigns.update(SEEDED, created.id, campaign=with_flow)).message_flow == "Sign up"
    replaced = await campaigns.update(SEEDED, created.id, campaign=campaign("Renamed"))
    assert (replaced.name, replaced.message_flow, replaced.id) == ("Renamed", None, created.id)
    await campaigns.delete(SEEDED, created.id)
    assert not await campaigns.list(SEEDED)
    with pytest.raises(NotFoundError) as caught:
        await campaigns.delete(SEEDED, created.id)
    assert caught.value.code == "RESOURCE_010"


async def test_templates_from_create_to_delete(fake_sent: FakeSent, sent: SentClient) -> None:
    """A template gets a name, can be renamed, keeps its definition, and is deleted."""
    created = await sent.templates.create(definition=definition(), category="MARKETING", language="en_US")
    assert (created.name, created.status, created.is_published) == ("Hello Welcome to", "DRAFT", False)
    assert (created.channels, created.variables) == (["sms", "whatsapp"], ["name", "company"])
    assert await sent.templates.retrieve(created.id) == created
    renamed = await sent.templates.update(created.id, name="Spring sale")
    assert (renamed.name, renamed.category, renamed.status) == ("Spring sale", "MARKETING", "DRAFT")
    stored = fake_sent.definition(created.id)
    assert stored is not None
    assert stored.body.multi_channel
    await sent.templates.delete(created.id, delete_from_meta=True)
    assert list(fake_sent.templates) == [TEMPLATE]


async def test_paging_through_templates(fake_sent: FakeSent, sent: SentClient) -> None:
    """Every template comes once, in the order of creation."""
    for number in range(6):
        fake_sent.add_template(name=f"Template {number}")
    names = [template.name async for template in sent.templates.list(page_size=3)]
    assert names == ["Welcome Message", *(f"Template {number}" for number in range(6))]
    page = await sent.templates.list(page=3, page_size=3)
    assert page.pagination is not None
    assert (page.pagination.total_count, page.pagination.total_pages, page.pagination.has_more) == (7, 3, False)
    assert len(page) == 1
    assert not await sent.templates.list(page=9, page_size=3)


async def test_filters_of_templates(fake_sent: FakeSent, sent: SentClient) -> None:
    """``search`` ignores case; ``status`` and ``category`` must be equal."""
    fake_sent.add_template(name="Spring sale", status="DRAFT")
    fake_sent.add_template(name="Code", category="AUTHENTICATION")
    assert [template.name for template in await sent.templates.list(search="SPRING")] == ["Spring sale"]
    assert [template.name for template in await sent.templates.list(status="DRAFT")] == ["Spring sale"]
    assert [template.name for template in await sent.templates.list(category="AUTHENTICATION")] == ["Code"]


async def test_paging_through_profiles() -> None:
    """With ``profile_page_size`` the list of profiles carries pagination and honours ``page``."""
    async with FakeSent(profile_page_size=2) as fake, fake.client() as sent:
        ids = [SEEDED, *(fake.add_profile(name=f"Profile {number}").id for number in range(4))]
        assert [profile.id async for profile in sent.profiles.list()] == ids
        assert len(fake.requests) == 3


@pytest.mark.parametrize("operation", ["profile", "campaign", "template"])
async def test_a_sandbox_request_stores_nothing(fake_sent: FakeSent, sent: SentClient, operation: str) -> None:
    """A sandbox request gets a response of the usual form and changes nothing."""
    before = (dict(fake_sent.profiles), dict(fake_sent.templates), dict(fake_sent.campaigns))
    if operation == "profile":
        assert (await sent.profiles.create(name="Sales", sandbox=True)).name == "Sales"
        assert (await sent.profiles.update(SEEDED, name="Other", sandbox=True)).name == "Other"
        await sent.profiles.delete(SEEDED, sandbox=True)
    elif operation == "campaign":
        assert (await sent.profiles.campaigns.create(SEEDED, campaign=campaign(), sandbox=True)).id
    else:
        assert (await sent.templates.create(definition=definition(), sandbox=True)).status == "DRAFT"
        await sent.templates.update(TEMPLATE, name="Other", sandbox=True)
        await sent.templates.delete(TEMPLATE, sandbox=True)
    assert (dict(fake_sent.profiles), dict(fake_sent.templates), dict(fake_sent.campaigns)) == before


async def test_a_sandbox_completion_completes_nothing(fake_sent: FakeSent, sent: SentClient) -> None:
    """It is accepted, but the profile does not change and no callback is sent."""
    profile = fake_sent.add_profile(status="incomplete", description="All of sales", inherit_tcr_brand=True)
    accepted = await sent.profiles.complete(profile.id, web_hook_url="http://127.0.0.1:1/", sandbox=True)
    assert accepted.message == "Profile completion in progress"
    await fake_sent.settle()
    assert not fake_sent.callbacks
    assert fake_sent.profiles[profile.id].status == "incomplete"
