"""Corners of the import and of parity that no whole document comes to."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from codegen import layout, sample
from codegen.corrections import Corrections
from codegen.document import SpecError
from codegen.evidence import believe_examples
from codegen.load import load, parse
from codegen.models import docstring
from codegen.names import NameMap, clean, singular
from codegen.parity import Parity, sample_argument
from codegen.shapes import class_shape, shape
from codegen.upstream import import_document
from sent_async.models import TemplateStatus

Node = dict[str, Any]
SAMPLE = load(Path(__file__).with_name("sample.yaml"))
SCHEMAS = "#/components/schemas/"
TEXT: Node = {"type": "string"}


def theirs(change: Any = None) -> Node:
    """The sample in a document like the vendor's: 3.0, without our extensions, and with what a change makes of it."""
    document: Node = copy.deepcopy(SAMPLE)
    document["openapi"] = "3.0.3"
    for schema in document["components"]["schemas"].values():
        for member in schema.get("properties", {}).values():
            if isinstance(member.get("type"), list):
                member.update(type=member["type"][0], nullable=True)
            if "anyOf" in member:
                member.update(oneOf=[member.pop("anyOf")[0]], nullable=True)
    schemas = document["components"]["schemas"]
    schemas["ThingListEnvelope"]["properties"]["success"] = {"type": "boolean"}
    if change is not None:
        change(document)
    return document


def imported(change: Any = None, **fixes: Any) -> Node:
    """The sample imported from itself, changed."""
    names = {name: name for name in SAMPLE["components"]["schemas"]}
    return import_document(theirs(change), SAMPLE, NameMap({}, {**names}), Corrections(**fixes)).document


def members(document: Node, name: str) -> Node:
    """Properties of a component."""
    found: Node = document["components"]["schemas"][name]["properties"]
    return found


def test_a_map_without_operations() -> None:
    """Then what the fragment covers is what is looked for; operations without parameters stay without."""
    made = imported()
    assert "parameters" not in made["paths"]["/things"]["get"]
    assert made["paths"].keys() == SAMPLE["paths"].keys()


def test_what_says_nothing_leaves_ours() -> None:
    """An untyped member keeps our type; a component that is deprecated says so."""

    def change(document: Node) -> None:
        members(document, "Thing")["made"] = {"nullable": True}
        members(document, "Thing")["tags"] = {"type": "array", "items": {}}
        document["components"]["schemas"]["Thing"]["deprecated"] = True

    made = imported(change)
    assert members(made, "Thing")["made"] == members(SAMPLE, "Thing")["made"]
    assert members(made, "Thing")["tags"]["items"] == TEXT
    assert made["components"]["schemas"]["Thing"]["deprecated"] is True


def test_a_new_code_has_a_name_and_a_status() -> None:
    """Where the fragment names the values of an enum, a new value gets a name and the status of its family."""
    made = imported(
        lambda d: d["components"]["schemas"]["ErrorCode"].update(enum=["AUTH_001", "CONFLICT_009", "ODD_1"])
    )
    assert made["components"]["schemas"]["ErrorCode"]["x-enum-varnames"] == ["MISSING_KEY", "CONFLICT_009", "ODD_1"]
    assert made["components"]["schemas"]["ErrorCode"]["x-http-status"] == {
        "AUTH_001": 401,
        "CONFLICT_009": 409,
        "ODD_1": 500,
    }


def test_an_inline_enum_in_two_places() -> None:
    """Inline enums that are one enum of ours bring their values together."""

    def change(document: Node) -> None:
        members(document, "Thing")["colour"] = {"type": "string", "enum": ["red"]}
        members(document, "ThingCreate")["colour"] = {"type": "string", "enum": ["red", "blue"]}

    assert imported(change)["components"]["schemas"]["Colour"]["enum"] == ["red", "blue"]


def test_components_that_nothing_uses_go() -> None:
    """When the last user of a kind of component goes, so does the kind."""
    names = NameMap({"listThings": "GET /things"}, {name: name for name in SAMPLE["components"]["schemas"]})
    made = import_document(theirs(), SAMPLE, names, Corrections()).document
    assert made["components"].keys() == {"schemas"}
    assert "Card" not in made["components"]["schemas"]


def test_no_answers_at_all() -> None:
    """An operation without responses is no OpenAPI, and said to be none."""
    with pytest.raises(SpecError, match=r"GET|responses|paths"):
        imported(lambda d: d["paths"]["/things"]["get"].pop("responses"))


def test_a_shared_schema_at_the_root() -> None:
    """One schema as a body and as data: the message asks for two names, whichever comes first."""

    def change(document: Node) -> None:
        body = document["paths"]["/things"]["post"]["requestBody"]["content"]["application/json"]
        body["schema"] = {"$ref": f"{SCHEMAS}Thing"}

    with pytest.raises(SpecError, match=r'Thing = { response = "Thing", request = "ThingCreate" }'):
        imported(change)


