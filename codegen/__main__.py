"""From the API description to checked code. Exit code 0: fine, 1: look at it, 2: unusable input."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from codegen.generate import output
from codegen.openapi import SpecError


def generate(root: Path) -> int:
    """Write the code from the fragment."""
    files = output.expected(root)
    output.write(root, files)
    sys.stdout.write(f"wrote {len(files)} files\n")
    return 0


def check(root: Path) -> int:
    """Say how the tree differs from what ``generate`` would write."""
    difference = output.differences(output.present(root), output.expected(root))
    if not difference:
        sys.stdout.write("the generated code is what the fragment says\n")
        return 0
    sys.stdout.write(difference)
    sys.stderr.write("the generated code is not what the fragment says: run `nox -s codegen -- generate`\n")
    return 1


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent, help="the project (default: ours)")
    commands = parser.add_subparsers(dest="command", required=True)
    for run in (generate, check):
        commands.add_parser(run.__name__, help=run.__doc__).set_defaults(run=run)
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options.root)
    except SpecError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
