"""The committed map from the vendor's names to ours, and good suggestions for what it lacks."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codegen.document import METHODS, Node, OperationRow, SpecError, is_node, snake

Names = dict[str, str | dict[str, str]]
"""The vendor's schema name to ours: one name, or one for each direction or place."""

NAME_MAP = "openapi/names.toml"


@dataclass
class NameMap:
    """``[operations]``: our operation id to method and path. ``[schemas]``: the vendor's schema name to ours."""

    operations: dict[str, str]
    schemas: Names
    missing: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """The vendor's name to place or direction to a suggested name, for every name that was asked for in vain."""

    def find(self, name: str, direction: str, place: str) -> str | None:
        """Our name for a schema that is reached in a direction at a place (``createProfile``, ``Brand.contact``)."""
        said = self.schemas.get(name)
        return said if isinstance(said, str) or said is None else said.get(place, said.get(direction))


def read_names(path: Path) -> NameMap:
    """The map from its file."""
    content = read_toml(path)
    operations, schemas = content.get("operations", {}), content.get("schemas", {})
    for key, table in (("operations", operations), ("schemas", schemas)):
        if not is_node(table):
            raise SpecError(f"{path.name} {key}", "must be a table")
    for name, endpoint in operations.items():
        if not re.fullmatch(rf"({'|'.join(METHODS).upper()}) /\S*", str(endpoint)):
            raise SpecError(f"{path.name} operations.{name}", f"must be like 'GET /v3/things', not {endpoint!r}")
    for name, said in schemas.items():
        for target in said.values() if is_node(said) else (said,):
            if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", str(target)):
                raise SpecError(f"{path.name} schemas.{name}", f"must be a name in CamelCase, not {target!r}")
    return NameMap(operations, schemas)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file; a missing one is empty."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecError(path.name, f"cannot be read: {error}") from error


def endpoint(method: str, path: str) -> tuple[str, str]:
    """What two spellings of the same endpoint have in common: names of path parameters do not count."""
    return method.upper(), re.sub(r"\{[^}]*\}", "{}", path).rstrip("/").lower()


def covered(names: NameMap, rows: tuple[OperationRow, ...]) -> dict[str, str]:
    """Operation id to ``GET /path`` of what the fragment is to hold: what the map says, else what it holds now."""
    return names.operations or {row.name: f"{row.method} {row.path}" for row in rows}


def clean(name: str) -> str:
    """A class name without namespace: the last words of ``SentDmServicesCommonContractsPOCOsTemplateDefinition``."""
    for prefix in ("POCOs", "Contracts", "Models", "DTOs", "Dtos", "Responses", "Requests", "CustomerAPIv3", "Common"):
        if prefix in name[:-1] and name.rpartition(prefix)[2][:1].isupper():
            name = name.rpartition(prefix)[2]
    name = re.sub(r"(Dto|DTO|Model|Response|Request)$", "", name) or name
    name = re.sub(r"\W", "", name)
    return name[:1].upper() + name[1:]


def camel(wire: str) -> str:
    """A wire name as a part of a class name."""
    return "".join(word[:1].upper() + word[1:] for word in snake(wire).split("_"))


def singular(name: str) -> str:
    """The name of one of them."""
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us")) else name


def unused(name: str, direction: str, taken: set[str]) -> str:
    """A name like this one that nothing else has."""
    tail = "Data" if direction == "request" else "Detail"
    tries = [name, f"{name}{tail}", *(f"{name}{tail}{number}" for number in range(2, 100))]
    return next(attempt for attempt in tries if attempt not in taken)


def missing_message(names: NameMap, file: str) -> str:
    """What to paste into the map, one line a schema."""
    lines: list[str] = []
    for name, wanted in sorted(names.missing.items()):
        said = names.schemas.get(name)
        known: Node = dict(said) if is_node(said) else {}
        entries = {**known, **wanted}
        if len(set(entries.values())) == 1:
            value = repr_toml(next(iter(entries.values())))
        else:
            value = f"{{ {', '.join(f'{toml_key(key)} = {repr_toml(target)}' for key, target in entries.items())} }}"
        verb = "  # replaces the line that is there" if said is not None else ""
        lines.append(f"{toml_key(name)} = {value}{verb}")
    return f"{len(lines)} schemas need a name; put under [schemas] in {file}, or better names:\n" + "\n".join(lines)


def toml_key(key: str) -> str:
    """A key as TOML writes it."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else repr_toml(key)


def repr_toml(value: str) -> str:
    """A string as TOML writes it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
