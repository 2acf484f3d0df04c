"""``python -m sent_async.testing``: a fake Sent API for programs in any language.

It first prints one line with the environment variables that clients read. Then it serves until SIGINT or SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from .server import FakeSent


async def serve(fake: FakeSent) -> None:
    """Serve until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    # Not loop.add_signal_handler, which Windows does not have.
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
    parser.add_argument("--seed", type=Path, metavar="FILE", help="JSON file with the objects that it starts with")
    parser.add_argument(
        "--auto-approve", action="store_true", help="approve each template that is submitted for review"
    )
    parser.add_argument("--log", action="store_true", help="write a line for each request to stderr")
    parser.add_argument(
        "--callback-hosts",
        nargs="+",
        default=[],
        metavar="HOST",
        help="post events and callbacks to these hosts as well as to this machine",
    )
    options = parser.parse_args(arguments)
    if options.log:
        logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
        logging.getLogger("sent_async.testing").setLevel(logging.DEBUG)
    try:
        fake = FakeSent(
            options.api_key,
            host=options.host,
            port=options.port,
            seed=_read(options.seed) if options.seed is not None else True,
            auto_approve=options.auto_approve,
            callback_hosts=options.callback_hosts,
        )
    except ValueError as error:
        sys.exit(f"cannot start: {error}")
    try:
        asyncio.run(serve(fake))
    except OSError as error:
        sys.exit(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}")


def _read(file: Path) -> dict[str, Any]:
    """The objects of a seed file. Raises ``SystemExit`` when it cannot be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        sys.exit(f"cannot read {file}: {error.strerror}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        sys.exit(f"cannot read {file}: it must contain a JSON object: {error}")


if __name__ == "__main__":
    main()
