"""One operation of the vendor's document as an operation of our fragment."""

from __future__ import annotations

import copy
import re
from typing import Any, Final

from codegen.corrections import listed
from codegen.document import SCHEMAS, Node, SpecError, is_node, resolve, snake, split_null
from codegen.names import camel
from codegen.schemas import Walk, words
from codegen.shapes import Shape, class_shape, shape

_IDEMPOTENCY: Final = {"get": "none", "delete": "explicit"}
_FAILURES: Final = (
    "BadRequest",
    "Unauthorized",
    "Forbidden",
    "NotFound",
    "Conflict",
    "TooManyRequests",
    "InternalServerError",
)
_CODES: Final = ("400", "401", "403", "404", "409", "429", "500")
_ORDER: Final = (
    *("operationId", "tags", "summary", "description", "deprecated"),
    *("x-rate-tier", "x-idempotency", "parameters", "requestBody", "responses"),
)


def operation_node(
    name: str,
    place: tuple[str, str],
    theirs: Node,
    shared: list[Node],
    ours: Node,
    document: Node,
    sliced: Node,
    walk: Walk,
    envelopes: Node,
) -> Node:
    """``ours`` with what ``theirs`` says: parameters, body, answers, deprecation. Empty ``ours``: a new one."""
    path, method = place
    fixes = walk.fixes
    node = copy.deepcopy(ours) or _new(name, path, method, theirs, document)
    node["x-rate-tier"] = fixes.rate_tier.get(name, node["x-rate-tier"])
    node["x-idempotency"] = fixes.idempotency.get(name, node["x-idempotency"])
    if not walk.own_text and theirs.get("description"):
        node["description"] = theirs["description"]
    node.pop("deprecated", None)
    if theirs.get("deprecated") is True and not listed(name, fixes.live):
        node["deprecated"] = True
    node["parameters"] = _parameters(name, theirs, shared, node, document, sliced, walk)
    if not node["parameters"]:
        del node["parameters"]
    _put_body(name, node, theirs, document, sliced, walk)
    node["responses"] = _responses(name, node, theirs, document, sliced, walk, envelopes)
    order = dict.fromkeys([*ours, *_ORDER, *node])
    return {key: node[key] for key in order if key in node}


def _new(name: str, path: str, method: str, theirs: Node, document: Node) -> Node:
    """What the house wants of an operation, around what the vendor says of it."""
    components: Node = document["components"]
    responses: Node = components.get("responses", {})
    tags = [tag["name"] for tag in document.get("tags", ()) if f"/{tag['name']}" in path]
    headers = {"x-profile-id"} | ({"Idempotency-Key"} if method != "get" else set[str]())
    parameters: list[Node] = [_path_parameter(wire, path, document) for wire in re.findall(r"\{([^{}]+)\}", path)]
    parameters += [
        {"$ref": f"#/components/parameters/{key}"}
        for key, parameter in components.get("parameters", {}).items()
        if parameter.get("in") == "header" and parameter.get("name") in headers
    ]
    summary = str(theirs.get("summary") or words(name).partition(";")[0])
    return {
        "operationId": name,
        **({"tags": tags[-1:]} if tags else {}),
        "summary": summary,
        "description": str(theirs.get("description") or f"{summary}."),
        "x-rate-tier": "standard",
        "x-idempotency": _IDEMPOTENCY.get(method, "automatic"),
        "parameters": parameters,
        "responses": {
            code: {"$ref": f"#/components/responses/{key}"}
            for code, key in zip(_CODES, _FAILURES, strict=True)
            if key in responses
        },
    }


def _path_parameter(wire: str, path: str, document: Node) -> Node:
    """Ours of that name when some path beginning like this one has it, else a plain one."""
    parameters: Node = document["components"].get("parameters", {})
    for key, parameter in parameters.items():
        used = any(
            f"{{{wire}}}" in other and other.split("/")[2:3] == path.split("/")[2:3] for other in document["paths"]
        )
        if parameter.get("in") == "path" and parameter.get("name") == wire and used:
            return {"$ref": f"#/components/parameters/{key}"}
    text = words(wire)
    return {"name": wire, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}


