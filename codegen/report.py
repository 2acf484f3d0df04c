"""The report as text for a terminal, as Markdown for a pull request, as JSON for a program."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from dataclasses import asdict
from typing import Final

from codegen.row import MAJOR
from codegen.specdiff import Report

FORMATS: Final = ("terminal", "markdown", "json")


def render(report: Report, form: str) -> str:
    """The report in one of ``FORMATS``."""
    return {"terminal": _terminal, "markdown": _markdown, "json": _json}[form](report)


def summary(report: Report) -> str:
    """One line."""
    if not report.rows:
        return "No change that a caller or a reader could see."
    count = Counter(row.change for row in report.rows)
    said = ", ".join(
        f"{count[change]} {change}" for change in ("added", "removed", "changed", "deprecated") if count[change]
    )
    breaking = sum(row.bump == MAJOR for row in report.rows)
    return f"{said}; {breaking or 'none'} breaking. Suggested version bump: {report.bump}."


def _terminal(report: Report) -> str:
    lines: list[str] = []
    heading = ""
    for row in report.rows:
        group = "Operations" if row.direction == "operation" else f"{row.place.split('.')[0]} ({row.direction})"
        if group != heading:
            heading = group
            lines += ["", group]
        mark = "!" if row.bump == MAJOR else " "
        head = f"{mark} {row.change:<10} {row.place}: {row.text}"
        lines += textwrap.wrap(head, 100, initial_indent="  ", subsequent_indent=" " * 15)
        lines.append(f"{' ' * 15}-> {row.effect} ({row.bump})")
    return "\n".join([*lines[1:], *([""] if lines else []), summary(report), ""])


def _markdown(report: Report) -> str:
    lines = ["### Spec", "", summary(report)]
    if report.rows:
        lines += ["", "| Where | Change | For a caller | Bump |", "| --- | --- | --- | --- |"]
    for row in report.rows:
        kind = "" if row.direction == "operation" else f" ({row.direction})"
        effect = f"**{row.effect}**" if row.bump == MAJOR else row.effect
        text = row.text.replace("|", "\\|")
        lines.append(f"| `{row.place}`{kind} | {row.change}: {text} | {effect} | {row.bump} |")
    return "\n".join([*lines, ""])


def _json(report: Report) -> str:
    content = {"bump": report.bump, "breaking": report.is_breaking, "rows": [asdict(row) for row in report.rows]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
