"""Values that fit a schema of the fragment: what a server would send, all members or only the required ones."""

from __future__ import annotations

from typing import Any, Final

from codegen.document import SCHEMAS, Node, OperationRow, is_list, is_node, split_null

STAMP: Final = "2026-03-31T15:21:52.1661009+00:00"
_SCALARS: Final[Node] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}


def value(schema: Node, schemas: Node, *, full: bool = True, above: tuple[str, ...] = ()) -> Any:
    """A value for a schema. ``full=False`` leaves out what may be left out. A class within itself is left empty."""
    core, _ = split_null("sample", schema) if schema.get("type") != "null" else (schema, True)
    if isinstance(ref := core.get("$ref"), str):
        name = ref.removeprefix(SCHEMAS)
        target: Node = schemas[name]
        if "enum" in target:
            return target["enum"][0]
        inside = (*above, name)
        return {
            key: value(member, schemas, full=full, above=inside)
            for key, member in target["properties"].items()
            if key in target.get("required", ()) or (full and not _names(member) & set(inside))
        }
    types: Any = core["type"]
    kind: str = types[0] if is_list(types) else types
    if kind == "array":
        return [value(core["items"], schemas, full=full, above=above)]
    if kind == "object":
        return {"key": value(core["additionalProperties"], schemas, full=full, above=above)}
    return STAMP if core.get("format") == "date-time" else _SCALARS[kind]


def data(row: OperationRow, schemas: Node, *, full: bool = True) -> Any:
    """What an operation's envelope holds."""
    if row.data is None:
        return None
    one = value({"$ref": SCHEMAS + row.data}, schemas, full=full)
    return [one] if row.data_is_list else one


def item_class(row: OperationRow, schemas: Node) -> str | None:
    """The class that a list operation lists: of the data itself, or of its one list of objects."""
    if row.data is None or row.data_is_list:
        return row.data
    lists: list[str] = []
    for member in schemas[row.data].get("properties", {}).values():
        core, _ = split_null("sample", member)
        if core.get("type") == "array" and "$ref" in core["items"]:
            lists.append(str(core["items"]["$ref"]).removeprefix(SCHEMAS))
    return lists[0] if len(lists) == 1 else None


def _names(schema: object) -> set[str]:
    """Components that a member refers to itself."""
    if is_node(schema):
        own = {str(schema["$ref"]).removeprefix(SCHEMAS)} if "$ref" in schema else set[str]()
        return own.union(*(_names(inner) for inner in schema.values()))
    return set[str]().union(*(_names(inner) for inner in schema)) if is_list(schema) else set()
