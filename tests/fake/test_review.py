"""Work at Sent between two requests: reviews of templates, completions of profiles, refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from sent_async import BadRequestError, ConflictError, NotFoundError, SentClient
from sent_async.testing import FakeSent
from tests.support.fake_data import SEEDED, brand, campaign, definition


class Receiver:
    """Somebody's web hook."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[Any] = []
        self.url = ""

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.bodies.append(await request.json())
        return web.Response(status=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.handle), shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/done"
    yield receiver
    await runner.cleanup()


async def test_a_review(fake_sent: FakeSent, sent: SentClient) -> None:
    """DRAFT, PENDING on submission, then APPROVED and published, or REJECTED; an approved one can go back to review."""
    created = await sent.templates.create(definition=definition())
    assert (created.status, created.category, created.language) == ("DRAFT", "MARKETING", "en_US")
    assert (await sent.templates.update(created.id, submit_for_review=True)).status == "PENDING"
    assert fake_sent.reject(created.id).status == "REJECTED"
    assert (
        await sent.templates.update(created.id, definition=definition(), submit_for_review=True)
    ).status == "PENDING"
    assert fake_sent.approve(created.id).is_published
    assert (await sent.templates.retrieve(created.id)).status == "APPROVED"
    live = await sent.templates.update(created.id, category="UTILITY")
    assert (live.status, live.is_published) == ("APPROVED", True)
    again = await sent.templates.update(created.id, submit_for_review=True)
    assert (again.status, again.is_published) == ("PENDING", False)
    assert (await sent.templates.create(definition=definition(), submit_for_review=True)).status == "PENDING"
    with pytest.raises(KeyError):
        fake_sent.approve("nope")


async def test_reviews_that_end_by_themselves() -> None:
    """With ``auto_approve`` a pending template is approved after the response; drafts stay."""
    async with FakeSent(seed=False, auto_approve=True) as fake, fake.client() as sent:
        draft = await sent.templates.create(definition=definition())
        assert fake.templates[draft.id].status == "DRAFT"
        submitted = await sent.templates.update(draft.id, submit_for_review=True)
        assert submitted.status == "PENDING"
        assert fake.templates[draft.id].status == "APPROVED"
        await sent.templates.create(definition=definition(), submit_for_review=True, sandbox=True)
        assert list(fake.templates) == [draft.id]


async def test_a_template_in_review_is_frozen(fake_sent: FakeSent, sent: SentClient) -> None:
    """Changes of definition, category or language, and another submission, are CONFLICT_006. The name can change."""
    pending = fake_sent.add_template(status="PENDING")
    assert (await sent.templates.update(pending.id, name="Renamed")).status == "PENDING"
    changes: list[dict[str, Any]] = [
        {"definition": definition()},
        {"category": "UTILITY"},
        {"language": "de_DE"},
        {"submit_for_review": True},
    ]
    for change in changes:
        with pytest.raises(ConflictError) as caught:
            await sent.templates.update(pending.id, **change)
        assert caught.value.code == "CONFLICT_006"


@pytest.mark.parametrize("status", ["PAUSED", "DISABLED", "REVOKED"])
async def test_a_template_out_of_use_can_only_be_renamed(fake_sent: FakeSent, sent: SentClient, status: str) -> None:
    """Its edits are VALIDATION_001."""
    template = fake_sent.add_template(status=status)
    assert (await sent.templates.update(template.id, name="Renamed")).name == "Renamed"
    with pytest.raises(BadRequestError) as caught:
        await sent.templates.update(template.id, category="UTILITY")
    assert (caught.value.code, list(caught.value.details)) == ("VALIDATION_001", ["status"])


async def test_a_completion_is_reported_once(fake_sent: FakeSent, sent: SentClient, receiver: Receiver) -> None:
    """The web hook receives id, success, status and time; a second completion reports nothing."""
    profile = await sent.profiles.create(name="Sales", short_name="SALES", description="All", brand=brand())
    for _ in range(2):
        await sent.profiles.complete(profile.id, web_hook_url=receiver.url)
    await fake_sent.settle()
    (body,) = receiver.bodies
    assert (body["profileId"], body["success"], body["status"]) == (profile.id, True, "COMPLETED")
    assert body["timestamp"].endswith("+00:00")
    (callback,) = fake_sent.callbacks
    assert (callback.url, callback.body, callback.status) == (receiver.url, body, 200)
    fake_sent.clear()
    assert not fake_sent.callbacks


async def test_a_completion_that_takes_time(receiver: Receiver) -> None:
    """With ``auto_complete=False`` a test ends it. After a failure it can start again."""
    async with FakeSent(auto_complete=False) as fake, fake.client() as sent:
        profile = fake.add_profile(status="incomplete", description="All", inherit_tcr_brand=True)
        assert (await sent.profiles.complete(profile.id, web_hook_url=receiver.url)).status is None
        assert (await sent.profiles.retrieve(profile.id)).status == "processing"
        assert (await sent.profiles.complete(profile.id, web_hook_url=receiver.url)).status == "in_progress"
        assert fake.finish_completion(profile.id, success=False).status == "failed"
        assert (await sent.profiles.complete(profile.id, web_hook_url=receiver.url)).status is None
        assert fake.finish_completion(profile.id).status == "approved"
        await fake.settle()
        assert sorted(body["status"] for body in receiver.bodies) == ["COMPLETED", "failed"]
        assert fake.finish_completion(profile.id).status == "approved"
        assert len(fake.callbacks) == 2


