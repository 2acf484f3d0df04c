"""The examples as their readers run them: a process of its own, against a ``FakeSent``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sent_async.testing import FakeSent
from tests.support.processes import EXAMPLES, Run, Start


@pytest.fixture
async def start(fake_sent: FakeSent) -> AsyncIterator[Start]:
    """Processes that know the fake by their environment, and that do not outlive the test."""
    started: list[asyncio.subprocess.Process] = []
    environment = {
        **os.environ,
        "SENT_BASE_URL": fake_sent.url,
        "SENT_DM_API_KEY": fake_sent.api_key,
        "PYTHONWARNINGS": "error",
    }

    async def begin(*arguments: str | Path) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *arguments),
            cwd=EXAMPLES,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


@pytest.fixture
def run(start: Start) -> Run:
    """Start, and wait for the end."""

    async def complete(*arguments: str | Path) -> tuple[int | None, str]:
        process = await start(*arguments)
        out, err = await process.communicate()
        return process.returncode, (out + err).decode()

    return complete
