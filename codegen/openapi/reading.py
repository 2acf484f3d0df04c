"""JSON and YAML as plain dicts, lists and scalars, and a document in several files as one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import yaml

from codegen.openapi.nodes import Node, SpecError, escaped, is_node, nodes

_DEEPEST: Final = 100


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C parser where there is one
    """Safe YAML as a reader takes it: keys are text, each stands once, and dates and ``NO`` stay text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Node:
        found: Node = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
            if key.value in found:
                problem = f"duplicate key {key.value!r}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            found[key.value] = cast("Any", self).construct_object(value, deep=deep)
        return found


# YAML 1.1 reads 2026-03-31 as a date and NO as false; examples and enum values must keep their text.
_TEXT: Final = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
_BOOL: Final = ("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"))
_Loader.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] not in _TEXT] + ([_BOOL] if first in ("t", "f") else [])
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(content: bytes, name: str) -> Node:
    """The document in a file of this name.

    Raises:
        SpecError: It is no JSON and no YAML, or no mapping, or a key stands twice.
    """
    try:
        text = content.decode("utf-8-sig")  # .NET likes to begin a file with a byte-order mark
    except UnicodeDecodeError as error:
        raise SpecError(name, f"is not UTF-8: {error}") from error
    document = _json(text, name) if text.lstrip()[:1] == "{" else _yaml(text, name)
    if not is_node(document):
        raise SpecError(name, f"is not a mapping, but begins with {text.strip()[:40]!r}")
    return document


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        SpecError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpecError(str(path), f"cannot be read: {error}") from error


def bundle(path: Path, read: Callable[[Path], bytes] = read_bytes) -> Node:
    """A document that may refer to files beside it, as one document. Component names are unique among the files."""
    document = parse(read(path), path.name)
    joined = _mapping(document, "components", path.name)
    homes = {(kind, name): path.name for kind in joined for name in _mapping(joined, kind, path.name)}
    waiting = sorted(_localised(document, path.name))
    seen = {path.name}
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        part = parse(read(path.parent / name), name)
        waiting += sorted(_localised(part, name))
        components = _mapping(part, "components", name)
        for kind in components:
            for component_name, value in _mapping(components, kind, name).items():
                if (kind, component_name) in homes:
                    place = f"{name}#/components/{kind}/{component_name}"
                    raise SpecError(place, f"the name is taken by {homes[kind, component_name]}")
                homes[kind, component_name] = name
                joined.setdefault(kind, {})[component_name] = value
        paths = _mapping(document, "paths", path.name)
        for route, item in _mapping(part, "paths", name).items():
            if paths.get(route) != {"$ref": f"#/paths/{escaped(route)}"}:
                raise SpecError(f"{name}#/paths/{escaped(route)}", f"{path.name} does not refer to it")
            paths[route] = item
    return document


def _mapping(node: Node, key: str, file: str) -> Node:
    found = node.setdefault(key, {})
    if not is_node(found):
        raise SpecError(f"{file} {key}", "is not a mapping")
    return found


def _localised(node: object, file: str) -> set[str]:
    """Cut the file names off the references below a node, and return them."""
    files: set[str] = set()
    for found in nodes(node):
        ref = found.get("$ref")
        if isinstance(ref, str) and not ref.startswith("#"):
            name, _, place = ref.partition("#")
            if not re.fullmatch(r"[\w-]+\.yaml", name):
                raise SpecError(file, f"$ref {ref!r} leaves the folder of the document")
            files.add(name)
            found["$ref"] = f"#{place}"
    return files


def _json(text: str, name: str) -> object:
    def unique(pairs: list[tuple[str, Any]]) -> Node:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise SpecError(name, f"duplicate key {twice!r}")
        return found

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise SpecError(f"{name}:{error.lineno}:{error.colno}", f"is not valid JSON: {error.msg}") from error
    except RecursionError as error:
        raise SpecError(name, "is nested too deeply") from error


def _yaml(text: str, name: str) -> object:
    try:
        _refuse_bombs(text, name)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
    except yaml.MarkedYAMLError as error:
        raise SpecError(_at(name, error.problem_mark), error.problem or "is not YAML") from error
    except (yaml.YAMLError, ValueError) as error:
        raise SpecError(name, f"is not YAML: {error}") from error


def _refuse_bombs(text: str, name: str) -> None:
    # A few nested aliases can expand to gigabytes, and deep nesting crashes the parser in C.
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise SpecError(_at(name, event.start_mark), "aliases are refused")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise SpecError(_at(name, event.start_mark), "is nested too deeply")


def _at(name: str, mark: object) -> str:
    found = cast("yaml.Mark | None", mark)
    return f"{name}:{found.line + 1}:{found.column + 1}" if found else name
