"""The operations of the vendor's document that we cover, as our fragment: their structure, our names and texts.

The vendor's document decides what is there, of which type, and what a request requires. Ours stays what no document
says: texts, examples, failures, rate tiers, status codes, and which members of a response are required. A member of a
response that was nullable stays so, text that we know to be an enum or a secret stays one, and the values of an enum
only grow: none of these changes what a caller sends or can read.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from codegen.importer.classes import ADVICE, Classes, ordered, own, words
from codegen.importer.name_map import NAME_MAP, Covered, NameMap
from codegen.openapi.names import camel
from codegen.openapi.nodes import SCHEMAS, Node, SpecError, closure, resolve, split_null
from codegen.openapi.operations import (
    Operation,
    Response,
    callers_parameters,
    operations,
    places,
    read_response,
    request_schema,
)
from codegen.openapi.shapes import shape, whole

_ORDER: Final = (
    *("operationId", "tags", "summary", "description", "deprecated", "x-resource", "x-method", "x-rate-tier"),
    *("x-idempotency", "parameters", "requestBody", "responses"),
)


def merge(theirs: Node, ours: Node, names: NameMap) -> tuple[Node, list[str]]:
    """Our fragment with the structure of the vendor's document, and notes for the reader.

    Neither document is changed. Components that nothing uses any more are still there, for an overlay to use;
    ``finish`` removes them.

    Raises:
        SpecError: A part of an operation that we cover cannot be carried over.
    """
    # The first round learns which class of ours stands for which schema of theirs, wherever that is known.
    first = Classes(theirs, ours, names)
    _merge(first)
    second = Classes(theirs, ours, names, assigned=first.known)
    document = _merge(second)
    return document, list(dict.fromkeys(second.notes))


def finish(document: Node, ours: Node) -> Node:
    """Remove what is no longer used, and give what an overlay brought back the texts that we had for it."""
    for name, schema in document["components"]["schemas"].items():
        known: Node = ours["components"]["schemas"].get(name, {"description": words(name)})
        _restore(schema, known)
        for key, member in schema.get("properties", {}).items():
            _restore(member, known.get("properties", {}).get(key, {"description": words(key)}))
    before, after = (closure(found, found["paths"], found.get("webhooks")) for found in (ours, document))
    fresh = {
        ("schemas", name) for name in document["components"]["schemas"].keys() - ours["components"]["schemas"].keys()
    }
    for kind, name in (before | fresh) - after:
        document["components"][kind].pop(name, None)
    for kind in [kind for kind, parts in document["components"].items() if not parts]:
        del document["components"][kind]
    return document


def _restore(node: Node, known: Node) -> None:
    """The texts and extensions that we had for a node, where it has none."""
    node |= {k: v for k, v in known.items() if k.startswith(("x-", "description", "example")) and k not in node}


def check_covered(theirs: Node, names: NameMap) -> None:
    """Refuse a document in which an operation of the name map is gone."""
    known = places(theirs)
    for name, covered in names.operations.items():
        if covered.key not in known:
            text = f"{covered.method} {covered.path}"
            near = difflib.get_close_matches(text, known.values(), n=3, cutoff=0.6)
            like = f" Like it: {', '.join(near)}." if near else ""
            advice = f"If it moved, change `at` of {name} in {NAME_MAP}; without the line the operation stays as it is."
            raise SpecError(text, f"is no longer in the document.{like} {advice}")


def uncovered(theirs: Node, names: NameMap) -> Iterator[str]:
    """Notes on the operations that the name map does not have, and how to cover one."""
    if found := [place for key, place in places(theirs).items() if key not in names.keys]:
        yield f"not covered: {', '.join(found)}"
        line = f'ourName = {{ at = "{found[0]}", call = "resource.method" }}'
        yield f"to cover one, put a line under [operations] in {NAME_MAP}, such as {line}"


def _merge(classes: Classes) -> Node:
    """The whole fragment."""
    ours = classes.ours
    document = copy.deepcopy(ours)
    theirs = operations(classes.theirs, classes.names.keys)
    mine = {operation.name: operation for operation in operations(ours).values()}
    failures: Node = {
        code: response
        for operation in mine.values()
        for code, response in operation.node["responses"].items()
        if "$ref" in response and code[0] != "2"
    }
    paths: Node = {}
    document["paths"] = paths
    # In the fragment's order; new operations come last.
    for name in dict.fromkeys([*mine, *classes.names.operations]):
        covered = classes.names.operations.get(name)
        now = theirs[covered.key] if covered else mine[name]
        was = mine.get(name)
        path = was.path if was and was.key == now.key else now.path
        item: Node = paths.setdefault(path, _shared(ours, path))
        merged = _Operation(classes, failures, name, covered, was, now).merged() if covered else now.node
        item[now.method.lower()] = merged
    if kept := ", ".join(name for name in mine if name not in classes.names.operations):
        classes.notes.append(f"not in {NAME_MAP}, and left as they are: {kept}")
    document["components"].setdefault("schemas", {}).update(classes.made)
    resources: Node = document.setdefault("x-resources", {})
    for covered in classes.names.operations.values():
        resources.setdefault(covered.resource, words(covered.resource.rpartition(".")[2]))
    return document


def _shared(ours: Node, path: str) -> Node:
    """What a path item says for all its operations."""
    item: Node = ours["paths"].get(path, {})
    return {key: value for key, value in item.items() if key in ("summary", "description", "parameters")}


@dataclass(frozen=True)
class _Operation:
    """One operation that we cover, in the fragment (``was``) and in the vendor's document (``now``)."""

    classes: Classes
    failures: Node
    """The failures that operations of the fragment share."""
    name: str
    covered: Covered
    was: Operation | None
    now: Operation

    def merged(self) -> Node:
        """The operation as the fragment has it from now on."""
        node: Node = copy.deepcopy(self.was.node) if self.was else self._new()
        node |= {"x-resource": self.covered.resource, "x-method": self.covered.call}
        node.pop("deprecated", None)
        if self.now.node.get("deprecated"):
            node["deprecated"] = True
        node["parameters"] = self._parameters(node.get("parameters", []))
        if not node["parameters"]:
            del node["parameters"]
        self._response(node)
        self._body(node)
        return ordered(node, self.was.node if self.was else {}, *_ORDER)

    def _new(self) -> Node:
        """What the fragment says of every operation, around what the vendor says of this one."""
        method, theirs = self.now.method, self.now.node
        summary = str(theirs.get("summary") or words(self.name))
        headers = {"x-profile-id"} | ({"idempotency-key"} if method != "GET" else set[str]())
        known: Node = self.classes.ours["components"].get("parameters", {})
        return {
            "operationId": self.name,
            "tags": [self.covered.resource.split(".")[0]],
            "summary": summary,
            "description": str(theirs.get("description") or f"{summary.rstrip('.')}."),
            "x-rate-tier": "standard",
            "x-idempotency": {"GET": "none", "DELETE": "explicit"}.get(method, "automatic"),
            "parameters": [
                {"$ref": f"#/components/parameters/{key}"}
                for key, parameter in known.items()
                if parameter.get("in") == "header" and str(parameter.get("name")).lower() in headers
            ],
            "responses": {**self.failures},
        }

    def _parameters(self, ours: list[Node]) -> list[Node]:
        """Headers are ours, and the path's parameters where they fit. Of the query: theirs, in our form."""
        said = callers_parameters(self.now)
        moved = self.was is None or self.was.key != self.now.key
        path = self.now.path if self.was is None or moved else self.was.path
        written: list[Node] = []
        headers: list[Node] = []
        known: set[str] = set()
        for reference in ours:
            parameter = resolve(self.classes.ours, self.name, reference)
            wire = str(parameter["name"])
            if wire in said:
                fresh = self._parameter(said[wire], parameter)
                written.append(reference if fresh == parameter else fresh)
            elif parameter["in"] == "path" and f"{{{wire}}}" in path:
                written.append(reference)
            elif parameter["in"] == "header":
                headers.append(reference)
            else:
                continue
            known.add(wire)
        if moved:
            inside = [parameter for parameter in self.now.parameters if parameter["in"] == "path"]
            written = [*(self._parameter(p, {}) for p in inside if p["name"] not in known), *written]
        added = [self._parameter(said[wire], {}) for wire in said if wire not in known]
        return [*written, *added, *headers]

    def _parameter(self, theirs: Node, ours: Node) -> Node:
        place = f"{self.name}.{theirs['name']}"
        schema = self.classes.value(theirs.get("schema", {"type": "string"}), ours.get("schema"), "request", place)
        if schema is None:
            raise SpecError(place, f"has no type. {ADVICE}")
        # NSwag calls every parameter of a .NET value type required. One that has a default is not.
        required = theirs["in"] == "path" or (theirs.get("required") and "default" not in theirs.get("schema", {}))
        description = ours.get("description") or theirs.get("description") or words(str(theirs["name"]))
        written: Node = {"name": theirs["name"], "in": theirs["in"], "description": description, "schema": schema}
        written |= {"required": bool(required)} if required or "required" in ours else {}
        written |= {"deprecated": True} if theirs.get("deprecated") else {}
        written |= {key: theirs[key] for key in ("style", "explode") if key in theirs}
        written |= own(ours)
        return ordered(written, ours, "name", "in", "required", "description", "deprecated", "schema")

    def _body(self, node: Node) -> None:
        place = f"{self.now.place} request"
        theirs, problem = request_schema(self.now)
        ours = request_schema(self.was)[0] if self.was else None
        if problem and "x-multipart" in node:
            self.classes.notes.append(f"{place}: the document {problem}; our form stays")
            return
        if problem:
            raise SpecError(place, f"{problem}. {ADVICE}")
        if theirs is None:
            # OpenAPI 3.0 has no bodies of DELETE, so a document that shows none says nothing.
            if self.now.method != "DELETE":
                node.pop("requestBody", None)
            return
        kind = whole(shape(theirs, self.classes.theirs, place), self.classes.theirs).kind
        target = self.classes.value(theirs, ours, "request", f"{camel(self.name)}.body")
        if target is None or kind not in ("object", "any"):
            raise SpecError(place, f"is not an object. {ADVICE}")
        if target != ours:
            known: Node = resolve(self.classes.ours, place, node.get("requestBody", {}))
            content = {**known.get("content", {}), "application/json": {"schema": target}}
            node["requestBody"] = {"required": True, **known, "content": content}

    def _response(self, node: Node) -> None:
        place = f"{self.now.place} response"
        theirs = read_response(self.now)
        ours = read_response(self.was) if self.was else Response()
        if theirs.problem:
            raise SpecError(place, f"{theirs.problem}. {ADVICE}")
        self.classes.notes += [f"{place}: the client does not read {key} of the envelope" for key in theirs.others]
        if theirs.schema is None and ours.schema is not None:
            self.classes.notes.append(f"{place}: the document shows no content; ours stays")
            return
        self._envelope(theirs)
        data: Node | None = None
        if theirs.data is not None:
            data = self.classes.value(theirs.data, ours.data, "response", f"{camel(self.name)}.data")
            if data is None:
                raise SpecError(place, f"data has no type. {ADVICE}")
        if self.was is None or data != (split_null(ours.data)[0] if ours.data is not None else None):
            self._put_data(node, data)

    def _envelope(self, theirs: Response) -> None:
        """What the envelope holds beside the data: the classes of the error and the meta. They are the client's own."""
        body = whole(shape(theirs.schema or {}, self.classes.theirs, self.name), self.classes.theirs)
        members: Node = body.schema.get("properties", {})
        ours: Node = self.classes.ours["components"]["schemas"].get("Envelope", {}).get("properties", {})
        for part in ("error", "meta"):
            if part in members and part in ours:
                mine, _ = split_null(ours[part])
                found = self.classes.value(members[part], mine, "response", f"Envelope.{part}")
                if found is None or found.get("$ref") != mine.get("$ref"):
                    problem = f"{part} of the envelope has another type than the client reads"
                    raise SpecError(f"{self.now.place} response", f"{problem}. {ADVICE}")

    def _put_data(self, node: Node, data: Node | None) -> None:
        """The data into every successful response: those that we have, or those of a new operation."""
        responses: Node = node["responses"]
        codes = [code for code in responses if code[:1] == "2" and (data is None or code != "204")]
        codes = codes or [code for code in self.now.success_codes if code.isdigit()] or ["200"]
        schema: Node = {"$ref": f"{SCHEMAS}Envelope"}
        if data is not None:
            schema = {"allOf": [schema, {"properties": {"data": data}}]}
        for code in codes:
            if code == "204":
                responses[code] = responses.get(code, {"description": "Done."})
                continue
            old = resolve(self.classes.ours, code, responses.get(code, {}))
            media: Node = {**old.get("content", {}).get("application/json", {}), "schema": schema}
            media.pop("examples", None)  # of the data before
            responses[code] = {"description": "Done.", **old, "content": {"application/json": media}}
        node["responses"] = dict(sorted(responses.items()))
