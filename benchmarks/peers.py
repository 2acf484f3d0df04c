"""The measured clients. Each fetches a profile by its id in its usual way."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

from . import shared, structs


class Client(Protocol):
    """Opened inside a running loop, closed in the same."""

    async def open(self, url: str, concurrency: int) -> None: ...
    async def fetch(self, profile_id: str) -> Any: ...
    async def close(self) -> None: ...


class Ours:
    """sent-async with its defaults: pacing, retries, timeout and errors."""

    async def open(self, url: str, concurrency: int) -> None:
        from sent_async import SentClient

        self.sent = SentClient("key", base_url=url, limit=max(100, concurrency))
        self.fetch = self.sent.profiles.retrieve

    async def close(self) -> None:
        await self.sent.close()


class Naive:
    """An aiohttp session and a msgspec decoder, without the other work of a client."""

    async def open(self, url: str, concurrency: int) -> None:
        import aiohttp

        connector = aiohttp.TCPConnector(limit=max(100, concurrency))
        self.session = aiohttp.ClientSession(connector=connector, headers={"x-api-key": "key"})
        self.base = f"{url}/v3/profiles/"
        self.decode = structs.decoder(one=True).decode

    async def fetch(self, profile_id: str) -> Any:
        async with self.session.get(self.base + profile_id) as response:
            body = await response.read()
            if response.status != 200:
                raise RuntimeError(response.status)
            return self.decode(body).data

    async def close(self) -> None:
        await self.session.close()


class Sentdm:
    """The vendor's SDK on httpx."""

    async def open(self, url: str, concurrency: int) -> None:  # noqa: ARG002 - every peer takes it
        warnings.simplefilter("ignore", DeprecationWarning)
        self.client = shared.peer("sent_dm").AsyncSent(api_key="key", base_url=url, http_client=self.transport())

    def transport(self) -> Any:
        return None

    async def fetch(self, profile_id: str) -> Any:
        return (await self.client.profiles.retrieve(profile_id)).data

    async def close(self) -> None:
        await self.client.close()


class SentdmAiohttp(Sentdm):
    """The vendor's SDK on aiohttp."""

    def transport(self) -> Any:
        return shared.peer("sent_dm").DefaultAioHttpClient()


class Httpx:
    """httpx without an SDK, JSON decoded to dicts."""

    async def open(self, url: str, concurrency: int) -> None:
        httpx = shared.peer("httpx")
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        self.client = httpx.AsyncClient(base_url=url, headers={"x-api-key": "key"}, limits=limits)

    async def fetch(self, profile_id: str) -> Any:
        response = await self.client.get(f"/v3/profiles/{profile_id}")
        response.raise_for_status()
        return response.json()["data"]

    async def close(self) -> None:
        await self.client.aclose()


class Floor:
    """Connections on plain asyncio protocols: the least work that is possible in Python."""

    async def open(self, url: str, concurrency: int) -> None:  # noqa: ARG002 - every peer takes it
        address = urlsplit(url)
        self.host, self.port = str(address.hostname), int(address.port or 80)
        self.idle: list[_FloorConnection] = []
        self.all: list[_FloorConnection] = []
        self.decode = structs.decoder(one=True).decode
        host = f"Host: {address.netloc}\r\nx-api-key: key\r\nAccept: application/json\r\nUser-Agent: floor\r\n\r\n"
        self.tail = f" HTTP/1.1\r\n{host}".encode()

    async def fetch(self, profile_id: str) -> Any:
        if self.idle:
            connection = self.idle.pop()
        else:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(_FloorConnection, self.host, self.port)
            self.all.append(connection)
        body = await connection.ask(b"GET /v3/profiles/" + profile_id.encode() + self.tail)
        self.idle.append(connection)
        return self.decode(body).data

    async def close(self) -> None:
        for connection in self.all:
            connection.transport.close()


class _FloorConnection(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: Any = None
        self._parser = shared.peer("httptools").HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._response: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        self._response = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._response

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Headers are parsed but not kept."""

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        body, self._parts = b"".join(self._parts), []
        if self._response is not None and not self._response.done():
            self._response.set_result(body)


CLIENTS: dict[str, Callable[[], Client]] = {
    shared.OURS: Ours,
    shared.NAIVE: Naive,
    shared.SENTDM: Sentdm,
    shared.SENTDM_AIOHTTP: SentdmAiohttp,
    "httpx": Httpx,
    "floor": Floor,
}
"""A name that ends in " on uvloop" runs the same client on uvloop."""
