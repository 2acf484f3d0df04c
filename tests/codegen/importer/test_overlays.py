"""Corrections of the vendor's document and of the fragment."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.importer.overlay import Action, apply_overlay, read_overlay
from codegen.importer.update import prepare
from codegen.openapi.nodes import Node
from tests.support.things import (
    DOCUMENTS,
    SCHEMAS,
    data,
    document,
    member,
    overlay,
    put,
    refused,
    schema,
    updated,
    vendor,
)

PARAMETERS = "#/components/parameters/"


def test_d9_corrections_of_the_fragment(root: Path) -> None:
    """An overlay sets a member's type, a required query parameter, a member's name and a free map."""
    properties = "$.components.schemas.Thing.properties"
    overlay(
        root,
        "fragment",
        {"target": f"{properties}.made_at", "update": {"type": "integer", "format": "int64"}},
        {"target": "$.paths['/v3/things'].get.parameters[?@.name == 'search']", "update": {"required": True}},
        {"target": f"{properties}.maker", "remove": True},
        {"target": properties, "update": {"made_by": {"type": "object", "additionalProperties": True}}},
        {"target": "$.components.schemas.ThingCreate.required", "update": "maker"},
        {"target": "$.components.schemas.Gone", "remove": True},
    )
    result = prepare(root, vendor(root))
    after = result.after
    assert member(after, "Thing.made_at")["type"] == "integer"
    assert after["paths"]["/v3/things"]["get"]["parameters"][1]["required"] is True
    assert member(after, "Thing.made_by")["additionalProperties"] is True
    assert member(after, "Thing.made_by")["description"] == "Made by; not described by the vendor."
    assert "maker" not in schema(after, "Thing")["properties"] and "Maker" not in after["components"]["schemas"]
    assert schema(after, "ThingCreate")["required"] == ["name", "maker"]
    place = "openapi/overlays/fragment.yaml action 6 ($.components.schemas.Gone)"
    assert f"{place} changes nothing: it is no longer needed, or its target is wrong" in result.notes


def test_d9_another_envelope(root: Path) -> None:
    """An overlay of the vendor's document puts right what could not be read: an envelope, a union."""

    def change(document: Node) -> None:
        members = schema(document, "ApiResponseOfThing")["properties"]
        members["result"] = members.pop("data")

    assert "has an envelope with result" in refused(root, change)
    place = "$.components.schemas.ApiResponseOfThing.properties"
    overlay(
        root,
        "vendor",
        {"target": f"{place}.result", "remove": True},
        {"target": place, "update": {"data": {"$ref": f"{SCHEMAS}ThingResponse"}}},
    )
    assert data(updated(root, change), "/v3/things/{thingId}") == {"$ref": f"{SCHEMAS}Thing"}


def test_a_member_that_an_overlay_brings_back_keeps_its_text(root: Path) -> None:
    """The overlay says the type; the description is still ours."""
    overlay(
        root, "fragment", {"target": "$.components.schemas.Thing.properties", "update": {"colour": {"type": "string"}}}
    )
    after = updated(root, lambda d: schema(d, "ThingResponse")["properties"].pop("colour"))
    assert member(after, "Thing.colour") == {"type": "string", "description": "Its colour, in our words."}


def test_d9_a_new_member_can_be_left_out(root: Path) -> None:
    """Its class goes with it, although the fragment has never had it."""
    overlay(root, "fragment", {"target": "$.components.schemas.Thing.properties.inner", "remove": True})
    inner = {"type": "object", "properties": {"deep": {"type": "object", "properties": {"a": {"type": "string"}}}}}
    after = updated(root, put("ThingResponse.inner", inner))
    assert not [name for name in after["components"]["schemas"] if name.startswith("ThingInner")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1", "is no overlay"),
        ("overlay: 1.0.0\nactions: [{target: $, update: {}}]", "action 1: has no description"),
        (
            "overlay: 1.0.0\nactions: [{target: $, description: x}]",
            "either an update or `remove: true`",
        ),
        ("overlay: 1.0.0\nactions: [{target: $, description: x, remove: true, copy: 1}]", "needs a target"),
        ("overlay: 1.0.0\nactions: [{target: $, description: x, remove: false}]", "needs a target"),
        ("overlay: 1.0.0\nactions: [{target: '$[', description: x, remove: true}]", "the target is no JSONPath"),
        ("overlay: 1.0.0\nactions: [{target: $, description: x, remove: true}]", "cannot be the whole document"),
    ],
)
def test_a_bad_overlay(root: Path, text: str, problem: str) -> None:
    """An overlay that is none, an action without a reason, and an action without sense are refused."""
    (root / "openapi/overlays").mkdir()
    (root / "openapi/overlays/fragment.yaml").write_text(text, encoding="utf-8")
    assert problem in refused(root, lambda _: None)


