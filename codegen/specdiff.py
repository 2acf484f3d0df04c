"""What a change of the API description does to callers, row by row, by direction.

The normalised documents are compared: there requests, answers and enums are apart already, and a member's schema says
what its Python type is. What is harmless in an answer (a new member) is not in a request, and the other way round.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from codegen.document import SCHEMAS, Node, OperationRow, nodes, reachable, read_operations
from codegen.members import member_rows, python_type
from codegen.normalise import normalise
from codegen.operationdiff import operation_rows
from codegen.row import ATTRIBUTE, BREAKS, MAJOR, MINOR, NOTHING, PATCH, Row

_DIRECTIONS: Final = {"enums": "enum", "requests": "request", "responses": "response"}


@dataclass(frozen=True)
class Report:
    """Every row, the operations first, and what they come to."""

    rows: tuple[Row, ...]

    @property
    def bump(self) -> str:
        """The version bump that the worst row asks for: major, minor, patch or none."""
        found = {row.bump for row in self.rows}
        return next((bump for bump in (MAJOR, MINOR, PATCH) if bump in found), "none")

    @property
    def is_breaking(self) -> bool:
        """Whether code that works today may stop to."""
        return self.bump == MAJOR


def compare(old: Node, new: Node) -> Report:
    """The report on two checked fragments. The same two give the same rows in the same order."""
    before, after = read_operations(old), read_operations(new)
    old_schemas, new_schemas = _schemas(old, before), _schemas(new, after)
    renamed = dict(_renamed(old_schemas, new_schemas))
    plain = {old_name.split(".")[1]: new_name.split(".")[1] for old_name, new_name in renamed.items()}
    rows = list(operation_rows(old, new, before, after, plain))
    users = {**_users(old, before), **_users(new, after)}
    for row in _schema_rows(old_schemas, new_schemas, renamed):
        rows.append(replace(row, operations=users.get(row.place.split(".")[0], ())))
    return Report(tuple(rows))


def _schemas(document: Node, rows: tuple[OperationRow, ...]) -> Node:
    schemas: Node = normalise(document, rows)["components"]["schemas"]
    # The names of an enum's members and the catalogue's statuses are on the fragment's own schema.
    for name, schema in schemas.items():
        own: Node = document["components"]["schemas"][name.split(".")[1]]
        schema.update({key: own[key] for key in ("x-http-status", "deprecated") if key in own})
    return schemas


def _users(document: Node, rows: tuple[OperationRow, ...]) -> dict[str, tuple[str, ...]]:
    """Component to the operations that send or receive it."""
    schemas: Node = document["components"]["schemas"]
    found: dict[str, list[str]] = {}
    for row in rows:
        for name in sorted(reachable(schemas, {name for name in (row.body, row.data) if name})):
            found.setdefault(name, []).append(row.name)
    return {name: tuple(users) for name, users in found.items()}


def _renamed(old: Node, new: Node) -> Iterator[tuple[str, str]]:
    """Schemas that went away while one with the same content came, in the same module; names in it may differ too."""
    gone = [name for name in old if name not in new]
    come = [name for name in new if name not in old]
    for name in gone:
        twins = [
            other
            for other in come
            if other.split(".")[0] == name.split(".")[0] and _content(old[name]) == _content(new[other])
        ]
        if len(twins) == 1 and sum(_content(old[g]) == _content(old[name]) for g in gone) == 1:
            come.remove(twins[0])
            yield name, twins[0]


def _content(schema: Node) -> object:
    if "enum" in schema:
        return sorted(schema["enum"])
    members = schema["properties"].items()
    return sorted((key, python_type(_without_names(value)), key in schema["required"]) for key, value in members)


def _without_names(value: Node) -> Node:
    """A member that does not say which class it refers to: twins may hold one another under new names."""
    written = copy.deepcopy(value)
    for node in nodes(written):
        if "$ref" in node:
            node["$ref"] = "any"
    return written


def _schema_rows(old: Node, new: Node, renamed: dict[str, str]) -> Iterator[Row]:
    targets = {SCHEMAS + name: SCHEMAS + other for name, other in renamed.items()}
    for name in sorted({*old, *(n for n in new if n not in renamed.values())}, key=lambda n: (n.split(".")[1], n)):
        module, plain = name.split(".")
        direction = _DIRECTIONS[module]
        if name in renamed:
            other = renamed[name].split(".")[1]
            yield Row(plain, direction, "changed", f"renamed to {other}", BREAKS, MAJOR)
        elif name not in old:
            kind = "enum" if module == "enums" else "class"
            yield Row(plain, direction, "added", f"new {kind}", NOTHING, MINOR)
        elif name not in new:
            yield Row(plain, direction, "removed", "is gone", BREAKS, MAJOR)
        if name in old and (target := renamed.get(name, name)) in new:
            before = _with_targets(old[name], targets)
            rows = (
                _enum_rows(plain, before, new[target])
                if module == "enums"
                else member_rows(plain, direction, before, new[target])
            )
            yield from _whole_rows(plain, direction, before, new[target])
            yield from rows


def _with_targets(schema: Node, targets: dict[str, str]) -> Node:
    """A schema with renamed ones under their new names, so that a rename is one row and not fifty."""
    written = copy.deepcopy(schema)
    for node in nodes(written):
        if isinstance(ref := node.get("$ref"), str):
            node["$ref"] = targets.get(ref, ref)
    return written


def _whole_rows(name: str, direction: str, old: Node, new: Node) -> Iterator[Row]:
    if new.get("deprecated") and not old.get("deprecated"):
        yield Row(name, direction, "deprecated", "works, and says so", NOTHING, PATCH)
    elif old.get("description") != new.get("description"):
        yield Row(name, direction, "changed", "described anew", NOTHING, PATCH)


def _enum_rows(name: str, old: Node, new: Node) -> Iterator[Row]:
    before, after = _varnames(old), _varnames(new)
    for value in [*before, *(value for value in after if value not in before)]:
        place = f"{name}.{value}"
        if value not in after:
            text = "value removed; still decodes, but the member is gone"
            yield Row(place, "enum", "removed", text, BREAKS, MAJOR)
        elif value not in before:
            text = "new value; decodes already, as an open enum does"
            yield Row(place, "enum", "added", text, ATTRIBUTE, MINOR)
        elif before[value] != after[value]:
            yield Row(place, "enum", "changed", f"{before[value]} is now {after[value]}", BREAKS, MAJOR)
        elif old.get("x-http-status", {}).get(value) != new.get("x-http-status", {}).get(value):
            yield Row(place, "enum", "changed", "another HTTP status", NOTHING, PATCH)


def _varnames(schema: Node) -> dict[str, str]:
    """Value to the name of its member in Python."""
    values: list[str] = schema["enum"]
    names: list[str] = schema.get("x-enum-varnames", values)
    return dict(zip(values, names, strict=True))
