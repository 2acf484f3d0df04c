"""A client of the fake that adds nothing to a request, and a service that it delivers events to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sent_async.models import Webhook
from sent_async.testing import FakeSent
from tests.support.deliveries import SECRET, aiohttp_server
from tests.support.raw_client import Wire
from tests.support.service import Service


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession() as session:
        yield Wire(session)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    async with aiohttp_server(service.handle) as url:
        service.url = url
        yield service


@pytest.fixture
def endpoint(fake_sent: FakeSent, service: Service) -> Webhook:
    """The webhook of the service. It subscribes to all events."""
    return fake_sent.add_webhook(endpoint_url=service.url, signing_secret=SECRET)
