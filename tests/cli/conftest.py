"""The command line as its users meet it: a process of its own, against a ``FakeSent``."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from sent_async.testing import FakeSent
from tests.support.processes import Cli, Ended


@pytest.fixture
def environment(fake_sent: FakeSent) -> dict[str, str]:
    """What a command needs to reach the fake server."""
    return {
        **os.environ,
        "SENT_BASE_URL": fake_sent.url,
        "SENT_DM_API_KEY": fake_sent.api_key,
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }


@pytest.fixture
def cli(environment: dict[str, str]) -> Cli:
    """Run ``sent-async`` with these arguments, and wait for its end."""

    async def run(*arguments: str, stdin: str = "", **variables: str) -> Ended:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sent_async.cli", *arguments),
            env={**environment, **variables},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(stdin.encode())
        return Ended(process.returncode, out.decode(), err.decode())

    return run
