"""The generated code of a document as a package of its own, imported beside the real one."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from codegen import drift

from .document import Node


class Generated:
    """Models and operations of one document."""

    def __init__(self, document: Node, folder: Path, name: str) -> None:
        self.files = {
            path.removeprefix("sent_async/"): text.replace("sent_async.models", f"{name}.models")
            for path, text in drift.files_of(document, b"").items()
        }
        for path, text in {"__init__.py": "", **self.files}.items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        sys.path.insert(0, str(folder))
        try:
            self.models: Any = import_module(f"{name}.models")
            self.operations: ModuleType = import_module(f"{name}.operations")
        finally:
            sys.path.remove(str(folder))

    def operation(self, name: str) -> Any:
        """An operation by its constant."""
        return getattr(self.operations, name, None)

    @property
    def text(self) -> str:
        """All files, one after the other."""
        return "\n".join(self.files.values())
