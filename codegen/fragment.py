"""The fragment: from its files to one checked document, and from that to the list of endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import Any, Final, cast

import yaml
from jsonschema_path import SchemaPath
from openapi_spec_validator import OpenAPIV31SpecValidator

from codegen.openapi import (
    METHODS,
    SCHEMAS,
    Node,
    SpecError,
    component,
    escaped,
    is_envelope,
    is_list,
    is_node,
    nodes,
    parameter_name,
    python_name,
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
    """Read the fragment, join its files and check the whole. ``SpecError`` names the first thing that is wrong."""
    return check(bundle(path))


def bundle(path: Path) -> Node:
    """The fragment as one document, whatever files it is kept in. Component names are unique among them."""
    document = _read(path)
    joined: Node = document.setdefault("components", {})
    homes: dict[tuple[str, str], str] = {}
    waiting = sorted(_localised(document, path.name))
    seen = {path.name}
    for kind, group in joined.items():
        homes.update({(kind, name): path.name for name in group})
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        part = _read(path.parent / name)
        waiting += sorted(_localised(part, name))
        for kind, group in part.get("components", {}).items():
            for component_name, value in group.items():
                if (kind, component_name) in homes:
                    place = f"{name}#/components/{kind}/{component_name}"
                    raise SpecError(place, f"the name is taken by {homes[kind, component_name]}")
                homes[kind, component_name] = name
                joined.setdefault(kind, {})[component_name] = value
        for route, item in part.get("paths", {}).items():
            if document.get("paths", {}).get(route) != {"$ref": f"#/paths/{escaped(route)}"}:
                raise SpecError(f"{name}#/paths/{escaped(route)}", f"{path.name} does not refer to it")
            document["paths"][route] = item
    return document


def _read(path: Path) -> Node:
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(str(path), f"cannot be read: {error}") from error


def _localised(node: object, file: str) -> set[str]:
    """Cut the file names off the references below a node, and return them."""
    files: set[str] = set()
    for found in nodes(node):
        ref = found.get("$ref")
        if isinstance(ref, str) and not ref.startswith("#"):
            name, _, pointer = ref.partition("#")
            if not re.fullmatch(r"[\w-]+\.yaml", name):
                raise SpecError(file, f"$ref {ref!r} leaves the fragment's folder")
            files.add(name)
            found["$ref"] = f"#{pointer}"
    return files


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
        return  # ``read_operations`` looks into it
    elif schema.get("type") == "object" and is_node(schema.get("properties")):
        unique_names(place, "members", schema["properties"])
        for member, value in schema["properties"].items():
            _check_value(f"{place}/properties/{member}", value)
    else:
        raise SpecError(place, "a component is an object with properties or a string enum")


def unique_names(place: str, what: str, wires: Iterable[str]) -> dict[str, str]:
    """Python name to wire name."""
    names: dict[str, str] = {}
    for wire in wires:
        name = python_name(wire)
        if names.setdefault(name, wire) != wire:
            raise SpecError(place, f"{what} {names[name]!r}, {wire!r} are both {name!r}")
    return names


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
    elif is_list(types) and not set(types) <= {"string", "integer", "number", "boolean"}:
        raise SpecError(place, "a choice of types is for scalars")
    if (schema.get("x-secret") or schema.get("x-sensitive")) and types not in ("string", "object"):
        raise SpecError(place, "x-secret and x-sensitive mark a text or a map; mark the items of a list")
    if "$ref" in value and component(value) is None:
        raise SpecError(place, f"$ref {value['$ref']!r} is no class and no enum")


RATE_TIERS: Final = ("standard", "sensitive", "message")
IDEMPOTENCY: Final = ("automatic", "explicit", "none")
_SCALARS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path or query parameter."""

    name: str
    """In Python."""
    wire: str
    type: str
    """The Python type of its value."""
    required: bool
    description: str
    default: str | None
    """What the method sends when the caller gives no value, as source; ``None`` for nothing."""
    later_pages: bool
    """The parameter is sent for a page after the first, and no argument of the method."""

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return self.type.startswith("Sequence[")


@dataclass(frozen=True, slots=True)
class Data:
    """What a successful response holds."""

    type: str
    """As source: a class, ``list[…]`` of one, or ``dict[str, Any]``."""
    classes: frozenset[str]
    items: str | None
    """Python name of the member that holds the items of a page; empty for a list that is bare."""
    item: str | None
    """The type of an item."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A 4xx response, as the method's docstring tells it."""

    status: int
    description: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation as the package needs it."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    deprecated: bool
    resource: str
    call: str
    """Name of the method on the resource."""
    path_parameters: tuple[Parameter, ...]
    query_parameters: tuple[Parameter, ...]
    body: str | None
    """Component of the request body."""
    multipart: str | dict[str, str] | None
    data: Data | None
    """``None`` when there is nothing to read."""
    failures: tuple[Failure, ...]
    rate_tier: str
    idempotency: str


