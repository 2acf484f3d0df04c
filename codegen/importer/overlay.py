"""Overlays: corrections in the form of the OpenAPI Overlay Specification 1.x (``target``, ``update``, ``remove``)."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Final

import jsonpath_rfc9535 as jsonpath

from codegen.importer.source import parse
from codegen.openapi import Node, SpecError, is_list, is_node

_SETS: Final = ("required", "enum", "type", "anyOf", "parameters")
"""Arrays in which OpenAPI wants each item once."""


def read_overlay(path: Path) -> list[Node]:
    """The actions of an overlay; none, when there is no such file.

    Raises:
        SpecError: it is no overlay, or an action has no reason (``description``).
    """
    if not path.exists():
        return []
    content = parse(path.read_bytes(), path.name)
    actions = content.get("actions")
    if not str(content.get("overlay", "")).startswith("1.") or not is_list(actions):
        raise SpecError(path.name, "is no overlay: it needs `overlay: 1.0.0` and a list of actions")
    for number, action in enumerate(actions, 1):
        place = f"{path.name} action {number}"
        if not is_node(action) or not str(action.get("description", "")).strip():
            raise SpecError(place, "has no description; it has to say why")
        if action.keys() - {"target", "description", "update", "remove"} or len(action) != 3 or "target" not in action:
            raise SpecError(place, "needs a target and either update or remove")
        try:
            jsonpath.compile(str(action["target"]))
        except jsonpath.JSONPathError as error:
            raise SpecError(place, f"the target is no JSONPath: {error}") from error
    return actions


def apply_overlay(document: Node, actions: list[Node], name: str) -> tuple[Node, list[str]]:
    """The document after all actions, and a note on each that changes nothing."""
    changed = copy.deepcopy(document)
    notes: list[str] = []
    for number, action in enumerate(actions, 1):
        found = list(jsonpath.find(action["target"], changed))
        is_idle = True
        # Backwards, so that an index is still right when an item before it goes.
        for node in reversed(found):
            if not node.location:
                raise SpecError(f"{name} action {number}", "the target cannot be the whole document")
            holder: Any = changed
            for step in node.location[:-1]:
                holder = holder[step]
            if action.get("remove"):
                del holder[node.location[-1]]
                is_idle = False
            else:
                update = action["update"]
                # To an array, one item is appended.
                items = [update] if is_list(node.value) and not is_list(update) else update
                merged = _merged(node.value, items, str(node.location[-1]))
                is_idle = is_idle and merged == node.value
                holder[node.location[-1]] = merged
        if is_idle:
            notes.append(f"{name} action {number} changes nothing: {action['target']}")
    return changed, notes


def _merged(value: Any, update: Any, key: str) -> Any:
    """Objects are merged, arrays joined; anything else is replaced."""
    if is_node(value) and is_node(update):
        return value | {k: _merged(value[k], v, k) if k in value else copy.deepcopy(v) for k, v in update.items()}
    if is_list(value) and is_list(update):
        return value + [item for item in copy.deepcopy(update) if key not in _SETS or item not in value]
    return copy.deepcopy(update)
