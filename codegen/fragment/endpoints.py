"""The endpoints of the fragment: each operation as the package needs it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from keyword import iskeyword
from typing import Final

from codegen.openapi.names import check_unique, parameter_name, python_name, snake
from codegen.openapi.nodes import SCALARS, Node, SpecError, component
from codegen.openapi.operations import Operation, operations, read_responses, request_schema
from codegen.openapi.shapes import Shape, class_shape, shape, whole

_RULES: Final = {
    "operationId": "[a-z][A-Za-z0-9]*",
    "x-resource": r"[a-z_]+(\.[a-z_]+)*",
    "x-method": "[a-z_]+",
    "x-rate-tier": "standard|sensitive|message",
    "x-idempotency": "automatic|explicit|none",
}
"""What every operation must have, and the form of its text."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path or query parameter."""

    name: str
    """Its name in Python."""
    wire: str
    type: str
    """The Python type of its value."""
    enum: str | None
    """The enum that its values are of."""
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
    """The data of a successful response."""

    type: str
    """Its type as source text: a class, ``list[…]`` of one, or ``dict[str, Any]``."""
    classes: frozenset[str]
    items: str | None = None
    """Python name of the member that holds the items of a page; empty for a list that is bare."""
    item: str | None = None
    """The type of an item."""
    is_union: bool = False


@dataclass(frozen=True)
class Endpoint(Operation):
    """An operation as the package needs it."""

    resource: str
    call: str
    """Name of the method on the resource."""
    path_parameters: tuple[Parameter, ...]
    query_parameters: tuple[Parameter, ...]
    body: str | None
    """Component of the request body."""
    data: Data | None
    """``None`` when there is nothing to read."""

    @property
    def constant(self) -> str:
        """The name of its ``Operation``."""
        return snake(self.name).upper()

    @property
    def summary(self) -> str:
        """One line, for docstrings."""
        text = str(self.node.get("summary", self.name))
        return f"Deprecated. {text}" if self.node.get("deprecated") else text

    @property
    def arguments(self) -> tuple[Parameter, ...]:
        """The path parameters, then the query parameters."""
        return (*self.path_parameters, *self.query_parameters)


def read_endpoints(document: Node) -> tuple[Endpoint, ...]:
    """Every endpoint, in document order.

    Raises:
        SpecError: An operation has no form in Python, or two have the same one.
    """
    found = tuple(_read_endpoint(operation) for operation in operations(document).values())
    check_unique("x-method", ((endpoint.name, f"sent.{endpoint.resource}.{endpoint.call}") for endpoint in found))
    return found


def _read_endpoint(operation: Operation) -> Endpoint:
    for key, pattern in _RULES.items():
        value = str(operation.node.get(key))
        if not re.fullmatch(pattern, value) or iskeyword(value):
            raise SpecError(operation.place, f"{key} must match {pattern!r}; it is {operation.node.get(key)!r}")
    endpoint = Endpoint(
        **vars(operation),
        resource=operation.node["x-resource"],
        call=operation.node["x-method"],
        path_parameters=_parameters(operation, "path"),
        query_parameters=_parameters(operation, "query"),
        body=_read_body(operation),
        data=_read_data(operation),
    )
    members: Node = operation.document["components"]["schemas"][endpoint.body]["properties"] if endpoint.body else {}
    named = [(f"parameter {parameter.wire!r}", parameter.name) for parameter in endpoint.arguments]
    named += [(f"member {member!r} of the body", python_name(member)) for member in members]
    named += [("the form", "documents")] if "x-multipart" in operation.node else []
    check_unique(operation.place, named)
    return endpoint


def _parameters(operation: Operation, location: str) -> tuple[Parameter, ...]:
    # Header parameters are the client's business (key, acting profile, idempotency), not a caller's.
    found: list[Parameter] = []
    for parameter in (parameter for parameter in operation.parameters if parameter["in"] == location):
        wire = parameter["name"]
        name = parameter_name(parameter)
        place = f"{operation.place} {wire}"
        if python_name(name) != name:
            raise SpecError(place, f"{name!r} cannot be its x-python-name")
        value = shape(parameter.get("schema", {}), operation.document, place)
        found.append(
            Parameter(
                name=name,
                wire=wire,
                type=_parameter_type(operation.document, place, value),
                enum=enum_of(operation.document, value),
                required=location == "path" or parameter.get("required", False),
                description=argument_text(operation.document, parameter, parameter.get("schema", {})),
                default=repr(parameter["x-default"]) if "x-default" in parameter else None,
                later_pages=parameter.get("x-later-pages", False),
            )
        )
        repeats = parameter.get("style", "form") == "form" and parameter.get("explode", True)
        if found[-1].is_list and not repeats:
            raise SpecError(place, "a list is sent as repeated names only: style form, explode true")
    return tuple(found)


