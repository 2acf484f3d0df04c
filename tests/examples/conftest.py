"""The examples as their readers run them: a process of its own, against a ``FakeSent``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from sent_async.testing import FakeSent

EXAMPLES = Path(__file__).parents[2] / "examples"


class Start(Protocol):
    """Starts ``python <arguments>``; a first argument such as ``demo.py`` is one of the examples."""

    async def __call__(self, *arguments: str | Path) -> asyncio.subprocess.Process: ...


class Run(Protocol):
    """The same, to its end: the exit code, and what was printed, stdout first."""

    async def __call__(self, *arguments: str | Path) -> tuple[int | None, str]: ...


@pytest.fixture
async def fake() -> AsyncIterator[FakeSent]:
    """A server with the documents' own profile and template."""
    async with FakeSent() as server:
        yield server


@pytest.fixture
async def start(fake: FakeSent) -> AsyncIterator[Start]:
    """Processes that know the fake by their environment, and that do not outlive the test."""
    started: list[asyncio.subprocess.Process] = []
    environment = {**os.environ, "SENT_BASE_URL": fake.url, "SENT_DM_API_KEY": fake.api_key, "PYTHONWARNINGS": "error"}

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
