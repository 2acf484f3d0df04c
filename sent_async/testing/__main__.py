"""``python -m sent_async.testing``: a fake Sent API for programs in any language.

Prints one line before it serves, in the form of the environment variables that clients read, and serves until SIGINT
or SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from .server import FakeSent


async def serve(fake: FakeSent) -> None:
    """Serve until the process is told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    # Not loop.add_signal_handler: that one is not there on Windows.
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        async with fake:
            sys.stdout.write(f"SENT_BASE_URL={fake.url} SENT_DM_API_KEY={fake.api_key}\n")
            sys.stdout.flush()
            await stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m sent_async.testing", description="Serve a fake Sent API.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=4010, help="port to listen on, 0 for a free one (default: 4010)")
    parser.add_argument("--api-key", default="sk_test_fake", help="the key it accepts (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(serve(FakeSent(options.api_key, host=options.host, port=options.port)))
    except OSError as error:
        sys.exit(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}")


if __name__ == "__main__":
    main()
