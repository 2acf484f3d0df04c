"""The command line as its users meet it: a process of its own, against a ``FakeSent``."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from sent_async.testing import FakeSent
from tests.support.processes import Cli, Ended, InTerminal, StartCli
from tests.support.terminal import Terminal

PROGRAM = (sys.executable, "-m", "sent_async")


@pytest.fixture
def environment(fake_sent: FakeSent) -> dict[str, str]:
    """What a command needs to reach the fake server."""
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "SENT_WEBHOOK_SECRET")}
    return {**plain, "SENT_BASE_URL": fake_sent.url, "SENT_DM_API_KEY": fake_sent.api_key, "TERM": "xterm-256color"}


@pytest.fixture
def start(environment: dict[str, str]) -> StartCli:
    """Start ``sent-async`` with these arguments, all three streams being pipes."""

    async def begin(*arguments: str, **variables: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *PROGRAM, *arguments, env={**environment, **variables}, stdin=pipe, stdout=pipe, stderr=pipe
        )

    return begin


@pytest.fixture
def cli(start: StartCli) -> Cli:
    """Run ``sent-async`` with these arguments, and wait for its end."""

    async def run(*arguments: str, stdin: str = "", **variables: str) -> Ended:
        process = await start(*arguments, **variables)
        out, err = await process.communicate(stdin.encode())
        return Ended(process.returncode, out.decode(), err.decode())

    return run


@pytest.fixture
def terminal(environment: dict[str, str]) -> InTerminal:
    """Start ``sent-async`` with these arguments in a terminal."""

    def begin(*arguments: str, columns: int = 200, stdout: int | None = None, **variables: str) -> Terminal:
        return Terminal([*PROGRAM, *arguments], {**environment, **variables}, columns=columns, stdout=stdout)

    return begin
