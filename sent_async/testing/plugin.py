"""The pytest plugin: ``fake_sent``, ``sent`` and their options. It is loaded in any project, and imports little."""

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


@pytest.fixture
def fake_sent_options() -> dict[str, Any]:
    """The arguments of the ``FakeSent`` of ``fake_sent``. Override it, or parametrize a test with it."""
    return {}


@pytest.fixture
def sent_options() -> dict[str, Any]:
    """The options of the ``SentClient`` of ``sent``. Override it, or parametrize a test with it."""
    return {}


@_async_fixture
async def fake_sent(fake_sent_options: dict[str, Any]) -> AsyncIterator[FakeSent]:
    """A ``FakeSent`` of its own for each test."""
    from .server import FakeSent

    async with FakeSent(**fake_sent_options) as fake:
        yield fake


@_async_fixture
async def sent(fake_sent: FakeSent, sent_options: dict[str, Any]) -> AsyncIterator[SentClient]:
    """A client of ``fake_sent``."""
    async with fake_sent.client(**sent_options) as client:
        yield client
