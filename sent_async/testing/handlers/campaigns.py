"""The campaigns of a profile. Their members are camelCase in requests and responses."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ...models import CampaignData, CampaignType, ErrorCode, MessagingUseCaseUs
from ..context import Context
from ..responses import Refusal, Reply
from ..seed import ORGANIZATION_ID
from ..store import JSON, Record, new_campaign, new_id, shown_profile
from ..validation import Problems, check_uuids, invalid

_ID_MESSAGE: Final = "Invalid profile or campaign ID format"
_ZERO_DATE: Final = "0001-01-01T00:00:00+00:00"


def list_campaigns(context: Context) -> Reply:
    """An array of the profile's own campaigns, and of the organization's if the profile inherits them."""
    profile = _profile_with_brand(context)
    owners = {profile["id"], None} if profile["inherit_tcr_campaign"] else {profile["id"]}
    return Reply(200, [record.wire for record in context.store.campaigns.values() if record.owner in owners])


def create_campaign(context: Context) -> Reply:
    profile = _profile_with_brand(context)
    _check(context.body.campaign)
    if profile["inherit_tcr_campaign"]:
        raise invalid("campaign", "Campaigns cannot be created while inherit_tcr_campaign is true")
    brand = shown_profile(profile)["brand"]
    campaign = _with_content(new_campaign(brand["id"], context.now), context.body.campaign)
    context.store.campaigns[campaign["id"]] = Record(profile["id"], campaign)
    return Reply(201, campaign)


def update_campaign(context: Context) -> Reply:
    """Replace the whole content. A member that the request leaves out becomes null."""
    before = _campaign(context)
    _check(context.body.campaign)
    if before.wire["submittedToTCR"]:
        raise invalid("campaign", "Campaign cannot change after it was submitted to TCR")
    empty = new_campaign(None, context.now)
    content = {field.encode_name for field in msgspec.structs.fields(CampaignData)}
    cleared = {name: empty[name] if name in content else value for name, value in before.wire.items()}
    campaign = {**_with_content(cleared, context.body.campaign), "updatedAt": context.now}
    context.store.campaigns[campaign["id"]] = Record(before.owner, campaign)
    return Reply(200, campaign)


def delete_campaign(context: Context) -> Reply:
    del context.store.campaigns[_campaign(context).wire["id"]]
    return Reply(204)


def _profile_with_brand(context: Context) -> JSON:
    profile = context.profile()
    if shown_profile(profile)["brand"] is None and not profile["inherit_tcr_campaign"]:
        raise Refusal(ErrorCode.BRAND_NOT_FOUND)
    return profile


def _campaign(context: Context) -> Record:
    """The campaign in the path. An inherited campaign belongs to the organization and cannot be changed here."""
    check_uuids(_ID_MESSAGE, context.parameters["profileId"], context.parameters["campaignId"])
    profile = context.profile()
    record = context.store.campaigns.get(context.parameters["campaignId"])
    if record is None or record.owner != profile["id"]:
        raise Refusal(ErrorCode.CAMPAIGN_NOT_FOUND)
    return record


def _check(campaign: CampaignData) -> None:
    problems = Problems()
    problems.expect_text(campaign.name, "campaign.name")
    problems.expect_text(campaign.description, "campaign.description")
    problems.expect_one_of(campaign.type, CampaignType, "campaign.type")
    if isinstance(campaign.volume, str):
        numeric = re.fullmatch(r"[0-9]+", campaign.volume) is not None
        problems.expect(numeric, "campaign.volume", "Must be a numeric string")
    problems.expect(bool(campaign.use_cases), "campaign.useCases", "At least one use case is required")
    for number, use_case in enumerate(campaign.use_cases):
        path = f"campaign.useCases[{number}]"
        problems.expect_one_of(use_case.messaging_use_case_us, MessagingUseCaseUs, f"{path}.messagingUseCaseUs")
        count = len(use_case.sample_messages)
        problems.expect(1 <= count <= 5, f"{path}.sampleMessages", "Between 1 and 5 sample messages are required")
        for index, message in enumerate(use_case.sample_messages):
            problems.expect_text(message, f"{path}.sampleMessages[{index}]", most=1024)
    problems.refuse_if_any()


def _with_content(campaign: JSON, data: CampaignData) -> JSON:
    use_cases = [
        {
            "campaignId": campaign["id"],
            "customerId": ORGANIZATION_ID,
            **msgspec.to_builtins(use_case),
            "id": new_id(),
            # The API itself sends this date here.
            "createdAt": _ZERO_DATE,
            "updatedAt": None,
        }
        for use_case in data.use_cases
    ]
    return {**campaign, **msgspec.to_builtins(data), "useCases": use_cases}
