"""New operations and classes: where they go, and what they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.__main__ import main
from codegen.fragment.rules import load
from codegen.importer.classes import propose
from codegen.importer.update import prepare
from codegen.openapi.names import singular
from codegen.openapi.nodes import Node
from codegen.openapi.sources import FRAGMENT
from tests.support.things import (
    SCHEMAS,
    THINGS,
    Edit,
    data,
    member,
    put,
    refused,
    schema,
    updated,
    vendor,
)


def test_a_new_operation_is_one_line_of_the_name_map(root: Path) -> None:
    """It goes into the file of its resource, with classes named in one round, and its code is generated."""

    def change(document: Node) -> None:
        thing = {"type": "object", "properties": {
            "success": {"type": "boolean"}, "data": {"$ref": f"{SCHEMAS}AcmeModelsWidgetDto"}}}  # fmt: skip
        document["components"]["schemas"] |= {
            "AcmeModelsWidgetDto": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "string"}, "part": {"$ref": f"{SCHEMAS}Part"},
                "rcs": {"type": "object", "properties": {"a": {"type": "string"}}},
                "parts": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "string"}}}},
                "size": {"type": "string", "enum": ["s", "m"]}}},
            "Part": {"type": "object", "properties": {"n": {"type": "string"}}},
            "Other.Part": {"type": "object", "properties": {"n": {"type": "string"}}},
            "WidgetRequest": {"type": "object", "properties": {"part": {"$ref": f"{SCHEMAS}Part"}}},
        }  # fmt: skip
        document["paths"]["/v3/widgets/{id}"] = {
            "put": {
                "summary": "Edit a widget.",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}WidgetRequest"}}}},
                "responses": {"200": {"description": "", "content": {"application/json": {"schema": thing}}}},
            },
            "delete": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"204": {"description": ""}},
            },
        }

    names = root / "openapi/names.toml"
    lines = [
        'updateWidget = { at = "PUT /v3/widgets/{id}", call = "widgets.update" }',
        'deleteWidget = { at = "DELETE /v3/widgets/{id}", call = "widgets.delete" }',
    ]
    names.write_text(names.read_text(encoding="utf-8") + "\n".join(lines) + "\n", encoding="utf-8")
    assert main(["--root", str(root), "update", vendor(root, change)]) == 0
    after = load(root / FRAGMENT)
    node = after["paths"]["/v3/widgets/{id}"]["put"]
    assert (node["x-resource"], node["x-method"], node["x-idempotency"]) == ("widgets", "update", "automatic")
    assert data(after, "/v3/widgets/{id}", "put") == {"$ref": f"{SCHEMAS}AcmeModelsWidget"}
    assert schema(after, "AcmeModelsWidget")["required"] == ["id"]
    # D7: one class for one schema and direction, and words that only look like a plural stay.
    made = {"Part", "PartData", "Widget", "AcmeModelsWidgetRcs", "AcmeModelsWidgetPart", "AcmeModelsWidgetSize"}
    assert made <= after["components"]["schemas"].keys()
    assert "widgets.yaml#/paths/~1v3~1widgets~1{id}" in (root / FRAGMENT).read_text(encoding="utf-8")
    assert "Edit a widget." in (root / "openapi/widgets.yaml").read_text(encoding="utf-8")
    assert "class Widgets" in (root / "sent_async/resources/widgets.py").read_text(encoding="utf-8")
    assert main(["--root", str(root), "check"]) == 0
    # The same document again: the names are known now.
    assert prepare(root, vendor(root, change)).files == {}
    # Without its lines it is ours alone: nothing is lost, and the vendor's document has no say in it.
    names.write_text((THINGS / "openapi/names.toml").read_text(encoding="utf-8"), encoding="utf-8")
    found = prepare(root, vendor(root))
    assert found.after == after
    assert "not in openapi/names.toml, and left as they are: updateWidget, deleteWidget" in found.notes


def test_d7_names() -> None:
    """Names without namespace and suffix; only real plurals lose their end."""
    assert propose("SentDmServicesCommonContractsPOCOsTemplateDefinition", "request", ()) == "TemplateDefinition"
    assert propose("ThingResponse", "response", ()) == "Thing"
    assert propose("ThingResponse", "request", {"Thing"}) == "ThingData"
    assert propose("Response", "response", {"Response", "ResponseDetail"}) == "ResponseDetail2"
    words = ("rcs", "sms", "status", "address", "alias", "basis", "categories", "buttons", "us")
    assert [singular(word) for word in words] == [
        *("rcs", "sms", "status", "address", "alias", "basis", "category", "button", "us"),
    ]


def test_d7_twins_are_one_class(root: Path) -> None:
    """Two schemas that differ in their namespace only become one class; two that differ become two."""

    def twins(inner: Node) -> Edit:
        def change(document: Node) -> None:
            document["components"]["schemas"] |= {
                "SentDmModelsBox": {"type": "object", "properties": {"a": {"type": "string"}}},
                "SentDmContractsBox": {"type": "object", "properties": inner},
            }
            put("ThingResponse.first", {"$ref": f"{SCHEMAS}SentDmModelsBox"})(document)
            put("ThingResponse.second", {"$ref": f"{SCHEMAS}SentDmContractsBox"})(document)

        return change

    same = updated(root, twins({"a": {"type": "string"}}))
    assert member(same, "Thing.first")["$ref"] == member(same, "Thing.second")["$ref"] == f"{SCHEMAS}Box"
    other = updated(root, twins({"b": {"type": "string"}}))
    assert member(other, "Thing.second")["$ref"] == f"{SCHEMAS}BoxDetail"


def test_names_of_the_map_win(root: Path) -> None:
    """``[schemas]`` names a new class, for both directions or for each."""
    names = root / "openapi/names.toml"
    names.write_text(
        names.read_text(encoding="utf-8") + '[schemas]\nBox = "Crate"\nBag = { request = "SackData" }\n',
        encoding="utf-8",
    )

    def change(document: Node) -> None:
        document["components"]["schemas"] |= {
            name: {"type": "object", "properties": {"a": {"type": "string"}}} for name in ("Box", "Bag")
        }
        put("ThingResponse.box", {"$ref": f"{SCHEMAS}Box"})(document)
        put("CreateThingRequest.bag", {"$ref": f"{SCHEMAS}Bag"})(document)

    after = updated(root, change)
    assert {"Crate", "SackData"} <= after["components"]["schemas"].keys()

    def both_ways(document: Node) -> None:
        change(document)
        put("CreateThingRequest.box", {"$ref": f"{SCHEMAS}Box"})(document)

    assert "Crate is sent and received; give Box two names" in refused(root, both_ways)


def test_two_schemas_for_one_class(root: Path) -> None:
    """Their members are joined; where they differ, a note says which one decides. Of two enums the first stands."""
    names = root / "openapi/names.toml"
    said = '\n[schemas]\n"Box" = "Crate"\n"Bag" = "Crate"\n"Red" = "Shade"\n"Blue" = "Shade"\n'
    names.write_text(names.read_text(encoding="utf-8") + said, encoding="utf-8")

    def change(document: Node) -> None:
        schemas = document["components"]["schemas"]
        schemas["Box"] = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
        schemas["Bag"] = {"type": "object", "properties": {"a": {"type": "integer"}, "c": {"type": "string"}}}
        schemas["Red"] = {"type": "string", "enum": ["r"]}
        schemas["Blue"] = {"type": "string", "enum": ["b"]}
        for name in ("Box", "Bag", "Red", "Blue"):
            put(f"ThingResponse.{name.lower()}", {"$ref": f"{SCHEMAS}{name}"})(document)

    found = prepare(root, vendor(root, change))
    assert list(schema(found.after, "Crate")["properties"]) == ["a", "b", "c"]
    assert (
        member(found.after, "Crate.a")["type"] == ["string", "null"]
        or member(found.after, "Crate.a")["type"] == "string"
    )
    assert any("Crate.a: Box and Bag differ" in note for note in found.notes)
    assert schema(found.after, "Shade")["enum"] == ["r"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[operations]\nx = "GET /v3/x"', "must be like"),
        ('[operations]\nx = { at = "GET /v3/x" }', "must be like"),
        ('[operations]\nx = { at = "/v3/x", call = "x.y" }', "must be like"),
        ("operations = 1", "must be a table"),
        ('[schemas]\nX = "lower"', "must be a name in CamelCase"),
        (
            '[operations]\nx = { at = "GET /v3/x/{a}", call = "x.y" }\nz = { at = "GET /v3/x/{b}", call = "x.z" }',
            "has two lines for one operation",
        ),
        ("= =", "cannot be read"),
    ],
)
def test_a_bad_name_map(root: Path, text: str, problem: str) -> None:
    """Each entry that is none is refused with what it should look like."""
    (root / "openapi/names.toml").write_text(text, encoding="utf-8")
    assert problem in refused(root, lambda _: None)
