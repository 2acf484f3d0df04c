"""What the tests of an import share: the vendor's documents, our fragment, and one imported into the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from codegen import drift
from codegen.corrections import Corrections, read_corrections
from codegen.importing import LOCK
from codegen.load import load
from codegen.names import NameMap, read_names
from codegen.source import read_upstream
from codegen.upstream import Imported, import_document

Node = dict[str, Any]

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
MARCH, OCTOBER = FOLDER / "upstream-2026-03.json", FOLDER / "upstream-2026-10.json"
OURS = load(ROOT / drift.FRAGMENT)
FIXES = read_corrections(ROOT / "openapi/corrections.toml")
SCHEMAS = "#/components/schemas/"


def project(folder: Path) -> Path:
    """Our project without its package: what an import reads and writes."""
    shutil.copytree(ROOT / "openapi", folder / "openapi")
    (folder / LOCK).unlink()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names() -> NameMap:
    """The committed map."""
    return read_names(ROOT / "openapi/names.toml")


def imported(change: Callable[[Node], object], fixes: Corrections = FIXES, map_: NameMap | None = None) -> Imported:
    """The fragment of October's document after a change to it."""
    document = read_upstream(OCTOBER)
    change(document)
    return import_document(document, OURS, map_ or names(), fixes)


def schema(document: Node, name: str) -> Node:
    """A component."""
    found: Node = document["components"]["schemas"][name]
    return found
