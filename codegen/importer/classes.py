"""The schemas of the vendor's document as our classes and enums: their structure, our names and texts."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Container
from dataclasses import dataclass, field, replace
from typing import Final

from codegen.importer.name_map import NAME_MAP, NameMap
from codegen.openapi.names import camel, python_name, singular, snake, without_namespace
from codegen.openapi.nodes import (
    LIMITS,
    SCHEMAS,
    Node,
    SpecError,
    component,
    is_node,
    or_null,
    schema_closure,
    split_null,
)
from codegen.openapi.shapes import TYPED_FORMATS, Shape, class_shape, shape, whole

VENDOR_OVERLAY: Final = "openapi/overlays/vendor.yaml"
ADVICE: Final = f"If the document is wrong, correct it in {VENDOR_OVERLAY}; if it is right, the client has to change."

Use = tuple[str, str]
"""A schema of the vendor's (or a place, where it has no name), and its direction: request, response or enum."""


@dataclass
class Classes:
    """The mapping of the vendor's schemas to ours, built in rounds through the operations."""

    theirs: Node
    ours: Node
    names: NameMap
    assigned: dict[Use, str] = field(default_factory=dict[Use, str])
    """Our class for each use."""
    known: dict[Use, str] = field(default_factory=dict[Use, str])
    """The part of it that the name map or our fragment shows."""
    made: dict[str, Node] = field(default_factory=dict[str, Node])
    uses: dict[str, list[Use]] = field(default_factory=dict[str, list[Use]])
    """Our class to what it is made of."""
    notes: list[str] = field(default_factory=list[str])

    def value(self, schema: object, ours: object, direction: str, place: str) -> Node | None:
        """A schema in our form, without null; ``None`` when neither side gives it a type.

        Args:
            schema: The vendor's.
            ours: What the fragment has at this place, if anything.
            direction: request or response.
            place: For messages, and for names of what has none.

        Raises:
            SpecError: The fragment has no form for it.
        """
        found = shape(schema, self.theirs, place)
        mine = self._mine(ours, place)
        full = whole(found, self.theirs)
        kinds = {whole(shape(branch, self.theirs, place), self.theirs).kind for branch in full.branches}
        if full.kind in ("object", "enum") or (kinds == {"object"} and mine.kind != "map"):
            return {"$ref": SCHEMAS + self._component(found, mine, direction, place)}
        self._note_dropped(place, found)
        if full.kind == "union":
            text = f"is one of {len(full.branches)} schemas, which the fragment cannot express"
            if not kinds <= {"object", "map"} or mine.kind not in ("any", "map"):
                raise SpecError(place, f"{text}. {ADVICE}")
            self.notes.append(f"{place}: {text}; it is a free map")
            return {"type": "object", "additionalProperties": True}
        if found.kind == "list":
            known = _limits(ours) if mine.kind == "list" else {}
            return {"type": "array", **known, **found.schema, "items": self._inner(found, mine, direction, place)}
        if found.kind == "map":
            values = self._inner(found, mine, direction, place) if found.inner else True
            return {"type": "object", "additionalProperties": values}
        if found.kind == "scalar":
            return self._scalar(found, mine, ours)
        if found.dropped:
            raise SpecError(place, f"{', '.join(found.dropped)} cannot be expressed in the fragment. {ADVICE}")
        if mine.kind == "any" or not is_node(ours):
            return None
        self.notes.append(f"{place}: the document gives no type; ours stays")
        return split_null(copy.deepcopy(ours))[0]

    def _note_dropped(self, place: str, found: Shape) -> None:
        self.notes += [f"{place}: {key} of the document is not carried over" for key in found.dropped]

    def _mine(self, ours: object, place: str) -> Shape:
        return shape(ours, self.ours, place) if is_node(ours) else Shape("any")

    def _inner(self, found: Shape, mine: Shape, direction: str, place: str) -> Node:
        ours = mine.inner if mine.kind == found.kind else None
        written = self.value(found.inner, ours, direction, f"{place}[]" if found.kind == "list" else place)
        if written is None:
            raise SpecError(place, f"its items have no type. {ADVICE}")
        was_null = direction == "response" and self._mine(ours, place).nullable
        return or_null(written, shape(found.inner, self.theirs, place).nullable or was_null) | own(ours or {})

    def _scalar(self, found: Shape, mine: Shape, ours: object) -> Node:
        if found.schema["type"] == "string":
            is_enum = mine.kind == "class" and class_shape(mine.name, self.ours).kind == "enum"
            if is_enum and found.schema.get("format") not in TYPED_FORMATS:
                return {"$ref": SCHEMAS + mine.name}
            if mine.schema.get("format") == "password":
                found = replace(found, schema={**found.schema, "format": "password"})
        known = _limits(ours) if mine.schema.get("type") == found.schema["type"] else {}
        return {"type": found.schema["type"], **known, **found.schema}

    def _component(self, found: Shape, mine: Shape, direction: str, place: str) -> str:
        """Our class for a schema of theirs: by the name map, by what stands at this place, or a new one."""
        full = whole(found, self.theirs)
        if not found.name:  # one member that is deprecated is no deprecated class
            full = replace(full, text={**full.text, "deprecated": False})
        use = found.name or place, "enum" if full.kind == "enum" else direction
        ours = mine.name if mine.kind == "class" and class_shape(mine.name, self.ours).kind == full.kind else None
        if said := self.names.class_name(use[0], direction) or ours:
            self.known.setdefault(use, said)
        target = said or self.assigned.get(use) or self._new_name(found, use, place)
        self.assigned.setdefault(use, target)
        if any(other != use[1] for _, other in self.uses.get(target, ())):
            raise SpecError(place, f"{target} is sent and received; give {use[0]} two names in {NAME_MAP}")
        if use not in self.uses.setdefault(target, []):
            self.uses[target].append(use)
            self._note_dropped(target, full)
            written = self._make(target, full, direction)
            self.made[target] = self._join(target, self.made[target], written) if target in self.made else written
        return target

    def _new_name(self, found: Shape, use: Use, place: str) -> str:
        taken = {*self.ours["components"].get("schemas", {}), *self.uses}
        if found.kind != "class":
            parent, _, member = place.rpartition(".")
            member = singular(member.rstrip("[]")) if member.endswith("[]") else member
            target = propose(parent + camel(member), use[1], taken)
            self.notes.append(f"new class {target} for {place}, which has no name in the document")
            return target
        if (twin := self._twin(found.name, use[1])) is not None:
            return twin
        target = propose(found.name, use[1], taken)
        line = f'"{found.name}" = "{target}"'
        self.notes.append(f"new class {target}; to name it otherwise, under [schemas] in {NAME_MAP}: {line}")
        return target

    def _twin(self, name: str, way: str) -> str | None:
        """The class of a schema that differs from this one only in its namespace."""
        schemas: Node = self.theirs["components"]["schemas"]
        alike = (use for use in self.assigned if use[1] == way and propose(use[0], way, ()) == propose(name, way, ()))
        known = [use for use in alike if use[0] in schemas]
        return next((self.assigned[use] for use in known if self._skeleton(use[0]) == self._skeleton(name)), None)

    def _skeleton(self, name: str) -> object:
        """A schema of theirs and all that it leads to, without namespaces and texts."""
        schemas: Node = self.theirs["components"]["schemas"]
        parts = [schemas[key] for key in sorted(schema_closure(self.theirs, [name]), key=without_namespace)]
        text = re.sub(r'schemas/([^"/]+)', lambda ref: without_namespace(ref[1]), json.dumps(parts, sort_keys=True))
        # A member may well be called ``description``, but then it is a schema.
        return json.loads(text, object_hook=lambda n: {k: v for k, v in n.items() if k != "description" or is_node(v)})

    def _make(self, target: str, full: Shape, direction: str) -> Node:
        ours: Node = self.ours["components"].get("schemas", {}).get(target, {})
        if full.kind == "union":
            made = self._union(full, direction, ours, target)
        else:
            made = _enum(full, ours) if full.kind == "enum" else self._object(target, full, direction, ours)
        made["description"] = ours.get("description") or full.text.get("description") or words(target)
        made |= {"deprecated": True} if full.text.get("deprecated") else {}
        return ordered(made, ours, "description", "type", "required", "properties")

    def _union(self, full: Shape, direction: str, ours: Node, place: str) -> Node:
        """A choice of classes. Ours and theirs belong together by their members, since the order may change."""
        left: list[str] = [name for name in map(component, ours.get("oneOf", ())) if name]
        names: dict[str, str] = {}
        for number, branch in enumerate(full.branches, 1):
            members = whole(shape(branch, self.theirs, place), self.theirs).schema["properties"].keys()
            shared = {name: len(members & class_shape(name, self.ours).schema["properties"].keys()) for name in left}
            best = max(left, key=lambda name: shared[name], default="")
            mine = {"$ref": SCHEMAS + best} if shared.get(best) else None
            written = self.value(branch, mine, direction, f"{place}.{number}")
            names[component(branch) or str(number)] = str((written or {})["$ref"])
            left = [name for name in left if SCHEMAS + name not in names.values()]
        made: Node = {"oneOf": [{"$ref": ref} for ref in dict.fromkeys(names.values())]}
        if said := full.schema.get("discriminator"):
            mapping: Node = said.get("mapping") or {name: name for name in names}
            refs = {value: names.get(ref.removeprefix(SCHEMAS)) for value, ref in mapping.items()}
            self.notes += [f"{place}: {value!r} names none of its schemas" for value, ref in refs.items() if not ref]
            kept = {value: ref for value, ref in refs.items() if ref}
            made["discriminator"] = {"propertyName": said["propertyName"], "mapping": kept}
        return made

    def _object(self, target: str, full: Shape, direction: str, ours: Node) -> Node:
        theirs: Node = full.schema["properties"]
        mine: Node = ours.get("properties", {})
        properties: Node = {}
        wires: dict[str, str] = {}
        for key in [*(key for key in mine if key in theirs), *(key for key in theirs if key not in mine)]:
            name = python_name(key)
            if name in wires:
                self.notes.append(f"{target}.{key}: the same name in Python as {wires[name]}; the member is left out")
                continue
            member = self._member(f"{target}.{key}", theirs[key], mine.get(key, {}), direction)
            if member is not None:
                properties[key] = member
                wires[name] = key
        said: list[str] = full.schema["required"]
        if direction == "response":
            said = ours.get("required", []) if ours else ["id"] if "id" in said else []
        required = [key for key in properties if key in said]
        if set(required) == set(ours.get("required", ())):
            required = ours.get("required", [])
        limits = _limits(ours) | {key: full.schema[key] for key in LIMITS if key in full.schema}
        limits |= {"required": required} if required else {}
        return {"type": "object", **limits, "properties": properties, **own(ours)}

    def _member(self, place: str, schema: object, ours: Node, direction: str) -> Node | None:
        found = shape(schema, self.theirs, place)
        written = self.value(schema, ours or None, direction, place)
        if written is None:
            self.notes.append(f"{place}: the document gives no type; the member is left out")
            return None
        tolerant = direction == "response" and bool(ours) and shape(ours, self.ours, place).nullable
        written = or_null(written, found.nullable or tolerant)
        name = place.rpartition(".")[2]
        written["description"] = ours.get("description") or found.text.get("description") or words(name)
        written |= own(ours)
        written |= {"deprecated": True} if found.text.get("deprecated") else {}
        return ordered(written, ours, "description")

    def _join(self, target: str, first: Node, second: Node) -> Node:
        """One class for two schemas of theirs: the members of both, required where both require them."""
        if "properties" not in first or "properties" not in second:
            return first
        for key, member in second["properties"].items():
            other = first["properties"].setdefault(key, member)
            if _without_texts(other) != _without_texts(member):
                names = " and ".join(vendor for vendor, _ in self.uses[target])
                self.notes.append(f"{target}.{key}: {names} differ; the first decides unless {NAME_MAP} parts them")
        required = [key for key in first.get("required", []) if key in second.get("required", [])]
        return {**{k: v for k, v in first.items() if k != "required"}, **({"required": required} if required else {})}


