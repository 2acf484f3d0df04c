"""What holds for every command: keys, prompts, exit codes, interruption, pipes, completion and the missing extra."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys

import pytest

from sent_async.testing import Delay, FakeSent, RecordedRequest
from tests.support.processes import Cli, InTerminal, StartCli


async def test_a_missing_key_is_a_usage_error(cli: Cli) -> None:
    """Where nobody can be asked, the environment variable is named."""
    ended = await cli("profiles", "list", SENT_DM_API_KEY="")
    assert (ended.code, ended.out) == (2, "")
    assert "set SENT_DM_API_KEY" in ended.err


async def test_a_wrong_key(cli: Cli) -> None:
    """The key itself is not repeated."""
    ended = await cli("profiles", "list", SENT_DM_API_KEY="sk_test_wrong")
    assert ended.code == 1
    assert "check SENT_DM_API_KEY" in ended.err
    assert "sk_test_wrong" not in ended.err


async def test_an_error_is_its_own_text(fake_sent: FakeSent, cli: Cli) -> None:
    """One line on stderr with the request id and the details, and nothing on stdout."""
    fake_sent.fail_next(status=400, code="VALIDATION_001", details={"page_size": ["must be between 1 and 100"]})
    ended = await cli("templates", "list")
    assert (ended.code, ended.out) == (1, "")
    [line] = ended.err.splitlines()
    assert line.startswith("error: 400 VALIDATION_001: ")
    assert "(request_id=req_" in line
    assert line.endswith("; page_size: must be between 1 and 100")


async def test_errors_cannot_command_the_terminal(fake_sent: FakeSent, cli: Cli) -> None:
    """Whatever a server, or something in front of it, puts into a message."""
    fake_sent.answer_next(404, b'{"success": false, "error": {"code": "X", "message": "gone \\u001b[2J\\u009b2J"}}')
    ended = await cli("profiles", "get", "x")
    assert "gone" in ended.err
    assert "\x1b" not in ended.err
    assert "\x9b" not in ended.err


async def test_no_server(cli: Cli) -> None:
    """Exit code 3: there is no usable response."""
    ended = await cli("profiles", "list", SENT_BASE_URL="http://127.0.0.1:9")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("error: ")
    assert "127.0.0.1" in ended.err


async def test_a_response_in_an_unknown_shape(fake_sent: FakeSent, cli: Cli) -> None:
    """Exit code 3 as well; the error names the place."""
    fake_sent.answer_next(200, b'{"success": true, "data": {"profiles": 1}}')
    ended = await cli("profiles", "list")
    assert ended.code == 3
    assert "$.data.profiles" in ended.err


async def test_the_key_is_asked_for_unseen(fake_sent: FakeSent, terminal: InTerminal) -> None:
    """In a terminal, typed and not shown."""
    asked = terminal("profiles", "list", SENT_DM_API_KEY="")
    await asked.until("Sent API key:")
    asked.type(f"{fake_sent.api_key}\n")
    assert await asked.end() == 0
    assert "Marketing Team" in asked.seen
    assert fake_sent.api_key not in asked.seen


async def test_a_refused_prompt_ends_the_command(terminal: InTerminal) -> None:
    """The end of input instead of a key."""
    asked = terminal("profiles", "list", SENT_DM_API_KEY="")
    await asked.until("Sent API key:")
    asked.type("\x04")
    assert await asked.end() == 130


@pytest.mark.parametrize(("reply", "code", "left"), [("n\n", 130, 1), ("\x04", 130, 1), ("y\n", 0, 0)])
async def test_a_deletion_is_asked_about(
    fake_sent: FakeSent, terminal: InTerminal, reply: str, code: int, left: int
) -> None:
    """In a terminal, unless ``--yes`` is given. Neither no nor the end of input deletes anything."""
    asked = terminal("templates", "delete", next(iter(fake_sent.templates)))
    await asked.until("[y/N]")
    asked.type(reply)
    assert (await asked.end(), len(fake_sent.templates)) == (code, left)


async def test_progress_is_shown_in_a_terminal(fake_sent: FakeSent, terminal: InTerminal) -> None:
    """A bar on stderr while lines go elsewhere."""
    ids = [fake_sent.add_profile(name=f"Branch {number}").id for number in range(300)]
    shown = terminal("profiles", "retrieve-many", *ids, "--json", stdout=subprocess.DEVNULL)
    assert await shown.end() == 0
    assert "300/300" in shown.seen


async def test_an_interruption_has_an_exit_code_of_its_own(fake_sent: FakeSent, start: StartCli) -> None:
    """Ctrl-C during a request: no traceback."""
    met = asyncio.Event()

    def stall(_: RecordedRequest) -> Delay:
        met.set()
        return Delay(seconds=60)

    fake_sent.fault(stall)
    process = await start("profiles", "list")
    await met.wait()
    process.send_signal(signal.SIGINT)
    assert (await process.communicate(), process.returncode) == ((b"", b""), 130)


@pytest.mark.parametrize("module", ["typer", "sent_async.cli.main"])
def test_an_interruption_while_modules_load(module: str) -> None:
    """No traceback, and the exit code of interruptions."""
    on_import = f"""if True:
        import os, runpy, signal, sys
        class Interrupt:
            def find_spec(self, name, *_):
                if name == {module!r}:
                    os.kill(os.getpid(), signal.SIGINT)
        sys.meta_path.insert(0, Interrupt())
        runpy.run_module("sent_async", run_name="__main__")
    """
    ended = subprocess.run([sys.executable, "-c", on_import], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "")


async def test_retries_are_told_on_demand(fake_sent: FakeSent, cli: Cli) -> None:
    """``-v`` tells of retries, ``-vv`` of every attempt. What a server sent cannot command the terminal."""
    for option, told in (("", []), ("-v", ["attempt 1: 503"]), ("-vv", ["attempt 1: 503", "attempt 2: 200"])):
        fake_sent.fail_next(status=503, code="X\x1b[2J")
        ended = await cli(*filter(None, [option]), "profiles", "list")
        assert ended.code == 0
        lines = ended.err.splitlines()
        assert len(lines) == len(told)
        assert all(text in line for text, line in zip(told, lines, strict=True))
        assert "\x1b" not in ended.err


async def test_the_version(cli: Cli) -> None:
    """On stdout, by itself."""
    assert (await cli("--version")).out.startswith("sent-async ")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("sent-async mess", ["messages"]),
        ("sent-async contacts opt-", ["opt-in", "opt-out"]),
        ("sent-async messages wait x --until D", ["DELIVERED"]),
        ("sent-async templates list --status APP", ["APPROVED"]),
    ],
)
def test_bash_completes_commands_and_values(environment: dict[str, str], typed: str, offered: list[str]) -> None:
    """A real bash that loaded the script of ``--show-completion`` asks the program."""
    bash = shutil.which("bash")
    assert bash is not None
    program = shutil.which("sent-async", path=f"{sys.prefix}/bin")
    assert program is not None
    words = typed.split()
    code = f"""
        PATH={sys.prefix}/bin:$PATH
        eval "$(sent-async --show-completion bash)"
        COMP_WORDS=({" ".join(words)}) COMP_CWORD={len(words) - 1}
        $(complete -p sent-async | sed 's/.*-F \\([^ ]*\\) .*/\\1/') sent-async
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    ended = subprocess.run([bash, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert sorted(ended.stdout.split()) == offered


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_it_says_what_to_install(missing: str) -> None:
    """Instead of a traceback, and before anything is sent."""
    ended = subprocess.run(_without(missing), capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith("pip install 'sent-async[cli]'")


def test_another_missing_module_is_not_blamed_on_the_extra() -> None:
    """A broken installation shows as what it is."""
    ended = subprocess.run(_without("getpass"), capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in ended.stderr
    assert "getpass" in ended.stderr


def test_the_package_never_imports_it() -> None:
    """Nor what it needs."""
    code = "import sys, sent_async; print([n for n in ('typer', 'rich', 'sent_async.cli') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def _without(module: str) -> list[str]:
    """``python -m sent_async`` where a module is not installed."""
    code = f"import sys, runpy; sys.modules[{module!r}] = None; runpy.run_module('sent_async', run_name='__main__')"
    return [sys.executable, "-c", code]
