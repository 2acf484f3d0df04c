"""From a command to the API and back: the key, the client, and what is said when it does not work."""

from __future__ import annotations

import asyncio
import enum
import getpass
import os
import sys
from collections.abc import Awaitable, Callable

import typer

from .. import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ErrorCode,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    SentAPIError,
    SentClient,
    SentConfigError,
    SentConnectionError,
    SentDecodeError,
    SentError,
    ServerError,
    UnprocessableEntityError,
)


class ExitCode(enum.IntEnum):
    """How a command ended, for scripts. Of several failures the highest number counts."""

    OK = 0
    API_ERROR = 1
    USAGE = 2
    NO_ANSWER = 3
    INTERRUPTED = 130


_REUSED = "use another idempotency key: this one belongs to another request"
_IN_REVIEW = "wait until the review has ended; only the name can be changed meanwhile"
_NEXT: tuple[tuple[type[SentError], str], ...] = (
    (AuthenticationError, "check SENT_DM_API_KEY: the key is missing, unknown or revoked"),
    (PermissionDeniedError, "use the organization key of an admin; --profile-id needs one as well"),
    (NotFoundError, "check the id; 'sent-async profiles list' and 'templates list' show what this key can see"),
    (ConflictError, "see what the message names, then run it again"),
    (BadRequestError, "change what is named above"),
    (UnprocessableEntityError, "change what is named above"),
    (RateLimitError, "wait a minute, then run it again"),
    (ServerError, "run it again later; if it stays, give the request id to Sent's support"),
    (SentConnectionError, "check the network and SENT_BASE_URL, then run it again"),
    (SentDecodeError, "upgrade sent-async: the API may have changed since this version"),
)


def run(context: typer.Context, work: Callable[[SentClient], Awaitable[ExitCode | None]]) -> None:
    """Do the work with a client, and leave the command with the right exit code."""
    try:
        code = asyncio.run(_connected(work, _api_key(), context.obj)) or ExitCode.OK
    except SentError as error:
        report(error)
        say_next({what_next(error)})
        code = exit_code(error)
    except (KeyboardInterrupt, EOFError):
        code = ExitCode.INTERRUPTED
    raise typer.Exit(code)


async def _connected(
    work: Callable[[SentClient], Awaitable[ExitCode | None]], api_key: str, profile_id: str | None
) -> ExitCode | None:
    async with SentClient(api_key, profile_id=profile_id) as sent:
        return await work(sent)


def _api_key() -> str:
    """From the environment or typed in unseen; never from the command line, which other users of a machine can read."""
    if key := os.environ.get("SENT_DM_API_KEY"):
        return key
    if sys.stdin.isatty() and sys.stderr.isatty():
        return getpass.getpass("Sent API key: ", stream=sys.stderr)
    raise SentConfigError("no API key: set SENT_DM_API_KEY, or run this in a terminal to be asked for it")


def exit_code(error: SentError) -> ExitCode:
    if isinstance(error, SentAPIError):
        return ExitCode.API_ERROR
    return ExitCode.USAGE if isinstance(error, SentConfigError) else ExitCode.NO_ANSWER


def report(error: SentError, about: str = "") -> None:
    """What happened, on stderr: the message with its request id, and the members it is about."""
    typer.echo(typer.style("error:", fg="red", bold=True) + f" {about and about + ': '}{error}", err=True)
    if isinstance(error, SentAPIError):
        for member, complaints in error.details.items():
            typer.echo(f"  {member}: {'; '.join(complaints)}", err=True)


def what_next(error: SentError) -> str:
    """What to do about it; empty where the message says so itself."""
    advice = next((text for kind, text in _NEXT if isinstance(error, kind)), "")
    if isinstance(error, SentAPIError):
        advice = {
            ErrorCode.IDEMPOTENCY_KEY_REUSED: _REUSED,
            ErrorCode.TEMPLATE_IN_REVIEW: _IN_REVIEW,
        }.get(ErrorCode(error.code or ""), advice)
    elif error.idempotency_key:
        advice += f" with --idempotency-key {error.idempotency_key}, so that nothing happens twice"
    return advice


def say_next(advice: set[str]) -> None:
    for text in sorted(advice - {""}):
        typer.echo(typer.style("next:", bold=True) + f"  {text}", err=True)
