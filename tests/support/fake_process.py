"""The fake as a program of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from sent_async import SentClient


class Running(NamedTuple):
    """A process that serves, and a client of it."""

    process: asyncio.subprocess.Process
    url: str
    sent: SentClient


@contextlib.asynccontextmanager
async def started(*arguments: str | Path) -> AsyncIterator[Running]:
    """``python -m sent_async.testing``, ready to serve on a free port, and a client made from what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sent_async.testing", *arguments, "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    settings = dict(part.split("=", 1) for part in line.split())
    try:
        async with SentClient(settings["SENT_DM_API_KEY"], base_url=settings["SENT_BASE_URL"]) as sent:
            yield Running(process, settings["SENT_BASE_URL"], sent)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
