"""``python -m codegen update``: read everything, resolve everything, generate everything, and only then write."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from codegen.fragment import load
from codegen.generate import output
from codegen.importer.files import patch_files
from codegen.importer.merge import OVERLAY, VENDOR_OVERLAY, check_covered, finish, merge
from codegen.importer.names import NAME_MAP, read_names, read_toml
from codegen.importer.overlay import apply_overlay, read_overlay
from codegen.importer.source import Source, read_source, used_part
from codegen.openapi import Node

LOCK: Final = "openapi/lock.toml"

_LOCK_TEXT: Final = """\
# Which document openapi/ was last imported from. Written by `python -m codegen update`.
[upstream]
source = {source}
sha256 = {digest}
version = {version}
operations = {operations}
imported = {date}
"""


@dataclass(frozen=True)
class Update:
    """What an update comes to."""

    before: Node
    after: Node
    files: dict[str, str | None]
    """Path to text of every file that changes; ``None`` for one that goes."""
    notes: list[str]


def prepare(root: Path, source: str) -> Update:
    """Everything that an update would write. Nothing is written.

    Raises:
        SpecError: the document cannot be taken over, with the place and what to do.
    """
    folder = root / Path(output.FRAGMENT).parent
    fragment = Path(output.FRAGMENT).name
    found = read_source(source, root)
    before = read_source(str(root / output.FRAGMENT), root).document
    names = read_names(root / NAME_MAP)
    theirs, notes = apply_overlay(found.document, read_overlay(root / VENDOR_OVERLAY), VENDOR_OVERLAY)
    check_covered(theirs, names)
    used_part(theirs, found.name, names.covered)
    document, more = merge(theirs, before, names)
    document, last = apply_overlay(document, read_overlay(root / OVERLAY), OVERLAY)
    finish(document, before)
    written = {f"{folder.name}/{name}": text for name, text in patch_files(folder, fragment, document).items()}
    # Read back what would be written: that, and nothing else, is what has to be right.
    with tempfile.TemporaryDirectory() as trial:
        shutil.copytree(folder, Path(trial, folder.name))
        for name, text in written.items():
            Path(trial, name).write_text(text, encoding="utf-8")
        after = load(Path(trial, output.FRAGMENT))
        generated = output.expected(Path(trial))
    present = output.present(root)
    files: dict[str, str | None] = {**written}
    files |= {
        name: generated.get(name)
        for name in present.keys() | generated.keys()
        if present.get(name) != generated.get(name)
    }
    lock = _lock(root, found, len(names.operations))
    if not (root / LOCK).exists() or (root / LOCK).read_text(encoding="utf-8") != lock:
        files[LOCK] = lock
    return Update(before, after, files, [*notes, *more, *last])


def _lock(root: Path, found: Source, operations: int) -> str:
    digest = hashlib.sha256(found.content).hexdigest()
    known = read_toml(root / LOCK).get("upstream", {})
    # The same document again changes nothing, not even the date.
    is_known = known.get("sha256") == digest
    return _LOCK_TEXT.format(
        source=json.dumps(known["source"] if is_known and "source" in known else found.name),
        digest=json.dumps(digest),
        version=json.dumps(str(found.document["info"].get("version", ""))),
        operations=operations,
        date=known["imported"] if is_known and "imported" in known else datetime.now(UTC).date(),
    )
