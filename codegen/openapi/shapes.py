"""One schema of any OpenAPI document in a plain form: references resolved, null apart, 3.0 and 3.1 alike.

NSwag writes OpenAPI 3.0: ``nullable`` beside a ``$ref``, a ``oneOf`` of one, ``allOf`` for inheritance. ``shape``
removes all of that, so that no other module needs to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from codegen.openapi.nodes import LIMITS, SCALARS, SCHEMAS, Node, SpecError, is_list, is_node, lookup

TYPED_FORMATS: Final = {"date-time": "datetime", "date": "date", "time": "time", "duration": "timedelta"}
"""The formats that have a type of their own in Python."""

# Of .NET types rather than of the wire; ids are text for us, and JSON has one kind of number.
_DOTNET_FORMATS: Final = ("uuid", "guid", "int32", "int64", "float", "double", "decimal")
_TEXT: Final = ("description", "deprecated")
# What a client does not need: documentation, defaults that the server applies, and how .NET closes its objects.
_IGNORED: Final = (
    *("title", "example", "examples", "default", "externalDocs", "xml", "readOnly", "writeOnly", "$comment"),
    *("nullable", "additionalProperties", "discriminator", "contentMediaType", "contentEncoding"),
)
_UNDERSTOOD: Final = {
    *("$ref", "allOf", "oneOf", "anyOf", "enum", "const", "type", "format", "properties", "required", "items"),
    *(*LIMITS, *_TEXT, *_IGNORED),
}


@dataclass(frozen=True)
class Shape:
    """What a schema says. ``kind`` is class, object, enum, list, map, scalar, union or any."""

    kind: str
    nullable: bool = False
    name: str = ""
    """Of the component, for a class: an object, an enum or a union with a name."""
    schema: Node = field(default_factory=dict[str, Any])
    """Of an object its ``properties`` and ``required``; of an enum its values; of a scalar type, format and limits."""
    inner: Node = field(default_factory=dict[str, Any])
    """Schema of a list's items or of a map's values."""
    branches: tuple[Node, ...] = ()
    """Schemas of a union, without null."""
    text: Node = field(default_factory=dict[str, Any])
    """Description and deprecation."""
    dropped: tuple[str, ...] = ()
    """Keywords that this form cannot hold."""
    extra: Node = field(default_factory=dict[str, Any])
    """Extensions (``x-…``)."""


def shape(schema: object, document: Node, place: str, seen: Sequence[str] = ()) -> Shape:
    """The plain form of a schema.

    Raises:
        SpecError: it is no schema, or refers to nothing.
    """
    if schema is True:
        schema = {}
    if not is_node(schema):
        raise SpecError(place, "is not a schema")
    types, nullable = _types(schema)
    found = _shape(schema, types, document, place, seen)
    dropped = [key for key in schema if key not in _UNDERSTOOD and not key.startswith("x-")]
    if found.kind == "object" and is_node(schema.get("additionalProperties")) and schema["additionalProperties"]:
        dropped.append("additionalProperties")
    return replace(
        found,
        nullable=found.nullable or nullable,
        text={**found.text, **{key: schema[key] for key in _TEXT if schema.get(key)}},
        dropped=(*found.dropped, *dropped),
        extra={**found.extra, **{key: schema[key] for key in schema if key.startswith("x-")}},
    )


def class_shape(name: str, document: Node) -> Shape:
    """What the component of this name is: an object, an enum or a union."""
    place = SCHEMAS + name
    found = shape(document["components"]["schemas"][name], document, place, (name,))
    if found.kind != "class":
        return found
    if found.name == name:
        raise SpecError(place, "leads back to itself")
    return class_shape(found.name, document)  # only a wrapping of another


def whole(found: Shape, document: Node) -> Shape:
    """The shape itself, or that of the class that it refers to."""
    return class_shape(found.name, document) if found.kind == "class" else found


def _types(schema: Node) -> tuple[list[str], bool]:
    said = schema.get("type", [])
    types = [str(name) for name in said] if is_list(said) else [str(said)]
    nullable = schema.get("nullable") is True or "null" in types
    return [name for name in types if name != "null"], nullable


def _shape(schema: Node, types: list[str], document: Node, place: str, seen: Sequence[str]) -> Shape:
    if isinstance(ref := schema.get("$ref"), str):
        return _reference(ref, document, place, seen)
    for key in ("allOf", "oneOf", "anyOf"):
        if is_list(schema.get(key)) and schema[key]:
            return _combination(schema, key, document, place, seen)
    if "const" in schema and "enum" not in schema:
        schema = {**schema, "enum": [schema["const"]]}
    if is_list(schema.get("enum")):
        return _enum(schema)
    if is_node(schema.get("properties")) and schema["properties"]:
        members = {"properties": schema["properties"], "required": schema.get("required", [])}
        return Shape("object", schema=members | _limits(schema))
    if types == ["array"]:
        return Shape("list", schema=_limits(schema), inner=schema.get("items", {}))
    if types == ["object"]:
        values = schema.get("additionalProperties")
        return Shape("map", inner=values if is_node(values) else {})
    if types and set(types) <= SCALARS.keys():
        written = {"type": types[0] if len(types) == 1 else types, **_format(schema), **_limits(schema)}
        return Shape("scalar", schema=written)
    return Shape("any", dropped=("type",) if types else ())


def _reference(ref: str, document: Node, place: str, seen: Sequence[str]) -> Shape:
    if not ref.startswith(SCHEMAS) or "/" in ref.removeprefix(SCHEMAS):
        if ref in seen:
            raise SpecError(place, f"$ref {ref!r} leads back to itself")
        return shape(lookup(document, place, ref), document, ref, (*seen, ref))
    name = ref.removeprefix(SCHEMAS)
    if name in seen:  # a class may hold itself, and so may a base
        return Shape("class", name=name)
    target = shape(lookup(document, place, ref), document, ref, (*seen, name))
    if target.kind in ("object", "enum", "union"):
        # Its text belongs to the component. Its null is true wherever it is used.
        return Shape("class", name=name, nullable=target.nullable)
    inner = target
    while inner.kind in ("list", "map"):
        inner = shape(inner.inner, document, ref, (*seen, name))
    if inner.kind == "class" and inner.name == name:  # a list or a map of nothing but itself
        key = "items" if target.kind == "list" else "additionalProperties"
        return replace(target, inner={}, dropped=(*target.dropped, key))
    return target


def _combination(schema: Node, key: str, document: Node, place: str, seen: Sequence[str]) -> Shape:
    """Inheritance, a union, or a needless wrapping of one."""
    said: list[Node] = [part for part in schema[key] if is_node(part)]
    branches = [part for part in said if _says_more(part)]
    nullable = key != "allOf" and any(_types(part)[1] for part in said)
    rest = {k: v for k, v in schema.items() if k not in (key, *_TEXT, "nullable", "discriminator", "required")}
    if key == "allOf" and "required" in schema:
        rest["required"] = schema["required"]
    if rest.keys() & {"properties", "$ref", "enum", "items", "required", "oneOf", "anyOf", "allOf"}:
        branches.append(rest)
    parts = [shape(part, document, f"{place}/{key}/{index}", seen) for index, part in enumerate(branches)]
    nullable = nullable or (key != "allOf" and any(part.nullable for part in parts))
    if len(parts) == 1:
        return replace(parts[0], nullable=parts[0].nullable or nullable)
    if not parts:
        return Shape("any", nullable)
    if key == "allOf":
        return _merged(parts, branches, document, place, seen)
    if all(part.kind == "scalar" for part in parts):
        names = list(dict.fromkeys(name for part in parts for name in _types(part.schema)[0]))
        return Shape("scalar", nullable, schema={"type": names[0] if len(names) == 1 else names})
    extra: Node = {"discriminator": schema["discriminator"]} if is_node(schema.get("discriminator")) else {}
    return Shape("union", nullable, branches=tuple(branches), schema=extra)


def _says_more(part: Node) -> bool:
    """Whether a branch is more than a null."""
    said = part.keys() - {"nullable", *_TEXT}
    return bool(said) and not (said == {"type"} and not _types(part)[0])


def _merged(parts: list[Shape], branches: list[Node], document: Node, place: str, seen: Sequence[str]) -> Shape:
    properties: Node = {}
    required: list[str] = []
    known = list(seen)
    for part, branch in zip(parts, branches, strict=True):
        full = part
        while full.kind == "class" and full.name not in known:
            known.append(full.name)
            full = shape(document["components"]["schemas"][full.name], document, place, known)
        if full.kind == "object":
            properties |= full.schema["properties"]
            required += full.schema["required"]
        elif full.kind != "class" and not branch.keys() <= {"required", "type"}:
            return Shape("any", dropped=("allOf",))
        required += branch.get("required", [])
    return Shape("object", schema={"properties": properties, "required": list(dict.fromkeys(required))})


def _enum(schema: Node) -> Shape:
    values: list[Any] = [value for value in schema["enum"] if value is not None]
    nullable = len(values) < len(schema["enum"])
    if values and all(isinstance(value, str) for value in values):
        return Shape("enum", nullable, schema={"type": "string", "enum": list(dict.fromkeys(values))})
    kinds = {"bool": "boolean", "int": "integer", "float": "number"}
    found = {kinds.get(str(value.__class__.__name__)) for value in values}
    if len(found) == 1 and None not in found:
        return Shape("scalar", nullable, schema={"type": found.pop()}, dropped=("enum",))
    return Shape("any", nullable, dropped=("enum",))


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
