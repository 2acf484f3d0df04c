"""A receiver in a process of its own, for the tests to kill.

``python -m tests.programs.receive_webhooks aiohttp|asgi SEEN LOG CRASH_AT AHEAD [FD]`` prints
its port, which is that of the socket FD if there is one. It writes ``begin ID`` and ``end ID`` to LOG around each event
and kills itself within the CRASH_AT-th. Its store's clock is AHEAD seconds ahead,
so that leases of a process before it have run out.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

import uvicorn
from aiohttp import web

from sent_async.clock import SystemClock
from sent_async.webhooks import Event, SQLiteSeen, WebhookReceiver
from tests.support.deliveries import SECRET, listening


class AheadClock(SystemClock):
    """A clock that is some seconds ahead."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def wall(self) -> float:
        return super().wall() + self.seconds


def main(kind: str, seen_path: str, log_path: str, crash_at: int, ahead: float, fd: int | None) -> None:
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    begun = 0

    async def on_event(event: Event) -> None:
        nonlocal begun
        begun = mine = begun + 1
        os.write(log, f"begin {event.id}\n".encode())
        await asyncio.sleep(0)
        if mine == crash_at:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(log, f"end {event.id}\n".encode())

    receiver = WebhookReceiver(SECRET)
    seen = SQLiteSeen(seen_path, clock=AheadClock(ahead))
    listener = listening() if fd is None else socket.socket(fileno=fd)
    print(listener.getsockname()[1], flush=True)
    if kind == "asgi":
        app = receiver.asgi_app(on_event, seen=seen)
        uvicorn.Server(uvicorn.Config(app, log_config=None)).run(sockets=[listener])
    else:
        server = web.Application()
        server.router.add_post("/hook", receiver.aiohttp_handler(on_event, seen=seen))
        web.run_app(server, sock=listener, print=None)


if __name__ == "__main__":
    _, its_kind, seen_file, log_file, crashes_at, is_ahead, *inherited = sys.argv
    its_fd = int(inherited[0]) if inherited else None
    main(its_kind, seen_file, log_file, int(crashes_at), float(is_ahead), its_fd)
