"""Our docstrings are read in terminals and editors first; this makes Markdown of the little markup they have."""

from __future__ import annotations

import re
from typing import Any

import griffe


class PlainDocstrings(griffe.Extension):
    """``text::`` before a code block becomes ``text:``, and a ``::`` by itself goes."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            text = re.sub(r"(?m)^\s*::$", "", obj.docstring.value)
            text = re.sub(r"(?m)::$", ":", text)
            obj.docstring.value = re.sub(r"(?m)^Raises ", "\n**Raises** ", text)
