"""The rules of the fragment: valid OpenAPI 3.1 of which every part has a form in Python."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema_path import SchemaPath
from openapi_spec_validator import OpenAPIV31SpecValidator

from codegen.openapi.names import check_unique, python_name
from codegen.openapi.nodes import (
    SCHEMAS,
    Node,
    SpecError,
    component,
    is_envelope,
    is_node,
    nodes,
    pointer,
    references,
    resolve,
)
from codegen.openapi.reading import bundle
from codegen.openapi.shapes import class_shape, shape, whole
from codegen.openapi.sources import form_errors

_SCHEMA: Final[Any] = Draft202012Validator(Draft202012Validator.META_SCHEMA)
_INLINE: Final = {
    "enum": "inline enum: make it a component",
    "object": "inline object: make it a component",
    "union": "inline choice: make it a component",
    "any": "no type",
}


def load(path: Path) -> Node:
    """Read the fragment, join its files and check the whole. ``SpecError`` names the first thing that is wrong."""
    return check(bundle(path))


def check(document: Node) -> Node:
    """Give back the document if it is valid OpenAPI 3.1 and keeps the rules of the fragment."""
    if not str(document.get("openapi", "")).startswith("3.1."):
        raise SpecError("openapi", f"must be 3.1.x, not {document.get('openapi')!r}")
    for place, ref in references(document):
        resolve(document, place, {"$ref": ref})
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        for error in _SCHEMA.iter_errors(schema):
            raise SpecError(f"{SCHEMAS}{name}{pointer(error.absolute_path)[1:]}", error.message)
    meaning = OpenAPIV31SpecValidator(path := SchemaPath.from_dict(document)).root_validator(path)
    for error in chain(form_errors(document), meaning):
        raise SpecError(pointer(error.absolute_path), error.message)
    forms = set(form_schemas(document))
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        if name not in forms:
            _check_component(document, name, schema)
    return document


def form_schemas(document: Node) -> list[str]:
    """Components that describe a multipart form. The JSON body beside it has the class; a form has none."""
    paths = nodes(document.get("paths", {}))
    contents = [node["multipart/form-data"] for node in paths if "multipart/form-data" in node]
    return [content["schema"]["$ref"].removeprefix(SCHEMAS) for content in contents]


def _check_component(document: Node, name: str, schema: Node) -> None:
    place = SCHEMAS + name
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
        raise SpecError(place, "a component name is one word in CamelCase")
    if "enum" in schema:
        _check_enum(place, schema)
    elif is_envelope(name):
        return  # ``read_endpoints`` looks into it
    elif (union := class_shape(name, document)).kind == "union":
        classes = {component(branch): whole(shape(branch, document, place), document).kind for branch in union.branches}
        mapping: Node = union.schema.get("discriminator", {}).get("mapping", {})
        named = {str(ref).removeprefix(SCHEMAS) for ref in mapping.values()}
        if None in classes or {*classes.values()} != {"object"} or not named <= classes.keys():
            raise SpecError(place, "a choice is of components that are objects, and its mapping names these")
    elif schema.get("type") == "object" and is_node(schema.get("properties")):
        check_unique(place, ((f"member {member!r}", python_name(member)) for member in schema["properties"]))
        for member, value in schema["properties"].items():
            _check_value(document, f"{place}/properties/{member}", value)
    else:
        raise SpecError(place, "a component is an object with properties, a string enum or a choice of objects")


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


def _check_value(document: Node, place: str, schema: object) -> None:
    """A value inside a component: a class, an enum, a scalar, or a list or a map of these; or null."""
    found = shape(schema, document, place)
    if found.dropped:
        raise SpecError(place, f"{', '.join(found.dropped)} is not supported")
    if found.kind in _INLINE:
        raise SpecError(place, _INLINE[found.kind])
    if found.kind in ("list", "map") and (found.inner or found.kind == "list"):
        _check_value(document, f"{place}/{'items' if found.kind == 'list' else 'additionalProperties'}", found.inner)
    if found.kind == "class" and is_envelope(found.name):
        raise SpecError(place, f"{found.name} is no class and no enum")
    is_secret = found.extra.get("x-secret") or found.extra.get("x-sensitive")
    if is_secret and found.kind != "map" and found.schema.get("type") != "string":
        raise SpecError(place, "x-secret and x-sensitive mark a text or a map; mark the items of a list")