async def test_a_web_hook_that_fails(fake_sent: FakeSent, sent: SentClient, receiver: Receiver) -> None:
    """The record of the callback has the problem, and no exception is raised."""
    receiver.status = 500
    for url in (receiver.url, "http://127.0.0.1:1/", "http://example.com/done"):
        profile = fake_sent.add_profile(status="incomplete", description="All", inherit_tcr_brand=True)
        await sent.profiles.complete(profile.id, web_hook_url=url)
        await fake_sent.settle()
    assert [callback.status for callback in fake_sent.callbacks] == [500, None, None]
    assert len(receiver.bodies) == 1


async def test_closing_gives_callbacks_up() -> None:
    """A receiver that does not respond does not delay the close."""
    asked = asyncio.Event()

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(ignore, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with FakeSent(check_prerequisites=False) as fake, fake.client() as sent:
        await sent.profiles.complete(fake.add_profile(status="incomplete").id, web_hook_url=url)
        await asked.wait()
    assert not fake.callbacks
    server.close()


async def test_prerequisites_of_a_completion(fake_sent: FakeSent, sent: SentClient) -> None:
    """All unmet ones are named, also for a profile that is complete."""
    profile = await sent.profiles.create(name="Sales")
    with pytest.raises(BadRequestError) as caught:
        await sent.profiles.complete(profile.id, web_hook_url="https://example.com")
    assert set(caught.value.details) == {"short_name", "description", "brand"}
    approved = fake_sent.add_profile(status="approved", short_name=None)
    with pytest.raises(BadRequestError):
        await sent.profiles.complete(approved.id, web_hook_url="https://example.com")
    async with FakeSent(check_prerequisites=False) as lenient, lenient.client() as other:
        bare = await other.profiles.create(name="Sales")
        assert (await other.profiles.complete(bare.id, web_hook_url="https://example.com")).status is None
        submitted = lenient.add_profile(status="submitted")
        assert (await other.profiles.complete(submitted.id, web_hook_url="https://example.com")).status == "submitted"


async def test_an_inherited_brand(fake_sent: FakeSent, sent: SentClient) -> None:
    """It is shown as inherited, and an own brand is refused."""
    profile = await sent.profiles.create(name="Sales", inherit_tcr_brand=True)
    assert profile.brand is not None
    assert profile.brand.is_inherited
    with pytest.raises(BadRequestError) as caught:
        await sent.profiles.update(profile.id, brand=brand())
    assert list(caught.value.details) == ["brand"]
    own = await sent.profiles.update(profile.id, inherit_tcr_brand=False, brand=brand())
    assert own.brand is not None
    assert not own.brand.is_inherited
    assert (await sent.profiles.update(profile.id, inherit_tcr_brand=True)).brand == profile.brand
    assert (await sent.profiles.update(profile.id, inherit_tcr_brand=False)).brand == own.brand


async def test_a_submitted_brand_cannot_change(fake_sent: FakeSent, sent: SentClient) -> None:
    """A submitted brand or campaign cannot change."""
    seeded = fake_sent.profiles[SEEDED].brand
    assert seeded is not None
    wire = {
        "id": seeded.id,
        "submitted_to_tcr": True,
        "is_inherited": False,
        "created_at": "2026-01-01T00:00:00Z",
    }
    profile = fake_sent.add_profile(brand=wire)
    with pytest.raises(BadRequestError):
        await sent.profiles.update(profile.id, brand=brand())
    submitted = fake_sent.add_campaign(SEEDED, submitted_to_tcr=True)
    with pytest.raises(BadRequestError):
        await sent.profiles.campaigns.update(SEEDED, submitted.id, campaign=campaign())


async def test_inherited_campaigns(fake_sent: FakeSent, sent: SentClient) -> None:
    """They are listed with the own ones, and can neither be changed nor added to."""
    inherited = fake_sent.add_campaign(None, name="For all")
    profile = fake_sent.add_profile(inherit_tcr_campaign=True)
    own = fake_sent.add_campaign(profile.id)
    assert [item.id for item in await sent.profiles.campaigns.list(profile.id)] == [inherited.id, own.id]
    assert inherited.id not in [item.id for item in await sent.profiles.campaigns.list(SEEDED)]
    with pytest.raises(BadRequestError) as caught:
        await sent.profiles.campaigns.create(profile.id, campaign=campaign())
    assert list(caught.value.details) == ["campaign"]
    with pytest.raises(NotFoundError):
        await sent.profiles.campaigns.delete(profile.id, inherited.id)


async def test_a_refused_deletion(fake_sent: FakeSent, sent: SentClient) -> None:
    """It is CONFLICT_012 or CONFLICT_013, and the profile stays."""
    fake_sent.refuse_deletion(SEEDED)
    with pytest.raises(ConflictError) as caught:
        await sent.profiles.delete(SEEDED)
    assert caught.value.code == "CONFLICT_012"
    fake_sent.refuse_deletion(SEEDED, "CONFLICT_013")
    with pytest.raises(ConflictError) as caught:
        await sent.profiles.delete(SEEDED)
    assert caught.value.code == "CONFLICT_013"
    assert SEEDED in fake_sent.profiles
    with pytest.raises(ValueError, match="catalogue"):
        fake_sent.refuse_deletion(SEEDED, "CONFLICT_999")
