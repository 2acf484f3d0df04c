"""The operations of the vendor's document that we cover, as our fragment: their structure, our names and texts.

The vendor's document decides what is there, of which type, and what a request requires. Ours stays what no document
says: texts, examples, failures, rate tiers, status codes, and which members of a response are required. A member of a
response that was nullable stays so, text that we know to be an enum or a secret stays one, and the values of an enum
only grow: none of these changes what a caller sends or can read.
"""

from __future__ import annotations

import copy
import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from codegen.importer.endpoints import (
    Endpoint,
    callers_parameters,
    endpoint_key,
    endpoints,
    read_response,
    request_schema,
)
from codegen.importer.names import NAME_MAP, Call, NameMap, camel, propose, singular
from codegen.importer.shapes import TYPED_FORMATS, Shape, class_shape, shape, whole
from codegen.openapi import (
    LIMITS,
    METHODS,
    SCHEMAS,
    Node,
    SpecError,
    components,
    is_list,
    is_node,
    python_name,
    resolve,
    snake,
)

OVERLAY: Final = "openapi/overlays/fragment.yaml"
VENDOR_OVERLAY: Final = "openapi/overlays/vendor.yaml"

_ADVICE: Final = f"If the document is wrong, correct it in {VENDOR_OVERLAY}; if it is right, the client has to change."
_FAILURES: Final = {
    "400": "BadRequest",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "409": "Conflict",
    "429": "TooManyRequests",
    "500": "InternalServerError",
}
_ORDER: Final = (
    *("operationId", "tags", "summary", "description", "deprecated", "x-resource", "x-method", "x-rate-tier"),
    *("x-idempotency", "parameters", "requestBody", "responses"),
)


def merge(theirs: Node, ours: Node, names: NameMap) -> tuple[Node, list[str]]:
    """Our fragment as the vendor's document has it, and notes on what the reader should know.

    Neither document is changed. Components that nothing uses any more are still there, for an overlay to use;
    ``finish`` removes them.

    Raises:
        SpecError: a part of an operation that we cover cannot be carried over.
    """
    known = endpoints(theirs)
    found = {name: known[call.key] for name, call in names.operations.items()}
    # The first round learns which class of ours stands for which schema of theirs, wherever that is known.
    first = _Merge(theirs, ours, names)
    first.run(found)
    second = _Merge(theirs, ours, names, assigned=first.known)
    document = second.run(found)
    return document, [*dict.fromkeys(second.notes), *_uncovered(theirs, names)]


def finish(document: Node, ours: Node) -> None:
    """Remove what is no longer used, and give what an overlay brought back the texts that we had for it."""
    schemas: Node = document["components"]["schemas"]
    for name, schema in schemas.items():
        known: Node = ours["components"]["schemas"].get(name, {"description": words(name)})
        _restore(schema, known)
        for key, member in schema.get("properties", {}).items():
            _restore(member, known.get("properties", {}).get(key, {"description": words(key)}))
    used = [components(found, found["paths"], found.get("webhooks")) for found in (ours, document)]
    gone = used[0] - used[1]
    for kind, name in gone:
        document["components"][kind].pop(name, None)
    for kind in [kind for kind, parts in document["components"].items() if not parts]:
        del document["components"][kind]


def _restore(node: Node, known: Node) -> None:
    """The texts and extensions that we had for a node, where it has none."""
    node |= {k: v for k, v in known.items() if k.startswith(("x-", "description", "example")) and k not in node}


def check_covered(theirs: Node, names: NameMap) -> None:
    """Refuse a document in which an operation of the name map is gone."""
    known = {endpoint_key(method, path): f"{method.upper()} {path}" for path, method in _operations(theirs)}
    for name, call in names.operations.items():
        if call.key not in known:
            text = f"{call.method} {call.path}"
            near = difflib.get_close_matches(text, known.values(), n=3, cutoff=0.6)
            like = f" Like it: {', '.join(near)}." if near else ""
            advice = f"If it moved, change `at` of {name} in {NAME_MAP}; without the line the operation stays as it is."
            raise SpecError(text, f"is no longer in the document.{like} {advice}")


def _operations(document: Node) -> Iterator[tuple[str, str]]:
    yield from ((path, method) for path, item in document["paths"].items() for method in METHODS if method in item)


