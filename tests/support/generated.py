"""The code that a fragment gives, as a package that can be imported beside the real one."""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, Final

_NUMBERS: Final = count()


class Generated:
    """Models and operations from the texts of generated files."""

    def __init__(self, files: dict[str, str], folder: Path) -> None:
        name = f"generated_{next(_NUMBERS)}"
        parts = {path.removeprefix("sent_async/"): text for path, text in files.items()}
        self.text = "\n".join(parts.values())
        for path, text in {"__init__.py": "", **parts}.items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace("sent_async.models", f"{name}.models"), encoding="utf-8")
        sys.path.insert(0, str(folder))
        try:
            self.models: Any = import_module(f"{name}.models")
            self.operations: Any = import_module(f"{name}.operations")
        finally:
            sys.path.remove(str(folder))
