"""The pytest plugin: the fixtures ``fake_sent``, ``sent`` and their options.

pytest loads it in every project with this package installed, so it imports little.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from sent_async import SentClient

    from .server import FakeSent

F = TypeVar("F", bound=Callable[..., Any])


def _async_fixture(function: F) -> F:
    """Make a fixture for every mode of pytest-asyncio. If that is not installed, anyio runs the plain fixture."""
    fixture: Any
    try:
        from pytest_asyncio import fixture
    except ImportError:
        fixture = pytest.fixture
    decorated: F = fixture(function)
    return decorated


@pytest.fixture
def fake_sent_options() -> dict[str, Any]:
    """The arguments for the ``FakeSent`` of ``fake_sent``. Override this fixture, or parametrize a test with it."""
    return {}


@pytest.fixture
def sent_options() -> dict[str, Any]:
    """The options for the ``SentClient`` of ``sent``. Override this fixture, or parametrize a test with it."""
    return {}


@_async_fixture
async def fake_sent(fake_sent_options: dict[str, Any]) -> AsyncIterator[FakeSent]:
    """A new ``FakeSent`` for each test."""
    from .server import FakeSent

    async with FakeSent(**fake_sent_options) as fake:
        yield fake


@_async_fixture
async def sent(fake_sent: FakeSent, sent_options: dict[str, Any]) -> AsyncIterator[SentClient]:
    """A ``SentClient`` for ``fake_sent``."""
    async with fake_sent.client(**sent_options) as client:
        yield client