def test_overlays_follow_the_specification() -> None:
    """Objects merge, arrays join, other values are replaced, and every match is changed."""
    found: Node = {"a": {"x": 1, "l": [1]}, "b": [{"n": 1}, {"n": 2}, {"n": 3}], "required": ["p"]}
    actions = [
        Action("1", "$.a", False, {"x": 2, "l": [1, 2], "y": {"z": 3}}),
        Action("2", "$.b[?@.n > 1]", True, None),
        Action("3", "$.b", False, {"n": 9}),
        Action("4", "$.required", False, ["p", "q"]),
    ]
    after, notes = apply_overlay(found, actions)
    assert after == {"a": {"x": 2, "l": [1, 1, 2], "y": {"z": 3}}, "b": [{"n": 1}, {"n": 9}], "required": ["p", "q"]}
    assert notes == []


def test_october_is_march_under_its_overlay() -> None:
    """The documents of the tests are one document and what changed in it; no action is idle."""
    _, notes = apply_overlay(document("march"), read_overlay(DOCUMENTS / "october-2026.overlay.yaml", "october"))
    assert notes == []


def test_a_parameter_that_the_document_has_now(root: Path) -> None:
    """An overlay that adds it is no longer needed, and says so. The document's own parameter stays, once."""
    target = "$.paths['/v3/things/{thingId}'].get"
    overlay(root, "fragment", {"target": target, "update": {"parameters": [{"$ref": f"{PARAMETERS}Page"}]}})
    assert "changes nothing" not in "".join(prepare(root, vendor(root)).notes)
    page = {"name": "page", "in": "query", "schema": {"type": "integer"}}

    def change(document: Node) -> None:
        document["paths"]["/v3/things/{id}"]["get"]["parameters"].append(page)

    result = prepare(root, vendor(root, change))
    parameters = result.after["paths"]["/v3/things/{thingId}"]["get"]["parameters"]
    assert [parameter.get("name") for parameter in parameters] == ["thingId", "page"]
    note = "changes nothing: it is no longer needed, or its target is wrong"
    assert f"openapi/overlays/fragment.yaml action 1 ({target}) {note}" in result.notes


@pytest.mark.parametrize(
    ("file", "target", "update", "problem"),
    [
        ("fragment", "$.paths['/v3/things'].get.parameters", {"name": "x", "in": "query"}, "/get/parameters/2: "),
        (
            "fragment",
            "$.components.schemas.Thing.properties.made_at",
            {"type": "moment"},
            "Thing/properties/made_at/type: ",
        ),
        ("fragment", "$.components.schemas.ApiMeta", None, "points at nothing"),
        ("vendor", "$.components.schemas.Maker", {"type": 5}, "#/components/schemas/Maker"),
        ("vendor", "$.paths['/v3/things']", None, "GET /v3/things: is no longer in the document"),
    ],
)
def test_the_action_that_breaks_the_document_is_named(
    root: Path, file: str, target: str, update: object, problem: str
) -> None:
    """An error that an overlay causes has its file, the number and the target of the action, and what to do."""
    first = {"target": "$.components.schemas.Nothing", "remove": True}
    second = {"target": target, "remove": True} if update is None else {"target": target, "update": update}
    overlay(root, file, first, second)
    text = refused(root)
    assert text.startswith(f"openapi/overlays/{file}.yaml action 2 ({target}): after it the document is refused: ")
    assert problem in text and "Correct the action, or remove it" in text
