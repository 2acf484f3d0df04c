"""Arguments of several commands: common options, bodies from files, pairs of name and value."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from .. import SentConfigError
from ..structs import RequestModel

T = TypeVar("T", bound=RequestModel)

Id = Annotated[str, typer.Argument(metavar="ID")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, as the API sends it.")]
Sandbox = Annotated[bool, typer.Option("--sandbox", help="Check it for real; nothing is stored or sent.")]
IdempotencyKey = Annotated[
    str | None, typer.Option(metavar="KEY", help="The key of an earlier try, so that nothing happens twice.")
]


def completes(*values: str) -> Callable[[str], list[str]]:
    """Offer these values for shell completion. Others are accepted too, because the API may know more."""

    def matching(incomplete: str) -> list[str]:
        return [value for value in values if value.startswith(incomplete)]

    return matching


def pairs(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Split each ``name=value``."""
    found: list[tuple[str, str]] = []
    for text in texts:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise typer.BadParameter(f"{text!r} is not of the form name=value")
        found.append((name, value))
    return found


def read(source: str) -> bytes:
    """The content of a file; ``-`` is stdin."""
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"cannot read {source}: {error.strerror}") from None


def read_json(data: str) -> Any:
    """JSON given as text, as ``@FILE``, or as ``-`` for stdin."""
    source = data.removeprefix("@") if data.startswith("@") else None
    text = read(source or "-") if source is not None or data == "-" else data.encode()
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"the body is not JSON: {error}") from None


def read_body(source: str, kind: type[T], *, sandbox: bool) -> T:
    """A request body in the API's own form, from a ``.json`` or ``.toml`` file, or as JSON from stdin.

    ``sandbox`` sets the member of this name.
    """
    suffix = ".json" if source == "-" else Path(source).suffix
    if suffix not in (".json", ".toml"):
        raise typer.BadParameter(f"{source} is neither .json nor .toml")
    content = read(source)
    try:
        if suffix == ".toml":
            content = msgspec.json.encode(msgspec.toml.decode(content))
        body = kind.from_json(content)
    except (msgspec.DecodeError, UnicodeDecodeError, SentConfigError) as error:
        raise typer.BadParameter(f"{source}: {error}") from None
    return msgspec.structs.replace(body, sandbox=True) if sandbox else body
