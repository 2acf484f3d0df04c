"""``python -m codegen update``: read everything, resolve everything, generate everything, and only then write."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from codegen.fragment.rules import check, load
from codegen.generate import output
from codegen.importer.classes import ADVICE, VENDOR_OVERLAY
from codegen.importer.files import patch_files
from codegen.importer.merge import check_covered, finish, merge, uncovered
from codegen.importer.name_map import NAME_MAP, NameMap, read_names, read_toml
from codegen.importer.overlay import apply_overlay, blame, read_overlay
from codegen.openapi.nodes import Node, SpecError
from codegen.openapi.sources import FRAGMENT, Source, check_outline, check_used, read_source

OVERLAY: Final = "openapi/overlays/fragment.yaml"
LOCK: Final = "openapi/lock.toml"

_LOCK_TEXT: Final = """\
# Which document openapi/ was last imported from. Written by `python -m codegen update`.
[upstream]
source = {source}
sha256 = "{digest}"
version = {version}
imported = {date}
"""


@dataclass(frozen=True)
class Update:
    """The result of an update."""

    before: Node
    after: Node
    files: dict[str, str | None]
    """Path to text of every file that changes; ``None`` for one that goes."""
    notes: list[str]


def prepare(root: Path, source: str) -> Update:
    """Everything that an update would write. Nothing is written.

    Raises:
        SpecError: The document cannot be taken over, with the place and what to do.
    """
    found = read_source(source, root)
    before = load(root / FRAGMENT)
    names = read_names(root / NAME_MAP)
    theirs, notes = _corrected(root, found, names)
    merged, more = merge(theirs, before, names)
    actions = read_overlay(root / OVERLAY, OVERLAY)
    document, last = apply_overlay(merged, actions)
    try:
        finish(document, before)
        after, files = _files(root, document)
    except SpecError as error:
        blame(merged, actions, lambda document: check(finish(copy.deepcopy(document), before)))
        advice = f"Correct the document in {VENDOR_OVERLAY}, or what was made of it in {OVERLAY}."
        raise SpecError(f"{found.name} {error.place}", f"{error.problem}. {advice}") from error
    digest = hashlib.sha256(found.content).hexdigest()
    # The same document again changes nothing, not even the date.
    if read_toml(root / LOCK).get("upstream", {}).get("sha256") != digest:
        version = json.dumps(str(found.document["info"].get("version", "")))
        today = datetime.now(UTC).date()
        files[LOCK] = _LOCK_TEXT.format(source=json.dumps(found.name), digest=digest, version=version, date=today)
    return Update(before, after, files, [*notes, *more, *last, *uncovered(found.document, names)])


def _files(root: Path, document: Node) -> tuple[Node, dict[str, str | None]]:
    """The fragment as it is read back, and every file that changes: its own and the generated ones."""
    folder = (root / FRAGMENT).parent
    texts = patch_files(folder, Path(FRAGMENT).name, document)
    # Check exactly what would be written.
    with tempfile.TemporaryDirectory() as trial:
        shutil.copytree(folder, Path(trial, folder.name))
        for name, text in texts.items():
            Path(trial, folder.name, name).write_text(text, encoding="utf-8")
        after = load(Path(trial, FRAGMENT))
        wanted = output.expected(Path(trial), after)
    files: dict[str, str | None] = {f"{folder.name}/{name}": text for name, text in texts.items()}
    return after, files | {name: new for name, (_, new) in output.changed(root, wanted).items()}


def _corrected(root: Path, found: Source, names: NameMap) -> tuple[Node, list[str]]:
    """The operations of the vendor's document that we cover, after its overlay."""

    def covered_part(document: Node) -> Node:
        check_covered(check_outline(document, found.name), names)
        return check_used(document, found.name, names.keys)

    actions = read_overlay(root / VENDOR_OVERLAY, VENDOR_OVERLAY)
    corrected, notes = apply_overlay(found.document, actions)
    try:
        return covered_part(corrected), notes
    except SpecError as error:
        blame(found.document, actions, covered_part)
        # Some problems come with advice of their own.
        advice = "" if error.problem.endswith(".") else f". {ADVICE}"
        raise SpecError(error.place, error.problem + advice) from error
