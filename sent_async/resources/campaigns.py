"""The 10DLC campaigns of a profile: ``sent.profiles.campaigns``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from .. import operations
from ..models import Campaign, CampaignCreate, CampaignDelete, CampaignUpdate
from ..pagination import Page, Paginator

if TYPE_CHECKING:
    from ..client import SentClient
    from ..models.fields import CampaignCreateFields, CampaignDeleteFields, CampaignUpdateFields


class Campaigns:
    """A campaign belongs to the profile's brand. The API has no call for a single one: list them."""

    def __init__(self, client: SentClient) -> None:
        self._client = client

    def list(self, profile_id: str) -> Paginator[Campaign]:
        """Every campaign of the profile, the inherited ones included; the API sends them as one page.

        Raises ``NotFoundError``: ``RESOURCE_009`` without a brand, ``RESOURCE_014`` for an unknown profile.
        """

        async def fetch(_: int | None) -> Page[Campaign]:
            return Page((await self._client.send(operations.LIST_CAMPAIGNS, profile_id=profile_id)).data)

        return Paginator(fetch)

    async def create(
        self, profile_id: str, *, idempotency_key: str | None = None, **fields: Unpack[CampaignCreateFields]
    ) -> Campaign:
        """Create a campaign from ``campaign=CampaignData(...)``.

        Raises ``BadRequestError`` when it breaks a rule or campaigns are inherited, and ``NotFoundError``.
        """
        body = CampaignCreate(**fields)
        response = await self._client.send(
            operations.CREATE_CAMPAIGN, profile_id=profile_id, body=body, idempotency_key=idempotency_key
        )
        return response.data

    async def update(
        self,
        profile_id: str,
        campaign_id: str,
        *,
        idempotency_key: str | None = None,
        **fields: Unpack[CampaignUpdateFields],
    ) -> Campaign:
        """Replace a campaign by ``campaign=CampaignData(...)``, all of it. Refused once it was submitted to TCR.

        Raises ``NotFoundError`` (``RESOURCE_010``) and ``BadRequestError``.
        """
        body = CampaignUpdate(**fields)
        response = await self._client.send(
            operations.UPDATE_CAMPAIGN,
            profile_id=profile_id,
            campaign_id=campaign_id,
            body=body,
            idempotency_key=idempotency_key,
        )
        return response.data

    async def delete(
        self,
        profile_id: str,
        campaign_id: str,
        *,
        idempotency_key: str | None = None,
        **fields: Unpack[CampaignDeleteFields],
    ) -> None:
        """Delete a campaign.

        Raises ``NotFoundError`` (``RESOURCE_010``).
        """
        body = CampaignDelete(**fields)
        await self._client.send(
            operations.DELETE_CAMPAIGN,
            profile_id=profile_id,
            campaign_id=campaign_id,
            body=body,
            idempotency_key=idempotency_key,
        )