def _enum(full: Shape, ours: Node) -> Node:
    """Our values and the new ones of theirs. What the fragment says of each value grows with them."""
    mine: list[str] = ours.get("enum", [])
    values = [*mine, *(value for value in full.schema["enum"] if value not in mine)]
    new = values[len(mine) :]
    made: Node = {**copy.deepcopy(ours), "type": "string", "enum": values}
    made.pop("deprecated", None)
    if "x-enum-varnames" in ours:
        made["x-enum-varnames"] = [*ours["x-enum-varnames"], *new]
    if "x-enum-descriptions" in ours:
        made["x-enum-descriptions"] = [*ours["x-enum-descriptions"], *("" for _ in new)]
    if "x-http-status" in ours:
        prefixes: Node = ours.get("x-prefix-http-status", {})
        known = {value: prefixes.get(value.partition("_")[0], 500) for value in new}
        made["x-http-status"] = {**ours["x-http-status"], **known}
    return made


def propose(name: str, direction: str, taken: Container[str]) -> str:
    """A class name for a schema of the vendor's that nothing else has."""
    base = re.sub(r"\W", "", without_namespace(name))
    base = re.sub(r"(Dto|DTO|Model|Response|Request|Params?)$", "", base) or base
    base = base[:1].upper() + base[1:]
    other = f"{base}{'Data' if direction == 'request' else 'Detail'}"
    tries = [base, other, *(f"{other}{number}" for number in range(2, 1000))]
    return next(attempt for attempt in tries if attempt not in taken)


def words(name: str) -> str:
    """A text for something that nobody has described."""
    return f"{snake(name).replace('_', ' ').strip().capitalize()}; not described by the vendor."


def own(ours: Node) -> Node:
    """Keys that only the fragment has on a node: extensions and examples."""
    return {key: value for key, value in ours.items() if key.startswith(("x-", "example"))}


def ordered(written: Node, ours: Node, *first: str) -> Node:
    """A node with its keys in the order of ours; of what is new, with these keys first."""
    return {key: written[key] for key in dict.fromkeys((*ours, *first, *written)) if key in written}


def _limits(ours: object) -> Node:
    """The limits that we know and a document may not; of formats, those that do not change the type in Python."""
    known = split_null(ours)[0] if is_node(ours) else {}
    keys = (*LIMITS, *(("format",) if known.get("format") not in TYPED_FORMATS else ()))
    return {key: known[key] for key in keys if key in known}


def _without_texts(member: Node) -> str:
    return json.dumps({key: value for key, value in member.items() if key != "description"}, sort_keys=True)
