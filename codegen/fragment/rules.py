"""The rules of the fragment: valid OpenAPI 3.1 of which every part has a form in Python."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, Final

from jsonschema_path import SchemaPath
from openapi_spec_validator import OpenAPIV31SpecValidator

from codegen.openapi.names import python_name
from codegen.openapi.nodes import (
    SCALARS,
    SCHEMAS,
    Node,
    SpecError,
    component,
    is_envelope,
    is_list,
    is_node,
    nodes,
    pointer,
    references,
    resolve,
    split_null,
)
from codegen.openapi.reading import bundle
from codegen.openapi.sources import form_errors

_REFUSED: Final = ("allOf", "oneOf", "not", "if", "discriminator", "patternProperties", "const")


def load(path: Path) -> Node:
    """Read the fragment, join its files and check the whole. ``SpecError`` names the first thing that is wrong."""
    return check(bundle(path))


def check(document: Node) -> Node:
    """Give back the document if it is valid OpenAPI 3.1 and keeps the rules of the fragment."""
    if not str(document.get("openapi", "")).startswith("3.1."):
        raise SpecError("openapi", f"must be 3.1.x, not {document.get('openapi')!r}")
    for place, ref in references(document):
        resolve(document, place, {"$ref": ref})
    meaning = OpenAPIV31SpecValidator(path := SchemaPath.from_dict(document)).root_validator(path)
    for error in chain(form_errors(document), meaning):
        raise SpecError(pointer(error.absolute_path), error.message)
    forms = set(form_schemas(document))
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        if name not in forms:
            _check_component(name, schema)
    return document


def form_schemas(document: Node) -> list[str]:
    """Components that describe a multipart form. The JSON body beside it has the class; a form has none."""
    paths = nodes(document.get("paths", {}))
    contents = [node["multipart/form-data"] for node in paths if "multipart/form-data" in node]
    return [content["schema"]["$ref"].removeprefix(SCHEMAS) for content in contents]


def _check_component(name: str, schema: Node) -> None:
    place = SCHEMAS + name
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
        raise SpecError(place, "a component name is one word in CamelCase")
    if "enum" in schema:
        _check_enum(place, schema)
    elif is_envelope(name):
        return  # ``read_endpoints`` looks into it
    elif schema.get("type") == "object" and is_node(schema.get("properties")):
        unique_names(place, "members", schema["properties"])
        for member, value in schema["properties"].items():
            _check_value(f"{place}/properties/{member}", value)
    else:
        raise SpecError(place, "a component is an object with properties or a string enum")


def unique_names(place: str, what: str, wires: Iterable[str]) -> None:
    """Refuse wire names of which two are the same name in Python."""
    names: dict[str, str] = {}
    for wire in wires:
        name = python_name(wire)
        if names.setdefault(name, wire) != wire:
            raise SpecError(place, f"{what} {names[name]!r}, {wire!r} are both {name!r}")


def _check_enum(place: str, schema: Node) -> None:
    values: list[Any] = schema["enum"]
    if schema.get("type") != "string" or not all(isinstance(value, str) for value in values):
        raise SpecError(place, "an enum is of strings; null goes beside the $ref")
    if "x-enum-varnames" in schema:
        names = {str(name) for name in schema["x-enum-varnames"]}
        if len(names) != len(values) or not all(name.isidentifier() for name in names):
            raise SpecError(place, "x-enum-varnames must give each value its own identifier")
    if len(schema.get("x-enum-descriptions", values)) != len(values):
        raise SpecError(place, "x-enum-descriptions must give each value a text")
    if "x-http-status" in schema:
        statuses: Node = schema["x-http-status"]
        if odd := ", ".join(sorted(statuses.keys() ^ set(values))):
            raise SpecError(place, f"x-http-status and enum differ in {odd}")


def _check_value(place: str, schema: Node) -> None:
    """A value inside a component: a reference, a scalar, a list or a map of these; or null."""
    for key in _REFUSED:
        if key in schema:
            raise SpecError(place, f"{key} is not supported")
    value, _ = split_null(place, schema)
    if "enum" in value:
        raise SpecError(place, "inline enum: make it a component")
    if "properties" in value:
        raise SpecError(place, "inline object: make it a component")
    types = value.get("type")
    if types == "object":
        values = value.get("additionalProperties")
        if is_node(values):
            _check_value(f"{place}/additionalProperties", values)
        elif values is not True:
            raise SpecError(place, "inline object: make it a component, type its values, or say that they are free")
    elif types == "array":
        if "items" not in value:
            raise SpecError(place, "an array needs items")
        _check_value(f"{place}/items", value["items"])
    elif types is None and "$ref" not in value:
        raise SpecError(place, "no type")
    elif is_list(types) and not set(types) <= SCALARS.keys():
        raise SpecError(place, "a choice of types is for scalars")
    if (schema.get("x-secret") or schema.get("x-sensitive")) and types not in ("string", "object"):
        raise SpecError(place, "x-secret and x-sensitive mark a text or a map; mark the items of a list")
    if "$ref" in value and component(value) is None:
        raise SpecError(place, f"$ref {value['$ref']!r} is no class and no enum")
