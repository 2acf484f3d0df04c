"""Documents from files, URLs and revisions of git: JSON or YAML, OpenAPI 3.0 or 3.1, in one file or several."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from jsonschema import exceptions
from jsonschema.validators import validator_for
from openapi_spec_validator import schemas
from referencing import Registry
from referencing.jsonschema import specification_with

from codegen.openapi.nodes import METHODS, Node, SpecError, closure, is_node, pointer, references
from codegen.openapi.operations import Key, operation_key
from codegen.openapi.reading import bundle, parse, read_bytes

FRAGMENT: Final = "openapi/sent-v3.yaml"
"""The root of our own description, and what a revision of git means without a path."""

_LARGEST: Final = 64 * 2**20
_SECONDS: Final = 60


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
        SpecError: There is no such document, or it is no OpenAPI document.
    """
    if source.startswith(("https://", "http://")):
        content = _fetch(source)
        return Source(source, content, check_outline(parse(content, source), source))
    path, name, read = Path(source), Path(source).name, read_bytes
    if not path.is_file():
        path, name, read = Path(source.partition(":")[2] or FRAGMENT), source, partial(_read_revision, root, source)
    content = read(path)
    document = parse(content, name)
    if any(not ref.startswith("#") for _, ref in references(document)):
        document = bundle(path, read)
    return Source(name, content, check_outline(document, name))


def _read_revision(root: Path, source: str, path: Path) -> bytes:
    command = ["git", "show", "--end-of-options", f"{source.partition(':')[0]}:{path.as_posix()}"]
    try:
        return subprocess.run(command, cwd=root, check=True, capture_output=True).stdout  # noqa: S603 - git is ours to call
    except (OSError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", b"") or str(error).encode()
        problem = (detail.decode(errors="replace").strip().splitlines() or [""])[0]
        raise SpecError(source, f"is neither a file, a URL nor a revision of git ({problem})") from error


def _fetch(url: str) -> bytes:
    host = urlsplit(url).hostname
    if url.startswith("http://") and host not in ("localhost", "127.0.0.1", "::1"):
        raise SpecError(url, "must be https")
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as response:  # noqa: S310 (http and https only, see above)
            content: bytes = response.read(_LARGEST + 1)
    except OSError as error:
        raise SpecError(url, f"cannot be fetched: {error}. You can give a file instead") from error
    if len(content) > _LARGEST:
        raise SpecError(url, f"is larger than {_LARGEST} bytes")
    return content


def check_outline(document: Node, name: str) -> Node:
    """Give back the document if it has the outline of OpenAPI 3, so that others can look into it."""
    version = str(document.get("openapi", document.get("swagger", "")))
    if not version.startswith(("3.0.", "3.1.")):
        found = version or "missing; a part of a document is read by way of its root file"
        raise SpecError(f"{name} openapi", f"must be 3.0.x or 3.1.x; it is {found}")
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


def check_used(document: Node, name: str, keys: Collection[Key] | None = None) -> Node:
    """Give back the document if these operations (all, when left out) and what they lead to are valid OpenAPI.

    Raises:
        SpecError: They are not. What none of them uses cannot fail.
    """
    paths: Node = {}
    for path, item in document["paths"].items():
        kept = {
            key: value
            for key, value in item.items()
            if key not in METHODS or keys is None or operation_key(key, path) in keys
        }
        if kept.keys() & {*METHODS, "$ref"}:
            paths[path] = kept
    part: Node = {key: document[key] for key in ("openapi", "info", "webhooks") if key in document}
    part |= {"paths": paths, "components": {"schemas": {}}}
    used = closure(document, paths, part.get("webhooks"), place=f"{name} #/paths")
    for kind, key in sorted(used):
        part["components"].setdefault(kind, {})[key] = document["components"][kind][key]
    error: Any = cast("Any", exceptions).best_match(form_errors(part), key=_relevance)
    if error is not None:
        # A message begins with the value, however long, and ends with what is wrong with it.
        message = error.message if len(error.message) <= 300 else f"…{error.message[-200:]}"
        raise SpecError(f"{name} {pointer(error.absolute_path)}", message)
    return document


def _relevance(error: Any) -> Any:
    """Of "neither a reference nor a schema", what is wrong with the schema is worth reporting."""
    is_reference = error.validator == "required" and error.validator_value == ["$ref"]
    return is_reference, exceptions.relevance(error), error.message  # no two are equal


def form_errors(document: Node) -> Iterator[Any]:
    """What is wrong with the form of a document, by the JSON Schema that OpenAPI publishes for its version."""
    yield from _form(str(document["openapi"])[:3]).iter_errors(document)


@cache
def _form(version: str) -> Any:
    schema: Node = dict(getattr(schemas, f"schema_v{version.replace('.', '')}"))
    resource = specification_with(schema["$schema"]).create_resource(schema)
    # With its anchors known beforehand, the schema takes a third of the time.
    known = Registry[Any]().with_resource(schema.get("$id", ""), resource).crawl()
    return cast("Any", validator_for(schema))(schema, registry=known)
