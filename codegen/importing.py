"""``python -m codegen import``: read everything, resolve everything, and only then write the fragment and its lock."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from codegen import drift
from codegen.corrections import CORRECTIONS, read_corrections
from codegen.document import Node, read_operations
from codegen.layout import rewrite
from codegen.load import check, load, parse
from codegen.names import NAME_MAP, read_names, read_toml, repr_toml
from codegen.source import read_upstream
from codegen.upstream import import_document

LOCK: Final = "openapi/lock.toml"

_LOCK_TEXT: Final = """\
# Which document openapi/sent-v3.yaml was last imported from. Written by `python -m codegen import`.
[upstream]
file = {file}
sha256 = {digest}
version = {version}
operations = {operations}
imported = {date}
"""


@dataclass(frozen=True)
class Request:
    """What to import, and by which files."""

    upstream: Path
    names: Path | None = None
    corrections: Path | None = None


@dataclass(frozen=True)
class Result:
    """The texts that an import comes to."""

    before: Node
    document: Node
    fragment: str
    lock: str
    files: dict[str, str]
    """The generated code that this fragment gives."""
    notes: list[str]


def prepare(root: Path, request: Request) -> Result:
    """Everything that an import would write. ``SpecError`` when it cannot be."""
    theirs = read_upstream(request.upstream)
    before = load(root / drift.FRAGMENT)
    names = read_names(request.names or root / NAME_MAP)
    fixes = read_corrections(request.corrections or root / CORRECTIONS)
    imported = import_document(theirs, before, names, fixes, request.upstream.name)
    old_text = (root / drift.FRAGMENT).read_text(encoding="utf-8")
    text = rewrite(old_text, before, imported.document)
    # Read back what would be written: that, and nothing else, is what has to be right.
    document = check(parse(text, drift.FRAGMENT))
    files = drift.files_of(document, text.encode())
    rows = read_operations(document)
    lock = _lock_text(root, request.upstream, str(theirs["info"].get("version", "")), len(rows))
    return Result(before, document, text, lock, files, imported.notes)


def write(root: Path, result: Result) -> bool:
    """Put fragment and lock in place, each in one step; whether anything changed."""
    changed = False
    for place, text in ((drift.FRAGMENT, result.fragment), (LOCK, result.lock)):
        target = root / place
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            with tempfile.NamedTemporaryFile(
                "w", dir=target.parent, delete=False, encoding="utf-8", newline="\n"
            ) as file:
                file.write(text)
            os.chmod(file.name, 0o644)
            os.replace(file.name, target)
            changed = True
    return changed


def _lock_text(root: Path, upstream: Path, version: str, operations: int) -> str:
    digest = hashlib.sha256(upstream.read_bytes()).hexdigest()
    known = read_toml(root / LOCK).get("upstream", {})
    # The same document again changes nothing, not even the date.
    date = known.get("imported") if known.get("sha256") == digest else datetime.now(UTC).date()
    file = known["file"] if known.get("sha256") == digest else upstream.name
    return _LOCK_TEXT.format(
        file=repr_toml(file), digest=repr_toml(digest), version=repr_toml(version), operations=operations, date=date
    )