def _uncovered(theirs: Node, names: NameMap) -> Iterator[str]:
    """The operations that the name map does not have, and how to take one in."""
    found = [f"{m.upper()} {path}" for path, m in _operations(theirs) if endpoint_key(m, path) not in names.covered]
    if found:
        yield f"not covered: {', '.join(found)}"
        line = f'ourName = {{ at = "{found[0]}", call = "resource.method" }}'
        yield f"to cover one, put a line under [operations] in {NAME_MAP}, such as {line}"


@dataclass
class _Merge:
    theirs: Node
    ours: Node
    names: NameMap
    assigned: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """The vendor's schema (or a place) and direction to our class."""
    known: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """The part of it that our fragment shows."""
    made: dict[str, Node] = field(default_factory=dict[str, Node])
    origins: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    """Our class to the schemas and directions that it is made of."""
    notes: list[str] = field(default_factory=list[str])

    def run(self, found: dict[str, Endpoint]) -> Node:
        """The whole fragment."""
        document = copy.deepcopy(self.ours)
        mine = {endpoint.name: endpoint for endpoint in endpoints(self.ours).values()}
        paths: Node = {}
        document["paths"] = paths
        # In the fragment's order; new operations come last.
        for name in dict.fromkeys([*mine, *found]):
            was, now = mine.get(name), found.get(name) or mine[name]
            path = was.path if was is not None and was.key == now.key else now.path
            item: Node = paths.setdefault(path, _shared(self.ours, path))
            item[now.method.lower()] = self._operation(name, was, now, path) if name in found else now.node
        if kept := ", ".join(name for name in mine if name not in found):
            self.notes.append(f"not in {NAME_MAP}, and left as they are: {kept}")
        schemas: Node = document["components"].setdefault("schemas", {})
        schemas |= self.made
        resources: Node = document.setdefault("x-resources", {})
        for name in (call.resource for call in self.names.operations.values()):
            resources.setdefault(name, words(name.rpartition(".")[2]))
        return document

    # Operations.

    def _operation(self, name: str, was: Endpoint | None, now: Endpoint, path: str) -> Node:
        call = self.names.operations[name]
        node: Node = copy.deepcopy(was.node) if was is not None else self._new(name, call, now)
        node |= {"x-resource": call.resource, "x-method": call.name}
        node.pop("deprecated", None)
        if now.node.get("deprecated"):
            node["deprecated"] = True
        moved = was is not None and was.key != now.key
        node["parameters"] = self._parameters(name, was, now, path, node.get("parameters", []), moved=moved)
        if not node["parameters"]:
            del node["parameters"]
        self._response(name, was, now, node)
        self._body(name, was, now, node)
        return {key: node[key] for key in dict.fromkeys([*(was.node if was else ()), *_ORDER, *node]) if key in node}

    def _new(self, name: str, call: Call, now: Endpoint) -> Node:
        """What the fragment says of every operation, around what the vendor says of this one."""
        parts: Node = self.ours["components"]
        summary = str(now.node.get("summary") or words(name))
        headers = {"x-profile-id"} | ({"idempotency-key"} if now.method != "GET" else set[str]())
        known: Node = parts.get("parameters", {})
        return {
            "operationId": name,
            "tags": [call.resource.split(".")[0]],
            "summary": summary,
            "description": str(now.node.get("description") or f"{summary.rstrip('.')}."),
            "x-rate-tier": "standard",
            "x-idempotency": {"GET": "none", "DELETE": "explicit"}.get(now.method, "automatic"),
            "parameters": [
                {"$ref": f"#/components/parameters/{key}"}
                for key, parameter in known.items()
                if parameter.get("in") == "header" and str(parameter.get("name")).lower() in headers
            ],
            "responses": {
                code: {"$ref": f"#/components/responses/{key}"}
                for code, key in _FAILURES.items()
                if key in parts.get("responses", {})
            },
        }

    def _parameters(
        self, name: str, was: Endpoint | None, now: Endpoint, path: str, ours: list[Node], *, moved: bool
    ) -> list[Node]:
        """Headers are ours, and the path's parameters where they fit. Of the query: theirs, in our form."""
        said = callers_parameters(now)
        written: list[Node] = []
        headers: list[Node] = []
        known: set[str] = set()
        for reference in ours:
            parameter = resolve(self.ours, name, reference)
            wire = str(parameter["name"])
            if wire in said:
                fresh = self._parameter(f"{name}.{wire}", said[wire], parameter)
                written.append(reference if fresh == parameter else fresh)
            elif parameter["in"] == "path" and f"{{{wire}}}" in path:
                written.append(reference)
            elif parameter["in"] == "header":
                headers.append(reference)
            else:
                continue
            known.add(wire)
        if was is None or moved:
            inside = [parameter for parameter in now.parameters if parameter["in"] == "path"]
            inner = [self._parameter(f"{name}.{p['name']}", p, {}) for p in inside if p["name"] not in known]
            written = [*inner, *written]
        added = [self._parameter(f"{name}.{wire}", said[wire], {}) for wire in said if wire not in known]
        return [*written, *added, *headers]

    def _parameter(self, place: str, theirs: Node, ours: Node) -> Node:
        schema = self._value(theirs.get("schema", {"type": "string"}), ours.get("schema"), "request", place)
        if schema is None:
            raise SpecError(place, f"has no type. {_ADVICE}")
        # NSwag calls every parameter of a .NET value type required. One that has a default is not.
        required = theirs["in"] == "path" or (theirs.get("required") and "default" not in theirs.get("schema", {}))
        description = ours.get("description") or theirs.get("description") or words(str(theirs["name"]))
        written: Node = {"name": theirs["name"], "in": theirs["in"], "description": description, "schema": schema}
        written |= {"required": True} if required else {}
        written |= {"deprecated": True} if theirs.get("deprecated") else {}
        written |= {key: theirs[key] for key in ("style", "explode") if key in theirs}
        written |= {key: ours[key] for key in ours if key.startswith(("x-", "example"))}
        order = (*ours, "name", "in", "required", "description", "deprecated", "schema")
        return {key: written[key] for key in dict.fromkeys((*order, *written)) if key in written}

    def _body(self, name: str, was: Endpoint | None, now: Endpoint, node: Node) -> None:
        place = f"{now.place} request"
        theirs, problem = request_schema(now)
        ours, _ = request_schema(was) if was is not None else (None, "")
        if problem and "x-multipart" in node:
            self.notes.append(f"{place}: the document {problem}; our form stays")
            return
        if problem:
            raise SpecError(place, f"{problem}. {_ADVICE}")
        if theirs is None:
            # OpenAPI 3.0 has no bodies of DELETE, so a document that shows none says nothing.
            if now.method != "DELETE":
                node.pop("requestBody", None)
            return
        target = self._value(theirs, ours, "request", f"{camel(name)}.body")
        if target is None or "$ref" not in target:
            raise SpecError(place, f"is not an object. {_ADVICE}")
        if target != ours:
            known: Node = resolve(self.ours, place, node.get("requestBody", {}))
            content = {**known.get("content", {}), "application/json": {"schema": target}}
            node["requestBody"] = {"required": True, **known, "content": content}

    def _response(self, name: str, was: Endpoint | None, now: Endpoint, node: Node) -> None:
        place = f"{now.place} response"
        response = read_response(now)
        mine = read_response(was) if was is not None else None
        if response.problem:
            raise SpecError(place, f"{response.problem}. {_ADVICE}")
        for key in response.others:
            self.notes.append(f"{place}: the client does not read {key} of the envelope")
        data: Node | None = None
        if response.schema is not None:
            parts = self._envelope_parts(response.schema, now.document, place)
            known = self._envelope_parts(mine.schema, self.ours, name) if mine and mine.schema else {}
            for part in ("error", "meta"):
                if part in parts and part in known:
                    self._value(parts[part], known[part], "response", f"Envelope.{part}")
        elif mine is not None and mine.schema is not None:
            self.notes.append(f"{place}: the document shows no content; ours stays")
            return
        if response.data is not None:
            data = self._value(response.data, mine.data if mine else None, "response", f"{camel(name)}.data")
            if data is None:
                raise SpecError(place, f"data has no type. {_ADVICE}")
        if mine is not None and data == (_without_null(mine.data) if mine.data is not None else None):
            return
        self._put_data(node, data, now)

    def _envelope_parts(self, schema: Node, document: Node, place: str) -> Node:
        found = whole(shape(schema, document, place), document)
        members: Node = found.schema.get("properties", {})
        return members

    def _put_data(self, node: Node, data: Node | None, now: Endpoint) -> None:
        """The data into every successful response: those that we have, or those of a new operation."""
        responses: Node = node["responses"]
        said = [code for code in now.node.get("responses", {}) if code[:1] == "2" and code.isdigit()] or ["200"]
        codes = [code for code in responses if code[:1] == "2"] or said
        schema: Node = {"$ref": f"{SCHEMAS}Envelope"}
        if data is not None:
            schema = {"allOf": [schema, {"properties": {"data": data}}]}
        for code in codes:
            if code == "204":
                responses[code] = responses.get(code, {"description": "Done."})
                continue
            old = resolve(self.ours, code, responses.get(code, {}))
            media: Node = {**old.get("content", {}).get("application/json", {}), "schema": schema}
            media.pop("examples", None)  # of the data before
            responses[code] = {"description": "Done.", **old, "content": {"application/json": media}}
        node["responses"] = dict(sorted(responses.items()))

    # Values and classes.

    def _value(self, schema: object, ours: object, direction: str, place: str) -> Node | None:
        """A schema in our form, without null; ``None`` when neither side gives it a type."""
        found = shape(schema, self.theirs, place)
        mine = shape(ours, self.ours, place) if is_node(ours) else Shape("any")
        self.notes += [f"{place}: {key} of the document is not carried over" for key in found.dropped]
        match found.kind:
            case "class" | "object" | "enum" if whole(found, self.theirs).kind != "union":
                return {"$ref": SCHEMAS + self._component(found, mine, direction, place)}
            case "list":
                limits = _limits(mine) if mine.kind == "list" else {}
                return {"type": "array", **limits, **found.schema, "items": self._inner(found, mine, direction, place)}
            case "map":
                values = self._inner(found, mine, direction, place) if found.inner else True
                return {"type": "object", "additionalProperties": values}
            case "scalar":
                return self._scalar(found, mine)
            case "class" | "union":
                return self._choice(whole(found, self.theirs), mine, place)
            case _:
                if found.dropped:
                    raise SpecError(place, f"{', '.join(found.dropped)} cannot be expressed in the fragment. {_ADVICE}")
                if mine.kind == "any":
                    return None
                self.notes.append(f"{place}: the document gives no type; ours stays")
                return _without_null(copy.deepcopy(ours)) if is_node(ours) else None

    def _choice(self, found: Shape, mine: Shape, place: str) -> Node:
        """A union of objects, where we have no class for it, is a free map."""
        kinds = {whole(shape(branch, self.theirs, place), self.theirs).kind for branch in found.branches}
        text = f"is one of {len(found.branches)} schemas, which the fragment cannot express"
        if not kinds <= {"object", "map"} or mine.kind not in ("any", "map"):
            raise SpecError(place, f"{text}. {_ADVICE}")
        self.notes.append(f"{place}: {text}; it is a free map")
        return {"type": "object", "additionalProperties": True}

    def _inner(self, found: Shape, mine: Shape, direction: str, place: str) -> Node:
        ours = mine.inner if mine.kind == found.kind else None
        parent, dot, member = place.rpartition(".")
        one = f"{parent}{dot}{singular(member)}" if found.kind == "list" else place
        written = self._value(found.inner, ours, direction, one)
        if written is None:
            raise SpecError(place, f"its items have no type. {_ADVICE}")
        was_null = shape(ours, self.ours, place).nullable if ours else False
        inner = shape(found.inner, self.theirs, place)
        return or_null(written, inner.nullable or (direction == "response" and was_null))

    def _scalar(self, found: Shape, mine: Shape) -> Node:
        if found.schema["type"] == "string":
            if mine.kind == "class" and class_shape(mine.name, self.ours).kind == "enum":
                return {"$ref": SCHEMAS + mine.name}
            if mine.schema.get("format") == "password":
                found = replace(found, schema={**found.schema, "format": "password"})
        known = _limits(mine) if mine.schema.get("type") == found.schema["type"] else {}
        return {"type": found.schema["type"], **known, **found.schema}

    def _component(self, found: Shape, mine: Shape, direction: str, place: str) -> str:
        """Our class for a schema of theirs: by the name map, by what stands at this place, or a new one."""
        full = whole(found, self.theirs)
        vendor = found.name or place
        way = "enum" if full.kind == "enum" else direction
        hint = mine.name if mine.kind == "class" and class_shape(mine.name, self.ours).kind == full.kind else None
        said = self.names.schema(vendor, direction) or hint
        if said is not None:
            self.known.setdefault((vendor, way), said)
        target = said or self.assigned.get((vendor, way)) or self._new_name(found, full, way, place)
        self.assigned.setdefault((vendor, way), target)
        if any(other != way for _, other in self.origins.get(target, ())):
            raise SpecError(place, f"{target} is sent and received; give {vendor} two names in {NAME_MAP}")
        if (vendor, way) not in self.origins.setdefault(target, []):
            self.origins[target].append((vendor, way))
            written = self._make(target, full, direction)
            self.made[target] = self._join(target, self.made[target], written) if target in self.made else written
        return target

    def _new_name(self, found: Shape, full: Shape, way: str, place: str) -> str:
        taken = {*self.ours["components"].get("schemas", {}), *self.origins}
        if found.kind == "class":
            print_ = _fingerprint(full, self.theirs)
            for (vendor, other), target in self.assigned.items():  # a twin under another namespace
                if (
                    other == way
                    and vendor in self.theirs["components"]["schemas"]
                    and propose(vendor, way, ()) == propose(found.name, way, ())
                    and _fingerprint(class_shape(vendor, self.theirs), self.theirs) == print_
                ):
                    return target
            target = propose(found.name, way, taken)
            self.notes.append(
                f'new class {target}; to name it otherwise, under [schemas] in {NAME_MAP}: "{found.name}" = "{target}"'
            )
            return target
        parent, _, member = place.rpartition(".")
        target = propose(parent + camel(member), way, taken)
        self.notes.append(f"new class {target} for {place}, which has no name in the document")
        return target

    def _make(self, target: str, full: Shape, direction: str) -> Node:
        ours: Node = self.ours["components"].get("schemas", {}).get(target, {})
        is_enum = full.kind == "enum"
        made = self._enum(full, ours) if is_enum else self._object(target, full, direction, ours)
        made["description"] = ours.get("description") or full.text.get("description") or words(target)
        made |= {"deprecated": True} if full.text.get("deprecated") else {}
        return _ordered(made, ours, "description", "type", "required", "properties")

    def _object(self, target: str, full: Shape, direction: str, ours: Node) -> Node:
        theirs: Node = full.schema["properties"]
        mine: Node = ours.get("properties", {})
        properties: Node = {}
        wires: dict[str, str] = {}
        for key in [*(key for key in mine if key in theirs), *(key for key in theirs if key not in mine)]:
            name = python_name(key)
            if name in wires:
                self.notes.append(f"{target}.{key}: the same name in Python as {wires[name]}; the member is left out")
                continue
            member = self._member(f"{target}.{key}", theirs[key], mine.get(key, {}), direction)
            if member is not None:
                properties[key] = member
                wires[name] = key
        said: list[str] = full.schema["required"]
        if direction == "response":
            said = ours.get("required", []) if ours else ["id"] if "id" in said else []
        required = [key for key in properties if key in said]
        if set(required) == set(ours.get("required", ())):
            required = ours.get("required", [])
        kept = {key: ours[key] for key in ours if key.startswith(("x-", "example"))}
        return {"type": "object", **({"required": required} if required else {}), "properties": properties, **kept}

    def _member(self, place: str, schema: object, ours: Node, direction: str) -> Node | None:
        found = shape(schema, self.theirs, place)
        written = self._value(schema, ours or None, direction, place)
        if written is None:
            self.notes.append(f"{place}: the document gives no type; the member is left out")
            return None
        tolerant = direction == "response" and bool(ours) and shape(ours, self.ours, place).nullable
        written = or_null(written, found.nullable or tolerant)
        name = place.rpartition(".")[2]
        written["description"] = ours.get("description") or found.text.get("description") or words(name)
        written |= {key: ours[key] for key in ours if key.startswith(("x-", "example"))}
        written |= {"deprecated": True} if found.text.get("deprecated") else {}
        return _ordered(written, ours, "description")

    def _enum(self, full: Shape, ours: Node) -> Node:
        mine: list[str] = ours.get("enum", [])
        values = [*mine, *(value for value in full.schema["enum"] if value not in mine)]
        made: Node = {**copy.deepcopy(ours), "type": "string", "enum": values}
        made.pop("deprecated", None)
        if "x-enum-varnames" in ours:
            said = dict(zip(mine, ours["x-enum-varnames"], strict=True))
            made["x-enum-varnames"] = [said.get(value, value) for value in values]
        if "x-enum-descriptions" in ours:
            made["x-enum-descriptions"] = [*ours["x-enum-descriptions"], *[""] * (len(values) - len(mine))]
        if "x-http-status" in ours:
            from sent_async.errors import status_of_code  # here, because the rest works before the package does

            known: Node = ours["x-http-status"]
            made["x-http-status"] = {v: known.get(v) or status_of_code(v) or 500 for v in values}
        return made

    def _join(self, target: str, first: Node, second: Node) -> Node:
        """One class for two schemas of theirs: the members of both, required where both require them."""
        if "properties" not in first or "properties" not in second:
            return first
        for key, member in second["properties"].items():
            other = first["properties"].setdefault(key, member)
            if _without_texts(other) != _without_texts(member):
                names = " and ".join(vendor for vendor, _ in self.origins[target])
                self.notes.append(f"{target}.{key}: {names} differ; the first decides unless {NAME_MAP} parts them")
        required = [key for key in first.get("required", []) if key in second.get("required", [])]
        return {**{k: v for k, v in first.items() if k != "required"}, **({"required": required} if required else {})}


