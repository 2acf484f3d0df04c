"""The changes between two documents, and the report on them for a terminal, a pull request or a program."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Final

FORMATS: Final = ("terminal", "markdown", "json")


class Effect(Enum):
    """What a change does to a caller who upgrades or stays behind, and the version bump that it asks for."""

    BREAKS = ("call site breaks", "major")
    TYPE = ("type change", "major")
    ATTRIBUTE = ("new attribute", "minor")
    ARGUMENT = ("new optional argument", "minor")
    HARMLESS = ("nothing", "minor")
    TEXT = ("nothing", "patch")

    def __init__(self, text: str, bump: str) -> None:
        self.text = text
        self.bump = bump


@dataclass(frozen=True)
class Change:
    """One change."""

    place: str
    """An operation (``listTemplates``), a class (``Profile``) or a part of one (``Profile.email``)."""
    direction: str
    """operation, request, response or enum."""
    kind: str
    """added, removed, changed or deprecated."""
    text: str
    effect: Effect
    operations: tuple[str, ...] = ()
    """The operations that it concerns."""

    @property
    def is_breaking(self) -> bool:
        """Whether code that works today may stop working."""
        return self.effect.bump == "major"


@dataclass(frozen=True)
class Report:
    """The changes, the operations first, and apart from them those in operations that this client does not cover."""

    changes: tuple[Change, ...]
    apart: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    """What else a reader has to know."""

    @property
    def bump(self) -> str:
        """The version bump that the worst change asks for: major, minor, patch or none."""
        found = {change.effect.bump for change in self.changes}
        return next((bump for bump in ("major", "minor", "patch") if bump in found), "none")

    @property
    def is_breaking(self) -> bool:
        """Whether code that works today may stop working."""
        return self.bump == "major"


def render(report: Report, form: str) -> str:
    """The report in one of ``FORMATS``."""
    return {"terminal": _terminal, "markdown": _markdown, "json": _json}[form](report)


def summary(report: Report) -> str:
    """One line."""
    apart = f" {len(report.apart)} changes in operations that this client does not cover." if report.apart else ""
    if not report.changes:
        return f"No change that concerns a caller.{apart}"
    count = Counter(change.kind for change in report.changes)
    said = ", ".join(f"{count[kind]} {kind}" for kind in ("added", "removed", "changed", "deprecated") if count[kind])
    breaking = sum(change.is_breaking for change in report.changes)
    return f"{said}; {breaking or 'none'} breaking. Suggested version bump: {report.bump}.{apart}"


def _terminal(report: Report) -> str:
    lines = _listed(report.changes)
    if report.apart:
        lines += ["", "Not covered by this client:", *_listed(report.apart)]
    return "\n".join([*lines[1:], *([""] if lines else []), summary(report), *report.notes, ""])


def _listed(changes: tuple[Change, ...]) -> list[str]:
    lines: list[str] = []
    heading = ""
    for change in changes:
        name = change.place.split(".")[0]
        group = "Operations" if change.direction == "operation" else f"{name} ({change.direction})"
        if group != heading:
            heading = group
            lines += ["", group]
        mark = "!" if change.is_breaking else " "
        head = f"{mark} {change.kind:<10} {change.place}: {change.text}"
        lines += textwrap.wrap(head, 100, initial_indent="  ", subsequent_indent=" " * 15)
        lines.append(f"{' ' * 15}-> {change.effect.text} ({change.effect.bump})")
    return lines


def _markdown(report: Report) -> str:
    lines = ["### Spec", "", summary(report), *_table(report.changes)]
    if report.apart:
        lines += ["", "Not covered by this client:", *_table(report.apart)]
    if report.notes:
        lines += ["", *(f"- {note}" for note in report.notes)]
    return "\n".join([*lines, ""])


def _table(changes: tuple[Change, ...]) -> list[str]:
    lines = ["", "| Where | Change | For a caller | Bump |", "| --- | --- | --- | --- |"] if changes else []
    for change in changes:
        direction = "" if change.direction == "operation" else f" ({change.direction})"
        effect = f"**{change.effect.text}**" if change.is_breaking else change.effect.text
        text = change.text.replace("|", "\\|")
        lines.append(f"| `{change.place}`{direction} | {change.kind}: {text} | {effect} | {change.effect.bump} |")
    return lines


def _json(report: Report) -> str:
    changes, apart = ([_plain(change) for change in said] for said in (report.changes, report.apart))
    content = {"bump": report.bump, "breaking": report.is_breaking, "changes": changes, "apart": apart}
    content |= {"notes": report.notes}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _plain(change: Change) -> dict[str, object]:
    return {**asdict(change), "effect": change.effect.text, "bump": change.effect.bump}
