"""``python -m codegen generate | check``. Exit code 0: fine, 1: drift, 2: unusable input."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from codegen import drift
from codegen.document import SpecError


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(__file__).parent.parent,
        help="the project (default: ours)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help=f"write the code from {drift.FRAGMENT}")
    commands.add_parser("check", help="say how the tree differs from what generate would write")
    options = parser.parse_args(arguments)
    root: Path = options.root
    try:
        wanted = drift.expected(root)
    except SpecError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    difference = drift.differences(drift.present(root), wanted)
    if options.command == "check":
        if difference:
            sys.stdout.write(f"{difference}The generated code is not up to date: python -m codegen generate\n")
        return 1 if difference else 0
    if difference:
        drift.write(root, wanted)
    sys.stdout.write(f"{len(wanted)} files {'written' if difference else 'already up to date'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
