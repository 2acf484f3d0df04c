"""The fragment from file to checked document: YAML, OpenAPI rules, then the rules of this house."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, cast

import yaml
from jsonschema_path import SchemaPath
from openapi_spec_validator import OpenAPIV31SpecValidator

from codegen.document import (
    SCHEMAS,
    Node,
    SpecError,
    component,
    escaped,
    is_envelope,
    is_list,
    is_node,
    references,
    resolve,
    split_null,
)

_REFUSED: Final = ("allOf", "oneOf", "not", "if", "discriminator", "patternProperties", "const")


class _Loader(yaml.SafeLoader):
    """Safe YAML with the surprises taken out: what looks like text to a reader stays text."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        # A few nested aliases expand to gigabytes; $ref does the same job in an OpenAPI document.
        if self.check_event(yaml.AliasEvent):
            event = cast("Any", self).peek_event()
            problem = "aliases are refused"
            raise yaml.constructor.ConstructorError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                problem = f"a key must be text; quote {getattr(key, 'value', '')!r}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            if key.value in seen:
                problem = f"duplicate key {key.value!r}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return cast("dict[Any, Any]", super().construct_mapping(node, deep=deep))


# YAML 1.1 reads 2026-03-31 as a date and NO as false; examples and enum values must keep their text.
_TEXT: Final = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
_BOOL: Final = ("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"))
_Loader.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] not in _TEXT] + ([_BOOL] if first in ("t", "f") else [])
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> Node:
    """Read the fragment and check it. ``SpecError`` names the first thing that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(str(path), f"cannot be read: {error}") from error
    return check(parse(text, path.name))


def parse(text: str, name: str) -> Node:
    """YAML text as plain dicts, lists and scalars."""
    try:
        document: object = _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise SpecError(line, error.problem or "is not YAML") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SpecError(name, f"is not YAML: {error}") from error
    if not is_node(document):
        raise SpecError(name, "is not a YAML mapping")
    return document


def check(document: Node) -> Node:
    """Give back the document if it is valid OpenAPI 3.1 and keeps the house rules."""
    if not str(document.get("openapi", "")).startswith("3.1."):
        raise SpecError("openapi", f"must be 3.1.x, not {document.get('openapi')!r}")
    for place, ref in references(document):
        resolve(document, place, {"$ref": ref})
    for error in OpenAPIV31SpecValidator(SchemaPath.from_dict(document)).iter_errors():
        place = "/".join(["#", *(escaped(str(part)) for part in error.absolute_path)])
        raise SpecError(place, error.message)
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        _check_component(name, schema)
    return document


def _check_component(name: str, schema: Node) -> None:
    place = SCHEMAS + name
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
        raise SpecError(place, "a component name is one word in CamelCase")
    if "enum" in schema:
        _check_enum(place, schema)
    elif is_envelope(name):
        return  # ``read_operations`` looks into it
    elif schema.get("type") == "object" and is_node(schema.get("properties")):
        for member, value in schema["properties"].items():
            _check_value(f"{place}/properties/{member}", value)
    else:
        raise SpecError(place, "a component is an object with properties or a string enum")


def _check_enum(place: str, schema: Node) -> None:
    values: list[Any] = schema["enum"]
    if schema.get("type") != "string" or not all(isinstance(value, str) for value in values):
        raise SpecError(place, "an enum is of strings; null goes beside the $ref")
    if "x-enum-varnames" in schema:
        names = {str(name) for name in schema["x-enum-varnames"]}
        if len(names) != len(values) or not all(name.isidentifier() for name in names):
            raise SpecError(place, "x-enum-varnames must give each value its own identifier")
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
        if not is_node(value.get("additionalProperties")):
            raise SpecError(place, "inline object: make it a component, or type its values")
        _check_value(f"{place}/additionalProperties", value["additionalProperties"])
    elif types == "array":
        if "items" not in value:
            raise SpecError(place, "an array needs items")
        _check_value(f"{place}/items", value["items"])
    elif types is None and "$ref" not in value:
        raise SpecError(place, "no type")
    elif is_list(types) and not set(types) <= {"string", "integer", "number", "boolean"}:
        raise SpecError(place, "a choice of types is for scalars")
    if "$ref" in value and component(value) is None:
        raise SpecError(place, f"$ref {value['$ref']!r} is no class and no enum")
