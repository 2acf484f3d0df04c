"""Tables, printed page by page. In a narrow terminal columns are left out, and no text is cut."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import typer

from .. import SentClient, SentError
from .output import LEAST, readable, say, write, write_json
from .session import run

if TYPE_CHECKING:
    from .. import Paginator

_GAP: Final = 2


def show_list(
    context: typer.Context, call: Callable[[SentClient], Paginator[Any]], columns: Sequence[str], *, as_json: bool
) -> None:
    """Make a call, and print a row or a JSON line for each item of its list, page after page.

    Args:
        context: That of the command.
        call: Gives the list.
        columns: Members to show, the most important first.
        as_json: Whether to print JSON lines instead of a table.
    """
    run(context, lambda sent: _write_list(call(sent), columns, as_json=as_json))


async def _write_list(found: Paginator[Any], columns: Sequence[str], *, as_json: bool) -> None:
    table = Table(columns)
    count, total = 0, None
    try:
        async for page in found.pages():
            if as_json:
                for item in page:
                    write_json(item)
            else:
                table.write(page)
            count += len(page)
            total = page.pagination and page.pagination.total_count
    except (SentError, asyncio.CancelledError):
        if count:
            say(f"stopped after {count:,}" + (f" of {total:,}" if total is not None else ""))
        raise
    finally:
        table.end()
    if not count:
        say("nothing found")


class Table:
    """Rows below one header. The first rows decide which columns fit, and how wide they are."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._widths: dict[str, int] = {}
        self._terminal = sys.stdout.isatty()

    def write(self, items: Sequence[msgspec.Struct]) -> None:
        """Print a row for each item."""
        from rich.console import Console
        from rich.table import Table as RichTable
        from rich.text import Text

        rows = [
            {name: Text(readable(getattr(item, name)).replace("\n", " ")) for name in self._columns} for item in items
        ]
        header = not self._widths
        if header:
            room = shutil.get_terminal_size().columns if self._terminal else None
            natural = {name: max([len(name), *(row[name].cell_len for row in rows)]) for name in self._columns}
            self._widths = fit(natural, room)
        table = RichTable(box=None, header_style="bold", pad_edge=False, show_header=header, padding=(0, _GAP, 0, 0))
        for name, width in self._widths.items():
            broken = self._terminal and not _is_id(name)
            table.add_column(name, min_width=width, max_width=width if broken else None, overflow="fold")
        for row in rows:
            table.add_row(*(row[name] for name in self._widths))
        # Wide enough for rich to break nothing by itself. Without a height it takes TERM=dumb for 80 columns.
        console = Console(width=100_000, height=100, force_terminal=self._terminal)
        with console.capture() as printed:
            console.print(table)
        write("\n".join(line.rstrip() for line in printed.get().splitlines()))

    def end(self) -> None:
        """Print which columns did not fit."""
        if self._widths and (left_out := [name for name in self._columns if name not in self._widths]):
            say(f"not shown: {', '.join(left_out)}; a wider terminal or --json has them")


def fit(natural: dict[str, int], room: int | None) -> dict[str, int]:
    """The columns that fit, with their widths.

    Texts become narrower first, down to ``LEAST``; then columns are left out. The first column always stays.

    Args:
        natural: For each column, the most important first, the width of its widest cell.
        room: The width of the terminal; ``None`` for as much as it takes.
    """
    if room is None:
        return natural
    widths: dict[str, int] = {}
    left = room + _GAP
    for name, width in natural.items():
        least = width if _is_id(name) else min(width, LEAST)
        if not widths or least + _GAP <= left:
            widths[name] = least
            left -= least + _GAP
    for name, width in widths.items():
        more = min(natural[name] - width, max(left, 0))
        widths[name] += more
        left -= more
    return widths


def _is_id(name: str) -> bool:
    return name == "id" or name.endswith("_id")