def read_endpoints(document: Node) -> tuple[Endpoint, ...]:
    """Every endpoint, in document order."""
    found: list[Endpoint] = []
    for path, path_item in document.get("paths", {}).items():
        item = resolve(document, path, path_item)
        found += [_read_endpoint(document, path, item, method) for method in item if method in METHODS]
    calls: dict[str, str] = {}
    for endpoint in found:
        call = f"{endpoint.resource}.{endpoint.call}"
        if calls.setdefault(call, endpoint.name) != endpoint.name:
            raise SpecError(endpoint.name, f"{calls[call]} is sent.{call} already")
    return tuple(found)


def _read_endpoint(document: Node, path: str, item: Node, method: str) -> Endpoint:
    place = f"{method.upper()} {path}"
    operation: Node = item[method]
    name = operation.get("operationId")
    if not isinstance(name, str):
        raise SpecError(place, "operationId is missing")
    if not re.fullmatch(r"[a-z][A-Za-z0-9]*", name):
        raise SpecError(place, f"operationId {name!r} is not in camelCase")
    parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
    resolved = [resolve(document, place, parameter) for parameter in parameters]
    in_path, in_query = (_parameters(document, place, resolved, where) for where in ("path", "query"))
    body = _read_body(document, place, operation)
    members: Node = document["components"]["schemas"][body]["properties"] if body else {}
    keywords = {python_name(member) for member in members}
    if "x-multipart" in operation:
        keywords.add("documents")
    for parameter in (*in_path, *in_query):
        if parameter.name in keywords:
            problem = f"parameter {parameter.wire!r} has the name of a member of the body; give it an x-python-name"
            raise SpecError(place, problem)
    return Endpoint(
        name=name,
        method=method.upper(),
        path=path,
        summary=operation.get("summary", name),
        description=str(operation.get("description", "")).strip(),
        deprecated=operation.get("deprecated", False),
        resource=_python_name(place, operation, "x-resource", r"[a-z_]+(\.[a-z_]+)*"),
        call=_python_name(place, operation, "x-method", r"[a-z_]+"),
        path_parameters=in_path,
        query_parameters=in_query,
        body=body,
        multipart=operation.get("x-multipart"),
        data=_read_data(document, place, operation.get("responses", {})),
        failures=_read_failures(document, place, operation.get("responses", {})),
        rate_tier=_choice(place, operation, "x-rate-tier", RATE_TIERS),
        idempotency=_choice(place, operation, "x-idempotency", IDEMPOTENCY),
    )


def _choice(place: str, operation: Node, key: str, choices: tuple[str, ...]) -> str:
    value = operation.get(key)
    if value not in choices:
        raise SpecError(place, f"{key} must be one of {', '.join(choices)}, not {value!r}")
    return str(value)


def _python_name(place: str, operation: Node, key: str, pattern: str) -> str:
    value = operation.get(key)
    if not isinstance(value, str) or not re.fullmatch(pattern, value) or iskeyword(value):
        raise SpecError(place, f"{key} must name a place in the package, such as {pattern!r}; it is {value!r}")
    return value


def _parameters(document: Node, place: str, parameters: list[Node], location: str) -> tuple[Parameter, ...]:
    # Header parameters are the client's business (key, acting profile, idempotency), not a caller's.
    names: dict[str, str] = {}
    found: list[Parameter] = []
    for parameter in parameters:
        if parameter["in"] != location:
            continue
        wire = parameter["name"]
        name = parameter_name(parameter)
        if python_name(name) != name:
            raise SpecError(place, f"{name!r} cannot be the x-python-name of parameter {wire!r}")
        if names.setdefault(name, wire) != wire:
            raise SpecError(place, f"parameters {names[name]!r}, {wire!r} are both {name!r}")
        kind = _parameter_type(document, f"{place} {wire}", parameter.get("schema", {}))
        if kind.startswith("Sequence[") and not (parameter.get("explode", True) and _is_form(parameter)):
            raise SpecError(f"{place} {wire}", "a list is sent as repeated names only: style form, explode true")
        default = parameter.get("x-default")
        found.append(
            Parameter(
                name=name,
                wire=wire,
                type=kind,
                required=location == "path" or parameter.get("required", False),
                description=str(parameter.get("description", "")).strip(),
                default=None if default is None else repr(default),
                later_pages=parameter.get("x-later-pages", False),
            )
        )
    return tuple(found)


