"""The nodes of an OpenAPI document: their kinds and their references."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeGuard, cast

Node = dict[str, Any]
"""A JSON object of the document."""

SCHEMAS: Final = "#/components/schemas/"
METHODS: Final = ("get", "put", "post", "patch", "delete", "head", "options", "trace")
SCALARS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
"""The types of a scalar, and what they are in Python."""
LIMITS: Final = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
)
"""The server's rules. The client does not check them; they stay for those who compare documents."""


class SpecError(Exception):
    """A document cannot be used. The message names the place and what is wrong there."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place, self.problem = place, problem


def is_node(value: object) -> TypeGuard[Node]:
    """Whether a value is a JSON object. The reader has seen to it that keys are text."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a value is a JSON array."""
    return isinstance(value, list)


def escaped(key: str) -> str:
    """A key as a JSON pointer writes it."""
    return key.replace("~", "~0").replace("/", "~1")


def pointer(steps: Iterable[object]) -> str:
    """A place in a document as a JSON pointer."""
    return "/".join(["#", *(escaped(str(step)) for step in steps)])


def nodes(node: object) -> Iterator[Node]:
    """A node and every object below it."""
    if is_node(node):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif is_list(node):
        for value in node:
            yield from nodes(value)


def references(node: object, place: str = "#") -> Iterator[tuple[str, str]]:
    """Every ``$ref`` below a node, with the place where it stands."""
    if is_node(node):
        if isinstance(ref := node.get("$ref"), str):
            yield place, ref
        for key, value in node.items():
            yield from references(value, f"{place}/{escaped(key)}")
    elif is_list(node):
        for index, value in enumerate(node):
            yield from references(value, f"{place}/{index}")


def lookup(document: Node, place: str, ref: str) -> Any:
    """What a local reference points at."""
    if not ref.startswith("#/"):
        raise SpecError(place, f"$ref {ref!r} leaves the document")
    node: Any = document
    for key in _steps(ref):
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


def closure(document: Node, *roots: object, place: str = "#") -> set[tuple[str, str]]:
    """Kind and name of every component that the roots lead to, such as ``("schemas", "Profile")``."""
    found: set[tuple[str, ...]] = set()
    waiting = [reference for root in roots for reference in references(root, place)]
    while waiting:
        place, ref = waiting.pop()
        lookup(document, place, ref)
        # A reference into a component leads to the whole of it.
        steps = tuple(_steps(ref)[:3] if ref.startswith("#/components/") else _steps(ref))
        if steps not in found:
            found.add(steps)
            waiting += references(lookup(document, place, pointer(steps)), pointer(steps))
    return {(steps[1], steps[2]) for steps in found if steps[0] == "components" and len(steps) == 3}


def schema_closure(document: Node, names: Iterable[str]) -> set[str]:
    """These schemas and every schema that they lead to."""
    roots = [{"$ref": SCHEMAS + name} for name in names]
    return {name for kind, name in closure(document, roots) if kind == "schemas"}


def _steps(ref: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in ref.split("/")[1:]]


def is_envelope(name: str) -> bool:
    """Whether a component is the wrapping of a response. Those are never classes."""
    return name.endswith("Envelope")


def component(schema: Node) -> str | None:
    """Name of the component that a schema refers to: a class or an enum, no envelope, no part of one."""
    name = str(schema.get("$ref", "")).removeprefix(SCHEMAS)
    return name if re.fullmatch(r"\w+", name) and not is_envelope(name) else None


def split_null(schema: Node) -> tuple[Node, bool]:
    """A schema of the fragment without its ``null``, and whether it had one, in either spelling."""
    types = schema.get("type")
    if is_list(types):
        rest = [name for name in types if name != "null"]
        return {**schema, "type": rest[0] if len(rest) == 1 else rest}, "null" in types
    if is_list(branches := schema.get("anyOf")):
        rest = [branch for branch in branches if branch.get("type") != "null"]
        value = rest[0] if len(rest) == 1 else {"anyOf": rest}
        return {**value, **{k: v for k, v in schema.items() if k != "anyOf"}}, len(rest) < len(branches)
    return schema, False


def or_null(schema: Node, nullable: bool) -> Node:
    """A schema that also allows null, in the two spellings that the fragment has for it."""
    if not nullable:
        return schema
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    types: Any = schema["type"]
    return {**schema, "type": [*types, "null"] if is_list(types) else [types, "null"]}
