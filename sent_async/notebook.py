"""Models and pages as HTML tables, for notebooks. Imported when a notebook asks for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final, cast

from .pagination import Page, summary_of

if TYPE_CHECKING:
    from .structs import Model

_MOST_ROWS: Final = 100
_MOST_COLUMNS: Final = 12
_LONGEST_CELL: Final = 80


def members_table(model: Model) -> str:
    """One row for each member that has a value. Secrets are masked."""
    rows = [(name, _text(value)) for name, value in model.__rich_repr__()]
    return _table(type(model).__name__, ("member", "value"), rows)


def page_table(page: Page[Any]) -> str:
    """One row for each item, and one column for each member that has a value in any of them. Secrets are masked."""
    items = page[:_MOST_ROWS]
    members = [_members(item) for item in items]
    columns = list(dict.fromkeys(name for row in members for name in row))
    notes = [summary_of(page)]
    if len(page) > len(items):
        notes.append(f"the first {len(items)} are shown")
    if len(columns) > _MOST_COLUMNS:
        notes.append(f"{len(columns) - _MOST_COLUMNS} more members: {', '.join(columns[_MOST_COLUMNS:])}")
    columns = columns[:_MOST_COLUMNS]
    rows = [[_text(row[name]) if name in row else "" for name in columns] for row in members]
    return _table("; ".join(notes), columns, rows)


def _members(item: Any) -> dict[str, Any]:
    return dict(item.__rich_repr__()) if hasattr(item, "__rich_repr__") else {"value": item}


def _text(value: object) -> str:
    match value:
        case str():
            text = value
        case datetime():
            text = value.isoformat(sep=" ", timespec="seconds")
        case list():
            text = ", ".join(_text(item) for item in cast("list[object]", value))
        case _:
            text = repr(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
