"""What the vendor's document gets wrong, and what our client goes on accepting; each with its reason.

A ``[[correction]]`` is about the document and always applies. A ``[[tolerance]]`` is about time: the document is
right for its day, but servers or recorded answers of another day exist, and the client is to get on with both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from codegen.document import Node, SpecError, is_list, is_node
from codegen.names import read_toml

CORRECTIONS: Final = "openapi/corrections.toml"

_LISTS: Final = {
    "correction": ("required", "optional", "nullable", "not_null"),
    "tolerance": ("members", "parameters", "bodies", "live", "nulls"),
}
_TABLES: Final = {
    "correction": ("enum", "format", "success", "rate_tier", "idempotency", "python_name"),
    "tolerance": ("values",),
}


@dataclass(frozen=True)
class Corrections:
    """All entries of the file, put together by what they are about. Places are like ``Profile.status``."""

    required: list[str] = field(default_factory=list[str])
    optional: list[str] = field(default_factory=list[str])
    nullable: list[str] = field(default_factory=list[str])
    not_null: list[str] = field(default_factory=list[str])
    enum: dict[str, str] = field(default_factory=dict[str, str])
    """Place to our enum: the document says string there, and the values in prose."""
    format: dict[str, str] = field(default_factory=dict[str, str])
    success: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    rate_tier: dict[str, str] = field(default_factory=dict[str, str])
    idempotency: dict[str, str] = field(default_factory=dict[str, str])
    python_name: dict[str, str] = field(default_factory=dict[str, str])
    members: list[str] = field(default_factory=list[str])
    parameters: list[str] = field(default_factory=list[str])
    bodies: list[str] = field(default_factory=list[str])
    live: list[str] = field(default_factory=list[str])
    """Operations and members that the document calls deprecated and that we do not."""
    nulls: list[str] = field(default_factory=list[str])
    values: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def without_tolerances(self) -> Corrections:
        """For comparing two of the vendor's documents with one another: each as it is."""
        return Corrections(
            **{key: getattr(self, key) for keys in (_LISTS, _TABLES) for key in keys["correction"]},
        )


def listed(place: str, patterns: list[str]) -> bool:
    """Whether a place is among these, which may have wildcards: ``*.sandbox``."""
    return place in patterns or any("*" in pattern and fnmatchcase(place, pattern) for pattern in patterns)


def read_corrections(path: Path) -> Corrections:
    """The corrections from their file. One without a reason is refused, and so is one that is misspelt."""
    content = read_toml(path)
    found = Corrections()
    for kind, entries in content.items():
        if kind not in _LISTS or not is_list(entries) or not all(is_node(entry) for entry in entries):
            raise SpecError(f"{path.name} {kind}", "is neither [[correction]] nor [[tolerance]]")
        for number, entry in enumerate(entries, 1):
            _add(found, f"{path.name} {kind} {number}", kind, entry)
    return found


def _add(found: Corrections, place: str, kind: str, entry: Node) -> None:
    if not str(entry.get("reason", "")).strip():
        raise SpecError(place, "has no reason")
    for key, value in entry.items():
        if key in _LISTS[kind] and is_list(value):
            getattr(found, key).extend(str(item) for item in value)
        elif key in _TABLES[kind] and is_node(value):
            table: dict[str, Any] = getattr(found, key)
            # ``enum`` and ``format`` are written the short way round: one name, the places that have it.
            table.update(
                {item: k for k, items in value.items() for item in items} if key in ("enum", "format") else value
            )
        elif key != "reason":
            known = ", ".join((*_LISTS[kind], *_TABLES[kind]))
            raise SpecError(place, f"{key!r} is unknown or of the wrong type; known are {known}")
