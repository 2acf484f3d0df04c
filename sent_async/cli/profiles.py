"""``sent-async profiles``."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import SentClient, SentError
from ..models import Profile
from .output import AsJSON, ProgressBar, outcome, write_all, write_json, write_one, write_table
from .session import ExitCode, exit_code, report, run, say_next, what_next

app = typer.Typer(help="Sender profiles.", no_args_is_help=True)

COLUMNS = ("id", "name", "short_name", "status", "created_at")


@app.command("list")
def list_profiles(context: typer.Context, as_json: AsJSON = False) -> None:
    """Every profile of the organization."""

    async def work(sent: SentClient) -> None:
        await write_all(sent.profiles.list(), COLUMNS, as_json=as_json)

    run(context, work)


@app.command("get")
def get_profile(context: typer.Context, profile_id: str, as_json: AsJSON = False) -> None:
    """One profile with all it has."""

    async def work(sent: SentClient) -> None:
        write_one(await sent.profiles.retrieve(profile_id), as_json=as_json)

    run(context, work)


@app.command("retrieve-many")
def retrieve_many(
    context: typer.Context,
    profile_ids: Annotated[list[str] | None, typer.Argument(help="Ids.", show_default=False)] = None,
    source: Annotated[
        typer.FileText | None,
        typer.Option("--from", metavar="FILE", help="Read ids, one a line; - is stdin."),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests at a time.")] = 50,
    as_json: AsJSON = False,
) -> None:
    """Many profiles side by side. One that fails stops nothing: it is told on stderr, or in its JSON line."""
    ids = [*(profile_ids or ()), *(line.strip() for line in source or () if line.strip())]
    if not ids:
        raise typer.BadParameter("give ids, or --from a file that has some")

    async def work(sent: SentClient) -> ExitCode:
        return await _retrieve(sent, ids, concurrency, as_json=as_json)

    run(context, work)


async def _retrieve(sent: SentClient, ids: list[str], concurrency: int, *, as_json: bool) -> ExitCode:
    found: list[Profile] = []
    failed: dict[str, SentError] = {}
    bar = ProgressBar(as_json=as_json)
    with bar.bar:
        async for result in sent.profiles.retrieve_many(ids, concurrency=concurrency, on_progress=bar.update):
            if as_json:
                write_json(outcome(result))
            if result.error is not None:
                failed[result.key] = result.error
            elif not as_json:
                found.append(result.unwrap())
    if not as_json:
        write_table(found, COLUMNS)
        for key, error in failed.items():
            report(error, key)
    say_next({what_next(error) for error in failed.values()})
    return max((exit_code(error) for error in failed.values()), default=ExitCode.OK)