def _parameters(
    name: str, theirs: Node, shared: list[Node], node: Node, document: Node, sliced: Node, walk: Walk
) -> list[Node]:
    """Headers and path are ours. Of the query: theirs, in our form where we have them."""
    said = [resolve(sliced, name, parameter) for parameter in [*shared, *theirs.get("parameters", ())]]
    query = {str(parameter.get("name")): parameter for parameter in said if parameter.get("in") == "query"}
    kept: list[Node] = []
    known: set[str] = set()
    for reference in node.get("parameters", []):
        parameter = resolve(document, name, reference)
        wire = str(parameter["name"])
        if wire in query and parameter["in"] == "query" and not walk.own_text:
            extras: tuple[str, ...] = ("required", "deprecated", "description")
            said_of_it: Node = {key: query[wire][key] for key in extras if key in query[wire]}
            kept.append({**{k: v for k, v in parameter.items() if k != "required"}, **said_of_it})
            known.add(wire)
        elif parameter["in"] != "query" or wire in query or listed(f"{name}.{wire}", walk.fixes.parameters):
            kept.append(reference)
            known.add(wire)
    fresh = [_query(name, parameter, walk) for wire, parameter in query.items() if wire not in known]
    headers = [p for p in kept if resolve(document, name, p)["in"] == "header"]
    return [*(p for p in kept if p not in headers), *fresh, *headers]


def _query(name: str, theirs: Node, walk: Walk) -> Node:
    # Never required: the vendor's generator says so of every .NET value type, whether it is needed or not.
    wire = str(theirs["name"])
    place = f"{name}.{wire}"
    schema = theirs.get("schema", {k: v for k, v in theirs.items() if k in ("type", "format", "enum", "items")})
    found = shape(schema, walk.theirs, place)
    values = found.schema.get("enum", [])
    text = str(theirs.get("description") or found.text.get("description") or words(wire)).strip()
    if found.kind == "class":
        values = class_shape(found.name, walk.theirs).schema.get("enum", [])
    if values:
        text = f"{text} One of `{'`, `'.join(values)}`."
    plain = found.kind == "scalar"
    is_list = found.kind == "list"
    written: Node = dict(found.schema) if plain else {"type": "string"}
    if is_list:
        text = f"{text} Several are joined by commas."
    python = walk.fixes.python_name.get(place)
    return {
        "name": wire,
        "in": "query",
        "description": text,
        **({"x-python-name": python} if python else {}),
        "schema": written,
    }


def _put_body(name: str, node: Node, theirs: Node, document: Node, sliced: Node, walk: Walk) -> None:
    ours: Node = resolve(document, name, node["requestBody"]) if "requestBody" in node else {}
    schema = ours.get("content", {}).get("application/json", {}).get("schema", {})
    hint = str(schema.get("$ref", "")).removeprefix(SCHEMAS) or None
    body = resolve(sliced, name, theirs["requestBody"]) if is_node(theirs.get("requestBody")) else {}
    found = shape(_json_schema(body), walk.theirs, f"{name} requestBody") if body else Shape("unknown")
    if found.kind == "class":
        target = walk.component(found.name, "request", name, hint)
    elif found.kind == "object":
        target = walk.inline_body(found, name, hint)
    elif hint is not None and ((found.kind == "unknown" and body) or listed(name, walk.fixes.bodies)):
        return  # it says that there is something, or nothing at all: ours stays
    elif body:
        raise SpecError(f"{name} requestBody", "must be an object")
    else:
        node.pop("requestBody", None)
        return
    if target == hint:
        return
    media: Node = {**ours.get("content", {}).get("application/json", {}), "schema": {"$ref": SCHEMAS + target}}
    node["requestBody"] = {"required": True, **ours, "content": {"application/json": media}}


def _json_schema(holder: Node) -> Node:
    """The JSON schema of a body, whichever of .NET's media types it stands under."""
    content = holder.get("content", {})
    for kind in ("application/json", *content):
        if "json" in kind and is_node(content.get(kind)):
            schema: Node = content[kind].get("schema", {})
            return schema
    return {}