def test_a_second_place_in_the_same_direction() -> None:
    """Two members of ours with classes of their own and one schema upstream: each place gets its name."""
    document = theirs(lambda d: members(d, "ThingCreate").update(other={"$ref": f"{SCHEMAS}Card"}))
    ours: Node = copy.deepcopy(SAMPLE)
    ours["components"]["schemas"]["Other"] = copy.deepcopy(ours["components"]["schemas"]["Card"])
    members(ours, "ThingCreate")["other"] = {"$ref": f"{SCHEMAS}Other"}
    names = {name: name for name in SAMPLE["components"]["schemas"] if name != "Card"}
    with pytest.raises(SpecError, match=r'Card = { request = "Card", "ThingCreate.other" = "Other" }'):
        import_document(document, ours, NameMap({}, {**names}), Corrections())


def test_shapes_at_their_edges() -> None:
    """Wrappings, cycles, unions with null, inheritance with members beside it, enums of numbers."""
    schemas: Node = {
        "A": {"type": "object", "properties": {"a": {"$ref": f"{SCHEMAS}A"}}},
        "Wrapped": {"allOf": [{"$ref": f"{SCHEMAS}A"}]},
        "Round": {"allOf": [{"$ref": f"{SCHEMAS}Round"}]},
        "Child": {"allOf": [{"$ref": f"{SCHEMAS}A"}], "properties": {"b": TEXT}, "required": ["b"]},
    }
    assert class_shape("Wrapped", schemas).kind == "object"
    assert list(class_shape("Child", schemas).schema["properties"]) == ["a", "b"]
    with pytest.raises(SpecError, match="Round: leads back to itself"):
        class_shape("Round", schemas)
    null_or_text = shape({"anyOf": [{"type": "null"}, TEXT]}, schemas, "here")
    assert (null_or_text.kind, null_or_text.nullable) == ("scalar", True)
    assert shape({"type": "string", "enum": [1, 2]}, schemas, "here").kind == "unknown"
    assert shape({"type": ["string", "null"]}, schemas, "here").nullable


def test_evidence_of_an_unknown_value() -> None:
    """A recorded list is read item by item; a catalogue with names of its own is not added to."""
    document: Node = {
        "paths": {"/x": {"get": {"operationId": "x", "responses": {"200": {"content": {"json": {
            "schema": {"type": "array", "items": {"$ref": f"{SCHEMAS}Code"}},
            "examples": {"a": {"value": ["B"]}},
        }}}}}}},
        "components": {"schemas": {"Code": {"type": "string", "enum": ["A"], "x-enum-varnames": ["AN_A"]}}},
    }  # fmt: skip
    assert believe_examples(document) == []
    assert document["components"]["schemas"]["Code"]["enum"] == ["A"]


def test_text_and_its_lines() -> None:
    """What changed is dumped in the style it had; comments above what stays, stay."""
    old = "# head\na: {x: 1}\nb:\n  c: [1]\n\n  # about d\n  d: two\ne: |\n  one\n  two\n"
    document = parse(old, "x.yaml")
    changed = {**document, "a": {"x": 2}, "b": {"d": "two", "new": {"k": "v" * 90 + " and more"}}}
    written = layout.rewrite(old, document, changed)
    assert written.startswith("# head\na: {x: 2}\nb:\n\n  # about d\n  d: two\n  new:\n    k: >-\n")
    assert written.endswith("e: |\n  one\n  two\n")
    assert parse(written, "x.yaml") == changed
    turned = {key: document[key] for key in reversed(document)}
    assert list(parse(layout.rewrite(old, document, turned), "x.yaml")) == ["e", "b", "a"]


def test_names_from_names() -> None:
    """Namespaces and endings of .NET go; plurals become one."""
    assert clean("SentDmServicesCommonContractsPOCOsTemplateDefinition") == "TemplateDefinition"
    assert clean("TemplatesCreateTemplateRequest") == "TemplatesCreateTemplate"
    assert [singular(name) for name in ("countries", "media", "addresss", "tags")] == [
        "country",
        "media",
        "addresss",
        "tag",
    ]


def test_sample_values() -> None:
    """Maps, enums, dates: a value for every type that a request can have."""
    assert sample_argument(Mapping[str, bool]) == {"key": True}
    assert isinstance(sample_argument(TemplateStatus), TemplateStatus)
    assert sample_argument(datetime) == datetime(2026, 3, 31, tzinfo=UTC)
    assert sample.value({"type": "object", "additionalProperties": {"type": "integer"}}, {}) == {"key": 1}
    assert Parity().agrees
    assert docstring("x") == '"""x"""'
