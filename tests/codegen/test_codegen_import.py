"""``python -m codegen import``: a big document in the vendor's style becomes our fragment."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path

import pytest
import yaml

from codegen import drift
from codegen.__main__ import main
from codegen.corrections import Corrections
from codegen.document import SpecError
from codegen.importing import LOCK
from codegen.names import NameMap
from codegen.source import read_upstream
from codegen.upstream import import_document
from tests.codegen.documents import (
    FIXES,
    MARCH,
    OCTOBER,
    OURS,
    ROOT,
    SCHEMAS,
    Node,
    contents,
    imported,
    names,
    project,
    schema,
)


@pytest.mark.parametrize("upstream", [MARCH, OCTOBER], ids=lambda path: path.stem)
def test_a_whole_document(upstream: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The vendor's document, old or new, gives our fragment to the letter; the lock says which; again is no change."""
    root = project(tmp_path)
    assert main(["--root", str(root), "import", str(upstream)]) == 0
    assert (root / drift.FRAGMENT).read_bytes() == (ROOT / drift.FRAGMENT).read_bytes()
    lock = tomllib.loads((root / LOCK).read_text(encoding="utf-8"))["upstream"]
    assert lock["file"] == upstream.name and len(lock["sha256"]) == 64 and lock["operations"] == 15
    if upstream == OCTOBER:
        after = contents(root)
        assert main(["--root", str(root), "import", str(upstream)]) == 0
        assert contents(root) == after
        assert "already up to date" in capsys.readouterr().out


def test_the_committed_copy_is_imported() -> None:
    """Fragment and lock are what the committed upstream copy gives."""
    lock = tomllib.loads((ROOT / LOCK).read_text(encoding="utf-8"))["upstream"]
    made = import_document(read_upstream(ROOT / "openapi/upstream.json"), OURS, names(), FIXES)
    assert made.document == OURS
    assert lock["version"] == read_upstream(ROOT / "openapi/upstream.json")["info"]["version"]


def test_names_from_nothing() -> None:
    """Pasting every suggestion of an import without any names gives the committed fragment."""
    for upstream in (MARCH, OCTOBER):
        with pytest.raises(SpecError, match="schemas need a name") as raised:
            import_document(read_upstream(upstream), OURS, NameMap({}, {}), FIXES)
        pasted = tomllib.loads(str(raised.value).split("\n", 1)[1])
        assert import_document(read_upstream(upstream), OURS, NameMap({}, pasted), FIXES).document == OURS


def test_new_names_are_suggested() -> None:
    """A schema that is new is named after what holds it, or after itself, and never like another."""

    def change(document: Node) -> None:
        schemas = document["components"]["schemas"]
        schemas["ExtraThing"] = {"type": "object", "properties": {"a": {"type": "string"}}}
        schemas["ExtraEnum"] = {"type": "string", "enum": ["A"]}
        schemas["BrandsDocumentResponse"] = copy.deepcopy(schemas["ExtraThing"])
        properties = schema(document, "BrandWithKyc")["properties"]
        properties["documents"] = {"type": "array", "items": {"$ref": f"{SCHEMAS}BrandsDocumentResponse"}}
        properties["extra"] = {"$ref": f"{SCHEMAS}ExtraEnum"}
        properties["contact_copy"] = {"$ref": f"{SCHEMAS}BrandsBrandContact"}
        schema(document, "ProfilesCreateProfileRequest")["properties"]["extra"] = {"$ref": f"{SCHEMAS}ExtraEnum"}
        schema(document, "ProfilesCreateProfileRequest")["properties"]["extraThing"] = {"$ref": f"{SCHEMAS}ExtraThing"}
        schema(document, "ProfileDetail")["properties"]["extraThing"] = {"$ref": f"{SCHEMAS}ExtraThing"}

    with pytest.raises(SpecError) as raised:
        imported(change)
    pasted = tomllib.loads(str(raised.value).split("\n", 1)[1])
    assert pasted == {
        "BrandsBrandContact": {"request": "BrandContactData", "response": "BrandContactCopy"},
        "BrandsDocumentResponse": "BrandDocument",
        "ExtraEnum": "ExtraEnum",
        "ExtraThing": {"response": "ProfileExtraThing", "request": "ProfileCreateExtraThing"},
    }
    assert "replaces the line that is there" in str(raised.value)
    map_ = names()
    map_.schemas.update(pasted)
    made = imported(change, map_=map_).document
    assert {"BrandDocument", "ProfileExtraThing", "ProfileCreateExtraThing"} <= set(made["components"]["schemas"])
    drift.files_of(made, b"")