def _is_form(parameter: Node) -> bool:
    return bool(parameter.get("style", "form") == "form")


def _parameter_type(document: Node, place: str, schema: Node) -> str:
    schema, _ = split_null(place, resolve(document, place, schema))
    if schema.get("type") == "array":
        return f"Sequence[{_parameter_type(document, place, schema.get('items', {}))}]"
    if schema.get("format") == "date-time":
        return "datetime"
    if schema.get("type") not in _SCALARS:
        raise SpecError(place, "a parameter is text, a number, true or false, or a list of these")
    return _SCALARS[schema["type"]]


def _read_body(document: Node, place: str, operation: Node) -> str | None:
    if "requestBody" not in operation:
        return None
    body = resolve(document, place, operation["requestBody"])
    schema: Node = body["content"].get("application/json", {}).get("schema", {})
    name = component(schema)
    if name is None or "properties" not in document["components"]["schemas"][name]:
        raise SpecError(f"{place} requestBody", "inline object: a body must be a $ref to an object component")
    return name


def _read_failures(document: Node, place: str, responses: Node) -> tuple[Failure, ...]:
    """The 4xx responses, without those that any call may get: a refused key, a limit."""
    found: list[Failure] = []
    for code, response in responses.items():
        if not re.fullmatch(r"4\d\d", code) or ("$ref" in response and code in ("401", "403", "429")):
            continue
        text = " ".join(str(resolve(document, place, response).get("description", "")).split())
        # A shared response says in its first sentence what it means, and then how it was documented.
        found.append(Failure(int(code), re.split(r"(?<=\.) ", text)[0] if "$ref" in response else text))
    return tuple(found)


def _read_data(document: Node, place: str, responses: Node) -> Data | None:
    codes = sorted(code for code in responses if re.fullmatch(r"2\d\d", code))
    if not codes:
        raise SpecError(place, "no 2xx response")
    found: set[Data] = set()
    for code in codes:
        response = resolve(document, place, responses[code])
        content = response.get("content", {}).get("application/json")
        data = _envelope_data(document, f"{place} {code}", content["schema"]) if content else None
        if data is not None:
            found.add(data)
    if len(found) > 1:
        raise SpecError(place, f"its 2xx responses promise different data: {', '.join(sorted(d.type for d in found))}")
    return found.pop() if found else None


def _envelope_data(document: Node, place: str, schema: Node) -> Data | None:
    if str(schema.get("$ref", "")) == f"{SCHEMAS}Envelope":
        return None
    parts: list[Node] = schema.get("allOf", [])
    data = parts[1].get("properties", {}).get("data") if len(parts) == 2 else None
    if is_node(data) and parts[0] == {"$ref": f"{SCHEMAS}Envelope"}:
        return data_type(document, f"{place} data", data)
    raise SpecError(place, "a response is an Envelope, or allOf an Envelope and properties.data")


def data_type(document: Node, place: str, schema: Node) -> Data:
    """The Python type of a response's data."""
    value, _ = split_null(place, schema)
    if value.get("type") == "array":
        item = data_type(document, f"{place} items", value.get("items", {}))
        return Data(f"list[{item.type}]", item.classes, "", item.type)
    name = component(value)
    if name is not None:
        items, item_type = _page_items(document, name)
        return Data(name, frozenset({name}), items, item_type)
    if value.get("type") == "object" and value.get("additionalProperties") is True:
        return Data("dict[str, Any]", frozenset(), None, None)
    if value.get("type") in _SCALARS:
        return Data(_SCALARS[value["type"]], frozenset(), None, None)
    raise SpecError(place, "inline object: data must be a $ref to a component, a list, a free map or a scalar")


def _page_items(document: Node, name: str) -> tuple[str | None, str | None]:
    """The one list of an object that also has ``pagination``."""
    properties: Node = document["components"]["schemas"][name].get("properties", {})
    arrays = {key: split_null(name, value)[0] for key, value in properties.items()}
    arrays = {key: value for key, value in arrays.items() if value.get("type") == "array"}
    if "pagination" not in properties or len(arrays) != 1:
        return None, None
    ((key, value),) = arrays.items()
    return python_name(key), data_type(document, f"{SCHEMAS}{name}/properties/{key}", {**value}).item