def _responses(name: str, node: Node, theirs: Node, document: Node, sliced: Node, walk: Walk, envelopes: Node) -> Node:
    old: Node = node.get("responses", {})
    ours_2xx = {code: resolve(document, name, old[code]) for code in old if code[:1] == "2"}
    template = next(iter(ours_2xx.values()), dict[str, Any]())
    successes = {code: resolve(sliced, name, value) for code, value in theirs["responses"].items()}
    envelope = _envelope(name, successes, ours_2xx, document, walk, envelopes)
    codes = [str(code) for code in walk.fixes.success.get(name, ())] or sorted(c for c in successes if c.isdigit())
    written: Node = {}
    for code in codes or list(ours_2xx) or ["200"]:
        known = ours_2xx.get(code, template)
        response: Node = {**copy.deepcopy(known), "description": known.get("description", "Done.")}
        content: Node = response.get("content", {}).get("application/json", {})
        if envelope is None or code == "204":
            response.pop("content", None)
        elif content.get("schema") != {"$ref": SCHEMAS + envelope}:
            response["content"] = {"application/json": {**content, "schema": {"$ref": SCHEMAS + envelope}}}
        written[code] = old[code] if code in ours_2xx and response == ours_2xx[code] else response
    return written | {code: value for code, value in old.items() if code[:1] != "2"}


def _envelope(name: str, successes: Node, ours_2xx: Node, document: Node, walk: Walk, envelopes: Node) -> str | None:
    """Our envelope around the data that they promise; made when we have none for it yet."""
    schemas: Node = document["components"]["schemas"]
    mine = [
        r["content"]["application/json"]["schema"]["$ref"].removeprefix(SCHEMAS)
        for r in ours_2xx.values()
        if r.get("content")
    ]
    hint: str | None = mine[0] if mine else None
    ours: Node = schemas[hint]["properties"].get("data", {}) if hint else {}
    core, nullable = split_null(name, ours) if ours.get("type") != "null" else ({}, False)
    data: Node | None = None
    for code in sorted(successes):
        schema = _json_schema(successes[code])
        if data is None and schema:
            data = _data(f"{name} {code}", name, schema, core, walk)
    if data is None:
        return hint  # nothing is said about the data, so ours stands
    is_array = data.get("type") == "array"
    target = str((data["items"] if is_array else data)["$ref"]).removeprefix(SCHEMAS)
    if hint is not None and data == core:
        return hint
    fresh = f"{target}{'List' if is_array else ''}Envelope"
    if fresh not in schemas:
        envelopes[fresh] = _new_envelope(data, target, schemas, nullable)
    return fresh


def _data(place: str, name: str, schema: Node, ours: Node, walk: Walk) -> Node | None:
    found = shape(schema, walk.theirs, place)
    whole = class_shape(found.name, walk.theirs) if found.kind == "class" else found
    members: Node = whole.schema.get("properties", {}) if whole.kind == "object" else {}
    if "success" not in members:
        problem = "answers without an envelope (success, data, error, meta); the client reads no others"
        raise SpecError(place, problem)
    for key, hint in (("error", "ErrorDetail"), ("meta", "ApiMeta")):
        if key in members:
            part = shape(members[key], walk.theirs, f"{place}.{key}")
            walk.value(part, "response", f"Envelope.{key}", {"$ref": SCHEMAS + hint})
    data = shape(members.get("data", {}), walk.theirs, f"{place}.data")
    if data.kind not in ("class", "object", "list"):
        if data.kind != "unknown":
            walk.notes.append(f"{place}: data is a {data.kind}, which is left out")
        return None
    written = walk.value(data, "response", name, ours)
    inner: Node = written.get("items", written) if written else {}
    return written if "$ref" in inner else None


def _new_envelope(data: Node, target: str, schemas: Node, nullable: bool) -> Node:
    known = next(
        (copy.deepcopy(s) for n, s in schemas.items() if n.endswith("Envelope") and n != "ErrorEnvelope"), None
    )
    envelope: Node = known or {"type": "object", "properties": {}}
    envelope["description"] = f"Answer with {snake(camel(target)).replace('_', ' ')}."
    written = {"anyOf": [data, {"type": "null"}]} if nullable and "$ref" in data else data
    properties: Node = envelope["properties"]
    properties["data"] = {"description": "What was asked for.", **written}
    return envelope
