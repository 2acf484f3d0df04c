"""What a command prints: tables for people, one JSON object a line for pipes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, cast

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from .. import Progress as Done
from .. import Result, SentAPIError, SentError

AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, as the API sends it.")]


async def write_all(items: AsyncIterable[msgspec.Struct], columns: Sequence[str], *, as_json: bool) -> None:
    """A row or a line for each item; lines as they come."""
    if as_json:
        async for item in items:
            write_json(item)
    else:
        write_table([item async for item in items], columns)


def write_json(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def write_table(items: Sequence[msgspec.Struct], columns: Sequence[str]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name == "id")
    for item in items:
        table.add_row(*(_cell(getattr(item, name)) for name in columns))
    _console().print(table)


def write_one(item: msgspec.Struct, *, as_json: bool) -> None:
    """Every member that has a value, nested ones by their path."""
    if as_json:
        write_json(item)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for path, value in _members(item):
        table.add_row(path, _cell(value))
    _console().print(table)


def outcome(result: Result[str, Any]) -> dict[str, Any]:
    """A result of a batch as a JSON object."""
    if result.error is None:
        return {"key": result.key, "ok": True, "value": result.value}
    return {"key": result.key, "ok": False, "error": _error(result.error)}


class ProgressBar:
    """On stderr, and only where somebody can see it and it is in nobody's way."""

    def __init__(self, *, as_json: bool) -> None:
        hidden = not sys.stderr.isatty() or (as_json and sys.stdout.isatty())
        columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn()
        self.bar = Progress(
            *columns, console=Console(stderr=True), disable=hidden, transient=True, redirect_stdout=False
        )
        self._task = self.bar.add_task("", rate="", total=None)

    def update(self, done: Done) -> None:
        self.bar.update(self._task, completed=done.done, total=done.total, rate=f"{done.rate:,.0f}/s")


def _console() -> Console:
    # Into a file or a pipe, lines stay whole.
    return Console() if sys.stdout.isatty() else Console(width=10_000, soft_wrap=True)


def _members(item: msgspec.Struct, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name in item.__struct_fields__:
        value = getattr(item, name)
        if isinstance(value, msgspec.Struct):
            yield from _members(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value


def _cell(value: object) -> Text:
    """Plain text: nothing that a name holds is read as markup, or reaches the terminal as a command."""
    if value is None:
        text = ""
    elif isinstance(value, datetime):
        text = f"{value:%Y-%m-%d %H:%M}"
    elif isinstance(value, list):
        text = ", ".join(str(part) for part in cast("list[object]", value))
    else:
        text = str(value)
    return Text("".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text))


def _error(error: SentError) -> dict[str, Any]:
    api = error if isinstance(error, SentAPIError) else None
    return {
        "type": type(error).__name__,
        "status": api and api.status,
        "code": api and api.code,
        "message": str(error.args[0]),
        "request_id": error.request_id,
    }
