"""Rows about operations: they come and go, move, change what they take and what they give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codegen.document import Node, OperationRow, resolve, split_null
from codegen.row import ARGUMENT, BREAKS, MAJOR, MINOR, NOTHING, PATCH, TYPE, Row


@dataclass(frozen=True)
class _Parameter:
    python: str
    required: bool
    kind: str
    deprecated: bool
    text: str


def operation_rows(
    old: Node, new: Node, before: tuple[OperationRow, ...], after: tuple[OperationRow, ...], renamed: dict[str, str]
) -> Iterator[Row]:
    """Rows in the old document's order; new operations last."""
    names = {row.name: row for row in after}
    places = {(row.method, row.path): row for row in after}
    taken: set[str] = set()
    for row in before:
        now = names.get(row.name)
        if now is None and (moved := places.get((row.method, row.path))) and moved.name not in {r.name for r in before}:
            text = f"the operation is now called {moved.name}"
            yield Row(row.name, "operation", "changed", text, BREAKS, MAJOR, (row.name,))
            now = moved
        if now is None:
            text = f"{row.method} {row.path} is gone"
            yield Row(row.name, "operation", "removed", text, BREAKS, MAJOR, (row.name,))
        else:
            taken.add(now.name)
            yield from _changes(old, new, row, now, renamed)
    for row in after:
        if row.name not in taken:
            text = f"{row.method} {row.path}; needs a method of its own"
            yield Row(row.name, "operation", "added", text, NOTHING, MINOR, (row.name,))


def _changes(old: Node, new: Node, row: OperationRow, now: OperationRow, renamed: dict[str, str]) -> Iterator[Row]:
    def changed(text: str, effect: str, bump: str, change: str = "changed", place: str = now.name) -> Row:
        return Row(place, "operation", change, text, effect, bump, (now.name,))

    if (row.method, row.path) != (now.method, now.path):
        same = row.method == now.method and _template(row) == _template(now)
        text = f"{row.method} {row.path} is now {now.method} {now.path}"
        yield changed(text, NOTHING if same else BREAKS, PATCH if same else MAJOR)
    if list(row.path_parameters) != list(now.path_parameters):
        yield changed(f"the path takes {', '.join(now.path_parameters) or 'nothing'}", BREAKS, MAJOR)
    if now.deprecated and not row.deprecated:
        yield changed("works, and says so", NOTHING, MINOR, "deprecated")
    if row.deprecated and not now.deprecated:
        yield changed("no longer deprecated", NOTHING, PATCH)
    yield from _parameter_rows(now.name, _query(old, row), _query(new, now))
    yield from _body_rows(new, row, now, renamed)
    if (renamed.get(str(row.data), row.data), row.data_is_list) != (now.data, now.data_is_list):
        yield changed(f"gives {_gives(now)} instead of {_gives(row)}", TYPE, MAJOR)
    if row.success != now.success:
        yield changed(f"succeeds with {', '.join(map(str, now.success))}; any 2xx is taken", NOTHING, PATCH)
    for key in ("rate_tier", "idempotency"):
        was, is_ = getattr(row, key), getattr(now, key)
        if was != is_:
            yield changed(f"{key.replace('_', ' ')} {was} is now {is_}", NOTHING, PATCH)
    before, after = _operation(old, row).get("description"), _operation(new, now).get("description")
    if (before, row.summary) != (after, now.summary):
        yield changed("described anew", NOTHING, PATCH)


def _template(row: OperationRow) -> list[str]:
    return ["{}" if part.startswith("{") else part for part in row.path.split("/")]


def _gives(row: OperationRow) -> str:
    return f"list[{row.data}]" if row.data_is_list else str(row.data)


def _operation(document: Node, row: OperationRow) -> Node:
    item = resolve(document, row.path, document["paths"][row.path])
    operation: Node = item[row.method.lower()]
    return operation


def _query(document: Node, row: OperationRow) -> dict[str, _Parameter]:
    item = resolve(document, row.path, document["paths"][row.path])
    said: list[Node] = [*item.get("parameters", []), *_operation(document, row).get("parameters", [])]
    found = [resolve(document, row.name, parameter) for parameter in said]
    python = {wire: name for name, wire in row.query_parameters.items()}
    return {
        parameter["name"]: _Parameter(
            python=python[parameter["name"]],
            required=parameter.get("required", False),
            kind=str(split_null(row.name, parameter.get("schema", {}))[0].get("type", "any")),
            deprecated=parameter.get("deprecated", False),
            text=str(parameter.get("description", "")),
        )
        for parameter in found
        if parameter["in"] == "query"
    }


def _parameter_rows(name: str, old: dict[str, _Parameter], new: dict[str, _Parameter]) -> Iterator[Row]:
    for wire in [*old, *(wire for wire in new if wire not in old)]:

        def row(change: str, text: str, effect: str, bump: str, place: str = f"{name}.{wire}") -> Row:
            return Row(place, "operation", change, text, effect, bump, (name,))

        before, after = old.get(wire), new.get(wire)
        if after is None:
            yield row("removed", "the parameter is gone", BREAKS, MAJOR)
        elif before is None:
            effect, bump = (BREAKS, MAJOR) if after.required else (ARGUMENT, MINOR)
            yield row(
                "added",
                f"{after.kind}{', required' if after.required else ''}; needs an argument of its method",
                effect,
                bump,
            )
        else:
            if before.python != after.python:
                yield row("changed", f"{before.python} is now {after.python}", BREAKS, MAJOR)
            if before.kind != after.kind:
                yield row("changed", f"{before.kind} is now {after.kind}", TYPE, MAJOR)
            if before.required != after.required:
                effect, bump = (BREAKS, MAJOR) if after.required else (NOTHING, MINOR)
                yield row("changed", "required now" if after.required else "no longer required", effect, bump)
            if after.deprecated and not before.deprecated:
                yield row("deprecated", "works, and says so", NOTHING, PATCH)
            elif before.text != after.text:
                yield row("changed", "described anew", NOTHING, PATCH)


def _body_rows(new: Node, row: OperationRow, now: OperationRow, renamed: dict[str, str]) -> Iterator[Row]:
    if row.body == now.body or (now.body and renamed.get(str(row.body)) == now.body):
        return
    place = f"{now.name} body"
    if now.body is None:
        yield Row(place, "operation", "removed", f"no longer takes {row.body}", BREAKS, MAJOR, (now.name,))
    elif row.body is None:
        required: list[str] = new["components"]["schemas"][now.body].get("required", [])
        effect, bump = (BREAKS, MAJOR) if required else (ARGUMENT, MINOR)
        yield Row(place, "operation", "added", f"takes {now.body}", effect, bump, (now.name,))
    else:
        text = f"takes {now.body} instead of {row.body}"
        yield Row(place, "operation", "changed", text, BREAKS, MAJOR, (now.name,))
