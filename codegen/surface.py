"""The public names of the package, against a committed list: what goes, goes on purpose.

Read from the source by griffe, not by importing. What is exported by ``__all__`` is public, with its public members and
the parameters of its methods; a member of the generated models too, since callers write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import griffe

from codegen.document import SpecError

BASELINE: Final = "codegen/surface.txt"
CHANGELOG: Final = "CHANGELOG.md"
MODULES: Final = (
    *("", "models", "models.fields", "operations", "testing"),
    *("resources.campaigns", "resources.profiles", "resources.templates"),
)


def public_names(root: Path) -> list[str]:
    """Every public name, dotted, sorted; parameters as ``SentClient.send(body)``."""
    package: Any = griffe.load("sent_async", search_paths=[str(root)], try_relative_path=False, resolve_aliases=True)
    names: set[str] = set()
    for place in MODULES:
        module: Any = package[place] if place else package
        for name in _exports(module):
            names.add(f"{module.path}.{name}")
            names.update(
                f"{module.path}.{name}{part}"
                for part in (_parts(module.members[name]) if name in module.members else ())
            )
    return sorted(names)


def _exports(module: Any) -> list[str]:
    """What ``__all__`` says; without one, as in the resources, the module's own public classes."""
    own = [name for name, member in module.members.items() if not member.is_alias and member.is_class]
    return [str(name) for name in (own if module.exports is None else module.exports) if not name.startswith("__")]


def _parts(target: Any) -> Iterator[str]:
    """Members of a class and parameters of a function, below its name."""
    try:
        target = target.final_target if target.is_alias else target
    except griffe.AliasResolutionError:
        return  # something of another package: its surface is its own
    if target.is_function:
        yield from (f"({p.name})" for p in target.parameters if p.name not in ("self", "cls"))
    elif target.is_class:
        for name, member in target.all_members.items():
            if name == "__init__" and not member.is_alias:
                yield from _parts(member)
            elif not name.startswith("_"):
                yield f".{name}"
                yield from (f".{name}{part}" for part in (_parts(member) if member.is_function else ()))


def removed(root: Path) -> list[str]:
    """Names of the baseline that are gone and that the change log does not mention as removed."""
    try:
        baseline = (root / BASELINE).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SpecError(BASELINE, f"cannot be read: {error}") from error
    said = said_to_be_removed((root / CHANGELOG).read_text(encoding="utf-8"))
    return [name for name in sorted(set(baseline) - set(public_names(root))) if not _is_said(name, said)]


def said_to_be_removed(changelog: str) -> set[str]:
    """What stands in backquotes under ``Removed`` of the ``Unreleased`` section."""
    unreleased = re.search(r"^## \[?Unreleased\]?.*?$(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    section = re.search(
        r"^### Removed\s*$(.*?)(?=^###? |\Z)", unreleased[1] if unreleased else "", re.MULTILINE | re.DOTALL
    )
    return set(re.findall(r"`([^`]+)`", section[1])) if section else set()


def _is_said(name: str, said: set[str]) -> bool:
    """By its full name, by its last parts (``Profile.email``), or by that of a class that went as a whole."""
    plain = name.replace("(", ".").removesuffix(")")
    parts = plain.split(".")
    written = {".".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1)}
    starts = {part for part in written if part[:1].isupper() or "." in part or part == parts[-1]}
    return bool({name, *starts} & {text.replace("(", ".").removesuffix(")") for text in said})


def write_baseline(root: Path) -> int:
    """Take today's names as the baseline, as is done at a release; how many there are."""
    names = public_names(root)
    (root / BASELINE).write_text("\n".join(names) + "\n", encoding="utf-8")
    return len(names)
