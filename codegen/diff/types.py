"""How the type of a value changed: whether the new one takes more or fewer values, and how callers read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from codegen.openapi.names import without_namespace
from codegen.openapi.nodes import SCALARS, Node
from codegen.openapi.shapes import TYPED_FORMATS, Shape, shape, whole

# The formats that give another Python type; the others are text for a reader.
FORMATS: Final = {**TYPED_FORMATS, "password": "Secret"}


class Relation(Enum):
    """The values of the new type, seen from the old one."""

    SAME = "same"
    WIDER = "wider"
    NARROWER = "narrower"
    OTHER = "other"

    def __and__(self, other: Relation) -> Relation:
        """Two relations that hold for two parts of a type, as one for the whole."""
        if self is other or other is Relation.SAME:
            return self
        return other if self is Relation.SAME else Relation.OTHER


@dataclass(frozen=True)
class Value:
    """A value somewhere in a document."""

    shape: Shape
    document: Node
    place: str

    @classmethod
    def at(cls, schema: object, document: Node, place: str) -> Value:
        """The value that a schema describes."""
        return cls(shape(schema, document, place), document, place)

    @property
    def kind(self) -> str:
        """The kind of its shape, of what a class is."""
        return whole(self.shape, self.document).kind

    @property
    def name(self) -> str:
        """Its class name: that of the component without namespace, or one made of the place."""
        return without_namespace(self.shape.name) if self.shape.kind == "class" else self.place

    @property
    def inner(self) -> Value:
        """The items of a list or the values of a map."""
        return Value.at(self.shape.inner, self.document, f"{self.place}Item")

    @property
    def branches(self) -> list[Value]:
        """The alternatives of a union."""
        said = whole(self.shape, self.document).branches
        return [Value.at(branch, self.document, f"{self.place}{number}") for number, branch in enumerate(said, 1)]

    @property
    def type(self) -> str:
        """Its type as a caller reads it."""
        return f"{self._type()} | None" if self.shape.nullable else self._type()

    def _type(self) -> str:
        match self.shape.kind:
            case "list":
                return f"list[{self.inner.type}]"
            case "map":
                return f"dict[str, {self.inner.type}]"
            case "scalar":
                return " | ".join(sorted(self.scalars))
            case "any":
                return "Any"
            case "union":
                return " | ".join(branch.type for branch in self.branches)
            case _:
                return self.name

    @property
    def scalars(self) -> set[str]:
        """The Python types of a scalar."""
        said = self.shape.schema["type"]
        if said == "string":
            secret = "password" if self.shape.extra.get("x-secret") else self.shape.schema.get("format")
            return {FORMATS.get(str(secret), "str")}
        return {SCALARS[name] for name in ([said] if isinstance(said, str) else said)}


@dataclass(frozen=True)
class Pair:
    """The same object, enum or union, before and after."""

    old: Value
    new: Value
    direction: str

    @property
    def key(self) -> tuple[str, ...]:
        """What it is known by."""
        return self.direction, *(_identity(value) for value in (self.old, self.new))


def _identity(value: Value) -> str:
    """Its class. Without one, its members: an object may hold itself, each time at a longer place."""
    members: Node = value.shape.schema.get("properties", {})
    nodes = " ".join(f"{name}={id(schema)}" for name, schema in members.items())
    return value.shape.name or nodes or f"at {value.place}"


def relate(old: Value, new: Value, direction: str, pairs: list[Pair]) -> Relation:
    """How the type changed. What has to be compared member by member is added to ``pairs``."""
    nulls = {(False, True): Relation.WIDER, (True, False): Relation.NARROWER}
    null = nulls.get((old.shape.nullable, new.shape.nullable), Relation.SAME)
    return null & _relate(old, new, direction, pairs)


def _relate(old: Value, new: Value, direction: str, pairs: list[Pair]) -> Relation:
    kinds = old.kind, new.kind
    if kinds in (("object", "object"), ("enum", "enum"), ("union", "union")):
        pairs.append(Pair(old, new, "enum" if kinds[0] == "enum" else direction))
        return Relation.SAME
    if kinds in (("list", "list"), ("map", "map")):
        return relate(old.inner, new.inner, direction, pairs)
    if kinds == ("scalar", "scalar"):
        return _relate_scalars(old.scalars, new.scalars)
    if "any" in kinds:
        return Relation.SAME if kinds == ("any", "any") else Relation.WIDER if kinds[1] == "any" else Relation.NARROWER
    # The members of an enum are text, so an enum is good wherever text was.
    if kinds == ("scalar", "enum") and old.scalars == {"str"}:
        return Relation.NARROWER
    if kinds == ("enum", "scalar") and new.scalars == {"str"}:
        return Relation.WIDER
    return Relation.OTHER


def _relate_scalars(old: set[str], new: set[str]) -> Relation:
    if old == new:
        return Relation.SAME
    # Every whole number is a number.
    if old <= new | ({"int"} if "float" in new else set[str]()):
        return Relation.WIDER
    return Relation.NARROWER if new <= old | ({"int"} if "float" in old else set[str]()) else Relation.OTHER
