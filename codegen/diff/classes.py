"""Changes in a value or a class: types, limits, texts, members, enum values, alternatives of a union."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from codegen.diff.report import Change, Effect
from codegen.diff.types import FORMATS, Pair, Relation, Value, relate
from codegen.openapi.names import camel
from codegen.openapi.nodes import LIMITS, Node
from codegen.openapi.shapes import Shape, whole

NEW_TEXT: Final = "new description:"
# A larger number under one of these allows more.
_CEILINGS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_FLOORS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


@dataclass(frozen=True)
class Names:
    """Which classes only one of two fragments has. Between other documents names are no promise, and not compared."""

    compared: bool
    gone: dict[str, str] = field(default_factory=dict[str, str])
    """Class name to the direction that it is used in."""
    fresh: dict[str, str] = field(default_factory=dict[str, str])

    def is_renamed(self, pair: Pair) -> bool:
        """Whether a class stands under a new name."""
        return self.compared and pair.old.name in self.gone and pair.new.name in self.fresh

    def is_other(self, pair: Pair) -> bool:
        """Whether a value is of another class now, and not of the same under a new name."""
        return self.compared and pair.old.name != pair.new.name and not self.is_renamed(pair)


@dataclass
class Subject:
    """An operation, a webhook or a pair of classes: what changed in it, and which pairs of classes it leads to."""

    place: str
    direction: str
    names: Names
    changes: list[Change] = field(default_factory=list[Change])
    pairs: list[Pair] = field(default_factory=list[Pair])

    def add(self, kind: str, text: str, effect: Effect, place: str = "") -> None:
        """Report a change of the subject itself, or of a part of it."""
        self.changes.append(Change(place or self.place, self.direction, kind, text, effect))

    def compare_required(self, place: str, was: bool, is_: bool) -> None:
        """A parameter or a request member that a caller has to give now, or no longer has to."""
        if is_ and not was:
            self.add("changed", "required now", Effect.BREAKS, place)
        elif was and not is_:
            self.add("changed", "no longer required", Effect.HARMLESS, place)

    def compare_texts(self, place: str, old: Node, new: Node, effect: Effect = Effect.TEXT) -> None:
        """A deprecation, which has this effect, or a new text."""
        was, is_ = bool(old.get("deprecated")), bool(new.get("deprecated"))
        if is_ and not was:
            self.add("deprecated", "deprecated; it still works", effect, place)
        elif was and not is_:
            self.add("changed", "no longer deprecated", Effect.TEXT, place)
        elif [old.get(key) for key in ("summary", "description")] != [
            new.get(key) for key in ("summary", "description")
        ]:
            said = " ".join(str(new.get("description", "")).split())
            said = said if len(said) <= 100 else said[:99] + "…"
            self.add("changed", f"{NEW_TEXT} {said}", Effect.TEXT, place)

    def compare_values(self, place: str, old: Value, new: Value, direction: str) -> None:
        """A type, its limits and its format. The classes in it are compared later."""
        pairs: list[Pair] = []
        relation = relate(old, new, direction, pairs)
        self.pairs += pairs
        others = any(self.names.is_other(pair) for pair in pairs)
        if relation is not Relation.SAME or others:
            safe = Relation.WIDER if direction == "request" else Relation.NARROWER
            effect = Effect.HARMLESS if relation is safe and not others else Effect.TYPE
            self.add("changed", f"{old.type} is now {new.type}", effect, place)
        if direction == "request":
            self.compare_limits(place, old.shape.schema, new.shape.schema)
        formats = [value.shape.schema.get("format") for value in (old, new)]
        if formats[0] != formats[1] and not {*formats} & FORMATS.keys() and relation is Relation.SAME:
            text = f"format {formats[0] or 'none'} is now {formats[1] or 'none'}"
            self.add("changed", text, Effect.TEXT, place)

    def compare_limits(self, place: str, old: Node, new: Node) -> None:
        """The server's rules. The client does not check them, but a value that was accepted may be refused now."""
        for key in LIMITS:
            was: Any = old.get(key)
            now: Any = new.get(key)
            if was == now:
                continue
            numbers = was is not None and now is not None
            looser = now is None or (numbers and ((key in _CEILINGS and now > was) or (key in _FLOORS and now < was)))
            text = f"{key} {'none' if was is None else was} is now {'none' if now is None else now}"
            self.add("changed", text, Effect.TEXT if looser else Effect.BREAKS, place)


