"""A client of the fake that adds nothing to a request."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.support.raw_client import Wire


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession() as session:
        yield Wire(session)
