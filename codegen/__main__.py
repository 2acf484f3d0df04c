"""From the vendor's document to checked code, and what a change means. Exit code 0: fine, 1: look at it, 2: bad."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from codegen import commands, drift
from codegen.diff.report import FORMATS
from codegen.document import SpecError


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    ours = Path(__file__).parent.parent
    found.add_argument("--root", type=Path, default=ours, help="the project (default: ours)")
    subparsers = found.add_subparsers(dest="command", required=True)

    def add(name: str, help: str, run: object) -> argparse.ArgumentParser:
        command = subparsers.add_parser(name, help=help)
        command.set_defaults(run=run)
        return command

    add("generate", f"write the code from {drift.FRAGMENT}", commands.generate)
    add("check", "say how the tree differs from what generate would write", commands.check)
    update = add("update", "take over the vendor's document, and write all code that comes from it", commands.update)
    update.add_argument("source", metavar="SOURCE", help="the vendor's document: a URL or a file, JSON or YAML")
    update.add_argument("--dry-run", action="store_true", help="report, and write nothing")
    diff = add(
        "diff", "report what a change does to callers; status 0: harmless, 1: breaking, 2: unusable", commands.diff
    )
    diff.add_argument("old", metavar="OLD", help="a file, a URL, a revision of git, or REVISION:path")
    diff.add_argument("new", metavar="NEW", nargs="?", default=drift.FRAGMENT, help="the same (default: ours as it is)")
    for command in (update, diff):
        command.add_argument("--format", choices=FORMATS, default="terminal")
    add("parity", "call every method and compare it with its operation", commands.parity)
    surface = add("surface", "say which public names are gone", commands.surface)
    surface.add_argument("--write", action="store_true", help="take the names of today as the baseline")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except SpecError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
