"""``sent-async profiles``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from .. import SentClient, SentError
from ..models import Profile
from .arguments import AsJSON, Id
from .output import outcome, progress_bar, say, write_json
from .session import ExitCode, exit_code, report, run, show
from .table import Table, show_list

app = typer.Typer(help="Sender profiles.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = ("id", "name", "status", "short_name", "created_at")


@app.command("list")
def list_profiles(context: typer.Context, as_json: AsJSON = False) -> None:
    """List the profiles of the organization."""
    show_list(context, lambda sent: sent.profiles.list(), COLUMNS, as_json=as_json)


@app.command("get")
def get_profile(context: typer.Context, profile_id: Id, as_json: AsJSON = False) -> None:
    """Show one profile."""
    show(context, lambda sent: sent.profiles.retrieve(profile_id), as_json=as_json)


@app.command("retrieve-many")
def retrieve_many(
    context: typer.Context,
    profile_ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids.", show_default=False)] = None,
    source: Annotated[
        typer.FileText | None,
        typer.Option("--from", metavar="FILE", help="Read ids, one a line; - is stdin."),
    ] = None,
    concurrency: Annotated[int, typer.Option(metavar="N", min=1, help="Requests at a time.")] = 50,
    as_json: AsJSON = False,
) -> None:
    """Show many profiles, requested at once.

    One that fails stops nothing: stderr says so, or its JSON line.
    """
    ids = [*(profile_ids or ()), *(line.strip() for line in source or () if line.strip())]
    if not ids:
        raise typer.BadParameter("give ids, or --from a file that has some")

    async def work(sent: SentClient) -> ExitCode:
        return await _retrieve(sent, ids, concurrency, as_json=as_json)

    run(context, work)


async def _retrieve(sent: SentClient, ids: list[str], concurrency: int, *, as_json: bool) -> ExitCode:
    found: list[Profile] = []
    failed: dict[str, SentError] = {}
    bar, update = progress_bar(as_json=as_json)
    try:
        with bar:
            async for result in sent.profiles.retrieve_many(ids, concurrency=concurrency, on_progress=update):
                if as_json:
                    write_json(outcome(result))
                if result.error is not None:
                    failed[result.key] = result.error
                else:
                    found.append(result.unwrap())
    except asyncio.CancelledError:
        say(f"stopped after {len(found) + len(failed):,} of {len(ids):,}")
        raise
    finally:
        if not as_json and found:
            table = Table(COLUMNS)
            table.write(found)
            table.end()
        for key, error in failed.items():
            if not as_json:
                report(error, key)
    return max((exit_code(error) for error in failed.values()), default=ExitCode.OK)
