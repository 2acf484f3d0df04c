"""Recorded payloads against a document: what was seen on the wire is allowed, whatever the document says."""

from __future__ import annotations

from codegen.document import METHODS, SCHEMAS, Node, is_list, is_node, resolve, split_null
from codegen.schemas import or_null


def believe_examples(document: Node) -> list[str]:
    """Loosen the schemas until every example fits, and say where: a member left out, a null, a new enum value."""
    notes: list[str] = []
    schemas: Node = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for method in (method for method in METHODS if method in item):
            operation: Node = item[method]
            holders = [operation.get("requestBody", {}), *operation["responses"].values()]
            for holder in (resolve(document, path, holder) for holder in holders):
                for media in holder.get("content", {}).values():
                    for example in media.get("examples", {}).values():
                        value = resolve(document, path, example).get("value")
                        _believe(value, media["schema"], schemas, f"{operation['operationId']}", notes)
    return notes


def _believe(value: object, schema: Node, schemas: Node, place: str, notes: list[str]) -> None:
    core, _ = split_null(place, schema) if schema.get("type") != "null" else (schema, True)
    if isinstance(ref := core.get("$ref"), str):
        name = ref.removeprefix(SCHEMAS)
        target: Node = schemas.get(name, {})
        if is_node(value) and "properties" in target:
            _believe_object(value, target, schemas, name, notes)
        elif isinstance(value, str) and value not in target.get("enum", [value]) and "x-enum-varnames" not in target:
            target["enum"].append(value)
            notes.append(f"{name}: {value!r} is in a recorded payload and stays a value")
    elif is_list(value) and is_node(core.get("items")):
        for item in value:
            _believe(item, core["items"], schemas, place, notes)


def _believe_object(value: Node, target: Node, schemas: Node, name: str, notes: list[str]) -> None:
    for key in [key for key in target.get("required", []) if key not in value]:
        target["required"].remove(key)
        notes.append(f"{name}.{key} is not required: a recorded payload does without it")
        if not target["required"]:
            del target["required"]
    for key, member in target["properties"].items():
        if key not in value:
            continue
        _, nullable = split_null(name, member) if member.get("type") != "null" else (member, True)
        if value[key] is None and not nullable:
            description = {k: v for k, v in member.items() if k in ("description", "deprecated")}
            rest = {k: v for k, v in member.items() if k not in description} if "$ref" in member else member
            target["properties"][key] = {**description, **or_null(rest, True)}
            notes.append(f"{name}.{key} may be null: a recorded payload has it so")
        elif value[key] is not None:
            _believe(value[key], member, schemas, f"{name}.{key}", notes)
