"""A client that sends exactly the given request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from sent_async.testing import FakeSent


class RawResponse(msgspec.Struct, frozen=True):
    """One raw response."""

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
    ) -> RawResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["x-api-key"] = key
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        body = msgspec.json.encode(json) if json is not None else content
        async with self.session.request(method, fake.url + path, data=body, headers=sent) as response:
            return RawResponse(response.status, response.headers.copy(), await response.read())
