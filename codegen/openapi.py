"""Questions about an OpenAPI document: its nodes, its references, its types. Nothing here writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from keyword import iskeyword
from typing import Any, Final, TypeGuard, cast

Node = dict[str, Any]
"""A JSON object of the document."""

SCHEMAS: Final = "#/components/schemas/"
METHODS: Final = ("get", "put", "post", "patch", "delete", "head", "options", "trace")
LIMITS: Final = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems"),
)
"""The server's rules. Nothing is checked locally; they stay for whoever compares documents."""

_TAKEN: Final = (
    # Every method or every model has one of its own.
    *("self", "idempotency_key", "to_dict", "to_json", "from_json"),
    *("bool", "bytes", "dict", "field", "float", "int", "list", "str"),  # what generated annotations mention
)


class SpecError(Exception):
    """The fragment cannot be used. The message names the place and what is wrong there."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")


def is_node(value: object) -> TypeGuard[Node]:
    """Whether a value is a JSON object. The loader has seen to it that keys are strings."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a value is a JSON array."""
    return isinstance(value, list)


def snake(name: str) -> str:
    """A name in camelCase in snake_case: ``profileId`` is ``profile_id``."""
    words = re.sub(r"([A-Z]+)([A-Z][a-z])|([a-z0-9])([A-Z])", r"\1\3_\2\4", name)
    return re.sub(r"\W", "_", words).lower()


def python_name(wire: str) -> str:
    """The name of a member or a parameter in Python: in snake case, with an underscore after a name that is taken."""
    name = snake(wire).lstrip("_")
    if not name.isidentifier() and not iskeyword(name):
        name = f"field_{name}"
    return f"{name}_" if iskeyword(name) or name in _TAKEN else name


def parameter_name(parameter: Node) -> str:
    """The keyword of a parameter in Python."""
    return str(parameter.get("x-python-name", python_name(parameter["name"])))


def escaped(key: str) -> str:
    """A key as a JSON pointer writes it."""
    return key.replace("~", "~0").replace("/", "~1")


def references(node: object, place: str = "#") -> Iterator[tuple[str, str]]:
    """Every ``$ref`` below a node, with the place it stands at."""
    if is_node(node):
        if isinstance(ref := node.get("$ref"), str):
            yield place, ref
        for key, value in node.items():
            yield from references(value, f"{place}/{escaped(key)}")
    elif is_list(node):
        for index, value in enumerate(node):
            yield from references(value, f"{place}/{index}")


def nodes(node: object) -> Iterator[Node]:
    """A node and every object below it."""
    if is_node(node):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif is_list(node):
        for value in node:
            yield from nodes(value)


def is_envelope(name: str) -> bool:
    """Whether a component is the wrapping of an answer. Those are never classes."""
    return name.endswith("Envelope")


def component(schema: Node) -> str | None:
    """Name of the component that a schema refers to: a class or an enum, no envelope, no part of one."""
    name = str(schema.get("$ref", "")).removeprefix(SCHEMAS)
    return name if re.fullmatch(r"\w+", name) and not is_envelope(name) else None


def schema_names(node: object) -> set[str]:
    """Names of the component schemas that a node refers to, directly."""
    return {ref.removeprefix(SCHEMAS) for _, ref in references(node) if ref.startswith(SCHEMAS)}


def reachable(schemas: Node, roots: set[str]) -> set[str]:
    """The roots and every component schema they lead to."""
    found: set[str] = set()
    waiting = sorted(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(schema_names(schemas[name]))
    return found


def components(document: Node, *roots: object) -> set[tuple[str, str]]:
    """Kind and name of every component that the roots lead to, such as ``("schemas", "Profile")``."""
    found: set[tuple[str, str]] = set()
    waiting = [ref for root in roots for _, ref in references(root)]
    while waiting:
        parts = waiting.pop().split("/")
        if len(parts) >= 4 and parts[1] == "components" and (parts[2], parts[3]) not in found:
            found.add((parts[2], parts[3]))
            target = document["components"].get(parts[2], {}).get(parts[3], {})
            waiting += [ref for _, ref in references(target)]
    return found


def lookup(document: Node, place: str, ref: str) -> Any:
    """What a local reference points at."""
    if not ref.startswith("#/"):
        raise SpecError(place, f"$ref {ref!r} leaves the document")
    node: Any = document
    for part in ref[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not is_node(node) or key not in node:
            raise SpecError(place, f"$ref {ref!r} points at nothing")
        node = node[key]
    return node


def resolve(document: Node, place: str, node: Node) -> Node:
    """The node itself, or what its ``$ref`` names."""
    seen: set[str] = set()
    while isinstance(ref := node.get("$ref"), str):
        if ref in seen:
            raise SpecError(place, f"$ref {ref!r} leads back to itself")
        seen.add(ref)
        node = cast("Node", lookup(document, place, ref))
    return node


def split_null(place: str, schema: Node) -> tuple[Node, bool]:
    """A schema without its ``null``, and whether it had one. Both 3.1 spellings are understood."""
    types = schema.get("type")
    if is_list(types):
        rest = [name for name in types if name != "null"]
        return {**schema, "type": rest[0] if len(rest) == 1 else rest}, "null" in types
    if is_list(branches := schema.get("anyOf")):
        rest = [branch for branch in branches if branch.get("type") != "null"]
        if len(rest) != 1:
            raise SpecError(place, "anyOf is for one schema and null")
        return {**rest[0], **{k: v for k, v in schema.items() if k != "anyOf"}}, len(rest) < len(branches)
    return schema, False
