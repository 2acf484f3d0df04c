"""Rows about the members of one object, which read differently for what is sent and for what is received."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from codegen.document import SCHEMAS, Node, is_list, is_node
from codegen.row import ARGUMENT, ATTRIBUTE, BREAKS, MAJOR, MINOR, NOTHING, PATCH, TYPE, Row
from codegen.shapes import LIMITS

_SCALARS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_ENUMS: Final = SCHEMAS + "enums."
# A larger number under one of these lets more through.
_CEILINGS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_FLOORS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")


def python_type(value: Node) -> str:
    """The type of a normalised member as a caller reads it."""
    if value.get("nullable"):
        return f"{python_type({k: v for k, v in value.items() if k != 'nullable'})} | None"
    if is_list(branches := value.get("anyOf")):
        return " | ".join(python_type(branch) for branch in branches)
    if isinstance(ref := value.get("$ref"), str):
        return ref.rpartition(".")[2]
    if value.get("x-python-type", "").startswith("sent_async."):
        return str(value["x-python-type"]).rpartition(".")[2]
    if is_list(value.get("type")):
        return " | ".join(_SCALARS[name] for name in value["type"])
    if value["type"] == "array":
        return f"list[{python_type(value['items'])}]"
    if value["type"] == "object":
        return f"dict[str, {python_type(value['additionalProperties'])}]"
    return _SCALARS[value["type"]]


def member_rows(name: str, direction: str, old: Node, new: Node) -> Iterator[Row]:
    """Rows about the members, those of before first."""
    before: Node = old["properties"]
    after: Node = new["properties"]
    for key in [*before, *(key for key in after if key not in before)]:
        place = f"{name}.{key}"
        was, is_ = key in old["required"], key in new["required"]
        if key not in after:
            yield _removed(place, direction, was)
        elif key not in before:
            yield _added(place, direction, is_, python_type(after[key]))
        elif direction == "request":
            yield from _sent(place, before[key], after[key], was, is_)
        else:
            yield from _received(place, before[key], after[key], was, is_)


def _removed(place: str, direction: str, was_required: bool) -> Row:
    if direction == "request":
        return Row(place, direction, "removed", "the argument is gone", BREAKS, MAJOR)
    reads = "and older clients fail to decode without it" if was_required else "older clients read None"
    return Row(place, direction, "removed", f"the attribute is gone; {reads}", BREAKS, MAJOR)


def _added(place: str, direction: str, required: bool, kind: str) -> Row:
    if direction == "request":
        if required:
            return Row(place, direction, "added", f"{kind}, required", BREAKS, MAJOR)
        return Row(place, direction, "added", f"{kind}", ARGUMENT, MINOR)
    text = f"{kind}; a server that does not send it yet is not understood" if required else kind
    return Row(place, direction, "added", text, ATTRIBUTE, MINOR)


def _sent(place: str, old: Node, new: Node, was: bool, is_: bool) -> Iterator[Row]:
    before, after = _parts(old), _parts(new)
    if is_ and not was:
        yield Row(place, "request", "changed", "required now", BREAKS, MAJOR)
    if was and not is_:
        yield Row(place, "request", "changed", "no longer required", NOTHING, MINOR)
    if before != after:
        text = f"{python_type(old)} is now {python_type(new)}"
        wider = before < after
        yield Row(place, "request", "changed", text, NOTHING if wider else TYPE, MINOR if wider else MAJOR)
    yield from _limits(place, old, new)
    yield from _texts(place, "request", old, new)


def _received(place: str, old: Node, new: Node, was: bool, is_: bool) -> Iterator[Row]:
    before, after = _parts(old), _parts(new)
    if before != after:
        text = f"{python_type(old)} is now {python_type(new)}"
        # A narrower type, or an enum where text was (its members are text), is good wherever the old one was.
        safe = after < before or _is_enum_of(old, new)
        if safe and is_ and not was:
            text += "; a server that leaves it out is not understood"
        yield Row(place, "response", "changed", text, NOTHING if safe else TYPE, MINOR if safe else MAJOR)
    yield from _texts(place, "response", old, new)


def _parts(value: Node) -> frozenset[str]:
    """The alternatives of a type: ``str | None`` is two."""
    return (
        frozenset(python_type(value).split(" | "))
        if not _is_container(value)
        else frozenset(_split(python_type(value)))
    )


def _is_container(value: Node) -> bool:
    return any(bracket in python_type(value) for bracket in "[]")


def _split(text: str) -> list[str]:
    """``list[str | None] | None`` as its two alternatives: only the last ``| None`` is at the top."""
    return [text.removesuffix(" | None"), "None"] if text.endswith(" | None") else [text]


def _is_enum_of(old: Node, new: Node) -> bool:
    ref = _core(new).get("$ref", "")
    nulls = ("None" in _parts(new)) <= ("None" in _parts(old))
    return str(ref).startswith(_ENUMS) and _core(old).get("type") == "string" and "format" not in _core(old) and nulls


def _core(value: Node) -> Node:
    branches: list[Any] = value.get("anyOf", [value])
    return next((branch for branch in branches if is_node(branch) and branch.get("type") != "null"), value)


def _limits(place: str, old: Node, new: Node) -> Iterator[Row]:
    """The server's rules. They are not checked here, but a value that was taken yesterday may be refused."""
    before, after = _core(old), _core(new)
    for key in LIMITS:
        a, b = before.get(key), after.get(key)
        if a != b:
            looser = (
                b is None
                or (key in _CEILINGS and a is not None and b > a)
                or (key in _FLOORS and a is not None and b < a)
            )
            text = f"{key} {'none' if a is None else a} is now {'none' if b is None else b}"
            yield Row(place, "request", "changed", text, NOTHING if looser else BREAKS, PATCH if looser else MAJOR)


def _texts(place: str, direction: str, old: Node, new: Node) -> Iterator[Row]:
    before, after = str(old.get("description", "")), str(new.get("description", ""))
    if after.startswith("Deprecated.") and not before.startswith("Deprecated."):
        yield Row(place, direction, "deprecated", "works, and says so", NOTHING, PATCH)
    elif before != after:
        yield Row(place, direction, "changed", f"described anew: {_short(after)}", NOTHING, PATCH)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"