def test_the_vendors_habits() -> None:
    """Null beside a reference, unions of one, inline objects and enums, untyped members, odd media types."""

    def change(document: Node) -> None:
        detail = schema(document, "ProfileDetail")["properties"]
        detail["a"] = {"nullable": True, "allOf": [{"$ref": f"{SCHEMAS}BillingContactInfo"}]}
        detail["b"] = {"$ref": f"{SCHEMAS}BillingContactInfo", "nullable": True}
        detail["c"] = {"oneOf": [{"$ref": f"{SCHEMAS}BillingContactInfo"}, {}], "nullable": True}
        detail["d"] = {
            "type": "object",
            "nullable": True,
            "properties": {"x_y": {"type": "string", "enum": ["A", "B"]}},
        }
        detail["e"] = {"nullable": True}
        detail["f"] = {"oneOf": [{"type": "string"}, {"type": "integer"}]}
        detail["g"] = {"type": "integer", "enum": [0, 1], "x-enumNames": ["Off", "On"], "description": " A switch. "}
        detail["h"] = {"$ref": f"{SCHEMAS}Guid"}
        detail["i"] = {"type": "array", "items": {}}
        detail["j"] = {"oneOf": [{"$ref": f"{SCHEMAS}BillingContactInfo"}, {"$ref": f"{SCHEMAS}ApiMeta"}]}
        detail["k"] = {"type": "object", "additionalProperties": {"type": "integer", "format": "int64"}}
        detail["l"] = {"type": "array", "items": {"type": "string", "enum": ["x", None]}, "deprecated": True}
        schema(document, "BillingContactInfo")["deprecated"] = True
        document["components"]["schemas"]["Guid"] = {"type": "string", "format": "uuid"}
        document["components"]["schemas"]["Wrapper"] = {"allOf": [{"$ref": f"{SCHEMAS}ProfileDetail"}]}
        operation = document["paths"]["/v3/profiles"]["post"]
        operation["requestBody"]["content"] = {"application/*+json": operation["requestBody"]["content"].popitem()[1]}

    made = imported(change)
    members = made.document["components"]["schemas"]["Profile"]["properties"]
    billing = {"anyOf": [{"$ref": f"{SCHEMAS}ProfileBillingContact"}, {"type": "null"}]}
    for key in "abc":
        assert members[key] == {"description": members[key]["description"], **billing}
    assert members["d"]["anyOf"][0] == {"$ref": f"{SCHEMAS}ProfileD"}
    assert made.document["components"]["schemas"]["ProfileD"]["properties"]["x_y"]["$ref"] == f"{SCHEMAS}ProfileDXY"
    assert "e" not in members and "i" not in members and "j" not in members
    assert members["f"]["type"] == ["string", "integer"]
    assert members["g"] == {"description": "A switch.", "type": "integer"}
    assert members["h"]["type"] == "string" and "format" not in members["h"]
    assert members["k"]["additionalProperties"] == {"type": "integer"}
    assert members["l"]["items"] == {"anyOf": [{"$ref": f"{SCHEMAS}ProfileL"}, {"type": "null"}]}
    assert members["l"]["deprecated"] is True
    assert "Profile.e has no type that can be used and is left out" in made.notes
    drift.files_of(made.document, b"")


def test_recorded_payloads_win() -> None:
    """What a payload does without is not required, and what it has as null may be null, whatever the document says."""

    def change(document: Node) -> None:
        schema(document, "TemplatesUpdateTemplateRequest")["required"] = ["more"]
        schema(document, "TemplatesUpdateTemplateRequest")["properties"]["more"] = {"type": "string"}
        schema(document, "SentDmServicesCommonContractsPOCOsTemplateBodyContent")["properties"]["type"].pop("nullable")
        schema(document, "SentDmServicesCommonContractsPOCOsTemplateDefinition")["properties"]["header"] = {
            "$ref": f"{SCHEMAS}SentDmServicesCommonContractsPOCOsTemplateHeader"
        }
        schema(document, "MessagingUseCaseUs")["enum"].remove("ACCOUNT_NOTIFICATION")
        schema(document, "TemplatesDeleteTemplateRequest")["required"] = ["delete_from_meta", "extra"]
        schema(document, "TemplatesDeleteTemplateRequest")["properties"]["extra"] = {"type": "string"}

    made = imported(change)
    schemas = made.document["components"]["schemas"]
    assert schemas["TemplateBodyContent"]["properties"]["type"]["type"] == ["string", "null"]
    assert "anyOf" in schemas["TemplateDefinition"]["properties"]["header"]
    assert "ACCOUNT_NOTIFICATION" in schemas["MessagingUseCaseUs"]["enum"]
    assert "required" not in schemas["TemplateUpdate"]
    assert schemas["TemplateDelete"]["required"] == ["delete_from_meta"]
    assert sum("recorded payload" in note for note in made.notes) >= 4


