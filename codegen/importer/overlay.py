"""Overlays: corrections in the form of the OpenAPI Overlay Specification 1.x (``target``, ``update``, ``remove``)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jsonpath_rfc9535 as jsonpath

from codegen.openapi.nodes import Node, SpecError, is_list, is_node, resolve
from codegen.openapi.reading import parse, read_bytes

_SETS: Final = ("required", "enum", "type", "anyOf")
"""Arrays in which OpenAPI wants each item once."""


@dataclass(frozen=True)
class Action:
    """One action, with the place that messages give it."""

    place: str
    target: str
    remove: bool
    update: Any


def read_overlay(path: Path, name: str) -> list[Action]:
    """The actions of an overlay; none, when there is no such file.

    Raises:
        SpecError: It is no overlay, or an action has no reason (``description``).
    """
    if not path.exists():
        return []
    content = parse(read_bytes(path), name)
    actions = content.get("actions")
    if not str(content.get("overlay", "")).startswith("1.") or not is_list(actions):
        raise SpecError(name, "is no overlay: it needs `overlay: 1.0.0` and a list of actions")
    return [_read_action(f"{name} action {number}", action) for number, action in enumerate(actions, 1)]


def _read_action(place: str, action: object) -> Action:
    if not is_node(action) or not str(action.get("description", "")).strip():
        raise SpecError(place, "has no description; it has to say why")
    remove = action.get("remove") is True
    if action.keys() != {"target", "description", "remove" if remove else "update"}:
        raise SpecError(place, "needs a target and either an update or `remove: true`")
    target = str(action["target"])
    try:
        jsonpath.compile(target)
    except jsonpath.JSONPathError as error:
        raise SpecError(place, f"the target is no JSONPath: {error}") from error
    return Action(f"{place} ({target})", target, remove, action.get("update"))


def apply_overlay(document: Node, actions: list[Action]) -> tuple[Node, list[str]]:
    """The document after all actions, and a note on each that changes nothing. The document itself stays."""
    changed = copy.deepcopy(document)
    idle = [action for action in actions if not _apply(changed, action)]
    return changed, [
        f"{action.place} changes nothing: it is no longer needed, or its target is wrong" for action in idle
    ]


def blame(document: Node, actions: list[Action], check: Callable[[Node], object]) -> None:
    """Find the overlay action that makes a valid document invalid.

    Args:
        document: Before all actions.
        actions: In their order.
        check: Refuses a document with a ``SpecError``.

    Raises:
        SpecError: There is such an action. What it says is the action, what is wrong after it, and what to do.
    """
    changed = copy.deepcopy(document)
    try:
        check(changed)
    except SpecError:
        return
    for action in actions:
        _apply(changed, action)
        try:
            check(changed)
        except SpecError as error:
            advice = "Correct the action, or remove it if the document needs no correction any more."
            raise SpecError(action.place, f"after it the document is refused: {error}. {advice}") from error


def _apply(document: Node, action: Action) -> bool:
    """Apply one action; whether it changed anything."""
    changes = False
    # Backwards, so that an index is still right when an item before it goes.
    for node in reversed(list(jsonpath.find(action.target, document))):
        if not node.location:
            raise SpecError(action.place, "the target cannot be the whole document")
        holder: Any = document
        for step in node.location[:-1]:
            holder = holder[step]
        key: Any = node.location[-1]
        if action.remove:
            changes = True
            del holder[key]
        else:
            # To an array, one item is appended.
            update = [action.update] if is_list(node.value) and not is_list(action.update) else action.update
            merged = _merged(document, node.value, update, str(key))
            changes = changes or merged != node.value
            holder[key] = merged
    return changes


def _merged(document: Node, value: Any, update: Any, key: str) -> Any:
    """Objects are merged, arrays joined; anything else is replaced."""
    if is_node(value) and is_node(update):
        return value | {
            k: _merged(document, value[k], v, k) if k in value else copy.deepcopy(v) for k, v in update.items()
        }
    if is_list(value) and is_list(update):
        known = [_identity(document, item, key) for item in value]
        return value + [item for item in copy.deepcopy(update) if _identity(document, item, key) not in known]
    return copy.deepcopy(update)


def _identity(document: Node, item: Any, key: str) -> object:
    """What may stand once in this array: a parameter by place and name, an item of a set; of others, anything."""
    if key == "parameters" and is_node(item):
        parameter = resolve(document, key, item)
        return parameter.get("in"), parameter.get("name")
    return item if key in _SETS else object()
