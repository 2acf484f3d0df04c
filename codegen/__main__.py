"""From the API description to checked code. Exit code 0: fine, 1: look at it, 2: unusable input."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from codegen.diff.compare import compare
from codegen.diff.report import FORMATS, render
from codegen.generate import output
from codegen.importer.name_map import NAME_MAP, read_names
from codegen.importer.update import prepare
from codegen.openapi.nodes import SpecError
from codegen.openapi.sources import FRAGMENT, check_used, read_source

Options = argparse.Namespace

_UP_TO_DATE: Final = "everything was up to date\n"


def generate(options: Options) -> int:
    """Write the code from the fragment."""
    root: Path = options.root
    wanted = output.expected(root)
    files = {name: new for name, (_, new) in output.changed(root, wanted).items()}
    output.write(root, files)
    sys.stdout.write(f"changed: {', '.join(files)}\n" if files else _UP_TO_DATE)
    return 0


def check(options: Options) -> int:
    """Say how the tree differs from what ``generate`` would write."""
    root: Path = options.root
    difference = output.differences(root, output.expected(root))
    if not difference:
        sys.stdout.write("the generated code is what the fragment says\n")
        return 0
    sys.stdout.write(difference)
    sys.stderr.write("the generated code is not what the fragment says: run `nox -s codegen -- generate`\n")
    return 1


def diff(options: Options) -> int:
    """Report what a change does to callers; status 0: harmless, 1: breaking, 2: unusable."""
    found = [read_source(name, options.root) for name in (options.old, options.new or str(options.root / FRAGMENT))]
    old, new = (check_used(source.document, source.name) for source in found)
    report = compare(old, new, read_names(options.root / NAME_MAP).keys)
    sys.stdout.write(render(report, options.format))
    return 1 if report.is_breaking else 0


def update(options: Options) -> int:
    """Take over the vendor's document: fragment, lock and generated code, or nothing at all."""
    found = prepare(options.root, options.source)
    report = compare(found.before, found.after)
    if not options.dry_run:
        output.write(options.root, found.files)
    verb = "would change" if options.dry_run else "changed"
    last = f"{verb}: {', '.join(sorted(found.files))}" if found.files else _UP_TO_DATE.strip()
    notes = (*(f"note: {note}" for note in found.notes), last)
    sys.stdout.write(render(replace(report, notes=notes), options.format))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent, help="the project (default: ours)")
    commands = parser.add_subparsers(dest="command", required=True)
    added: dict[str, argparse.ArgumentParser] = {}
    for run in (generate, check, diff, update):
        added[run.__name__] = commands.add_parser(run.__name__, help=run.__doc__)
        added[run.__name__].set_defaults(run=run)
    added["diff"].add_argument("old", metavar="OLD", help="a file, a URL, a revision of git, or REVISION:path")
    added["diff"].add_argument("new", metavar="NEW", nargs="?", help="the same (default: the fragment as it is)")
    added["update"].add_argument("source", metavar="SOURCE", help="the vendor's document: a URL or a file")
    added["update"].add_argument("--dry-run", action="store_true", help="report, and write nothing")
    for name in ("diff", "update"):
        added[name].add_argument("--format", choices=FORMATS, default="terminal")
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except SpecError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
