"""The commands: what each prints, and its exit code. 0: fine, 1: something to see to, 2: unusable input."""

from __future__ import annotations

import argparse
import sys

from codegen import drift
from codegen.diff.compare import compare
from codegen.diff.report import render
from codegen.importer.files import replace_all
from codegen.importer.names import NAME_MAP, read_names
from codegen.importer.source import read_source, used_part
from codegen.importer.update import prepare
from codegen.load import load
from codegen.parity import check_parity
from codegen.skeleton import skeleton
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


def diff(options: Options) -> int:
    """Report what a change does to callers."""
    found = [
        used_part(source.document, source.name)
        for source in (read_source(name, options.root, drift.FRAGMENT) for name in (options.old, options.new))
    ]
    report = compare(found[0], found[1], read_names(options.root / NAME_MAP).covered)
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
    """Take over the vendor's document: fragment, lock and generated code, or nothing at all."""
    found = prepare(options.root, options.source)
    report = compare(found.before, found.after)
    if not options.dry_run:
        replace_all(options.root, found.files)
    _say(render(report, options.format))
    for note in found.notes:
        _say(f"note: {note}\n")
    verb = "would change" if options.dry_run else "changed"
    _say(f"{verb}: {', '.join(sorted(found.files))}\n" if found.files else "Everything was up to date.\n")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text)
