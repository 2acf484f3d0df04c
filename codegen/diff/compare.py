"""What a change of the API does to callers, change by change.

Two documents are compared operation by operation, and from there member by member: no class needs a name of ours, and a
schema that no operation uses plays no part. What is harmless in a response (a new member) is not in a request, and the
other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from codegen.diff.report import ARGUMENT, ATTRIBUTE, BREAKS, MAJOR, MINOR, NOTHING, PATCH, TYPE, Change, Report
from codegen.diff.types import FORMATS, Pair, Relation, Value, relate
from codegen.importer.endpoints import (
    Endpoint,
    Key,
    Response,
    callers_parameters,
    endpoints,
    read_response,
    request_schema,
)
from codegen.importer.names import camel
from codegen.importer.shapes import Shape, shape, whole
from codegen.openapi import (
    LIMITS,
    METHODS,
    Node,
    components,
    is_envelope,
    parameter_name,
    resolve,
)

_NEW_TEXT: Final = "new description:"
# A larger number under one of these allows more.
_CEILINGS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_FLOORS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")


def is_fragment(document: Node) -> bool:
    """Whether a document is a fragment of ours: its class names, operation ids and Python names are a promise."""
    return any("x-rate-tier" in endpoint.node for endpoint in endpoints(document).values())


def compare(old: Node, new: Node, covered: Mapping[Key, str] | None = None) -> Report:
    """The report on two documents. The same two give the same changes in the same order.

    Args:
        old: The document before.
        new: The document after.
        covered: The operations that the client covers, with their names. All of them, when left out.
    """
    fragments = is_fragment(old), is_fragment(new)
    covered = {} if all(fragments) else covered  # a fragment is what the client covers
    found = _Comparison(old, new, all(fragments), covered or {})
    changes = found.run()
    if fragments[0] != fragments[1]:  # our words and the vendor's differ everywhere
        changes = [change for change in changes if not change.text.startswith(_NEW_TEXT)]
    names = set((covered or {}).values())
    ours = [change for change in changes if not names or names & set(change.operations)]
    apart = [change for change in changes if names and not names & set(change.operations)]
    return Report(tuple(ours), tuple(apart))


@dataclass
class _Comparison:
    old: Node
    new: Node
    named: bool
    """Whether names are compared, too."""
    covered: Mapping[Key, str]
    changes: dict[object, list[Change]] = field(default_factory=dict[object, list[Change]])
    """The changes by what they are about: an operation or a pair of classes."""
    pairs: dict[object, list[Pair]] = field(default_factory=dict[object, list[Pair]])
    """The pairs of classes that each of these leads to."""

    def __post_init__(self) -> None:
        old, new = _classes(self.old), _classes(self.new)
        self.gone = {name: old[name] for name in old.keys() - new.keys()}
        self.fresh = {name: new[name] for name in new.keys() - old.keys()}

    def run(self) -> list[Change]:
        """Every change, the operations first."""
        names = [self._operation(was, now) for was, now in _matches(endpoints(self.old), endpoints(self.new))]
        names += [self._webhook(name) for name in self.old.get("webhooks", {}) if name in self.new.get("webhooks", {})]
        users: dict[object, list[str]] = {}
        waiting = [pair for name in names for pair in self.pairs[name]]
        while waiting:
            pair = waiting.pop(0)
            if pair.key not in self.pairs:
                self.pairs[pair.key] = []
                self.changes[pair.key] = list(self._pair(pair))
                waiting += self.pairs[pair.key]
        for name in names:
            self._follow(name, name, users)
        found: list[Change] = []
        for key, changes in self.changes.items():
            found += [replace(change, operations=change.operations or tuple(users[key])) for change in changes]
        return found + (list(self._come_and_gone()) if self.named else [])

    def _follow(self, key: object, name: str, users: dict[object, list[str]]) -> None:
        for pair in self.pairs[key]:
            if name not in users.setdefault(pair.key, []):
                users[pair.key].append(name)
                self._follow(pair.key, name, users)

    def _come_and_gone(self) -> Iterator[Change]:
        """Classes that only one of the two fragments has, other than by a new name."""
        pairs = [pair for pairs in self.pairs.values() for pair in pairs]
        renamed = {pair.old.name for pair in pairs} | {pair.new.name for pair in pairs}
        for name in sorted(self.gone.keys() - renamed):
            yield Change(name, self.gone[name], "removed", "the class is gone", BREAKS, MAJOR)
        for name in sorted(self.fresh.keys() - renamed):
            yield Change(name, self.fresh[name], "added", "new class", NOTHING, MINOR)

    # Operations.

    def _operation(self, was: Endpoint | None, now: Endpoint | None) -> str:
        """Compare one operation, and give the name that it goes by."""
        endpoint = now or was
        assert endpoint is not None  # noqa: S101 (``_matches`` gives one of the two at least)
        ours = endpoint.name if "x-rate-tier" in endpoint.node else ""
        name = self.covered.get(endpoint.key) or (self.covered.get(was.key) if was else "") or ours or endpoint.place
        self.pairs[name] = []
        if was is None or now is None:
            text, effect, bump = ("is gone", BREAKS, MAJOR) if was else ("is new", NOTHING, MINOR)
            kind = "removed" if was else "added"
            self.changes[name] = [Change(name, "operation", kind, f"{endpoint.place} {text}", effect, bump, (name,))]
        else:
            self.changes[name] = list(self._changes(name, was, now))
        return name

    def _webhook(self, name: str) -> str:
        key = f"webhook {name}"
        self.pairs[key] = []
        old, new = (_webhook_payload(document, name) for document in (self.old, self.new))
        if old and new:
            self.changes[key] = list(self._value(key, old, new, "response", key))
        return key

    def _changes(self, name: str, was: Endpoint, now: Endpoint) -> Iterator[Change]:
        def changed(text: str, effect: str, bump: str, kind: str = "changed") -> Change:
            return Change(name, "operation", kind, text, effect, bump, (name,))

        if was.key != now.key:
            yield changed(f"moved: {was.place} is now {now.place}", BREAKS, MAJOR)
        if self.named:
            yield from _names(name, was, now)
        yield from _deprecation(name, "operation", was.node, now.node, MINOR, (name,))
        yield from self._parameters(name, callers_parameters(was), callers_parameters(now))
        yield from self._body(name, was, now)
        yield from self._response(name, read_response(was), read_response(now))
        codes = [sorted(code for code in e.node.get("responses", {}) if code[:1] == "2") for e in (was, now)]
        if codes[0] != codes[1]:
            yield changed(f"succeeds with {', '.join(codes[1])}; the client accepts any 2xx", NOTHING, PATCH)
        for key in ("x-rate-tier", "x-idempotency"):
            if self.named and was.node.get(key) != now.node.get(key):
                text = f"{key.removeprefix('x-').replace('-', ' ')} {was.node.get(key)} is now {now.node.get(key)}"
                yield changed(text, NOTHING, PATCH)

    def _parameters(self, name: str, old: Node, new: Node) -> Iterator[Change]:
        for wire in [*old, *(wire for wire in new if wire not in old)]:
            place = f"{name}.{wire}"

            def row(kind: str, text: str, effect: str, bump: str, place: str = place) -> Change:
                return Change(place, "operation", kind, text, effect, bump, (name,))

            was, now = old.get(wire), new.get(wire)
            if now is None:
                yield row("removed", "the parameter is gone", BREAKS, MAJOR)
                continue
            after = Value.at(now.get("schema", {}), self.new, place)
            if was is None:
                required = now.get("required", False)
                text = f"{after.type}, required" if required else after.type
                yield row("added", text, *((BREAKS, MAJOR) if required else (ARGUMENT, MINOR)))
                continue
            names = [parameter_name(parameter) for parameter in (was, now)]
            if self.named and names[0] != names[1]:
                yield row("changed", f"{names[0]} is now {names[1]}", BREAKS, MAJOR)
            if was.get("required", False) != now.get("required", False):
                required = now.get("required", False)
                effect, bump = (BREAKS, MAJOR) if required else (NOTHING, MINOR)
                yield row("changed", "required now" if required else "no longer required", effect, bump)
            before = Value.at(was.get("schema", {}), self.old, place)
            yield from self._value(place, before, after, "request", name, shown="operation")
            yield from _deprecation(place, "operation", was, now, PATCH, (name,))

    def _body(self, name: str, was: Endpoint, now: Endpoint) -> Iterator[Change]:
        (old, old_problem), (new, new_problem) = request_schema(was), request_schema(now)
        place = f"{name} body"
        if old_problem != new_problem:
            text = new_problem or "takes JSON now"
            yield Change(place, "operation", "changed", text, BREAKS, MAJOR, (name,))
        before = Value.at(old, self.old, _inline(name, "body")) if old is not None else None
        after = Value.at(new, self.new, _inline(name, "body")) if new is not None else None
        if before and after:
            yield from self._value(place, before, after, "request", name, shown="operation")
        elif before:
            yield Change(place, "operation", "removed", f"no longer takes {before.type}", BREAKS, MAJOR, (name,))
        elif after:
            required = whole(after.shape, self.new).schema.get("required")
            effect, bump = (BREAKS, MAJOR) if required else (ARGUMENT, MINOR)
            yield Change(place, "operation", "added", f"takes {after.type}", effect, bump, (name,))

    def _response(self, name: str, old: Response, new: Response) -> Iterator[Change]:
        if old.problem != new.problem:
            text = new.problem or "responds with the envelope (success, data, error, meta) now"
            yield Change(name, "operation", "changed", text, BREAKS, MAJOR, (name,))
            return
        key = "data" if not old.problem else "schema"
        values = [
            Value.at(found, document, _inline(name, "data")) if (found := getattr(response, key)) is not None else None
            for response, document in ((old, self.old), (new, self.new))
        ]
        if values[0] and values[1]:
            yield from self._value(name, values[0], values[1], "response", name, shown="operation")
        elif values[0] or values[1]:
            gives = [value.type if value else "nothing" for value in values]
            yield Change(name, "operation", "changed", f"gives {gives[1]} instead of {gives[0]}", TYPE, MAJOR, (name,))
        if not old.problem:
            for part in ("error", "meta"):
                before, after = _envelope_part(old, self.old, part), _envelope_part(new, self.new, part)
                if before and after:
                    yield from self._value(f"{name}.{part}", before, after, "response", name)

    # Values, classes and their members.

    def _value(
        self, place: str, old: Value, new: Value, direction: str, key: object, shown: str = ""
    ) -> Iterator[Change]:
        """The change of a type, if it changed. The classes in it are compared later."""
        pairs: list[Pair] = []
        relation = relate(old, new, direction, pairs)
        self.pairs[key] += pairs
        others = any(self._is_other(pair) for pair in pairs)
        if relation is not Relation.SAME or others:
            safe = Relation.WIDER if direction == "request" else Relation.NARROWER
            effect, bump = (NOTHING, MINOR) if relation is safe and not others else (TYPE, MAJOR)
            text = f"{old.type} is now {new.type}"
            yield Change(place, shown or direction, "changed", text, effect, bump, self._by(key))
        if direction == "request":
            yield from _limits(place, shown or direction, old.shape, new.shape, self._by(key))
        formats = [value.shape.schema.get("format") for value in (old, new)]
        if formats[0] != formats[1] and not {*formats} & FORMATS.keys() and relation is Relation.SAME:
            text = f"format {formats[0] or 'none'} is now {formats[1] or 'none'}"
            yield Change(place, shown or direction, "changed", text, NOTHING, PATCH, self._by(key))

    def _by(self, key: object) -> tuple[str, ...]:
        return (key,) if isinstance(key, str) else ()

    def _is_other(self, pair: Pair) -> bool:
        """Whether a value is of another class now, and not of the same under a new name."""
        renamed = pair.old.name in self.gone and pair.new.name in self.fresh
        return self.named and pair.old.name != pair.new.name and not renamed

    def _pair(self, pair: Pair) -> Iterator[Change]:
        name = pair.old.name
        old, new = (whole(value.shape, value.document) for value in (pair.old, pair.new))
        if self.named and name in self.gone and pair.new.name in self.fresh:
            yield Change(name, pair.direction, "changed", f"renamed to {pair.new.name}", BREAKS, MAJOR)
        yield from _deprecation(name, pair.direction, old.text, new.text, PATCH)
        if old.kind == "object":
            yield from self._members(pair, old.schema, new.schema)
        elif old.kind == "enum":
            yield from _values(name, old, new)
        else:
            yield from self._branches(pair)

    def _members(self, pair: Pair, old: Node, new: Node) -> Iterator[Change]:
        name, direction = pair.old.name, pair.direction
        before: Node = old["properties"]
        after: Node = new["properties"]
        for member in [*before, *(member for member in after if member not in before)]:
            place = f"{name}.{member}"
            was, is_ = member in old["required"], member in new["required"]
            values = [
                _member(value, properties, member, direction, required)
                for value, properties, required in ((pair.old, before, was), (pair.new, after, is_))
                if member in properties
            ]
            if member not in after:
                yield _removed(place, direction, was)
            elif member not in before:
                yield _added(place, direction, is_, values[0].type)
            else:
                if direction == "request" and was != is_:
                    effect, bump = (BREAKS, MAJOR) if is_ else (NOTHING, MINOR)
                    text = "required now" if is_ else "no longer required"
                    yield Change(place, direction, "changed", text, effect, bump)
                yield from self._value(place, values[0], values[1], direction, pair.key)
                texts = values[0].shape.text, values[1].shape.text
                yield from _deprecation(place, direction, *texts, PATCH)

    def _branches(self, pair: Pair) -> Iterator[Change]:
        old = {branch.name: branch for branch in pair.old.branches}
        new = {branch.name: branch for branch in pair.new.branches}
        for name in [*old, *(name for name in new if name not in old)]:
            place = f"{pair.old.name}.{name}"
            if name not in new:
                yield Change(place, pair.direction, "removed", "no longer an alternative", BREAKS, MAJOR)
            elif name not in old:
                text = "new alternative"
                yield Change(place, pair.direction, "added", text, NOTHING, MINOR)
            else:
                yield from self._value(place, old[name], new[name], pair.direction, pair.key)


def _matches(old: dict[Key, Endpoint], new: dict[Key, Endpoint]) -> Iterator[tuple[Endpoint | None, Endpoint | None]]:
    """The operations of both documents side by side: by method and path, and by id when a path moved."""
    moved = {endpoint.name: endpoint for key, endpoint in new.items() if key not in old and endpoint.name}
    left = {key: endpoint for key, endpoint in new.items() if key not in old}
    for key, was in old.items():
        now = new.get(key) or moved.pop(was.name, None)
        if now is not None:
            left.pop(now.key, None)
        yield was, now
    for endpoint in left.values():
        yield None, endpoint


def _classes(document: Node) -> dict[str, str]:
    """The components that operations and webhooks lead to, with the direction that they are used in."""
    schemas: Node = document.get("components", {}).get("schemas", {})
    roots: dict[str, list[object]] = {"request": [], "response": [document.get("webhooks")]}
    for endpoint in endpoints(document).values():
        for direction, key in (("request", "requestBody"), ("response", "responses")):
            roots[direction].append(endpoint.node.get(key))
    found: dict[str, str] = {}
    for direction, places in roots.items():
        for name in (name for kind, name in components(document, *places) if kind == "schemas"):
            found.setdefault(name, "enum" if "enum" in schemas[name] else direction)
    return {name: direction for name, direction in found.items() if not is_envelope(name)}


def _names(name: str, was: Endpoint, now: Endpoint) -> Iterator[Change]:
    """Names of ours that callers use: of the constant, of the method, of path parameters."""

    def breaks(text: str) -> Change:
        return Change(name, "operation", "changed", text, BREAKS, MAJOR, (name,))

    if was.name != now.name:
        yield breaks(f"the operation is now called {now.name}")
    methods = [f"{e.node['x-resource']}.{e.node.get('x-method')}" for e in (was, now) if "x-resource" in e.node]
    if len(set(methods)) == 2:
        yield breaks(f"the method {methods[0]} is now {methods[1]}")
    paths = [[parameter_name(found) for found in e.parameters if found["in"] == "path"] for e in (was, now)]
    if paths[0] != paths[1]:
        yield breaks(f"the path takes {', '.join(paths[1]) or 'nothing'}")


def _webhook_payload(document: Node, name: str) -> Value | None:
    item = resolve(document, name, document["webhooks"][name])
    found: Node = next((node for method, node in item.items() if method in METHODS), dict[str, Any]())
    schema, _ = request_schema(Endpoint(document, "POST", name, found, ()))
    return Value.at(schema, document, _inline(name, "payload")) if schema is not None else None


def _envelope_part(response: Response, document: Node, part: str) -> Value | None:
    """The error or the meta of an envelope, either of which may be missing."""
    body = whole(shape(response.schema or {}, document, part), document)
    schema = body.schema.get("properties", {}).get(part)
    found = Value.at(schema, document, camel(part)) if schema is not None else None
    return replace(found, shape=replace(found.shape, nullable=True)) if found else None


def _inline(name: str, part: str) -> str:
    """A class name for what has none."""
    return camel(re.sub(r"\W+", "_", name)) + camel(part)


def _member(value: Value, properties: Node, member: str, direction: str, required: bool) -> Value:
    found = Value.at(properties[member], value.document, value.name + camel(member))
    if direction == "response" and not required:  # absent reads None, as null does
        return replace(found, shape=replace(found.shape, nullable=True))
    return found


def _removed(place: str, direction: str, was_required: bool) -> Change:
    if direction == "request":
        return Change(place, direction, "removed", "the argument is gone", BREAKS, MAJOR)
    reads = "and older clients fail to decode without it" if was_required else "older clients read None"
    return Change(place, direction, "removed", f"the attribute is gone; {reads}", BREAKS, MAJOR)


def _added(place: str, direction: str, required: bool, kind: str) -> Change:
    if direction == "request":
        if required:
            return Change(place, direction, "added", f"{kind}, required", BREAKS, MAJOR)
        return Change(place, direction, "added", kind, ARGUMENT, MINOR)
    text = f"{kind}; a response without it does not decode" if required else kind
    return Change(place, direction, "added", text, ATTRIBUTE, MINOR)


def _values(name: str, old: Shape, new: Shape) -> Iterator[Change]:
    before, after = _varnames(old), _varnames(new)
    statuses = [found.extra.get("x-http-status", {}) for found in (old, new)]
    for value in [*before, *(value for value in after if value not in before)]:
        place = f"{name}.{value}"
        if value not in after:
            text = "value removed; it still decodes, but the member is gone"
            yield Change(place, "enum", "removed", text, BREAKS, MAJOR)
        elif value not in before:
            text = "new value; older clients decode it, too, since enums are open"
            yield Change(place, "enum", "added", text, ATTRIBUTE, MINOR)
        elif before[value] != after[value]:
            yield Change(place, "enum", "changed", f"{before[value]} is now {after[value]}", BREAKS, MAJOR)
        elif statuses[0].get(value) != statuses[1].get(value):
            yield Change(place, "enum", "changed", "another HTTP status", NOTHING, PATCH)


def _varnames(found: Shape) -> dict[str, str]:
    """Value to the name of its member in Python."""
    values: list[str] = found.schema["enum"]
    names: list[str] = found.extra.get("x-enum-varnames", values)
    return dict(zip(values, names if len(names) == len(values) else values, strict=True))


def _deprecation(
    place: str, direction: str, old: Node, new: Node, bump: str, operations: tuple[str, ...] = ()
) -> Iterator[Change]:
    """A deprecation or, without one, a new text."""
    was, is_ = bool(old.get("deprecated")), bool(new.get("deprecated"))
    if is_ and not was:
        yield Change(place, direction, "deprecated", "deprecated; it still works", NOTHING, bump, operations)
    elif was and not is_:
        yield Change(place, direction, "changed", "no longer deprecated", NOTHING, PATCH, operations)
    elif [old.get(key) for key in ("summary", "description")] != [new.get(key) for key in ("summary", "description")]:
        said = " ".join(str(new.get("description", "")).split())
        text = f"{_NEW_TEXT} {said if len(said) <= 100 else said[:99] + '…'}"
        yield Change(place, direction, "changed", text, NOTHING, PATCH, operations)


def _limits(place: str, direction: str, old: Shape, new: Shape, operations: tuple[str, ...]) -> Iterator[Change]:
    """The server's rules. The client does not check them, but a value that was accepted may be refused now."""
    for key in LIMITS:
        was: Any = old.schema.get(key)
        now: Any = new.schema.get(key)
        if was != now:
            numbers = was is not None and now is not None
            looser = now is None or (numbers and ((key in _CEILINGS and now > was) or (key in _FLOORS and now < was)))
            text = f"{key} {'none' if was is None else was} is now {'none' if now is None else now}"
            effect, bump = (NOTHING, PATCH) if looser else (BREAKS, MAJOR)
            yield Change(place, direction, "changed", text, effect, bump, operations)
