"""A second look at a body that did not fit its type. Runs only after a failed decode, so it may be slow and careful."""

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


def convert(plain: Any, kind: type[T], *, dispensable: Collection[str] = ()) -> T:
    """Convert decoded JSON, mending the times that stand in the way, and doing without ``dispensable`` members.

    .NET writes what strict readers refuse: stamps without an offset (read as UTC), ``9999-12-31T23:59:59.9999999``,
    which rounds past the last year there is (cut to microseconds), a stamp for a date, times without seconds, and
    durations as ``1.02:03:04.5``. Raises ``msgspec.ValidationError`` for the rest; unlike that of a JSON decoder, it
    names real indices.
    """
    mended: set[str] = set()
    while True:
        try:
            return msgspec.convert(plain, kind)
        except msgspec.ValidationError as error:
            place, what = where(error)
            everywhere = _INDEX.sub("[*]", place)  # all items of a list at once: a page of stamps is one pass
            steps = [name or "*" for name in _STEP.findall(everywhere)]
            kind_of_time = _KIND_OF_TIME.search(what)
            if kind_of_time and everywhere not in mended:
                mended.add(everywhere)
                for parent, key in _leaves(plain, steps):
                    parent[key] = _mended(parent[key], _MEND[kind_of_time[0]])
            elif steps and steps[0] in dispensable:
                del plain[steps[0]]  # what comes beside the data must not cost the data
            else:
                raise


def where(error: msgspec.ValidationError) -> tuple[str, str]:
    """The place a complaint of msgspec names, as ``$.data.profiles[1].id``, and the complaint without it."""
    text = str(error)
    place = _PLACE.search(text)
    return (place[1], text[: place.start()]) if place else ("$", text)


def _leaves(node: Any, steps: list[str]) -> Iterator[tuple[Any, Any]]:
    """The containers and keys that a path names, ``*`` standing for every item."""
    step, *rest = steps
    keys: list[Any] = [step]
    if step == "*":
        keys = list(node) if hasattr(node, "keys") else list(range(len(node)))
    for key in keys:
        try:
            child = node[key]
        except (KeyError, TypeError):  # this one has no such member, or is not what its neighbours are
            continue
        if rest:
            yield from _leaves(child, rest)
        else:
            yield node, key


def _mended(value: Any, mend: Callable[[str], str]) -> Any:
    """The value as msgspec reads it; what cannot be understood stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return mend(_BEYOND_MICROSECONDS.sub(r"\1", value))
    except (ValueError, OverflowError):
        return value


def _aware(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).isoformat()


def _duration(text: str) -> str:
    """``[-][days.]hours:minutes:seconds[.fraction]``, as .NET writes it, in the form of ISO 8601."""
    parts = _TIME_SPAN.fullmatch(text)
    if parts is None:
        raise ValueError
    days, hours, minutes, seconds = (float(part or 0) for part in parts.groups()[1:])
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return str(msgspec.to_builtins(-length if parts[1] else length))


_MEND: dict[str, Callable[[str], str]] = {
    "datetime": _aware,
    "date": lambda text: datetime.fromisoformat(text).date().isoformat(),
    "time": lambda text: time.fromisoformat(text).isoformat(),
    "duration": _duration,
}
