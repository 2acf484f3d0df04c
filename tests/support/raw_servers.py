"""Servers that misbehave, byte by byte, and a proxy. Each ends all of its connections when it stops."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self, TypeAlias

from .clocks import FakeClock, elapse
from .servers import PROFILE_RESPONSE, Received, ScriptedResponse
from .waiting import settle

Behaviour: TypeAlias = Callable[["Connection"], Awaitable[None]]


class Connection:
    """One accepted connection, for a behaviour."""

    def __init__(self, server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer

    async def read(self) -> Received:
        """One whole request."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        method, target, _ = first.split(" ")
        self.server.requests.append(Received(method, target, headers, body))
        return self.server.requests[-1]

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self, response: ScriptedResponse = PROFILE_RESPONSE, *, close: bool = False) -> None:
        """A correct response, keep-alive by default."""
        status, body, headers = response
        fields = {**headers, "Content-Length": str(len(body)), **({"Connection": "close"} if close else {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        await self.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)

    async def delay(self, seconds: float) -> None:
        """Let the client read what was sent, then let time pass on the clock of the server."""
        await settle()
        if self.server.clock is not None:
            await elapse(self.server.clock, seconds)

    async def hang(self) -> None:
        """Neither respond nor close until the server stops or the client closes the connection.

        So much time passes as an attempt may take by default.
        """
        await self.delay(30)
        await self.reader.read()

    def reset(self) -> None:
        """End the connection by RST, as a crashed host or a firewall does."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class RawServer:
    """Uses one behaviour for each connection, the last one again and again, and keeps the requests.

    Args:
        behaviours: What to do with the connections.
        tls: Serve HTTPS.
        clock: The clock of the client, which is moved on when this server delays a response.
    """

    def __init__(
        self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None, clock: FakeClock | None = None
    ) -> None:
        self.behaviours = list(behaviours)
        self.clock = clock
        self.requests: list[Received] = []
        self.connections = 0
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await behaviour(Connection(self, reader, writer))
        finally:
            writer.close()


async def good(connection: Connection) -> None:
    """Serve the customer's profile for as long as the connection lasts."""
    while True:
        await connection.read()
        await connection.reply()


class Slow:
    """Takes some seconds for each request, and counts the requests that it has at the same time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.now = self.most = 0

    async def __call__(self, connection: Connection) -> None:
        while True:
            await connection.read()
            self.now += 1
            self.most = max(self.most, self.now)
            await connection.delay(self.seconds)
            self.now -= 1
            await connection.reply()


async def reset_before_reading(connection: Connection) -> None:
    connection.reset()


async def reset_after_reading(connection: Connection) -> None:
    """The work may be done; the response is lost."""
    await connection.read()
    connection.reset()


async def close_after_reading(connection: Connection) -> None:
    await connection.read()


async def half_a_body(connection: Connection) -> None:
    await connection.read()
    _, body, _ = PROFILE_RESPONSE
    await connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[: len(body) // 2])


async def chunks_cut_off(connection: Connection) -> None:
    await connection.read()
    await connection.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"suc\r\n')


async def half_a_head(connection: Connection) -> None:
    await connection.read()
    await connection.write(b"HTTP/1.1 200 OK\r\nContent-Le")


async def no_http(connection: Connection) -> None:
    await connection.read()
    await connection.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def stalled_head(connection: Connection) -> None:
    await connection.read()
    await connection.hang()


async def stalled_body(connection: Connection) -> None:
    await connection.read()
    await connection.write(b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"success":')
    await connection.hang()


async def dripping(connection: Connection) -> None:
    """A byte each second, so that no single read ever takes long."""
    await connection.read()
    await connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
    while not connection.writer.is_closing():
        await connection.write(b" ")
        await connection.delay(1)


def closed_port() -> int:
    """A port that refuses connections."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


class Proxy(RawServer):
    """A forward proxy that sends everything, whatever host it is asked for, to one address."""

    def __init__(self, port: int, *, refuse: bytes | None = None) -> None:
        super().__init__(self._forward)
        self.lines: list[str] = []
        self.heads: list[str] = []
        self._port = port
        self._refuse = refuse

    async def _forward(self, client: Connection) -> None:
        head = await client.reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode("latin-1"))
        self.lines.append(self.heads[-1].partition("\r\n")[0])
        if self._refuse is not None:
            await client.write(self._refuse)
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            if head.startswith(b"CONNECT "):
                await client.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                writer.write(head)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(client.reader, writer))
                both.create_task(self._copy(reader, client.writer))
        finally:
            writer.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
