"""A project with a small fragment, for the code generator."""

from __future__ import annotations

from pathlib import Path

from codegen.__main__ import main
from codegen.openapi.sources import FRAGMENT
from tests.support.things import DOCUMENTS

SAMPLE = (DOCUMENTS / "sample.yaml").read_text(encoding="utf-8")


def project(folder: Path, fragment: str = SAMPLE) -> Path:
    """A project with a fragment and with generated files that are out of date."""
    (folder / FRAGMENT).parent.mkdir(parents=True)
    (folder / FRAGMENT).write_text(fragment, encoding="utf-8")
    (folder / "sent_async/models").mkdir(parents=True)
    (folder / "sent_async/models/__init__.py").write_text("old\n", encoding="utf-8")
    (folder / "sent_async/operations.py").write_text("old\n", encoding="utf-8")
    return folder


def run(root: Path, command: str) -> int:
    """One command on one project; its exit code."""
    return main(["--root", str(root), command])
