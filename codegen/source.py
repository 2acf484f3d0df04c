"""Documents from outside: the vendor's file, whatever its size, and revisions of our own fragment."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final, cast

import yaml
from jsonschema import exceptions
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from codegen.document import METHODS, Node, SpecError, escaped, is_list, is_node
from codegen.load import check, parse

# The parser in C: 20 MB of YAML take a minute in Python and some seconds in C. Same language, same safety.
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_DEEPEST: Final = 100


def read_upstream(path: Path) -> Node:
    """The vendor's document, JSON or YAML, as it stands. Only its outline has been checked."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # .NET likes to begin a file with a byte-order mark
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(str(path), f"cannot be read: {error}") from error
    document = _json(text, path.name) if text.lstrip()[:1] == "{" else _yaml(text, path.name)
    if not is_node(document):
        raise SpecError(path.name, "is not a mapping")
    check_outline(document, path.name)
    return document


def check_outline(document: Node, name: str) -> None:
    """Refuse what is no OpenAPI 3 document, before anything looks into it."""
    version = str(document.get("openapi", document.get("swagger", "")))
    if not version.startswith(("3.0.", "3.1.")):
        raise SpecError(f"{name} openapi", f"must be 3.0.x or 3.1.x, not {version!r}")
    for key in ("info", "paths"):
        if not is_node(document.get(key)):
            raise SpecError(f"{name} {key}", "is missing, or is no mapping")
    components = document.get("components", {})
    if not is_node(components) or not is_node(components.get("schemas", {})):
        raise SpecError(f"{name} components", "is no mapping of schemas")
    for path, item in document["paths"].items():
        if not is_node(item) or not all(is_node(item[method]) for method in METHODS if method in item):
            raise SpecError(f"{name} paths {path}", "is not a mapping of operations")


def check_form(document: Node, name: str) -> None:
    """Refuse a document (here: the part of it that we take) whose parts are not where OpenAPI has them."""
    is_30 = str(document["openapi"]).startswith("3.0.")
    validator = OpenAPIV30SpecValidator if is_30 else OpenAPIV31SpecValidator
    # Of "neither a reference nor a schema", the part that is wrong with the schema is worth saying.
    error: Any = cast("Any", exceptions).best_match(validator(document).schema_validator.iter_errors(document))
    if error is not None:
        place = "/".join(["#", *(escaped(str(part)) for part in error.absolute_path)])
        raise SpecError(f"{name} {place}", error.message[:300])


def read_fragment(source: str, root: Path, fragment: str) -> Node:
    """A fragment named by a file, ``REVISION:path`` or a bare revision of git."""
    path = Path(source)
    if path.is_file():
        return _checked(path.read_text(encoding="utf-8-sig"), path.name)
    place = source if ":" in source else f"{source}:{fragment}"
    if source.startswith("-"):
        raise SpecError(source, "is neither a file nor a revision of git")
    try:
        shown = subprocess.run(["git", "show", place], cwd=root, check=True, capture_output=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", b"") or str(error).encode()
        problem = detail.decode(errors="replace").strip().splitlines()[0]
        raise SpecError(source, f"is neither a file nor a revision of git ({problem})") from error
    return _checked(shown.stdout.decode(errors="replace"), place)


def _checked(text: str, name: str) -> Node:
    try:
        return check(parse(text, name))
    except SpecError as error:
        raise error if str(error).startswith(name) else SpecError(name, str(error)) from error


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
        raise SpecError(f"{name}:{error.lineno}:{error.colno}", error.msg) from error
    except RecursionError as error:
        raise SpecError(name, "is nested too deeply") from error


def _yaml(text: str, name: str) -> object:
    try:
        _refuse_bombs(text, name)
        # The house loader is slow and exact; a vendor's document does not need it for its size, but its keys do:
        # ``200:`` is a number to YAML. So keys are made text here.
        return _text_keys(yaml.load(text, Loader=_Loader))  # noqa: S506 (a safe loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise SpecError(place, error.problem or "is not YAML") from error
    except (yaml.YAMLError, ValueError) as error:
        raise SpecError(name, f"is not YAML: {error}") from error


def _refuse_bombs(text: str, name: str) -> None:
    # A few nested aliases stand for gigabytes, and the parser in C ends the process when nested too deeply.
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        mark = cast("yaml.Mark", event.start_mark)
        place = f"{name}:{mark.line + 1}:{mark.column + 1}"
        if isinstance(event, yaml.AliasEvent):
            raise SpecError(place, "aliases are refused")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise SpecError(place, "is nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _text_keys(node: Any) -> Any:
    if is_node(node):
        return {str(key): _text_keys(value) for key, value in node.items()}
    if is_list(node):
        return [_text_keys(value) for value in node]
    return node if isinstance(node, str | int | float | bool | None) else str(node)
