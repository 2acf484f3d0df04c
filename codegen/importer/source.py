"""OpenAPI documents from files, URLs and revisions of git: JSON or YAML, 3.0 or 3.1, in one file or several."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
import tempfile
import urllib.request
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import yaml
from jsonschema import exceptions
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from codegen.fragment import bundle
from codegen.generate.output import FRAGMENT
from codegen.importer.endpoints import Key, endpoint_key
from codegen.openapi import METHODS, Node, SpecError, escaped, is_list, is_node, lookup, references

_DEEPEST: Final = 100
_LARGEST: Final = 64 * 2**20
_SECONDS: Final = 60


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C parser where there is one
    """Safe YAML in which dates and ``NO`` stay text, as in YAML 1.2."""


_TEXT: Final = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
_BOOL: Final = ("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"))
_Loader.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] not in _TEXT] + ([_BOOL] if first in ("t", "f") else [])
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Source:
    """A document as it was found."""

    name: str
    content: bytes
    document: Node


def read_source(source: str, root: Path) -> Source:
    """The document that a file, a URL, a revision of git (its fragment) or ``REVISION:path`` names.

    Args:
        source: What was asked for.
        root: The project, whose revisions are meant.

    Raises:
        SpecError: there is no such document, or it is no OpenAPI document.
    """
    if source.startswith(("https://", "http://")):
        content = _fetch(source)
        return Source(source, content, _outlined(parse(content, source), source))
    path = Path(source)
    if path.is_file():
        return _read_file(path, path.name)
    if source.startswith("-"):
        raise SpecError(source, "is neither a file, a URL nor a revision of git")
    revision, _, inside = source.partition(":")
    inside = inside or FRAGMENT
    with tempfile.TemporaryDirectory() as folder:
        # The whole folder, because a document may refer to its neighbours.
        command = ["git", "archive", "--format=tar", revision, "--", str(Path(inside).parent)]
        try:
            done = subprocess.run(command, cwd=root, check=True, capture_output=True)  # noqa: S603 (git is ours to call)
        except (OSError, subprocess.CalledProcessError) as error:
            detail = getattr(error, "stderr", b"") or str(error).encode()
            problem = (detail.decode(errors="replace").strip().splitlines() or [""])[0]
            raise SpecError(source, f"is neither a file, a URL nor a revision of git ({problem})") from error
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        if not Path(folder, inside).is_file():
            raise SpecError(source, f"the revision has no file {inside}")
        return _read_file(Path(folder, inside), f"{revision}:{inside}")


def _read_file(path: Path, name: str) -> Source:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SpecError(str(path), f"cannot be read: {error}") from error
    document = parse(content, name)
    if any(not ref.startswith("#") for _, ref in references(document)):
        document = bundle(path)
    return Source(name, content, _outlined(document, name))


def _fetch(url: str) -> bytes:
    host = urlsplit(url).hostname
    if url.startswith("http://") and host not in ("localhost", "127.0.0.1", "::1"):
        raise SpecError(url, "must be https")
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as response:  # noqa: S310 (http and https only, see above)
            content: bytes = response.read(_LARGEST + 1)
    except OSError as error:
        raise SpecError(url, f"cannot be fetched: {error}") from error
    if len(content) > _LARGEST:
        raise SpecError(url, f"is larger than {_LARGEST} bytes")
    return content


def parse(content: bytes, name: str) -> Node:
    """JSON or YAML as plain dicts, lists and scalars, with keys of text."""
    try:
        text = content.decode("utf-8-sig")  # .NET likes to begin a file with a byte-order mark
    except UnicodeDecodeError as error:
        raise SpecError(name, f"is not UTF-8: {error}") from error
    document = _json(text, name) if text.lstrip()[:1] == "{" else _yaml(text, name)
    if not is_node(document):
        raise SpecError(name, "is not a mapping")
    return document


def _outlined(document: Node, name: str) -> Node:
    """Refuse what is no OpenAPI 3 document, before anything looks into it."""
    version = str(document.get("openapi", document.get("swagger", "")))
    if not version.startswith(("3.0.", "3.1.")):
        raise SpecError(f"{name} openapi", f"must be 3.0.x or 3.1.x, not {version!r}")
    components = document.setdefault("components", {})
    if "webhooks" in document:
        document.setdefault("paths", {})
    for key, value in (("info", document.get("info")), ("paths", document.get("paths")), ("components", components)):
        if not is_node(value):
            raise SpecError(f"{name} {key}", "is missing, or is no mapping")
    if not is_node(components.setdefault("schemas", {})):
        raise SpecError(f"{name} components", "is no mapping of schemas")
    for path, item in document["paths"].items():
        if not is_node(item) or not all(is_node(item[method]) for method in METHODS if method in item):
            raise SpecError(f"{name} paths {path}", "is not a mapping of operations")
    return document


def used_part(document: Node, name: str, keys: Collection[Key] | None = None) -> Node:
    """The document with only these operations (all, when left out) and what they lead to, checked for its form.

    Raises:
        SpecError: the part is not valid OpenAPI. What no operation uses cannot fail.
    """
    paths: Node = {}
    for path, item in document["paths"].items():
        kept = {
            key: value
            for key, value in item.items()
            if key not in METHODS or keys is None or endpoint_key(key, path) in keys
        }
        if kept.keys() & {*METHODS, "$ref"}:
            paths[path] = kept
    part: Node = {key: document[key] for key in ("openapi", "info", "webhooks") if key in document}
    part |= {"paths": paths, "components": {"schemas": {}}}
    waiting = [*references(paths, f"{name} #/paths"), *references(part.get("webhooks", {}), f"{name} #/webhooks")]
    seen: set[str] = set()
    while waiting:
        place, ref = waiting.pop()
        if ref not in seen:
            seen.add(ref)
            target = lookup(document, place, ref)
            parts = [piece.replace("~1", "/").replace("~0", "~") for piece in ref.split("/")]
            if parts[:2] == ["#", "components"] and len(parts) >= 4:
                whole = document["components"][parts[2]][parts[3]]
                part["components"].setdefault(parts[2], {})[parts[3]] = whole
                waiting += references(whole, "/".join(ref.split("/")[:4]))
            else:
                waiting += references(target, ref)
    is_30 = str(document["openapi"]).startswith("3.0.")
    validator = OpenAPIV30SpecValidator if is_30 else OpenAPIV31SpecValidator
    # Of "neither a reference nor a schema", the part that is wrong with the schema is worth reporting.
    error: Any = cast("Any", exceptions).best_match(validator(part).schema_validator.iter_errors(part))
    if error is not None:
        place = "/".join(["#", *(escaped(str(step)) for step in error.absolute_path)])
        raise SpecError(f"{name} {place}", error.message[:300])
    return part


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
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise SpecError(place, "is nested too deeply")


def _text_keys(node: Any) -> Any:
    """``200:`` is a number to YAML; in OpenAPI every key is text."""
    if is_node(node):
        return {str(key): _text_keys(value) for key, value in node.items()}
    return [_text_keys(value) for value in node] if is_list(node) else node