def test_operations_come_and_go() -> None:
    """The map decides what is covered: a line more is an operation with all that the house wants of one."""

    def change(document: Node) -> None:
        operation = document["paths"]["/v3/templates/{id}/duplicate"]["post"]
        operation["parameters"] += [
            {"name": "copies", "in": "query", "required": True, "schema": {"type": "integer", "format": "int32"}},
            {"name": "kind", "in": "query", "schema": {"$ref": f"{SCHEMAS}TcrVertical"}},
            {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        ]
        operation["requestBody"]["content"]["application/json"]["schema"] = {
            "type": "object",
            "properties": {"name": {"type": "string"}},
        }
        document["paths"]["/v3/odd/{oddId}"] = {
            "parameters": [{"name": "oddId", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {**document["paths"]["/v3/profiles/{profileId}"]["get"], "parameters": [], "summary": None},
        }
        del document["paths"]["/v3/odd/{oddId}"]["get"]["summary"]

    map_ = names()
    del map_.operations["deleteTemplate"]
    map_.operations |= {"duplicateTemplate": "POST /v3/templates/{x}/duplicate", "retrieveOdd": "GET /v3/odd/{oddId}"}
    fixes = Corrections(**{**vars(FIXES), "python_name": {"duplicateTemplate.tags": "labels"}})
    made = imported(change, fixes, map_).document
    assert "delete" not in made["paths"]["/v3/templates/{id}"]
    operation = made["paths"]["/v3/templates/{id}/duplicate"]["post"]
    assert (operation["x-rate-tier"], operation["x-idempotency"], operation["tags"]) == (
        "standard",
        "automatic",
        ["templates"],
    )
    by_name = {p.get("name", p.get("$ref")): p for p in operation["parameters"]}
    assert next(iter(by_name)) == "#/components/parameters/TemplateId" and "required" not in by_name["copies"]
    assert "One of `PROFESSIONAL`" in by_name["kind"]["description"]
    assert by_name["tags"]["x-python-name"] == "labels"
    assert (
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"] == f"{SCHEMAS}DuplicateTemplateBody"
    )
    assert (
        operation["responses"]["201"]["content"]["application/json"]["schema"]["$ref"] == f"{SCHEMAS}TemplateEnvelope"
    )
    assert made["paths"]["/v3/odd/{oddId}"]["get"]["summary"] == "Retrieve odd"
    drift.files_of(made, b"")


def test_data_of_another_kind() -> None:
    """A new class in an envelope makes one of its own; data without a class, or without a type, changes nothing."""

    def change(document: Node) -> None:
        schemas = document["components"]["schemas"]
        schemas["Fresh"] = {"type": "object", "properties": {"id": {"type": "string"}}}
        schema(document, "ApiResponseOfListOfBrandCampaign")["properties"]["data"]["items"] = {
            "$ref": f"{SCHEMAS}Fresh"
        }
        schema(document, "ApiResponseOfProfilesCompleteProfileResponse")["properties"]["data"] = {"type": "boolean"}
        schema(document, "ApiResponseTemplate")["properties"].pop("data")
        document["paths"]["/v3/profiles"]["get"]["responses"] = {"default": {"description": "Whatever."}}
        document["paths"]["/v3/profiles/{profileId}"]["delete"].pop("requestBody")

    map_ = names()
    map_.schemas["Fresh"] = "Fresh"
    made = imported(change, map_=map_)
    listed = made.document["paths"]["/v3/profiles/{profileId}/campaigns"]["get"]["responses"]["200"]
    assert listed["content"]["application/json"]["schema"]["$ref"] == f"{SCHEMAS}FreshListEnvelope"
    assert any("data is a scalar" in note for note in made.notes)
    assert "ProfileCompletion" in made.document["components"]["schemas"]
    assert "requestBody" in made.document["paths"]["/v3/profiles/{profileId}"]["delete"]
    without = imported(change, FIXES.without_tolerances(), map_).document
    assert "requestBody" not in without["paths"]["/v3/profiles/{profileId}"]["delete"]


def test_yaml_is_read_too(tmp_path: Path) -> None:
    """The same document as YAML, with numbers for status codes, gives the same fragment."""
    text = yaml.safe_dump(json.loads(OCTOBER.read_text(encoding="utf-8")), sort_keys=False).replace("'200':", "200:")
    (tmp_path / "october.yaml").write_text(text, encoding="utf-8")
    document = read_upstream(tmp_path / "october.yaml")
    assert import_document(document, OURS, names(), FIXES).document == OURS


def test_output_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--output`` the project is left alone, so that the difference can be looked at first."""
    root = project(tmp_path / "p")
    before = contents(root)
    assert main(["--root", str(root), "import", str(OCTOBER), "--output", str(tmp_path / "new.yaml")]) == 0
    assert contents(root) == before
    assert "is as it was" in capsys.readouterr().out
    assert (tmp_path / "new.yaml").read_bytes() == (ROOT / drift.FRAGMENT).read_bytes()
