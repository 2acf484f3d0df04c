"""A project that the code generator and the importer may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.things import project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the fragment of the things."""
    return project(tmp_path)
