"""The committed map from the vendor's operations to our methods, and names for the vendor's schemas."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from codegen.importer.endpoints import Key, endpoint_key
from codegen.openapi import METHODS, Node, SpecError, is_node, snake

NAME_MAP: Final = "openapi/names.toml"

_NAMESPACES: Final = (
    "POCOs",
    "Contracts",
    "Models",
    "DTOs",
    "Dtos",
    "Responses",
    "Requests",
    "CustomerAPIv3",
    "Common",
)


@dataclass(frozen=True)
class Call:
    """An operation that we cover: where the vendor has it, and which method it is."""

    method: str
    path: str
    resource: str
    name: str

    @property
    def key(self) -> Key:
        """What identifies the endpoint."""
        return endpoint_key(self.method, self.path)


@dataclass(frozen=True)
class NameMap:
    """``[operations]`` by operation id. ``[schemas]``: the vendor's name to ours, or to one for each direction."""

    operations: dict[str, Call]
    schemas: dict[str, str | dict[str, str]]

    def schema(self, name: str, direction: str) -> str | None:
        """Our name for a schema, where the map has one."""
        said = self.schemas.get(name)
        return said.get(direction) if isinstance(said, dict) else said

    @property
    def covered(self) -> dict[Key, str]:
        """Endpoint to operation id."""
        return {call.key: name for name, call in self.operations.items()}


def read_names(path: Path) -> NameMap:
    """The map from its file; a missing file is an empty map.

    Raises:
        SpecError: an entry that is none, with what it should look like.
    """
    content = read_toml(path)
    operations, schemas = content.get("operations", {}), content.get("schemas", {})
    for key, table in (("operations", operations), ("schemas", schemas)):
        if not is_node(table):
            raise SpecError(f"{path.name} {key}", "must be a table")
    found = {name: _read_call(f"{path.name} operations.{name}", entry) for name, entry in operations.items()}
    for name, said in schemas.items():
        for target in said.values() if is_node(said) else (said,):
            if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", str(target)):
                raise SpecError(f"{path.name} schemas.{name}", f"must be a name in CamelCase, not {target!r}")
    return NameMap(found, schemas)


def _read_call(place: str, entry: object) -> Call:
    said: Node = entry if is_node(entry) else {}
    endpoint = re.fullmatch(rf"({'|'.join(METHODS).upper()}) (/\S*)", str(said.get("at")))
    call = re.fullmatch(r"([a-z_]+(?:\.[a-z_]+)*)\.([a-z_]+)", str(said.get("call")))
    if endpoint is None or call is None or said.keys() != {"at", "call"}:
        problem = f'must be like {{ at = "GET /v3/things", call = "things.list" }}, not {entry!r}'
        raise SpecError(place, problem)
    return Call(endpoint[1], endpoint[2], call[1], call[2])


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file; a missing one is empty."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecError(path.name, f"cannot be read: {error}") from error


def short(name: str) -> str:
    """A name without the vendor's namespace: the end of ``SentDmServicesCommonContractsPOCOsTemplateDefinition``."""
    if name.startswith("SentDm"):
        for prefix in _NAMESPACES:
            if name.rpartition(prefix)[2][:1].isupper():
                name = name.rpartition(prefix)[2]
    return name


def propose(name: str, direction: str, taken: Container[str]) -> str:
    """A class name for a schema of the vendor's that nothing else has."""
    base = re.sub(r"\W", "", short(name))
    base = re.sub(r"(Dto|DTO|Model|Response|Request|Params?)$", "", base) or base
    base = base[:1].upper() + base[1:]
    other = f"{base}{'Data' if direction == 'request' else 'Detail'}"
    tries = [base, other, *(f"{other}{number}" for number in range(2, 1000))]
    return next(attempt for attempt in tries if attempt not in taken)


def camel(wire: str) -> str:
    """A wire name as a part of a class name: ``from_number`` is ``FromNumber``."""
    return "".join(word[:1].upper() + word[1:] for word in snake(wire).split("_"))


def singular(name: str) -> str:
    """The name of one item of a list; words that only look like a plural (``sms``, ``rcs``, ``status``) stay."""
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    return name[:-1] if re.search(r"[^acimsu]s$", name) and len(name) > 3 else name
