"""The pytest plugin: fixtures ``fake_sent`` and ``sent``, loaded with any project and costing nothing until used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from sent_async import SentClient

    from .server import FakeSent

F = TypeVar("F", bound=Callable[..., Any])


def _async_fixture(function: F) -> F:
    """A fixture that works in every mode of pytest-asyncio. Without it, pytest's own, which anyio knows how to run."""
    fixture: Any
    try:
        from pytest_asyncio import fixture
    except ImportError:
        fixture = pytest.fixture
    decorated: F = fixture(function)
    return decorated


@_async_fixture
async def fake_sent() -> AsyncIterator[FakeSent]:
    """A ``FakeSent`` of its own for each test."""
    from .server import FakeSent

    async with FakeSent() as fake:
        yield fake


@_async_fixture
async def sent(fake_sent: FakeSent) -> AsyncIterator[SentClient]:
    """A client of ``fake_sent``."""
    async with fake_sent.client() as client:
        yield client
