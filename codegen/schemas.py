"""The vendor's schemas, from the operations downwards, as components of our fragment."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Final

from codegen.corrections import Corrections, listed
from codegen.document import SCHEMAS, Node, SpecError, is_list, is_node, snake, split_null
from codegen.names import NameMap, camel, clean, singular, unused
from codegen.shapes import LIMITS, Shape, class_shape, shape

_ORDER: Final = ("description", "type", "required", "properties")


def words(name: str) -> str:
    """A text for something that nobody has described."""
    return f"{snake(name).replace('_', ' ').strip().capitalize()}; not described by the vendor."


@dataclass
class Walk:
    """What has been taken over so far. ``component`` and ``value`` go on from there."""

    theirs: Node
    ours: Node
    names: NameMap
    fixes: Corrections
    own_text: bool = True
    """Whether our descriptions stay. Not when two of the vendor's documents are compared."""
    made: dict[str, Node] = field(default_factory=dict[str, Node])
    notes: list[str] = field(default_factory=list[str])
    _origin: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    _places: dict[str, str] = field(default_factory=dict[str, str])

    def component(self, name: str, direction: str, place: str, hint: str | None) -> str:
        """Our name of one of their schemas, which is taken over on the way. ``hint``: what we have at that place."""
        whole = class_shape(name, self.theirs)
        target = self.names.find(name, direction, place)
        if target is None:
            target = self._suggested(name, whole, direction, place, hint)
        source, way = self._origin.get(target, (name, direction))
        if source != name:
            raise SpecError(SCHEMAS + source, f"and {name!r} are both named {target!r}")
        if way != direction and whole.kind == "object":
            return self._split(name, target, way, direction, place, hint)
        if target not in self._origin:
            self._origin[target] = (name, direction)
            self._places[target] = place
            self._make(target, whole, direction)
        return target

    def _split(self, name: str, target: str, way: str, direction: str, place: str, hint: str | None) -> str:
        """Ask for a second name of a schema that is sent and received. The first stays where it is at home."""
        if hint == target:
            direction, way, place, hint = way, direction, self._places[target], None
        taken = {*self.made, *self.ours}
        parent, _, member = place.rpartition(".")
        fresh = f"{parent}{camel(singular(member))}" if parent else clean(name)
        other = hint if hint is not None and hint not in self.made else unused(fresh, direction, taken)
        self.names.missing[name] = {way: target, direction: other}
        return other

    def value(self, found: Shape, direction: str, place: str, ours: Node) -> Node | None:
        """The non-null part of a schema in our words; ``None`` when it says nothing that has a type."""
        ref = str(ours.get("$ref", "")).removeprefix(SCHEMAS)
        hint = ref if ref in self.ours else None
        if found.kind == "class":
            return {"$ref": SCHEMAS + self.component(found.name, direction, place, hint)}
        if found.kind in ("object", "enum"):
            return {"$ref": SCHEMAS + self._inline(found, direction, place, hint)}
        if found.kind in ("list", "map"):
            key = "items" if found.kind == "list" else "additionalProperties"
            inner = shape(found.inner, self.theirs, f"{place}/{key}")
            known: Node = ours[key] if is_node(ours.get(key)) else {}
            known, _ = split_null(place, known)
            written = self.value(inner, direction, place, known) or (copy.deepcopy(ours[key]) if known else None)
            if written is None:
                return None
            return {
                "type": "array" if found.kind == "list" else "object",
                **found.schema,
                key: or_null(written, inner.nullable),
            }
        if found.kind == "scalar":
            if found.schema["type"] == "string" and (enum := self.fixes.enum.get(place)) in self.ours:
                return {"$ref": f"{SCHEMAS}{enum}"}
            return dict(found.schema)
        return None

    def inline_body(self, found: Shape, name: str, hint: str | None) -> str:
        """A request body that has no name upstream: ours, or the operation's."""
        return self._inline(found, "request", f"{camel(name)}.body", hint)

    def _make(self, target: str, whole: Shape, direction: str) -> None:
        self.made[target] = {}  # known from here on, for a schema that holds itself
        ours: Node = self.ours.get(target, {})
        made = self._enum(target, whole, ours) if whole.kind == "enum" else self._object(target, whole, direction, ours)
        made["description"] = self._description(target, whole.text, ours)
        if whole.text.get("deprecated") and not listed(target, self.fixes.live):
            made["deprecated"] = True
        order = [*ours, *(key for key in _ORDER if key not in ours), *made]
        self.made[target] = {key: made[key] for key in dict.fromkeys(order) if key in made}

    def _description(self, name: str, text: Node, ours: Node) -> str:
        theirs = str(text.get("description", "")).strip()
        mine = str(ours.get("description", ""))
        return (mine or theirs or words(name)) if self.own_text else (theirs or words(name))

    def _object(self, target: str, whole: Shape, direction: str, ours: Node) -> Node:
        theirs: Node = whole.schema["properties"]
        mine: Node = ours.get("properties", {}) if "enum" not in ours else {}
        properties: Node = {}
        for key in [*mine, *(key for key in theirs if key not in mine)]:
            place = f"{target}.{key}"
            if key in theirs:
                member = self._member(place, theirs[key], direction, mine.get(key, {}))
                if member is not None:
                    properties[key] = member
            elif listed(place, self.fixes.members):
                properties[key] = copy.deepcopy(mine[key])
        # Of an answer the document's word is not taken: what it requires, older servers leave out.
        said: list[str] = whole.schema["required"] if direction == "request" else []
        required = [
            key
            for key in properties
            if (key in said or listed(f"{target}.{key}", self.fixes.required))
            and not listed(f"{target}.{key}", self.fixes.optional)
        ]
        mine_required: list[str] = ours.get("required", [])
        if set(required) == set(mine_required):
            required = list(mine_required)
        return {"type": "object", **({"required": required} if required else {}), "properties": properties}

    def _member(self, place: str, schema: object, direction: str, ours: Node) -> Node | None:
        found = shape(schema, self.theirs, place)
        core, was_nullable = split_null(place, ours)
        written = self.value(found, direction, place, core)
        if written is None:
            if ours:
                return copy.deepcopy(ours)
            self.notes.append(f"{place} has no type that can be used and is left out")
            return None
        if written.get("type") == core.get("type"):
            written = {**{key: core[key] for key in ("format", *LIMITS) if key in core}, **written}
        if place in self.fixes.format:
            written["format"] = self.fixes.format[place]
        # Absent and null are the same to a reader, so an answer may stay more tolerant than its document.
        tolerant = self.own_text and direction == "response" and was_nullable
        nullable = found.nullable or tolerant or listed(place, [*self.fixes.nullable, *self.fixes.nulls])
        written = or_null(written, nullable and not listed(place, self.fixes.not_null))
        name = place.rpartition(".")[2]
        written["description"] = self._description(name, found.text, ours)
        written |= {key: ours[key] for key in ours if key.startswith(("x-", "example"))}
        if found.text.get("deprecated") and not listed(place, self.fixes.live):
            written["deprecated"] = True
        order = dict.fromkeys([*ours, "description", *written])
        return {key: written[key] for key in order if key in written}

    def _enum(self, target: str, whole: Shape, ours: Node) -> Node:
        theirs: list[str] = whole.schema["enum"]
        mine: list[str] = ours.get("enum", [])
        kept = [value for value in mine if value in theirs or value in self.fixes.values.get(target, [])]
        values = [*kept, *(value for value in theirs if value not in kept)]
        made: Node = {"type": "string", "enum": values}
        if "x-enum-varnames" in ours:
            said = dict(zip(mine, ours["x-enum-varnames"], strict=True))
            made["x-enum-varnames"] = [said.get(value, value) for value in values]
        if "x-http-status" in ours:
            known: Node = ours["x-http-status"]
            # Imported here: `generate` has to run while the package's generated modules are broken.
            from sent_async.errors import status_of_code

            made["x-http-status"] = {value: known.get(value) or status_of_code(value) or 500 for value in values}
        return made

    def _inline(self, found: Shape, direction: str, place: str, hint: str | None) -> str:
        """A name for what has none upstream: what we call it now, or parent and member."""
        parent, _, member = place.rpartition(".")
        target = hint or f"{parent}{camel(singular(member))}"
        self._origin.setdefault(target, (place, direction))
        if target not in self.made:
            self._make(target, found, direction)
        elif found.kind == "enum" and "enum" in self.made[target]:
            values = self.made[target]["enum"]
            values += [value for value in found.schema["enum"] if value not in values]
        else:
            raise SpecError(place, f"an inline object that would be {target!r}, as is {self._origin[target][0]!r}")
        return target

    def _suggested(self, name: str, whole: Shape, direction: str, place: str, hint: str | None) -> str:
        """A name to propose, used for the rest of the walk so that one run finds every name that is missing."""
        table = self.names.missing.setdefault(name, {})
        said = self.names.schemas.get(name)
        if whole.kind == "enum" and table:
            return next(iter(table.values()))
        for key in (place, direction):
            if key in table and (key == place or hint in (None, table[key])):
                return table[key]
        taken = {*self.made, *self.ours, *(said.values() if is_node(said) else ())}
        taken |= {target for other in self.names.missing.values() for target in other.values()}
        parent, _, member = place.rpartition(".")
        ours_is_free = hint is not None and self._origin.get(hint, (name, ""))[0] == name
        if (
            hint is not None
            and ours_is_free
            and hint not in {t for k, o in self.names.missing.items() if k != name for t in o.values()}
        ):
            guess = hint
        elif whole.kind == "enum" or not parent or hint is not None:
            guess = unused(clean(name), direction, taken)
        else:
            guess = unused(f"{parent}{camel(singular(member))}", direction, taken)
        table[place if direction in table else direction] = guess
        return guess


def or_null(written: Node, nullable: bool) -> Node:
    """A schema that also allows null, in the two spellings that the fragment has for it."""
    if not nullable:
        return written
    if "$ref" in written:
        return {"anyOf": [written, {"type": "null"}]}
    types: Any = written["type"]
    return {**written, "type": [*types, "null"] if is_list(types) else [types, "null"]}
