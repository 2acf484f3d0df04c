"""A second look at a body that did not fit its type. Runs only after a failed decode, so it may be slow and careful."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_PATH = re.compile(r" - at `([^`]+)`$")
_STEP = re.compile(r"\.([^.\[]+)|(\[\.\.\.\])|\[(\d+)\]")
_FRACTION = re.compile(r"(\.\d{6})\d+")


def repair_timestamps(plain: Any, kind: type[T]) -> T:
    """Convert decoded JSON, mending the timestamps that stand in the way.

    .NET writes stamps that strict readers refuse: without an offset (read as UTC), and ``9999-12-31T23:59:59.9999999``,
    which rounds past the last year there is (cut to microseconds). Raises ``msgspec.ValidationError`` for the rest.
    """
    mended: set[str] = set()
    while True:
        try:
            return msgspec.convert(plain, kind)
        except msgspec.ValidationError as error:
            place = _PATH.search(str(error))
            if place is None or "datetime" not in str(error) or place[1] in mended:
                raise
            mended.add(place[1])
            for parent, key in _leaves(plain, _steps(place[1])):
                parent[key] = _aware(parent[key])


def locate(plain: Any, kind: type[Any], complaint: str) -> tuple[str, str]:
    """Where the body fails, with real indices, and why. msgspec itself only says ``$.data.profiles[...].id``."""
    place = _PATH.search(complaint)
    if place is None:
        return "$", complaint
    path = place[1]
    while "[...]" in path:
        before, _, _ = path.partition("[...]")
        index = _first_failing(plain, kind, before, path)
        if index is None:
            break
        path = path.replace("[...]", f"[{index}]", 1)
    return path, complaint[: place.start()]


def _first_failing(plain: Any, kind: type[Any], before: str, path: str) -> int | str | None:
    """Try the items of the container at ``before`` one by one, each alone in its place."""
    parent, key = next(_leaves(plain, _steps(before)), (None, None))
    if parent is None:
        return None
    container: Any = parent[key]
    named = hasattr(container, "items")
    items: Iterable[tuple[Any, Any]] = container.items() if named else zip(itertools.count(), container)
    expected = re.sub(r"\[\d+\]", "[...]", path)
    for index, item in items:
        parent[key] = {index: item} if named else [item]
        try:
            msgspec.convert(plain, kind)
        except msgspec.ValidationError as error:
            if expected in str(error):
                # Kept alone in its place, at index 0, so that a path further in is looked for in this item only.
                return f'"{index}"' if named else index
    parent[key] = container
    return None


def _steps(path: str) -> list[str]:
    return [name or ("*" if dots else "0") for name, dots, _ in _STEP.findall(path)]


def _leaves(node: Any, steps: list[str]) -> Iterator[tuple[Any, Any]]:
    """The containers and keys that a path names, each ``*`` standing for every item."""
    step, *rest = steps
    keys: list[Any] = []
    if hasattr(node, "append"):
        keys.extend(range(len(node)))
    elif hasattr(node, "keys"):
        keys.extend(key for key in node if step in ("*", "0", key))
    for key in keys:
        if rest:
            yield from _leaves(node[key], rest)
        else:
            yield node, key


def _aware(value: Any) -> Any:
    """The stamp with an offset and at most microseconds; what is no stamp stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", value))
    except ValueError:
        return value
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.isoformat()
