"""The commands that the README and the guide print exist, with these options."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sent_async.cli.main import app

ROOT = Path(__file__).parents[2]
COMMANDS = [
    pytest.param(command.strip(), id=f"{page.stem}-{command.strip()}")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs/guide").glob("*.md"))]
    for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
    # The command of a line, without what is around it: a prompt, $(...), pipes, redirections, comments.
    for command in re.findall(r"(?m)^(?:\$ |\w+=\$\()?sent-async ([^|>)&#\n]+)", block)
]


def test_there_are_commands() -> None:
    """A page that moved would otherwise pass by not being looked at."""
    assert len(COMMANDS) > 15


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """The command line sets up the log of its process, which is that of the tests here."""
    logger = logging.getLogger("sent_async")
    level, handlers = logger.level, [*logger.handlers]
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.mark.parametrize("command", COMMANDS)
def test_a_printed_command_exists(command: str) -> None:
    """``--help`` behind it is reached only when the command line accepts everything before."""
    ended = CliRunner().invoke(app, [*shlex.split(command), "--help"])
    assert ended.exit_code == 0, ended.output
