"""A raw client of the fake, and the kit's own fixtures whether or not the plugin is installed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import aiohttp
import msgspec
import pytest_asyncio

from sent_async.testing import FakeSent
from sent_async.testing.plugin import fake_sent, sent

__all__ = ["fake_sent", "sent", "until", "wire"]


class Answered(msgspec.Struct, frozen=True):
    """One raw answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.content)

    @property
    def code(self) -> str | None:
        error = self.json["error"]
        return error["code"] if error else None


class Wire:
    """A client that adds nothing but the key."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def __call__(
        self,
        fake: FakeSent,
        method: str,
        path: str,
        json: object = None,
        *,
        content: bytes | None = None,
        key: str | None = "sk_test_fake",
        idempotency_key: str | None = None,
        **headers: str,
    ) -> Answered:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["x-api-key"] = key
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        body = msgspec.json.encode(json) if json is not None else content
        async with self.session.request(method, fake.url + path, data=body, headers=sent) as answer:
            return Answered(answer.status, answer.headers.copy(), await answer.read())


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that another task does."""
    while not condition():  # noqa: ASYNC110 - nobody could tell us
        await asyncio.sleep(0.001)


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession() as session:
        yield Wire(session)
