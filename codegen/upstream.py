"""The vendor's document as our fragment: the operations we cover, in our form, with our names and our words.

What the document says, holds; what it does not say (a type, a text, a limit, the answers to a failure) stays as the
fragment has it. Nothing is written here.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from codegen.corrections import Corrections
from codegen.document import (
    METHODS,
    Node,
    OperationRow,
    SpecError,
    is_node,
    lookup,
    read_operations,
    references,
)
from codegen.endpoints import operation_node
from codegen.evidence import believe_examples
from codegen.names import NAME_MAP, NameMap, covered, endpoint, missing_message, toml_key
from codegen.schemas import Walk
from codegen.source import check_form


@dataclass(frozen=True)
class Imported:
    """A fragment made from the vendor's document, not yet checked, and what its maker should know."""

    document: Node
    notes: list[str]


def import_document(
    theirs: Node, ours: Node, names: NameMap, fixes: Corrections, name: str = "upstream", *, own_text: bool = True
) -> Imported:
    """Our fragment as this document would have it. ``SpecError`` when anything is unresolved."""
    rows = read_operations(ours)
    wanted = covered(names, rows)
    found = _find(theirs, wanted, name)
    sliced = _slice(theirs, found, name)
    check_form(sliced, name)
    walk = Walk(
        theirs=sliced.get("components", {}).get("schemas", {}),
        ours=ours.get("components", {}).get("schemas", {}),
        names=names,
        fixes=fixes,
        own_text=own_text,
    )
    document = copy.deepcopy(ours)
    paths, envelopes = _paths(sliced, found, rows, document, walk)
    if names.missing:
        raise SpecError(name, missing_message(names, NAME_MAP))
    document["paths"] = paths
    _put_schemas(document, walk, envelopes)
    notes = [*walk.notes, *believe_examples(document), *_uncovered(theirs, found)]
    _prune(document)
    return Imported(document, list(dict.fromkeys(notes)))


def _find(theirs: Node, wanted: dict[str, str], name: str) -> dict[str, tuple[str, str]]:
    """Our operation id to path and method in their document."""
    places = {endpoint(method, path): (path, method) for path, method in _operations(theirs)}
    found: dict[str, tuple[str, str]] = {}
    for ours, text in wanted.items():
        place = places.get(endpoint(*text.split(" ", 1)))
        if place is None:
            known = [f"{method.upper()} {path}" for path, method in places.values()]
            near = difflib.get_close_matches(text, known, n=3, cutoff=0.7)
            like = f" Like it: {', '.join(near)}." if near else ""
            advice = f"If that is meant, change or remove {ours} under [operations] in {NAME_MAP}."
            raise SpecError(f"{name} {text}", f"is no longer in the document.{like} {advice}")
        if not theirs["paths"][place[0]][place[1]].get("operationId"):
            raise SpecError(f"{name} {text}", "has no operationId")
        found[ours] = place
    return found


def _operations(document: Node) -> Iterator[tuple[str, str]]:
    for path, item in document["paths"].items():
        yield from ((path, method) for method in METHODS if method in item)


def _slice(theirs: Node, found: dict[str, tuple[str, str]], name: str) -> Node:
    """The document with nothing but these operations and the components that they lead to."""
    paths: Node = {}
    for path, method in found.values():
        item: Node = theirs["paths"][path]
        shared = {key: item[key] for key in item if key not in METHODS}
        operation = {**item[method], "responses": _successes(item[method])}
        paths.setdefault(path, shared)[method] = operation
    components: Node = {}
    waiting = list(references(paths, "#/paths"))
    seen: set[str] = set()
    while waiting:
        place, ref = waiting.pop()
        if ref in seen:
            continue
        seen.add(ref)
        target = lookup(theirs, f"{name} {place}", ref)
        parts = ref.split("/")
        if parts[:2] == ["#", "components"] and len(parts) == 4:
            key = parts[3].replace("~1", "/").replace("~0", "~")
            components.setdefault(parts[2], {})[key] = target
        waiting += references(target, ref)
    return {"openapi": theirs["openapi"], "info": theirs["info"], "paths": paths, "components": components}


