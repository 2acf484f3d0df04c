"""The page about the fake as a server: its commands run, and its table is complete."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest

from sent_async.testing import FakeSent
from sent_async.testing.__main__ import main
from sent_async.testing.control import ROUTES

PAGE = (Path(__file__).parents[2] / "docs/guide/fake-server.md").read_text()
COMMANDS = [
    (command, printed)
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for command, printed in re.findall(r"^\$ ((?:.*\\\n)*.*\n)((?:[^$].*\n)*)", block, re.MULTILINE)
]


def test_the_table_is_complete() -> None:
    """The tables have every request of the control API, and no other."""
    rows = [line.split("|")[1] for line in PAGE.splitlines() if re.match(r"\| `(GET|POST|PUT|DELETE) ", line)]
    assert sorted(request for row in rows for request in re.findall(r"`([^`]+)`", row)) == sorted(ROUTES)


async def test_the_commands() -> None:
    """Each succeeds, or prints the error that stands below it; one with output below it prints that."""
    assert len(COMMANDS) > 10
    async with FakeSent() as fake:
        for command, printed in COMMANDS:
            option = "--fail-with-body" if '"error"' not in printed else "--silent"
            line = command.replace("http://127.0.0.1:4010", fake.url).replace("curl ", f"curl {option} ", 1)
            process = await asyncio.create_subprocess_shell(
                line,
                env={**os.environ, "FAKE": f"{fake.url}/_fake"},  # what the first command exports
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, error = await process.communicate()
            assert process.returncode == 0, command + out.decode() + error.decode()
            if printed:
                assert out.decode() == printed.rstrip("\n")
        assert fake.limits["standard"].limit == 200


def test_the_options_are_complete(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has every option of the command, and no other."""
    with pytest.raises(SystemExit):
        main(["--help"])
    options = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    rows = "".join(line for line in PAGE.splitlines() if line.startswith("| `--"))
    assert set(re.findall(r"`(--[a-z-]+)", rows)) == options
