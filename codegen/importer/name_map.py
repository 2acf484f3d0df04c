"""The committed map from the vendor's operations to our methods, and names for the vendor's schemas."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from codegen.openapi.nodes import METHODS, Node, SpecError, is_node
from codegen.openapi.operations import Key, operation_key

NAME_MAP: Final = "openapi/names.toml"


@dataclass(frozen=True)
class Covered:
    """An operation that we cover: where the vendor has it, and which method it becomes."""

    method: str
    path: str
    resource: str
    call: str

    @property
    def key(self) -> Key:
        """What identifies the operation."""
        return operation_key(self.method, self.path)


@dataclass(frozen=True)
class NameMap:
    """``[operations]`` by operation id. ``[schemas]``: the vendor's name to ours, or to one for each direction."""

    operations: dict[str, Covered]
    schemas: dict[str, str | dict[str, str]]

    def class_name(self, schema: str, direction: str) -> str | None:
        """Our name for a schema, where the map has one."""
        said = self.schemas.get(schema)
        return said.get(direction) if isinstance(said, dict) else said

    @property
    def keys(self) -> dict[Key, str]:
        """Where the operations are, with their ids."""
        return {covered.key: name for name, covered in self.operations.items()}


def read_names(path: Path) -> NameMap:
    """The map from its file; a missing file is an empty map.

    Raises:
        SpecError: An entry has no sense. The message says what it should look like.
    """
    content = read_toml(path)
    operations, schemas = content.get("operations", {}), content.get("schemas", {})
    for key, table in (("operations", operations), ("schemas", schemas)):
        if not is_node(table):
            raise SpecError(f"{path.name} {key}", "must be a table")
    found = {name: _read_covered(f"{path.name} operations.{name}", entry) for name, entry in operations.items()}
    for name, said in schemas.items():
        for target in said.values() if is_node(said) else (said,):
            if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", str(target)):
                raise SpecError(f"{path.name} schemas.{name}", f"must be a name in CamelCase, not {target!r}")
    if len({covered.key for covered in found.values()}) < len(found):
        raise SpecError(f"{path.name} operations", "has two lines for one operation")
    return NameMap(found, schemas)


def _read_covered(place: str, entry: object) -> Covered:
    said: Node = entry if is_node(entry) else {}
    at = re.fullmatch(rf"({'|'.join(METHODS).upper()}) (/\S*)", str(said.get("at")))
    call = re.fullmatch(r"([a-z_]+(?:\.[a-z_]+)*)\.([a-z_]+)", str(said.get("call")))
    if at is None or call is None or said.keys() != {"at", "call"}:
        problem = f'must be like {{ at = "GET /v3/things", call = "things.list" }}, not {entry!r}'
        raise SpecError(place, problem)
    return Covered(at[1], at[2], call[1], call[2])


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file; a missing one is empty."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecError(path.name, f"cannot be read: {error}") from error