def _successes(operation: Node) -> Node:
    # What a failure looks like is said in our fragment, from real answers; theirs often has no content.
    responses = operation.get("responses")
    if not is_node(responses):
        return {}
    return {code: value for code, value in responses.items() if code[:1] == "2"} or {"default": {"description": ""}}


def _paths(
    sliced: Node, found: dict[str, tuple[str, str]], rows: tuple[OperationRow, ...], document: Node, walk: Walk
) -> tuple[Node, Node]:
    mine = {row.name: row for row in rows}
    paths: Node = {}
    envelopes: Node = {}
    # In the fragment's order, so that its text can stay; what is new comes last.
    for ours in [*(name for name in mine if name in found), *(name for name in found if name not in mine)]:
        path, method = found[ours]
        item: Node = sliced["paths"][path]
        row = mine.get(ours)
        here = row.path if row else next((r.path for r in rows if endpoint("", r.path) == endpoint("", path)), path)
        old: Node = document["paths"][here][method] if row and method in document["paths"][here] else {}
        target = paths.setdefault(here, {k: v for k, v in document["paths"].get(here, {}).items() if k not in METHODS})
        target[method] = operation_node(
            ours, (here, method), item[method], list(item.get("parameters", ())), old, document, sliced, walk, envelopes
        )
    return paths, envelopes


def _put_schemas(document: Node, walk: Walk, envelopes: Node) -> None:
    """Their components over ours; new ones after the last of ours."""
    old: Node = document["components"]["schemas"]
    fresh = {**walk.made, **envelopes}
    document["components"]["schemas"] = {name: fresh.get(name, old.get(name)) for name in [*old, *fresh]}


def _prune(document: Node) -> None:
    """Drop the components that nothing leads to any more."""
    components: Node = document["components"]
    seen: set[str] = set()
    waiting = [ref for _, ref in references(document["paths"])]
    while waiting:
        ref = waiting.pop()
        if ref not in seen:
            seen.add(ref)
            waiting += [further for _, further in references(lookup(document, ref, ref))]
    for kind in [kind for kind in components if kind != "securitySchemes"]:
        kept = {k: v for k, v in components[kind].items() if f"#/components/{kind}/{_key(k)}" in seen}
        components[kind] = kept
        if not kept:
            del components[kind]


def _key(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _uncovered(theirs: Node, found: dict[str, tuple[str, str]]) -> list[str]:
    """Operations beside those we cover, with the line that would take them in."""
    taken = {endpoint(method, path) for path, method in found.values()}
    roots = {"/".join(path.lower().split("/")[:3]) for path, _ in found.values()}
    notes: list[str] = []
    for path, method in _operations(theirs):
        place = endpoint(method, path)
        if place not in taken and "/".join(path.lower().split("/")[:3]) in roots:
            said = theirs["paths"][path][method].get("operationId", "")
            line = f'{toml_key(_operation_name(str(said)))} = "{method.upper()} {path}"'
            notes.append(f"not covered: {method.upper()} {path}; to cover it, under [operations]: {line}")
    return notes


def _operation_name(theirs: str) -> str:
    """``SentDm…v3TemplatesArchiveTemplateEndpoint`` as ``archiveTemplate``: the verb is the last word that is one."""
    parts = re.findall(r"[A-Z][a-z]+|[A-Z]+(?![a-z])|[a-z]+", theirs.removesuffix("Endpoint"))
    verbs = (
        "Get",
        "List",
        "Create",
        "Update",
        "Delete",
        "Archive",
        "Retrieve",
        "Complete",
        "Submit",
        "Duplicate",
        "Send",
        "Set",
    )
    start = next((i for i in range(len(parts) - 1, -1, -1) if parts[i] in verbs), max(len(parts) - 2, 0))
    name = "".join(parts[start:]) or "operation"
    return name[:1].lower() + name[1:]
