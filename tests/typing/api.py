"""Uses of the API as users write them, for mypy and pyright. Never run: what must not type-check says so itself.

Each ``type: ignore`` marks a mistake that a type checker must find. A comment that suppresses nothing is an error of
its own, so every expected error here is a real one.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, assert_type

from sent_async import (
    ErrorCode,
    NotFoundError,
    Operation,
    Page,
    Paginator,
    RateLimit,
    Result,
    SentAPIError,
    SentClient,
    SentConnectionError,
    SentDecodeError,
    SentError,
    SentResponse,
    batch,
    operations,
)
from sent_async.models import (
    Brand,
    Campaign,
    CampaignData,
    CampaignUseCaseData,
    PaymentDetails,
    Profile,
    ProfileCompletion,
    ProfileList,
    ProfileStatus,
    ProfileUpdate,
    Template,
    TemplateBody,
    TemplateBodyContent,
    TemplateCategory,
    TemplateDefinition,
    TemplateStatus,
    TemplateStatusValue,
)

CampaignData(name="n", description="d", type="Ap", use_cases=[])  # type: ignore[arg-type]
CAMPAIGN = CampaignData(
    name="n",
    description="d",
    type="App",
    use_cases=[CampaignUseCaseData(messaging_use_case_us="MIXED", sample_messages=["Hi"])],
)
assert_type(TemplateDefinition.text("Hello {{0:variable}}", "name", samples={"name": "Jo"}), TemplateDefinition)
TemplateDefinition.text("Hello {{0:variable}}", 0)  # type: ignore[arg-type]
DEFINITION = TemplateDefinition(body=TemplateBody(multi_channel=TemplateBodyContent(template="Hello")))


async def clients() -> None:
    async with SentClient() as sent:
        assert_type(sent, SentClient)
    sent = SentClient("key", timeout=None, deadline=5, max_retries=0, headers={"X-A": "1"}, pacing=False)
    assert_type(sent.with_options(timeout=None, profile_id=None), SentClient)
    assert_type(sent.with_options(api_key="sk_other"), SentClient)
    sent.with_options(api_key=None)  # type: ignore[arg-type]
    assert_type(sent.rate_limits, dict[str, RateLimit])
    await sent.close()
    SentClient("key", "https://api.sent.dm")  # type: ignore[call-arg]
    SentClient(timeout="30")  # type: ignore[arg-type]
    SentClient(time_out=30)  # type: ignore[call-arg]
    sent.with_options(max_retries=None)  # type: ignore[arg-type]
    sent.with_options(limit=5)  # type: ignore[call-arg]


async def profiles(sent: SentClient) -> None:
    assert_type(sent.profiles.list(), Paginator[Profile])
    assert_type(await sent.profiles.list(), Page[Profile])
    async for profile in sent.profiles.list():
        assert_type(profile, Profile)
    async for page in sent.profiles.list().pages():
        assert_type(page[0], Profile)
        assert_type(page[1:], Sequence[Profile])
    assert_type(await sent.profiles.retrieve("p"), Profile)
    assert_type(await sent.profiles.create(name="n", short_name=None, sandbox=True), Profile)
    assert_type(await sent.profiles.update("p", description=None, idempotency_key="k"), Profile)
    assert_type(await sent.profiles.delete("p", sandbox=True), None)
    assert_type(await sent.profiles.complete("p", web_hook_url="u"), ProfileCompletion)
    await sent.profiles.create(short_name="S")  # type: ignore[call-arg]
    await sent.profiles.create("n")  # type: ignore[call-arg]
    await sent.profiles.create(name=None)  # type: ignore[arg-type]
    await sent.profiles.create(name="n", shortname="S")  # type: ignore[call-arg]
    await sent.profiles.update("p", descripton="x")  # type: ignore[call-arg]
    await sent.profiles.update("p", sandbox=None)  # type: ignore[arg-type]
    await sent.profiles.update(7)  # type: ignore[arg-type]
    await sent.profiles.complete("p")  # type: ignore[call-arg]
    await sent.profiles.retrieve()  # type: ignore[call-arg]
    sent.profiles.list(page=1)  # type: ignore[call-arg]


async def campaigns(sent: SentClient) -> None:
    assert_type(await sent.profiles.campaigns.list("p"), Page[Campaign])
    assert_type(await sent.profiles.campaigns.create("p", campaign=CAMPAIGN), Campaign)
    assert_type(await sent.profiles.campaigns.update("p", "c", campaign=CAMPAIGN), Campaign)
    assert_type(await sent.profiles.campaigns.delete("p", "c"), None)
    await sent.profiles.campaigns.create("p")  # type: ignore[call-arg]
    await sent.profiles.campaigns.create("p", campaign={"name": "n"})  # type: ignore[arg-type]
    await sent.profiles.campaigns.delete("p")  # type: ignore[call-arg]


async def templates(sent: SentClient) -> None:
    assert_type(sent.templates.list(status="APPROVED", page_size=100), Paginator[Template])
    sent.templates.list(status=TemplateStatus.APPROVED, category=TemplateCategory.MARKETING)
    assert_type(await sent.templates.retrieve("t"), Template)
    assert_type(await sent.templates.create(definition=DEFINITION, category="MARKETING"), Template)
    await sent.templates.create(definition=DEFINITION, category=TemplateCategory.UTILITY)
    await sent.templates.create(definition=DEFINITION, category=TemplateCategory("NEW_IN_2027"))
    await sent.templates.create(definition=DEFINITION, category="MARKTING")  # type: ignore[arg-type]
    sent.templates.list(status="APROVED")  # type: ignore[arg-type]
    status: TemplateStatusValue = "DRAFT"
    sent.templates.list(status=status)
    assert_type(await sent.templates.update("t", name="n"), Template)
    assert_type(await sent.templates.delete("t", delete_from_meta=True), None)
    await sent.templates.create(category="MARKETING")  # type: ignore[call-arg]
    sent.templates.list(pagesize=5)  # type: ignore[call-arg]
    sent.templates.list(1)  # type: ignore[call-arg]


async def sending(sent: SentClient) -> None:
    response = await sent.send(operations.RETRIEVE_PROFILE, profile_id="p")
    assert_type(response, SentResponse[Profile])
    assert_type(response.data, Profile)
    assert_type(response.headers, Mapping[str, str])
    assert_type(response.request_id, str | None)
    assert_type(response.replayed, bool)
    assert_type((await sent.send(operations.LIST_PROFILES)).data, ProfileList)
    assert_type((await sent.send(operations.LIST_CAMPAIGNS, profile_id="p")).data, list[Campaign])
    assert_type((await sent.send(operations.DELETE_PROFILE, profile_id="p")).data, None)
    await sent.send(operations.UPDATE_PROFILE, profile_id="p", body=ProfileUpdate(name=None))
    mine = Operation("me", "GET", "/v3/me", response=dict[str, Any])
    assert_type((await sent.send(mine)).data, dict[str, Any])


async def batches(sent: SentClient) -> None:
    results = await sent.profiles.retrieve_many(["p"])
    assert_type(results, list[Result[str, Profile]])
    for result in results:
        assert_type(result.key, str)
        assert_type(result.unwrap(), Profile)
        if result.ok:
            assert_type(result.value, Profile)
        if not result.ok:
            continue
        assert_type(result.value, Profile)
    async for again in batch(sent.templates.retrieve, ["t"]):
        if again.error is not None:
            assert_type(again.error, SentError)
        else:
            assert_type(again.value, Template)
    await batch(sent.profiles.retrieve, [7])  # type: ignore[arg-type]
    sent.profiles.retrieve_many("p", key=str)  # type: ignore[call-arg]


def values(profile: Profile, template: Template) -> None:
    assert_type(profile.id, str)
    assert_type(profile.created_at, datetime)
    assert_type(profile.updated_at, datetime | None)
    assert_type(profile.status, ProfileStatus)
    assert_type(profile.status.is_known, bool)
    assert_type(profile.brand, Brand | None)
    if template.status == TemplateStatus.APPROVED:
        pass
    profile.name = "x"  # type: ignore[misc]
    str(profile.brand.id)  # type: ignore[union-attr]
    Profile()  # type: ignore[call-arg]
    ProfileUpdate(descripton="x")  # type: ignore[call-arg]
    PaymentDetails(card_number="4", expiry="1", cvc="1")  # type: ignore[call-arg]


def errors(error: SentAPIError | SentConnectionError | SentDecodeError) -> None:
    assert_type(error.request_id, str | None)
    assert_type(error.attempts, int)
    assert_type(error.idempotency_key, str | None)
    match error:
        case NotFoundError(code=ErrorCode.ORGANIZATION_NOT_FOUND):
            assert_type(error.status, int)
        case SentAPIError():
            assert_type(error.code, str | None)
            assert_type(error.details, Mapping[str, Sequence[str]])
            assert_type(error.retry_after, float | None)
            assert_type(error.code == "RESOURCE_005", bool)
        case SentConnectionError():
            assert_type(error.maybe_sent, bool)
        case SentDecodeError():
            assert_type(error.path, str | None)
