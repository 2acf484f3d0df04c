"""A command's access to the API: the key, the client, the exit code and the error messages."""

from __future__ import annotations

import asyncio
import enum
import getpass
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

import msgspec
import typer

from .. import SentAPIError, SentClient, SentConfigError, SentError
from .output import say, write_one


class ExitCode(enum.IntEnum):
    """How a command ended, for scripts. Of several failures the highest number counts."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_RESPONSE = 3
    INTERRUPTED = 130


Ending: TypeAlias = ExitCode | None
"""How the work of a command ended. ``None`` means ``OK``."""


def run(context: typer.Context, work: Callable[[SentClient], Awaitable[Ending]]) -> None:
    """Do the work with a client, and end the command with the right exit code."""

    async def connected(api_key: str) -> Ending:
        async with SentClient(api_key, profile_id=context.obj) as sent:
            return await work(sent)

    run_without_client(context, lambda: connected(_api_key()))


def show(context: typer.Context, call: Callable[[SentClient], Awaitable[msgspec.Struct]], *, as_json: bool) -> None:
    """Make a call, and print the object that it returns."""

    async def work(sent: SentClient) -> None:
        write_one(await call(sent), as_json=as_json)

    run(context, work)


def run_without_client(context: typer.Context, work: Callable[[], Coroutine[Any, Any, Ending]]) -> None:
    """Do the work, and end the command with the right exit code."""
    try:
        code = asyncio.run(work()) or ExitCode.OK
    except SentError as error:
        report(error)
        if error.idempotency_key and not isinstance(error, SentAPIError) and "idempotency_key" in context.params:
            say(f"next:  run it again with --idempotency-key {error.idempotency_key}, so that nothing happens twice")
        code = exit_code(error)
    except (KeyboardInterrupt, EOFError):
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as head, closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.OK
    raise typer.Exit(code)


def _api_key() -> str:
    """The API key from the environment or a hidden prompt. Other users of a machine can read a command line."""
    if key := os.environ.get("SENT_DM_API_KEY"):
        return key
    if sys.stdin.isatty() and sys.stderr.isatty():
        return getpass.getpass("Sent API key: ", stream=sys.stderr)
    raise SentConfigError("no API key: set SENT_DM_API_KEY, or run this in a terminal to be asked for it")


def confirm(question: str, *, yes: bool) -> None:
    """Ask in a terminal, and end the command unless the reply is yes. ``yes`` is a reply given beforehand."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody can be asked here; add --yes")
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise typer.Exit(ExitCode.INTERRUPTED)


def report(error: SentError, about: str = "") -> None:
    """Print on stderr what went wrong."""
    say(f"error: {about and about + ': '}{error}")


def exit_code(error: SentError) -> ExitCode:
    if isinstance(error, SentAPIError):
        return ExitCode.FAILED
    return ExitCode.USAGE if isinstance(error, SentConfigError) else ExitCode.NO_RESPONSE
