"""Message templates: ``sent.templates``."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Unpack

from .. import operations
from ..batch import Batch, Progress, batch
from ..models import Template, TemplateCreate, TemplateDelete, TemplateUpdate
from ..pagination import Page, Paginator

if TYPE_CHECKING:
    from ..client import SentClient
    from ..models.fields import TemplateCreateFields, TemplateDeleteFields, TemplateUpdateFields


class Templates:
    """Templates are reviewed before use: ``DRAFT``, then ``PENDING``, then ``APPROVED`` or ``REJECTED``."""

    def __init__(self, client: SentClient) -> None:
        self._client = client

    def list(
        self,
        *,
        page: int = 1,
        page_size: int = 100,
        search: str | None = None,
        status: str | None = None,
        category: str | None = None,
        is_welcome_playground: bool | None = None,
    ) -> Paginator[Template]:
        """Await it for one page, iterate it for every template from ``page`` (1-based) on.

        ``page_size`` is 1 to 100; ``search`` is free text; ``status`` and ``category`` are values such as
        ``APPROVED`` and ``MARKETING``. ``is_welcome_playground`` has been accepted and ignored since late 2026.

        Raises ``BadRequestError`` for a value out of range, with ``details`` naming it.
        """

        async def fetch(number: int | None) -> Page[Template]:
            response = await self._client.send(
                operations.LIST_TEMPLATES,
                page=number,
                page_size=page_size,
                search=search,
                status=status,
                category=category,
                is_welcome_playground=is_welcome_playground,
            )
            return Page(response.data.templates, response.data.pagination)

        return Paginator(fetch, first=page)

    async def retrieve(self, template_id: str) -> Template:
        """One template. The API does not return its ``definition``.

        Raises ``NotFoundError`` (``RESOURCE_002``), or ``BadRequestError`` for an id that is no UUID.
        """
        return (await self._client.send(operations.RETRIEVE_TEMPLATE, template_id=template_id)).data

    async def create(self, *, idempotency_key: str | None = None, **fields: Unpack[TemplateCreateFields]) -> Template:
        """Create a template; the server derives its name, which ``update`` can change.

        It stays ``DRAFT`` unless ``submit_for_review=True``. Category and language are detected when left out.
        With ``sandbox=True`` everything is checked and nothing is stored.

        Raises ``BadRequestError`` when the definition breaks a rule, with ``details``.
        """
        body = TemplateCreate(**fields)
        return (await self._client.send(operations.CREATE_TEMPLATE, body=body, idempotency_key=idempotency_key)).data

    async def update(
        self, template_id: str, *, idempotency_key: str | None = None, **fields: Unpack[TemplateUpdateFields]
    ) -> Template:
        """Change what is given and nothing else, although the endpoint is a PUT. A definition is replaced as a whole.

        Raises ``ConflictError`` (``CONFLICT_006``) for a definition, category or language in review, and
        ``NotFoundError`` (``RESOURCE_002``).
        """
        body = TemplateUpdate(**fields)
        response = await self._client.send(
            operations.UPDATE_TEMPLATE, template_id=template_id, body=body, idempotency_key=idempotency_key
        )
        return response.data

    async def delete(
        self, template_id: str, *, idempotency_key: str | None = None, **fields: Unpack[TemplateDeleteFields]
    ) -> None:
        """Delete a template, with ``delete_from_meta=True`` at WhatsApp/Meta too.

        Raises ``NotFoundError`` (``RESOURCE_002``).
        """
        body = TemplateDelete(**fields)
        await self._client.send(
            operations.DELETE_TEMPLATE, template_id=template_id, body=body, idempotency_key=idempotency_key
        )

    def retrieve_many(
        self,
        template_ids: Iterable[str] | AsyncIterable[str],
        *,
        concurrency: int = 50,
        fail_fast: bool = False,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Batch[str, Template]:
        """Many templates at once, each as a ``Result``: await it for a list in order, iterate it as they come.

        See ``sent_async.batch`` for the arguments.
        """
        return batch(self.retrieve, template_ids, concurrency=concurrency, fail_fast=fail_fast, on_progress=on_progress)
