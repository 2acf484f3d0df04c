"""The OpenAPI fragment keeps the house rules that the generated code relies on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from codegen.fragment.rules import form_schemas
from tests.support.fragment import DESCRIBED, DOCUMENT
from tests.support.things import ROOT

PAYLOADS = sorted((ROOT / "tests" / "payloads").glob("*.json"))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
FORMS = form_schemas(DOCUMENT)
EXAMPLES: dict[str, Any] = DOCUMENT["components"]["examples"]
METHODS = ("get", "put", "post", "patch", "delete")
IDEMPOTENCY = {"get": "none", "post": "automatic", "put": "automatic", "patch": "automatic", "delete": "explicit"}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for item in DOCUMENT["paths"].values():
        yield from ((method, item[method]) for method in METHODS if method in item)


def media_types() -> Iterator[dict[str, Any]]:
    for _, operation in operations():
        for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
            yield from DESCRIBED.resolve(holder).get("content", {}).values()


def used_examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give (example name, schema it has to match) for each use."""
    for media in media_types():
        for reference in media.get("examples", {}).values():
            yield reference["$ref"].rsplit("/", 1)[1], media["schema"]


def parts(schema: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every schema below a named one, with a readable place."""
    for name, child in schema.get("properties", {}).items():
        yield f"{where}.{name}", child
        yield from parts(child, f"{where}.{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(child := schema.get(keyword), dict):
            yield f"{where}[{keyword}]", child
            yield from parts(child, f"{where}[{keyword}]")
    for keyword in ("anyOf", "oneOf", "allOf"):
        for number, child in enumerate(schema.get(keyword, ())):
            yield f"{where}<{keyword} {number}>", child
            yield from parts(child, f"{where}<{keyword} {number}>")


def reachable(roots: Iterator[str]) -> set[str]:
    """Give the names of all object schemas that the named ones lead to."""
    names: set[str] = set()
    queue = list(roots)
    while queue:
        name = queue.pop()
        if name in names or "enum" in SCHEMAS[name]:
            continue
        names.add(name)
        queue += [part["$ref"].rsplit("/", 1)[1] for _, part in parts(SCHEMAS[name], name) if "$ref" in part]
    return names


OPERATIONS = [pytest.param(method, operation, id=operation.get("operationId")) for method, operation in operations()]


@pytest.mark.parametrize(("name", "schema"), [pytest.param(*use, id=use[0]) for use in used_examples()])
def test_an_example_matches_its_schema(name: str, schema: dict[str, Any]) -> None:
    """Every example must validate against the schema of the media type that shows it."""
    located = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
    validator = Draft202012Validator(located, registry=DESCRIBED.registry)
    assert [error.message for error in validator.iter_errors(EXAMPLES[name]["value"])] == []


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_payload_is_an_example(path: Path) -> None:
    """Every recorded payload must stand in the fragment unchanged, members in the same order."""
    recorded = json.loads(path.read_text(encoding="utf-8"))
    assert json.dumps(EXAMPLES[path.stem]["value"]) == json.dumps(recorded)


def test_every_payload_is_shown_by_an_operation() -> None:
    """Payloads, examples and the examples that operations show must be the same set."""
    assert PAYLOADS
    assert {path.stem for path in PAYLOADS} == set(EXAMPLES) == {name for name, _ in used_examples()}


@pytest.mark.parametrize("name", SCHEMAS)
def test_everything_is_described(name: str) -> None:
    """A schema and each of its properties must have a description of their own."""
    schema = SCHEMAS[name]
    described = {name: schema, **{f"{name}.{key}": value for key, value in schema.get("properties", {}).items()}}
    assert [where for where, part in described.items() if not part.get("description", "").strip()] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_objects_and_enums_have_names(name: str) -> None:
    """Below a named schema there must be no object other than a map, no enum, no default and no old-style null."""
    for where, part in parts(SCHEMAS[name], name):
        assert not part.keys() & {"properties", "enum", "const", "default", "nullable"}, where
        types = part.get("type", [])
        if "object" in ([types] if isinstance(types, str) else types):
            assert part.get("additionalProperties"), where


@pytest.mark.parametrize("name", SCHEMAS)
def test_required_members_exist(name: str) -> None:
    """A required member must be a declared one, and unknown members must stay welcome."""
    schema = SCHEMAS[name]
    assert set(schema.get("required", ())) <= set(schema.get("properties", {}))
    assert schema.get("additionalProperties") is not False


def names_below(node: Any) -> set[str]:
    """The schemas that a node refers to, directly."""
    text = json.dumps(node)
    return set(re.findall(r'"#/components/schemas/(\w+)"', text))


def test_schemas_serve_one_direction() -> None:
    """An object schema must serve requests or responses, never both, and none may be idle."""
    sent = names_below([operation.get("requestBody") for _, operation in operations()])
    received = names_below(
        [[DESCRIBED.resolve(r) for r in operation["responses"].values()] for _, operation in operations()]
    )
    requests, responses = reachable(iter(sent)), reachable(iter(received))
    assert requests & responses == set()
    assert requests | responses == {name for name, schema in SCHEMAS.items() if "enum" not in schema}


@pytest.mark.parametrize(("method", "operation"), OPERATIONS)
def test_an_operation_says_how_to_call_it(method: str, operation: dict[str, Any]) -> None:
    """An operation must have an id, a text, a rate tier, an idempotency kind and the acting profile."""
    headers = {p["name"] for p in map(DESCRIBED.resolve, operation["parameters"]) if p["in"] == "header"}
    assert operation["operationId"]
    assert operation["summary"]
    assert operation["description"]
    assert operation["x-rate-tier"] in {"standard", "sensitive", "message"}
    assert operation["x-idempotency"] == IDEMPOTENCY[method]
    assert "x-profile-id" in headers
    assert ("Idempotency-Key" in headers) == (method != "get")


def test_error_codes_have_names_and_statuses() -> None:
    """Every error code must have one readable name of its own and one catalogued status."""
    codes = SCHEMAS["ErrorCode"]
    assert len(set(codes["x-enum-varnames"])) == len(codes["enum"]) == len(set(codes["enum"]))
    assert list(codes["x-http-status"]) == codes["enum"]
    assert all(400 <= status <= 599 for status in codes["x-http-status"].values())


@pytest.mark.parametrize("name", ["ErrorCode", "MessageStatus"])
def test_values_that_callers_decide_by_have_a_meaning(name: str) -> None:
    """Each error code and each message status must say what it means, shown in editors and the reference."""
    assert all(SCHEMAS[name]["x-enum-descriptions"])