def _limits(mine: Shape) -> Node:
    """The limits that we know and a document may not; of formats, those that do not change the type in Python."""
    known: Node = {key: mine.schema[key] for key in LIMITS if key in mine.schema}
    form = mine.schema.get("format")
    return {**known, **({"format": form} if form and form not in TYPED_FORMATS else {})}


def _shared(ours: Node, path: str) -> Node:
    """What a path item says for all its operations."""
    item: Node = ours["paths"].get(path, {})
    return {key: value for key, value in item.items() if key in ("summary", "description", "parameters")}


def _ordered(written: Node, ours: Node, *first: str) -> Node:
    return {key: written[key] for key in dict.fromkeys((*ours, *first, *written)) if key in written}


def _without_texts(member: Node) -> str:
    return json.dumps({key: value for key, value in member.items() if key != "description"}, sort_keys=True)


def _fingerprint(found: Shape, document: Node, depth: int = 4) -> object:
    """What two schemas have in common that differ in nothing but names and texts."""
    full = whole(found, document)
    if depth == 0 or full.kind == "any":
        return full.kind
    if full.kind == "object":
        members = sorted(full.schema["properties"].items())
        return [(key, _fingerprint(shape(value, document, key), document, depth - 1)) for key, value in members]
    inner = _fingerprint(shape(full.inner, document, ""), document, depth - 1) if full.inner else None
    return full.kind, found.nullable, json.dumps(full.schema, sort_keys=True), inner, len(full.branches)


def or_null(written: Node, nullable: bool) -> Node:
    """A schema that also allows null, in the two spellings that the fragment has for it."""
    if not nullable:
        return written
    if "$ref" in written:
        return {"anyOf": [written, {"type": "null"}]}
    types: Any = written["type"]
    return {**written, "type": [*types, "null"] if is_list(types) else [types, "null"]}


def _without_null(schema: Node) -> Node:
    """A schema of ours without the null that it allows."""
    if is_list(branches := schema.get("anyOf")):
        schema = next(branch for branch in branches if branch != {"type": "null"})
    if is_list(types := schema.get("type")):
        rest = [name for name in types if name != "null"]
        schema = {**schema, "type": rest[0] if len(rest) == 1 else rest}
    return schema


def words(name: str) -> str:
    """A text for something that nobody has described."""
    return f"{snake(name).replace('_', ' ').strip().capitalize()}; not described by the vendor."
