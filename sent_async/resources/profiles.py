"""Sender profiles: ``sent.profiles``.

The vendor's documents of late 2026 mark these endpoints as deprecated in favour of ``/v3/sender-profiles`` and state
that they behave as before; nothing warns at run time.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Unpack

from .. import operations
from ..batch import Batch, Progress, batch
from ..models import (
    Profile,
    ProfileComplete,
    ProfileCompletion,
    ProfileCreate,
    ProfileDelete,
    ProfileUpdate,
)
from ..pagination import Page, Paginator
from .campaigns import Campaigns

if TYPE_CHECKING:
    from ..client import SentClient
    from ..models.fields import (
        ProfileCompleteFields,
        ProfileCreateFields,
        ProfileDeleteFields,
        ProfileUpdateFields,
    )


class Profiles:
    """Profiles stand for brands, departments or uses within an organization, each set up for messaging by itself."""

    def __init__(self, client: SentClient) -> None:
        self._client = client
        self.campaigns = Campaigns(client)

    def list(self) -> Paginator[Profile]:
        """Every profile of the organization, brand included. Await it for the first page, iterate it for all.

        The first request has no query; further pages are asked for only when the API says there are more.

        Raises ``NotFoundError`` (``RESOURCE_005``) for a key without an organization.
        """

        async def fetch(number: int | None) -> Page[Profile]:
            data = (await self._client.send(operations.LIST_PROFILES, page=number)).data
            return Page(data.profiles, data.pagination)

        return Paginator(fetch)

    async def retrieve(self, profile_id: str) -> Profile:
        """One profile, with its brand when it has one.

        Raises ``NotFoundError`` (``RESOURCE_014``).
        """
        return (await self._client.send(operations.RETRIEVE_PROFILE, profile_id=profile_id)).data

    async def create(self, *, idempotency_key: str | None = None, **fields: Unpack[ProfileCreateFields]) -> Profile:
        """Create a profile; it reads ``incomplete`` until ``complete`` has run. Needs an admin's organization key.

        ``inherit_tcr_brand`` and ``inherit_tcr_campaign`` have had different server defaults over time: say which you
        want. With ``sandbox=True`` everything is checked and nothing is stored.

        Raises ``BadRequestError`` with ``details``, ``PermissionDeniedError``, ``UnprocessableEntityError``.
        """
        body = ProfileCreate(**fields)
        return (await self._client.send(operations.CREATE_PROFILE, body=body, idempotency_key=idempotency_key)).data

    async def update(
        self, profile_id: str, *, idempotency_key: str | None = None, **fields: Unpack[ProfileUpdateFields]
    ) -> Profile:
        """Change what is given: a member left out stays untouched, ``None`` is sent as JSON null.

        The API reads null as "not provided" here (inferred from its examples).

        Raises ``NotFoundError`` (``RESOURCE_014``) and ``BadRequestError``.
        """
        body = ProfileUpdate(**fields)
        response = await self._client.send(
            operations.UPDATE_PROFILE, profile_id=profile_id, body=body, idempotency_key=idempotency_key
        )
        return response.data

    async def delete(
        self, profile_id: str, *, idempotency_key: str | None = None, **fields: Unpack[ProfileDeleteFields]
    ) -> None:
        """Delete a profile (the API keeps it as deleted). Needs admin role.

        Raises ``NotFoundError`` (``RESOURCE_014``), ``ConflictError`` (``CONFLICT_012``, ``CONFLICT_013``) while a
        number is still on the customer's own WhatsApp account.
        """
        body = ProfileDelete(**fields)
        await self._client.send(
            operations.DELETE_PROFILE, profile_id=profile_id, body=body, idempotency_key=idempotency_key
        )

    async def complete(
        self, profile_id: str, *, idempotency_key: str | None = None, **fields: Unpack[ProfileCompleteFields]
    ) -> ProfileCompletion:
        """Start the last step of onboarding; the API posts to ``web_hook_url`` once when it has ended.

        ``status`` is ``None`` while it is under way (202) and set when it was complete already (200). The endpoint is
        in the sensitive rate tier: about ten calls a minute.

        Raises ``BadRequestError`` when a prerequisite is unmet, ``NotFoundError``.
        """
        body = ProfileComplete(**fields)
        response = await self._client.send(
            operations.COMPLETE_PROFILE, profile_id=profile_id, body=body, idempotency_key=idempotency_key
        )
        return response.data

    def retrieve_many(
        self,
        profile_ids: Iterable[str] | AsyncIterable[str],
        *,
        concurrency: int = 50,
        fail_fast: bool = False,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Batch[str, Profile]:
        """Many profiles at once, each as a ``Result``: await it for a list in order, iterate it as they come.

        See ``sent_async.batch`` for the arguments.
        """
        return batch(self.retrieve, profile_ids, concurrency=concurrency, fail_fast=fail_fast, on_progress=on_progress)
