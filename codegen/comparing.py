"""``python -m codegen diff``: find the two documents, whatever they are, and compare them."""

from __future__ import annotations

from pathlib import Path

from codegen import drift
from codegen.corrections import CORRECTIONS, read_corrections
from codegen.document import Node
from codegen.load import check, load
from codegen.names import NAME_MAP, read_names
from codegen.source import read_fragment, read_upstream
from codegen.specdiff import Report, compare
from codegen.upstream import import_document


def diff(root: Path, old: str, new: str | None) -> Report:
    """The report on two fragments or vendor's documents; ``new`` is the working tree's fragment when left out."""
    if is_upstream(old) and new is not None and is_upstream(new):
        # What the vendor changed, in the vendor's words, without what we go on tolerating.
        ours = load(root / drift.FRAGMENT)
        return compare(*(_imported(root, Path(source), ours, own=False) for source in (old, new)))
    ours = load(root / drift.FRAGMENT) if new is None or is_upstream(old) or is_upstream(new) else {}
    return compare(_document(root, old, ours), ours if new is None else _document(root, new, ours))


def is_upstream(source: str) -> bool:
    """Whether this is a file with a document of the vendor's: those are OpenAPI 3.0, or JSON."""
    path = Path(source)
    if not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        head = file.read(4000).lstrip()
    return head[:1] == "{" or "openapi: 3.0" in head or "openapi: '3.0" in head or 'openapi: "3.0' in head


def _document(root: Path, source: str, ours: Node) -> Node:
    if is_upstream(source):
        return _imported(root, Path(source), ours, own=True)
    return read_fragment(source, root, drift.FRAGMENT)


def _imported(root: Path, path: Path, ours: Node, *, own: bool) -> Node:
    fixes = read_corrections(root / CORRECTIONS)
    imported = import_document(
        read_upstream(path),
        ours,
        read_names(root / NAME_MAP),
        fixes if own else fixes.without_tolerances(),
        path.name,
        own_text=own,
    )
    return check(imported.document)
