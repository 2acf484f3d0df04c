"""What a change of the API does to callers, change by change.

Two documents are compared operation by operation, and from there member by member: no class needs a name of ours, and a
schema that no operation uses plays no part. What is harmless in a response (a new member) is not in a request, and the
other way round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from codegen.diff.classes import NEW_TEXT, Names, Subject, compare_classes
from codegen.diff.operations import compare_operations
from codegen.diff.report import Change, Effect, Report
from codegen.diff.types import Pair
from codegen.openapi.nodes import Node, closure, is_envelope
from codegen.openapi.operations import Key, Operation, operations, webhooks


def is_fragment(document: Node) -> bool:
    """Whether a document is a fragment of ours: its class names, operation ids and Python names are a promise."""
    return any("x-rate-tier" in operation.node for operation in operations(document).values())


def compare(old: Node, new: Node, covered: Mapping[Key, str] | None = None) -> Report:
    """The report on two documents. The same two give the same changes in the same order.

    Args:
        old: The document before.
        new: The document after.
        covered: The operations that the client covers, with their names. All of them, when left out.
    """
    fragments = is_fragment(old), is_fragment(new)
    covered = {} if all(fragments) or not covered else covered  # a fragment is what the client covers
    changes = _changes(old, new, _names(old, new) if all(fragments) else Names(compared=False), covered)
    if fragments[0] != fragments[1]:  # our words and the vendor's differ everywhere
        changes = [change for change in changes if not change.text.startswith(NEW_TEXT)]
    ours, apart = list[Change](), list[Change]()
    for change in changes:
        is_ours = not covered or {*covered.values()}.intersection(change.operations)
        (ours if is_ours else apart).append(change)
    return Report(tuple(ours), tuple(apart))


def _changes(old: Node, new: Node, names: Names, covered: Mapping[Key, str]) -> list[Change]:
    """Every change, the operations first."""
    matches = _matches(operations(old) | webhooks(old), operations(new) | webhooks(new))
    top = [_operation(was, now, names, covered) for was, now in matches]
    classes: dict[object, Subject] = {}
    users: dict[Change, list[str]] = {change: [subject.place] for subject in top for change in subject.changes}
    for subject in top:
        reached: set[object] = set()
        waiting = [*subject.pairs]
        while waiting:
            pair = waiting.pop(0)
            if pair.key not in reached:
                reached.add(pair.key)
                part = classes[pair.key] = classes.get(pair.key) or compare_classes(pair, names)
                waiting += part.pairs
                for change in part.changes:
                    users.setdefault(change, []).append(subject.place)
    found = [replace(change, operations=tuple(dict.fromkeys(places))) for change, places in users.items()]
    pairs = [pair for subject in (*top, *classes.values()) for pair in subject.pairs]
    return found + list(_come_and_gone(names, pairs))


def _come_and_gone(names: Names, pairs: list[Pair]) -> Iterator[Change]:
    """Classes that only one of the two fragments has, other than by a new name."""
    renamed = {pair.old.name for pair in pairs} | {pair.new.name for pair in pairs}
    for name in sorted(names.gone.keys() - renamed):
        yield Change(name, names.gone[name], "removed", "the class is gone", Effect.BREAKS)
    for name in sorted(names.fresh.keys() - renamed):
        yield Change(name, names.fresh[name], "added", "new class", Effect.HARMLESS)


def _operation(was: Operation | None, now: Operation | None, names: Names, covered: Mapping[Key, str]) -> Subject:
    known = [operation for operation in (now, was) if operation is not None]
    ours = [covered[operation.key] for operation in known if operation.key in covered]
    ours += [operation.name for operation in known[:1] if "x-rate-tier" in operation.node]
    name = (ours or [known[0].place])[0]
    if was and now:
        return compare_operations(name, (was, now), names)
    found = Subject(name, "operation", names)
    if now:
        found.add("added", f"{now.place} is new", Effect.HARMLESS)
    else:
        found.add("removed", f"{known[0].place} is gone", Effect.BREAKS)
    return found


def _matches(
    old: Mapping[Key, Operation], new: Mapping[Key, Operation]
) -> Iterator[tuple[Operation | None, Operation | None]]:
    """The operations of both documents side by side: by method and path, and by id when a path moved."""
    left = {key: operation for key, operation in new.items() if key not in old}
    moved = {operation.name: operation for operation in left.values() if operation.name}
    for key, was in old.items():
        now = new.get(key) or moved.pop(was.name, None)
        if now is not None:
            left.pop(now.key, None)
        yield was, now
    for operation in left.values():
        yield None, operation


def _names(old: Node, new: Node) -> Names:
    before, after = _classes(old), _classes(new)
    gone = {name: before[name] for name in before.keys() - after.keys()}
    return Names(True, gone, {name: after[name] for name in after.keys() - before.keys()})


def _classes(document: Node) -> dict[str, str]:
    """The schemas that operations and webhooks lead to, with the direction that they are used in."""
    nodes = [operation.node for operation in operations(document).values()]
    requests = closure(document, *(node.get("requestBody") for node in nodes))
    responses = closure(document, document.get("webhooks"), *(node.get("responses") for node in nodes))
    found: dict[str, str] = {}
    for direction, used in (("request", requests), ("response", responses)):
        for name in (name for kind, name in used if kind == "schemas" and not is_envelope(name)):
            schema = document["components"]["schemas"][name]
            found.setdefault(name, "enum" if "enum" in schema else direction)
    return found
