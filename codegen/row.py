"""One row of the report on a change, and the words that it may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NOTHING: Final = "nothing"
ATTRIBUTE: Final = "new attribute"
ARGUMENT: Final = "new optional argument"
TYPE: Final = "type change"
BREAKS: Final = "call site breaks"

MAJOR: Final = "major"
MINOR: Final = "minor"
PATCH: Final = "patch"


@dataclass(frozen=True)
class Row:
    """What changed, and what that does to a caller who upgrades, or who stays behind."""

    place: str
    """An operation (``listTemplates``), a schema (``Profile``) or a part of one (``Profile.email``)."""
    direction: str
    """operation, request, response or enum."""
    change: str
    """added, removed, changed or deprecated."""
    text: str
    effect: str
    bump: str
    operations: tuple[str, ...] = ()
    """The operations that it is about."""
