"""The output of a command: one object for people, JSON for pipes, notes on stderr. Tables are in ``table``."""

from __future__ import annotations

import logging
import shutil
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import typer

from .. import Progress as Done
from .. import Result, SentAPIError, SentError

if TYPE_CHECKING:
    from rich.progress import Progress

_wrap = partial(textwrap.wrap, break_long_words=False, break_on_hyphens=False)  # ids stay whole
_ID: Final = 36
"""The width of an id."""
LEAST: Final = 20
"""The smallest width of a column of text. Longer texts wrap."""
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def write(text: str) -> None:
    """Print on stdout and flush. A character that the terminal cannot show is replaced."""
    _write(text.encode(sys.stdout.encoding, errors="replace"))


def write_json(value: object, *, pretty: bool = False) -> None:
    """Print on stdout as JSON, which is UTF-8 everywhere: on one line, or for reading."""
    encoded = msgspec.json.encode(value)
    _write(msgspec.json.format(encoded, indent=2) if pretty else encoded)


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """Print a note on stderr, so that pipes get only the data."""
    typer.echo(clean(text), err=True)


class _Notes(logging.Handler):
    """Prints records as notes. They may hold what a server sent."""

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))


def show_log(verbosity: int) -> None:
    """Print the log of the package on stderr: warnings; with 1, retries and waits too; with 2, every attempt too."""
    logger = logging.getLogger("sent_async")
    logger.addHandler(_Notes())
    logger.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbosity, 2)])


def write_one(item: msgspec.Struct, *, as_json: bool) -> None:
    """Every member that has a value, nested ones by their path.

    In a terminal, long values go on below, and so do values that do not fit beside a long path.
    """
    if as_json:
        write_json(item)
        return
    members = list(_members(item))
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    width = max(len(path) for path, _ in members) + 2
    if columns is not None:
        width = min(width, max(columns - _ID, LEAST))
    for path, value in members:
        lines = value.split("\n")
        head = f"{path:<{width - 2}}  "
        if columns is not None:
            lines = [part for line in lines for part in _wrap(line, max(columns - width, LEAST)) or [""]]
            if len(head) > width and len(head) + len(value) > columns:
                head = f"{path}\n{'':{width}}"
        write(head + f"\n{'':{width}}".join(lines))


def outcome(result: Result[str, Any]) -> dict[str, Any]:
    """A result of a batch as a JSON object."""
    if result.error is None:
        return {"key": result.key, "ok": True, "value": result.value}
    return {"key": result.key, "ok": False, "error": _error(result.error)}


def progress_bar(*, as_json: bool) -> tuple[Progress, Any]:
    """A progress bar on stderr, only in a terminal, and the function to call with the progress."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    hidden = not sys.stderr.isatty() or (as_json and sys.stdout.isatty())
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn()
    bar = Progress(*columns, console=Console(stderr=True), disable=hidden, transient=True, redirect_stdout=False)
    task = bar.add_task("", rate="", total=None)

    def update(done: Done) -> None:
        bar.update(task, completed=done.done, total=done.total, rate=f"{done.rate:,.0f}/s")

    return bar, update


def readable(value: object) -> str:
    """A member's value for people. Times are UTC."""
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case datetime():
            text = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        case list():
            text = ", ".join(str(part) for part in cast("list[object]", value))
        case dict():
            text = msgspec.json.encode(value).decode()
        case _:
            text = str(value)
    return clean(text)


def clean(text: str) -> str:
    """Remove control characters, so that data such as a name cannot control the terminal."""
    return "".join(map(_harmless, text))


def _harmless(character: str) -> str:
    if character.isprintable() or character in _JOINERS or character == "\n":
        return character
    return " " if character.isspace() else "\N{REPLACEMENT CHARACTER}"


def _members(item: msgspec.Struct, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name in item.__struct_fields__:
        path, value = prefix + name, getattr(item, name)
        parts = cast("list[object]", value) if isinstance(value, list) else []
        if isinstance(value, msgspec.Struct):
            yield from _members(value, f"{path}.")
        elif parts and isinstance(parts[0], msgspec.Struct):
            for index, part in enumerate(cast("list[msgspec.Struct]", parts)):
                inner = list(_members(part))
                if any("." in name or "[" in name for name, _ in inner):
                    yield from ((f"{path}[{index}].{name}", text) for name, text in inner)
                else:  # short enough for one line
                    yield f"{path}[{index}]", ", ".join(f"{name} {text}" for name, text in inner)
        elif value is not None:
            yield path, readable(cast("object", value))


def _error(error: SentError) -> dict[str, Any]:
    api = error if isinstance(error, SentAPIError) else None
    return {
        "type": type(error).__name__,
        "status": api and api.status,
        "code": api and api.code,
        "message": str(error.args[0]),
        "request_id": error.request_id,
    }
