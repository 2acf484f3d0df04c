"""What a start costs: help and completion are there before anything that they do not need is loaded."""

from __future__ import annotations

import subprocess
import sys


def loaded_by(code: str) -> set[str]:
    """The modules that ``code`` loads in a fresh interpreter."""
    # A tool that measures coverage loads some before.
    before = "import sys; old = {*sys.modules}; sys.stdout = sys.stderr"
    after = "print(*{*sys.modules} - old, file=sys.__stdout__)"
    code = f"{before}\n{code}\n{after}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


def test_importing_the_package_does_not_load_what_few_programs_need() -> None:
    """A database for journals is loaded by the first journal."""
    assert not loaded_by("import sent_async") & {"sqlite3", "concurrent.futures.thread"}


def test_importing_the_package_does_not_load_aiohttp() -> None:
    """It is loaded when a client is made. It takes longer than everything else together."""
    assert "aiohttp" not in loaded_by("import sent_async")
    assert "aiohttp" in loaded_by("import sent_async; sent_async.SentClient('key')")


def test_help_and_completion_load_neither_aiohttp_nor_rich() -> None:
    """They need nothing but the names and the help of the commands."""
    run = "from sent_async.cli import app; import contextlib\nwith contextlib.suppress(SystemExit): app()"
    complete = (
        "import os; os.environ.update(_SENT_ASYNC_COMPLETE='complete_bash', COMP_WORDS='sent-async ', COMP_CWORD='1')"
    )
    for code in (f"sys.argv[1:] = ['messages', '--help']\n{run}", f"{complete}\n{run}"):
        assert not loaded_by(code) & {"aiohttp", "rich.console", "rich.table", "sent_async.webhooks"}