def _parameter_type(document: Node, place: str, found: Shape) -> str:
    if found.kind == "list":
        return f"Sequence[{_parameter_type(document, place, shape(found.inner, document, place))}]"
    if enum := enum_of(document, found):
        return value_name(enum)
    if found.schema.get("format") == "date-time":
        return "datetime"
    if found.kind != "scalar" or str(found.schema["type"]) not in SCALARS:
        raise SpecError(place, "a parameter is text, a number, true or false, or a list of these")
    return SCALARS[found.schema["type"]]


def enum_of(document: Node, found: Shape) -> str | None:
    """The enum that a value, or each item of a list, is of."""
    if found.kind == "list":
        return enum_of(document, shape(found.inner, document, ""))
    return found.name if whole(found, document).kind == "enum" and found.name else None


def request_values(schema: Node) -> list[str]:
    """The values of an enum that a request may send."""
    return [value for value in schema["enum"] if value not in schema.get("x-response-values", ())]


def value_name(enum: str) -> str:
    """The name of the type that an argument has for an enum: a known value as text, or a member."""
    return f"{enum}Value"


def argument_text(document: Node, node: Node, schema: Node | None = None) -> str:
    """The description of a parameter or a member, with the values of its enum where it does not name them itself."""
    found = shape(node if schema is None else schema, document, "")
    text = str(node.get("description", "")).strip()
    if (enum := enum_of(document, found)) is None:
        return text
    values = [f"`{value}`" for value in request_values(document["components"]["schemas"][enum])]
    if all(value in text for value in values):
        return text
    return f"{text} One of {', '.join(values) if len(values) < 9 else f'`{enum}`'}.".strip()


def _read_body(operation: Operation) -> str | None:
    schema, problem = request_schema(operation)
    if schema is None and not problem:
        return None
    name = component(schema or {})
    if name is None or "properties" not in operation.document["components"]["schemas"][name]:
        place = f"{operation.place} requestBody"
        raise SpecError(place, "inline object: a body must be a $ref to an object component")
    return name


def _read_data(operation: Operation) -> Data | None:
    if not operation.success_codes:
        raise SpecError(operation.place, "no 2xx response")
    found: set[Data] = set()
    for response in read_responses(operation):
        if response.problem:
            raise SpecError(operation.place, response.problem)
        if response.data is not None:
            found.add(data_type(operation.document, f"{operation.place} data", response.data))
    if len(found) > 1:
        types = ", ".join(sorted(data.type for data in found))
        raise SpecError(operation.place, f"its 2xx responses promise different data: {types}")
    return found.pop() if found else None


def data_type(document: Node, place: str, schema: Node) -> Data:
    """The Python type of a response's data."""
    found = shape(schema, document, place)
    if found.kind == "list":
        item = data_type(document, f"{place} items", found.inner)
        return Data(f"list[{item.type}]", item.classes, "", item.type)
    if found.kind == "class":
        return _class_data(document, found.name)
    if found.kind == "map" and not found.inner:
        return Data("dict[str, Any]", frozenset())
    if found.kind == "scalar" and str(found.schema["type"]) in SCALARS:
        return Data(SCALARS[found.schema["type"]], frozenset())
    raise SpecError(place, "inline object: data must be a $ref to a component, a list, a free map or a scalar")


def _class_data(document: Node, name: str) -> Data:
    """A class; a page, when it has one list and ``pagination``."""
    whole = class_shape(name, document)
    properties: Node = whole.schema.get("properties", {})
    lists = [key for key, value in properties.items() if shape(value, document, f"{name}.{key}").kind == "list"]
    if "pagination" not in properties or len(lists) != 1:
        return Data(name, frozenset({name}), is_union=whole.kind == "union")
    items = data_type(document, f"{name}.{lists[0]}", properties[lists[0]])
    return Data(name, items.classes | {name}, python_name(lists[0]), items.item)
