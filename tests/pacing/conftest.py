"""Paced clients of servers that limit requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sent_async import SentClient
from tests.support.limited import Connect, Limited
from tests.support.servers import API_KEY


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes paced clients of a limited server, on its clock."""
    made: list[SentClient] = []

    def make(server: Limited, **options: Any) -> SentClient:
        made.append(SentClient(API_KEY, base_url=server.url, clock=server.clock, **options))
        return made[-1]

    yield make
    for client in made:
        await client.close()
