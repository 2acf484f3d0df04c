"""``sent-async templates``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import msgspec
import typer

from .. import SentClient, operations
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
    """A body whose every member the API knows: a misspelt one would be dropped without a word."""
    try:
        decode: Any = {".json": msgspec.json, ".toml": msgspec.toml}[file.suffix].decode
        data = decode(file.read_bytes())
        body = msgspec.convert(data, kind)
    except KeyError:
        raise typer.BadParameter(f"{file} is neither .json nor .toml") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}") from None
    if unknown := _unknown(data, msgspec.to_builtins(body)):
        raise typer.BadParameter(f"{file}: {unknown} is nothing that a {kind.__name__} has")
    return body


def _unknown(given: object, known: Any, path: str = "$") -> str | None:
    """The path of the first member that got lost on the way from ``given`` to ``known``."""
    steps: Iterable[tuple[str, object, Any]] = ()
    if isinstance(given, dict):
        members = cast("dict[str, object]", given)
        steps = ((f"{path}.{name}", value, known.get(name, _LOST)) for name, value in members.items())
    elif isinstance(given, list):
        items = cast("list[object]", given)
        steps = ((f"{path}[{index}]", value, known[index]) for index, value in enumerate(items))
    for place, value, kept in steps:
        unknown = place if kept is _LOST else _unknown(value, kept, place)
        if unknown is not None:
            return unknown
    return None


_LOST = object()
