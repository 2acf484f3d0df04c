"""The canned server, in a process of its own: ``python -m benchmarks.server``.

Prints its port, then serves until its standard input closes. Much faster than any client here but the floor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import threading
import time
from typing import cast

from . import payloads
from .shared import loop_factory, pin


class Limit:
    """A fixed window or a token bucket, scaled down in time, with headers in fractions of a second."""

    def __init__(self, kind: str, rate: int, burst: int, window: float, retry_after: str) -> None:
        self._kind, self._rate, self._burst, self._window = kind, rate, burst, window
        self._retry_after = retry_after
        self._began, self._used = -math.inf, 0
        self._tokens, self._filled = float(burst), time.monotonic()

    def take(self) -> tuple[bool, bytes]:
        """Whether a request is allowed, and the rate limit headers of its response."""
        now = time.monotonic()
        if self._kind == "window":
            if now >= self._began + self._window:
                self._began, self._used = now, 0
            passes = self._used < self._rate
            self._used += passes
            left, until_reset = self._rate - self._used, self._began + self._window - now
            wait = until_reset
        else:
            rate = self._rate / self._window
            self._tokens = min(float(self._burst), self._tokens + (now - self._filled) * rate)
            self._filled = now
            passes = self._tokens >= 1
            self._tokens -= passes
            left, until_reset = int(self._tokens), (self._burst - self._tokens) / rate
            wait = max(0.0, (1 - self._tokens) / rate)
        lines = [
            f"X-RateLimit-Limit: {self._rate}",
            f"X-RateLimit-Remaining: {left}",
            f"X-RateLimit-Reset: {math.ceil((time.time() + until_reset) * 1000) / 1000:.3f}",
        ]
        if not passes:
            wait = self._window if self._retry_after == "window" else math.ceil(wait * 1000) / 1000
            lines.append(f"Retry-After: {wait:.3f}")
        return passes, "\r\n".join(lines).encode()


class Site:
    """The responses, made once."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.delay: float = options.delay
        self._limit: Limit | None = None
        if options.limit:
            self._limit = Limit(options.limit, options.rate, options.burst, options.window, options.retry_after)
        self._before, self._after = payloads.one(0).split(payloads.profile_id(0).encode())
        self._size = len(self._before) + 36 + len(self._after)
        reset = int(time.time()) + 3000
        self._rates = f"X-RateLimit-Limit: 1000000\r\nX-RateLimit-Remaining: 900000\r\nX-RateLimit-Reset: {reset}"
        self._one_head = _head("200 OK", self._size, self._rates.encode())
        body = payloads.many(options.profiles)
        self._many = _head("200 OK", len(body), self._rates.encode()) + body
        self.seen = self.refused = 0

    def respond(self, target: bytes) -> bytes:
        if target == b"/counts":
            body = json.dumps({"seen": self.seen, "refused": self.refused}).encode()
            return _head("200 OK", len(body), self._rates.encode()) + body
        self.seen += 1
        if target == b"/v3/profiles":
            return self._many
        head = self._one_head
        if self._limit is not None:
            passes, rates = self._limit.take()
            if not passes:
                self.refused += 1
                return _head("429 Too Many Requests", len(payloads.LIMITED), rates) + payloads.LIMITED
            head = _head("200 OK", self._size, rates)
        return b"".join((head, self._before, target[13:], self._after))


def _head(status: str, length: int, rates: bytes) -> bytes:
    # No Date: where a minute lasts four seconds, its whole seconds would be a quarter of a minute.
    lines = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json; charset=utf-8\r\nConnection: keep-alive\r\n"
        f"X-Request-Id: req_7X9zKp2jDw\r\nX-Response-Time: 12ms\r\nContent-Length: {length}\r\n"
    )
    return lines.encode() + rates + b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """Responds to GET requests, pipelined or not."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._pending = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        *requests, self._pending = (self._pending + data).split(b"\r\n\r\n")
        for request in requests:
            response = self._site.respond(request.split(b" ", 2)[1])
            if self._site.delay:
                asyncio.get_running_loop().call_later(self._site.delay, self._write, response)
            else:
                self._transport.write(response)

    def _write(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


async def serve(options: argparse.Namespace) -> None:
    """Until standard input closes."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    site = Site(options)
    server = await loop.create_server(lambda: Connection(site), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)

    def watch() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(done.set)

    threading.Thread(target=watch, daemon=True).start()
    await done.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each response")
    parser.add_argument("--profiles", type=int, default=1, help="how many the list holds")
    parser.add_argument("--limit", choices=["window", "bucket"])
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--burst", type=int, default=50)
    parser.add_argument("--window", type=float, default=6.0)
    parser.add_argument("--retry-after", choices=["exact", "window"], default="exact")
    options = parser.parse_args()
    pin(0)
    with asyncio.Runner(loop_factory=loop_factory("uvloop")) as runner:
        runner.run(serve(options))


if __name__ == "__main__":
    main()
