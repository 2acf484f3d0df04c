"""What holds for every command: keys, prompts, exit codes, interruption, and the missing extra."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys

import pytest

from sent_async.testing import Delay, FakeSent, RecordedRequest
from tests.support.processes import Cli


class Terminal:
    """A command in a terminal of its own, with somebody who reads and types."""

    def __init__(self, environment: dict[str, str], *arguments: str, json_to: int | None = None) -> None:
        self._mine, theirs = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sent_async.cli", *arguments],
            env=environment,
            stdin=theirs,
            stdout=theirs if json_to is None else json_to,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    async def until(self, text: str) -> None:
        while text not in self.seen:
            more = await asyncio.to_thread(self._read)
            assert more, f"ended without {text!r}: {self.seen}"
            self.seen += more

    def type(self, text: str) -> None:
        os.write(self._mine, text.encode())

    async def end(self) -> int:
        while more := await asyncio.to_thread(self._read):
            self.seen += more
        os.close(self._mine)
        return await asyncio.to_thread(self.process.wait)

    def _read(self) -> str:
        try:
            return os.read(self._mine, 65536).decode(errors="replace")
        except OSError:  # how Linux says that the other side has closed
            return ""


async def test_a_missing_key_is_a_usage_error(cli: Cli) -> None:
    """Where nobody can be asked, the environment is named."""
    ended = await cli("profiles", "list", SENT_DM_API_KEY="")
    assert ended.code == 2
    assert "set SENT_DM_API_KEY" in ended.err


async def test_a_wrong_key(cli: Cli) -> None:
    """The key itself is not repeated."""
    ended = await cli("profiles", "list", SENT_DM_API_KEY="sk_test_wrong")
    assert ended.code == 1
    assert "check SENT_DM_API_KEY" in ended.err
    assert "sk_test_wrong" not in ended.err


async def test_no_server(cli: Cli) -> None:
    """Exit code 3 for no usable answer."""
    ended = await cli("profiles", "list", SENT_BASE_URL="http://127.0.0.1:9")
    assert ended.code == 3
    assert "check the network" in ended.err


async def test_an_answer_in_an_unknown_shape(fake_sent: FakeSent, cli: Cli) -> None:
    """Exit code 3 as well, with another hint."""
    fake_sent.answer_next(200, b'{"success": true, "data": {"profiles": 1}}')
    ended = await cli("profiles", "list")
    assert ended.code == 3
    assert "upgrade sent-async" in ended.err


async def test_the_key_is_asked_for_unseen(fake_sent: FakeSent, environment: dict[str, str]) -> None:
    """In a terminal, typed and not shown."""
    terminal = Terminal({**environment, "SENT_DM_API_KEY": ""}, "profiles", "list")
    await terminal.until("Sent API key:")
    terminal.type(f"{fake_sent.api_key}\n")
    assert await terminal.end() == 0
    assert "Marketing Team" in terminal.seen
    assert fake_sent.api_key not in terminal.seen


async def test_a_refused_prompt_ends_the_command(environment: dict[str, str]) -> None:
    """The end of input instead of a key."""
    terminal = Terminal({**environment, "SENT_DM_API_KEY": ""}, "profiles", "list")
    await terminal.until("Sent API key:")
    terminal.type("\x04")
    assert await terminal.end() == 130


@pytest.mark.parametrize(("reply", "code", "left"), [("n", 130, 1), ("y", 0, 0)])
async def test_a_deletion_is_asked_about(
    fake_sent: FakeSent, environment: dict[str, str], reply: str, code: int, left: int
) -> None:
    """In a terminal, unless ``--yes`` was said."""
    terminal = Terminal(environment, "templates", "delete", next(iter(fake_sent.templates)))
    await terminal.until("[y/N]")
    terminal.type(f"{reply}\n")
    assert (await terminal.end(), len(fake_sent.templates)) == (code, left)


async def test_progress_is_shown_in_a_terminal(fake_sent: FakeSent, environment: dict[str, str]) -> None:
    """A bar on stderr while lines go elsewhere."""
    ids = [fake_sent.add_profile(name=f"Branch {number}").id for number in range(300)]
    terminal = Terminal(environment, "profiles", "retrieve-many", *ids, "--json", json_to=subprocess.DEVNULL)
    assert await terminal.end() == 0
    assert "300/300" in terminal.seen


async def test_an_interruption_has_an_exit_code_of_its_own(fake_sent: FakeSent, environment: dict[str, str]) -> None:
    """Ctrl-C during a request: no traceback."""
    met = asyncio.Event()

    def stall(_: RecordedRequest) -> Delay:
        met.set()
        return Delay(seconds=60)

    fake_sent.fault(stall)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sent_async.cli", "profiles", "list"), env=environment, stderr=asyncio.subprocess.PIPE
    )
    await met.wait()
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert (process.returncode, err) == (130, b"")


async def test_the_version(cli: Cli) -> None:
    """On stdout, by itself."""
    assert (await cli("--version")).out.startswith("sent-async ")


async def test_completion_is_offered(cli: Cli) -> None:
    """For the shell that asks."""
    ended = await cli("--show-completion", "bash")
    assert "_SENT_ASYNC_COMPLETE" in ended.out


@pytest.mark.parametrize("name", ["typer", "rich"])
def test_without_the_extra_it_says_what_to_install(name: str) -> None:
    """Instead of a traceback."""
    code = f"import sys; sys.modules[{name!r}] = None; from sent_async.cli import app; app()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith("pip install 'sent-async[cli]'")


def test_another_missing_module_is_not_blamed_on_the_extra() -> None:
    """A broken installation shows as what it is."""
    code = "import sys; sys.modules['getpass'] = None; from sent_async.cli import app; app()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in ended.stderr
    assert "getpass" in ended.stderr


def test_the_package_never_imports_it() -> None:
    """Nor what it needs."""
    code = "import sys, sent_async; print([n for n in ('typer', 'rich', 'sent_async.cli') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
