"""The commands: what each prints, and its exit code. 0: fine, 1: something to see to, 2: unusable input."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from codegen import comparing, drift, importing
from codegen.load import load
from codegen.parity import check_parity
from codegen.report import render, summary
from codegen.skeleton import skeleton
from codegen.specdiff import compare
from codegen.surface import CHANGELOG, public_names, removed, write_baseline

Options = argparse.Namespace


def generate(options: Options) -> int:
    """Write the code that the fragment gives."""
    wanted = drift.expected(options.root)
    difference = drift.differences(drift.present(options.root), wanted)
    if difference:
        drift.write(options.root, wanted)
    _say(f"{len(wanted)} files {'written' if difference else 'already up to date'}\n")
    return 0


def check(options: Options) -> int:
    """Say how the tree differs from what generate would write."""
    difference = drift.differences(drift.present(options.root), drift.expected(options.root))
    if difference:
        _say(f"{difference}The generated code is not up to date: python -m codegen generate\n")
    return 1 if difference else 0


def import_(options: Options) -> int:
    """Make the fragment from the vendor's document."""
    result = importing.prepare(options.root, _request(options))
    _notes(result.notes)
    if options.output is not None:
        options.output.write_text(result.fragment, encoding="utf-8")
        _say(f"{options.output} written; {drift.FRAGMENT} is as it was\n")
        return 0
    changed = importing.write(options.root, result)
    _say(f"{drift.FRAGMENT} and {importing.LOCK} {'written' if changed else 'already up to date'}\n")
    return 0


def diff(options: Options) -> int:
    """Report what a change does to callers."""
    report = comparing.diff(options.root, options.old, options.new)
    _say(render(report, options.format))
    return 1 if report.is_breaking else 0


def parity(options: Options) -> int:
    """Call every method, and say what hands must still do."""
    document = load(options.root / drift.FRAGMENT)
    found = check_parity(options.root, document)
    for problem in found.problems:
        _say(f"  {problem}\n")
    for row in found.missing:
        _say(f"  {row.name} has no method. Ready to paste:\n\n{skeleton(row, document)}\n")
    left = len(found.problems) + len(found.missing)
    end = f"{left} things to do by hand" if left else "all operations have theirs"
    _say(f"{len(found.methods)} methods called; {end}\n")
    return 0 if found.agrees else 1


def surface(options: Options) -> int:
    """Compare the public names with the committed list."""
    if options.write:
        _say(f"{write_baseline(options.root)} public names written\n")
        return 0
    gone = removed(options.root)
    for name in gone:
        _say(f"removed: {name}\n")
    if gone:
        _say(f"Name these under Removed in the Unreleased section of {CHANGELOG}, or bring them back.\n")
    else:
        _say(f"{len(public_names(options.root))} public names; none is gone without a word\n")
    return 1 if gone else 0


def update(options: Options) -> int:
    """Import, diff, generate, check, parity; one screen at the end."""
    root: Path = options.root
    result = importing.prepare(root, _request(options))
    report = compare(result.before, result.document)
    tree = drift.present(root)
    changed = sorted(p for p in tree.keys() | result.files.keys() if tree.get(p) != result.files.get(p))
    importing.write(root, result)
    if changed:
        drift.write(root, result.files)
    _say(render(report, "terminal"))
    # In a fresh interpreter: this one may have the old package loaded.
    command = [sys.executable, "-m", "codegen", "--root", str(root), "parity"]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, check=False, capture_output=True, text=True)  # noqa: S603
    left = done.stdout if done.returncode in (0, 1) else f"{done.stdout}{done.stderr}"
    _say("\n" + "=" * 72 + "\n")
    _say(f"What changed:          {summary(report)}\n")
    _say(f"What was regenerated:  {', '.join(changed) or 'nothing, the code was up to date'}\n")
    _notes(result.notes)
    _say(f"What is left:          {left}")
    return done.returncode


def _request(options: Options) -> importing.Request:
    return importing.Request(options.upstream, options.names, options.corrections)


def _notes(notes: list[str]) -> None:
    for note in notes:
        _say(f"note: {note}\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
