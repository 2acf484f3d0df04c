"""One schema of the vendor's document, said plainly: references resolved where they are no class, null apart.

NSwag writes OpenAPI 3.0: ``nullable`` beside a ``$ref``, a ``oneOf`` of one, ``allOf`` for inheritance. ``shape`` takes
all of that off and gives one of seven plain forms, so that nobody after it needs to know.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from codegen.document import SCHEMAS, Node, SpecError, is_list, is_node

LIMITS: Final = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems"),
)
SCALARS: Final = ("string", "integer", "number", "boolean")

# Of .NET types rather than of the wire; ids are text for us, and JSON has one kind of number.
_DOTNET_FORMATS: Final = ("uuid", "guid", "int32", "int64", "float", "double", "decimal")
_DOCUMENTATION: Final = ("description", "title", "deprecated", "example")


@dataclass
class Shape:
    """What a schema says. ``kind`` is class, object, enum, list, map, scalar or, when it says nothing, unknown."""

    kind: str
    nullable: bool = False
    name: str = ""
    """Of the component, for a class."""
    schema: Node = field(default_factory=dict[str, Any])
    """Of an object its ``properties`` and ``required``; of an enum its values; of a scalar type, format, limits."""
    inner: Node = field(default_factory=dict[str, Any])
    """Schema of a list's items or of a map's values."""
    text: Node = field(default_factory=dict[str, Any])
    """Description, deprecation."""


def shape(schema: object, schemas: Node, place: str, seen: tuple[str, ...] = ()) -> Shape:
    """The plain form of a schema of the vendor's document."""
    assert is_node(schema), place  # noqa: S101 (``check_form`` has seen to it)
    types, nullable = _types(schema)
    text = {key: schema[key] for key in _DOCUMENTATION if schema.get(key) not in (None, "", False)}
    found = _shape(schema, types, schemas, place, seen)
    found.nullable = found.nullable or nullable
    found.text = {**found.text, **text}
    return found


def class_shape(name: str, schemas: Node) -> Shape:
    """What a component is: an object, an enum, or something that does not make a class."""
    found = shape(schemas[name], schemas, SCHEMAS + name, (name,))
    if found.kind == "class":  # only a wrapping of another
        if found.name == name:
            raise SpecError(SCHEMAS + name, "leads back to itself")
        return class_shape(found.name, schemas)
    return found


def _types(schema: Node) -> tuple[list[str], bool]:
    said = schema.get("type", [])
    types = [str(name) for name in said] if is_list(said) else [str(said)]
    nullable = schema.get("nullable") is True or "null" in types
    return [name for name in types if name != "null"], nullable


def _shape(schema: Node, types: list[str], schemas: Node, place: str, seen: tuple[str, ...]) -> Shape:
    if isinstance(ref := schema.get("$ref"), str):
        return _reference(ref, schemas, place, seen)
    for key in ("allOf", "oneOf", "anyOf"):
        if is_list(schema.get(key)):
            return _combination(schema, key, schemas, place, seen)
    if "enum" in schema and types in ([], ["string"]):
        return _enum(schema)
    if is_node(schema.get("properties")) and schema["properties"]:
        return Shape("object", schema={"properties": schema["properties"], "required": schema.get("required", [])})
    if types == ["array"]:
        inner = schema.get("items", {})
        return Shape("list", schema=_limits(schema), inner=inner)
    if is_node(values := schema.get("additionalProperties")) and values:
        return Shape("map", inner=values)
    if types and set(types) <= set(SCALARS):
        return Shape(
            "scalar", schema={"type": types[0] if len(types) == 1 else types, **_format(schema), **_limits(schema)}
        )
    return Shape("unknown")


def _reference(ref: str, schemas: Node, place: str, seen: tuple[str, ...]) -> Shape:
    name = ref.removeprefix(SCHEMAS)
    if not ref.startswith(SCHEMAS) or name not in schemas:
        problem = "points at nothing" if ref.startswith("#/") else "leaves the document"
        raise SpecError(place, f"$ref {ref!r} {problem}")
    if name in seen:  # a class may hold itself, and so may a base
        return Shape("class", name=name)
    target = shape(schemas[name], schemas, ref, (*seen, name))
    if target.kind in ("object", "enum"):
        # Its text and its null are its own: the component has its place for them.
        return Shape("class", name=name, nullable=target.nullable)
    return target


def _combination(schema: Node, key: str, schemas: Node, place: str, seen: tuple[str, ...]) -> Shape:
    """Inheritance, a union, or a needless wrapping of one."""
    parts = [shape(part, schemas, f"{place}/{key}/{index}", seen) for index, part in enumerate(schema[key])]
    nullable = key != "allOf" and any(_types(part) == ([], True) for part in schema[key])
    rest = {k: v for k, v in schema.items() if k not in (key, *_DOCUMENTATION, "nullable", "discriminator")}
    if rest.get("properties") or rest.keys() - {"type", "additionalProperties", "properties"}:
        parts.append(shape(rest, schemas, place, seen))
    parts = [part for part in parts if part.kind != "unknown"]
    nullable = nullable or (key != "allOf" and any(part.nullable for part in parts))
    if len(parts) == 1:
        return replace(parts[0], nullable=parts[0].nullable or nullable)
    if key != "allOf" and parts and all(part.kind == "scalar" for part in parts):
        types = sorted({str(part.schema["type"]) for part in parts}, key=SCALARS.index)
        return Shape("scalar", nullable, schema={"type": types[0] if len(types) == 1 else types})
    if key == "allOf" and parts:
        return _merged(parts, schemas, place)
    return Shape("unknown", nullable)


def _merged(parts: list[Shape], schemas: Node, place: str) -> Shape:
    properties: Node = {}
    required: list[str] = []
    for part in parts:
        whole = class_shape(part.name, schemas) if part.kind == "class" else part
        if whole.kind != "object":
            raise SpecError(place, "allOf can only join objects")
        properties |= whole.schema["properties"]
        required += whole.schema["required"]
    return Shape("object", schema={"properties": properties, "required": required})


def _enum(schema: Node) -> Shape:
    values = [value for value in schema["enum"] if value is not None]
    if not all(isinstance(value, str) for value in values):
        return Shape("unknown")
    # An enum of text is a string to whoever does not know its values, so one doubtful value harms nobody.
    return Shape("enum", None in schema["enum"], schema={"type": "string", "enum": list(dict.fromkeys(values))})


def _format(schema: Node) -> Node:
    text = schema.get("format")
    return {"format": text} if text and text not in _DOTNET_FORMATS else {}


def _limits(schema: Node) -> Node:
    # ``minLength: 0`` and ``minLength: 1`` come with every .NET string that is [Required]; they limit nothing here.
    return {
        key: schema[key]
        for key in LIMITS
        if key in schema and not (key in ("minLength", "minItems") and schema[key] in (0, 1))
    }