def compare_classes(pair: Pair, names: Names) -> Subject:
    """What changed in an object, an enum or a union."""
    found = Subject(pair.old.name, pair.direction, names)
    old, new = (whole(value.shape, value.document) for value in (pair.old, pair.new))
    if names.is_renamed(pair):
        found.add("changed", f"renamed to {pair.new.name}", Effect.BREAKS)
    if pair.old.shape.name and pair.new.shape.name:  # without a name, it is the text of a member
        found.compare_texts(found.place, old.text, new.text)
    if old.kind == "object":
        _compare_members(found, pair, old.schema, new.schema)
    elif old.kind == "enum":
        _compare_enums(found, old, new)
    else:
        _compare_branches(found, pair)
    return found


def _compare_members(found: Subject, pair: Pair, old: Node, new: Node) -> None:
    if pair.direction == "request":
        found.compare_limits(found.place, old, new)
    for member in dict.fromkeys([*old["properties"], *new["properties"]]):
        place = f"{found.place}.{member}"
        was, is_ = member in old["required"], member in new["required"]
        before, after = _member(pair.old, old, member, pair), _member(pair.new, new, member, pair)
        if after is None:
            text, effect = _removed(pair.direction, was)
            found.add("removed", text, effect, place)
        elif before is None:
            text, effect = _added(pair.direction, is_)
            found.add("added", after.type + text, effect, place)
        else:
            if pair.direction == "request":
                found.compare_required(place, was, is_)
            found.compare_values(place, before, after, pair.direction)
            found.compare_texts(place, before.shape.text, after.shape.text)


def _member(value: Value, schema: Node, member: str, pair: Pair) -> Value | None:
    if member not in schema["properties"]:
        return None
    found = Value.at(schema["properties"][member], value.document, value.name + camel(member))
    if pair.direction == "response" and member not in schema["required"]:  # absent reads None, as null does
        return replace(found, shape=replace(found.shape, nullable=True))
    return found


def _removed(direction: str, was_required: bool) -> tuple[str, Effect]:
    if direction == "request":
        return "the argument is gone", Effect.BREAKS
    reads = "and older clients fail to decode without it" if was_required else "older clients read None"
    return f"the attribute is gone; {reads}", Effect.BREAKS


def _added(direction: str, is_required: bool) -> tuple[str, Effect]:
    if direction == "request":
        return (", required", Effect.BREAKS) if is_required else ("", Effect.ARGUMENT)
    return ("; a response without it does not decode" if is_required else ""), Effect.ATTRIBUTE


def _compare_enums(found: Subject, old: Shape, new: Shape) -> None:
    before, after = _member_names(old), _member_names(new)
    statuses: list[Node] = [shape.extra.get("x-http-status", {}) for shape in (old, new)]
    for value in dict.fromkeys([*before, *after]):
        place = f"{found.place}.{value}"
        if value not in after:
            found.add("removed", "value removed; it still decodes, but the member is gone", Effect.BREAKS, place)
        elif value not in before:
            text = "new value; older clients decode it, too, since enums are open"
            found.add("added", text, Effect.ATTRIBUTE, place)
        elif not found.names.compared:  # what only we say of a value
            continue
        elif before[value] != after[value]:
            found.add("changed", f"{before[value]} is now {after[value]}", Effect.BREAKS, place)
        elif statuses[0].get(value) != statuses[1].get(value):
            found.add("changed", "another HTTP status", Effect.TEXT, place)


def _member_names(found: Shape) -> dict[str, str]:
    """Value to the name of its member in Python."""
    values: list[str] = found.schema["enum"]
    names: list[str] = found.extra.get("x-enum-varnames", values)
    return dict(zip(values, names if len(names) == len(values) else values, strict=True))


def _compare_branches(found: Subject, pair: Pair) -> None:
    old, new = ({branch.name: branch for branch in value.branches} for value in (pair.old, pair.new))
    if not found.names.compared:  # an alternative under another name is the same, in its order
        left = ([name for name in new if name not in old], [name for name in old if name not in new])
        others = dict(zip(*left, strict=False))
        new = {others.get(name, name): branch for name, branch in new.items()}
    for name in dict.fromkeys([*old, *new]):
        place = f"{found.place}.{name}"
        if name not in new:
            found.add("removed", "no longer an alternative", Effect.BREAKS, place)
        elif name not in old:
            found.add("added", "new alternative", Effect.HARMLESS, place)
        else:
            found.compare_values(place, old[name], new[name], pair.direction)
