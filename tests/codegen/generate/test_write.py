"""Files are put in place together or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.generate import output
from tests.support.things import contents


def test_d5_a_crash_is_never_swallowed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update that fails between two files puts the first one back, and the failure is reported."""
    (root / "a").write_text("old", encoding="utf-8")
    (root / "b").mkdir()
    (root / "b/inner").write_text("", encoding="utf-8")
    before = contents(root)
    with pytest.raises(OSError, match="b"):
        output.write(root, {"a": "new", "new": "x", "b/inner/c": "text"})
    assert contents(root) == before


def test_files_come_and_go_together(root: Path) -> None:
    """A file that goes is removed, one that was not there stays away, and the others are replaced."""
    (root / "old.txt").write_text("old", encoding="utf-8")
    output.write(root, {"old.txt": None, "never.txt": None, "new/one.txt": "new"})
    assert not (root / "old.txt").exists() and not (root / "never.txt").exists()
    assert (root / "new/one.txt").read_text(encoding="utf-8") == "new"


def test_a_replacement_that_fails_leaves_everything(root: Path) -> None:
    """A target that is a file where a folder is needed stops it, and what was replaced before is put back."""
    (root / "a.txt").write_text("a", encoding="utf-8")
    (root / "file").write_text("f", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        output.write(root, {"a.txt": "b", "none.txt": None, "file/below.txt": "c"})
    assert (root / "a.txt").read_text(encoding="utf-8") == "a"
