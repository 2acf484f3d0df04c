"""Decode a body that did not fit its type, with its times repaired. Used after a failed decode, so it may be slow."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_PLACE = re.compile(r" - at `([^`]+)`$")
_INDEX = re.compile(r"\[(?:\d+|\.\.\.)\]")
_STEP = re.compile(r"\.([^.\[]+)|\[\*\]")
_KIND_OF_TIME = re.compile(r"\b(?:datetime|date|time|duration)\b")
_TIME_SPAN = re.compile(r"(-?)(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)")
_BEYOND_MICROSECONDS = re.compile(r"(\.\d{6})\d+")


def convert(
    plain: Any,
    kind: type[T],
    *,
    optional: Collection[str] = (),
    hook: Callable[[type, Any], Any] | None = None,
) -> T:
    """Convert decoded JSON to a type, and repair the times that msgspec refuses.

    Servers in .NET write timestamps without an offset (they are read as UTC), a timestamp for a date, times without
    seconds, durations such as ``1.02:03:04.5``, and ``9999-12-31T23:59:59.9999999``. That one is cut to microseconds,
    because rounding it would give the year 10000.

    Args:
        plain: Decoded JSON. It is changed.
        kind: The type.
        optional: Members that are left out if they do not fit.
        hook: Reads the types that msgspec does not know (its ``dec_hook``).

    Returns:
        A value of the type.

    Raises:
        msgspec.ValidationError: The rest does not fit. Its path has real indices, unlike that of a JSON decoder.
    """
    repaired: set[str] = set()
    while True:
        try:
            return msgspec.convert(plain, kind, dec_hook=hook)
        except msgspec.ValidationError as error:
            place, what = path_and_message(error)
            everywhere = _INDEX.sub("[*]", place)  # all items of a list at once
            steps = [name or "*" for name in _STEP.findall(everywhere)]
            kind_of_time = _KIND_OF_TIME.search(what)
            if kind_of_time and everywhere not in repaired:
                repaired.add(everywhere)
                for parent, key in _leaves(plain, steps):
                    parent[key] = _repaired(parent[key], _REPAIRS[kind_of_time[0]])
            elif steps and steps[0] in optional:
                del plain[steps[0]]
            else:
                raise


def path_and_message(error: msgspec.ValidationError) -> tuple[str, str]:
    """The path in an error of msgspec, such as ``$.data.profiles[1].id``, and its message without the path."""
    text = str(error)
    place = _PLACE.search(text)
    return (place[1], text[: place.start()]) if place else ("$", text)


def _leaves(node: Any, steps: list[str]) -> Iterator[tuple[Any, Any]]:
    """The containers and keys that a path names. ``*`` stands for every item."""
    step, *rest = steps
    keys: list[Any] = [step]
    if step == "*":
        keys = list(node) if hasattr(node, "keys") else list(range(len(node)))
    for key in keys:
        try:
            child = node[key]
        except (KeyError, TypeError):  # this item has no such member, or another type than the others
            continue
        if rest:
            yield from _leaves(child, rest)
        else:
            yield node, key


def _repaired(value: Any, repair: Callable[[str], str]) -> Any:
    """The value in a form that msgspec reads. A value that cannot be repaired stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return repair(_BEYOND_MICROSECONDS.sub(r"\1", value))
    except (ValueError, OverflowError):
        return value


def _aware(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).isoformat()


def _duration(text: str) -> str:
    """``[-][days.]hours:minutes:seconds[.fraction]``, as .NET writes it, in ISO 8601."""
    parts = _TIME_SPAN.fullmatch(text)
    if parts is None:
        raise ValueError
    days, hours, minutes, seconds = (float(part or 0) for part in parts.groups()[1:])
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return str(msgspec.to_builtins(-length if parts[1] else length))


_REPAIRS: dict[str, Callable[[str], str]] = {
    "datetime": _aware,
    "date": lambda text: datetime.fromisoformat(text).date().isoformat(),
    "time": lambda text: time.fromisoformat(text).isoformat(),
    "duration": _duration,
}
