"""``sent-async templates``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer

from .. import SentClient, SentError, operations
from ..models import TemplateCreate, TemplateUpdate
from ..structs import RequestModel
from .output import AsJSON, write_all, write_one
from .session import ExitCode, run

T = TypeVar("T", bound=RequestModel)

app = typer.Typer(help="Message templates.", no_args_is_help=True)

COLUMNS = ("id", "name", "category", "language", "status", "channels", "created_at")

Key = Annotated[
    str | None, typer.Option(metavar="KEY", help="The key of an earlier try, so that nothing happens twice.")
]


@app.command("list")
def list_templates(
    context: typer.Context,
    status: Annotated[str | None, typer.Option(help="APPROVED, PENDING, REJECTED, ...")] = None,
    category: Annotated[str | None, typer.Option(help="MARKETING, UTILITY or AUTHENTICATION.")] = None,
    search: Annotated[str | None, typer.Option(help="Words to look for.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Every template, page after page."""

    async def work(sent: SentClient) -> None:
        found = sent.templates.list(status=status, category=category, search=search)
        await write_all(found, COLUMNS, as_json=as_json)

    run(context, work)


@app.command("get")
def get_template(context: typer.Context, template_id: str, as_json: AsJSON = False) -> None:
    """One template with all the API gives back: its definition is not among it."""

    async def work(sent: SentClient) -> None:
        write_one(await sent.templates.retrieve(template_id), as_json=as_json)

    run(context, work)


@app.command("push")
def push_template(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A request body as .json or .toml.")],
    template_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="Update this one.")] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Check it for real, store nothing.")] = False,
    idempotency_key: Key = None,
    as_json: AsJSON = False,
) -> None:
    """Create a template from a file, or update one with --id.

    The file holds what the API takes: definition, category, language, submit_for_review. With --id it may hold a name.
    """
    if template_id is None:
        body: RequestModel = _read(file, TemplateCreate)
    else:
        body = _read(file, TemplateUpdate)
    if sandbox:
        body = msgspec.structs.replace(body, sandbox=True)

    async def work(sent: SentClient) -> None:
        if template_id is None:
            answer = await sent.send(operations.CREATE_TEMPLATE, body=body, idempotency_key=idempotency_key)
        else:
            answer = await sent.send(
                operations.UPDATE_TEMPLATE, template_id=template_id, body=body, idempotency_key=idempotency_key
            )
        write_one(answer.data, as_json=as_json)

    run(context, work)


@app.command("delete")
def delete_template(
    context: typer.Context,
    template_id: str,
    from_meta: Annotated[bool, typer.Option("--from-meta", help="Delete it at WhatsApp (Meta) too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a template."""
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("nobody can be asked here; say --yes")
        if not typer.confirm(f"Delete template {template_id}?", err=True):
            raise typer.Exit(ExitCode.INTERRUPTED)

    async def work(sent: SentClient) -> None:
        await sent.templates.delete(template_id, delete_from_meta=from_meta)
        typer.echo(f"deleted {template_id}")

    run(context, work)


def _read(file: Path, kind: type[T]) -> T:
    """The body in a file."""
    try:
        content = file.read_bytes()
        if file.suffix == ".toml":
            content = msgspec.json.encode(msgspec.toml.decode(content))
        elif file.suffix != ".json":
            raise typer.BadParameter(f"{file} is neither .json nor .toml")
        return kind.from_json(content)
    except (msgspec.DecodeError, UnicodeDecodeError, SentError) as error:
        raise typer.BadParameter(f"{file}: {error}") from None
