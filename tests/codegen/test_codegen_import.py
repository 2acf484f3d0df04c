"""``python -m codegen import``: a big document in the vendor's style becomes our fragment, or nothing happens."""

from __future__ import annotations

import copy
import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen import drift
from codegen.__main__ import main
from codegen.corrections import Corrections, read_corrections
from codegen.document import SpecError
from codegen.importing import LOCK
from codegen.load import load
from codegen.names import NameMap, read_names
from codegen.source import read_upstream
from codegen.upstream import Imported, import_document

Node = dict[str, Any]

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
MARCH, OCTOBER = FOLDER / "upstream-2026-03.json", FOLDER / "upstream-2026-10.json"
OURS = load(ROOT / drift.FRAGMENT)
FIXES = read_corrections(ROOT / "openapi/corrections.toml")
SCHEMAS = "#/components/schemas/"


def project(folder: Path) -> Path:
    """Our project without its package: what an import reads and writes."""
    shutil.copytree(ROOT / "openapi", folder / "openapi")
    (folder / LOCK).unlink()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names() -> NameMap:
    """The committed map."""
    return read_names(ROOT / "openapi/names.toml")


def imported(change: Callable[[Node], object], fixes: Corrections = FIXES, map_: NameMap | None = None) -> Imported:
    """The fragment of October's document after a change to it."""
    document = read_upstream(OCTOBER)
    change(document)
    return import_document(document, OURS, map_ or names(), fixes)


def schema(document: Node, name: str) -> Node:
    """A component."""
    found: Node = document["components"]["schemas"][name]
    return found


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


def pointing(ref: str) -> Callable[[Node], None]:
    """A change that puts a reference into a profile."""
    return lambda document: schema(document, "ProfileDetail")["properties"].update(x={"$ref": ref})


def setting(*path: str, to: object) -> Callable[[Node], None]:
    """A change that puts something somewhere."""

    def change(document: Node) -> None:
        node = document
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = to

    return change


LIST_PROFILES = ("paths", "/v3/profiles", "get")
BAD: dict[str, tuple[Callable[[Node], object], str]] = {
    "another version": (setting("openapi", to="2.0"), "upstream.json openapi: must be 3.0.x or 3.1.x, not '2.0'"),
    "no paths": (lambda d: d.pop("paths"), "upstream.json paths: is missing"),
    "components of another kind": (setting("components", to=[]), "upstream.json components: is no mapping"),
    "a path of another kind": (setting("paths", "/v3/x", to=[]), "paths /v3/x: is not a mapping of operations"),
    "invalid": (setting(*LIST_PROFILES, "tags", to=5), "upstream.json #/paths/~1v3~1profiles/get/tags: 5 is not"),
    "dangling reference": (pointing("#/components/schemas/Nope"), "'#/components/schemas/Nope' points at nothing"),
    "foreign reference": (pointing("https://a.b/c"), "leaves the document"),
    "a reference into a schema": (pointing("#/components/schemas/ApiMeta/properties"), "points at nothing"),
    "no id": (lambda d: d["paths"]["/v3/profiles"]["get"].pop("operationId"), "GET /v3/profiles: has no operationId"),
    "vanished path": (
        lambda d: d["paths"].pop("/v3/profiles"),
        "GET /v3/profiles: is no longer in the document. Like it:",
    ),
    "no envelope": (
        setting(*LIST_PROFILES, "responses", "200", "content", "application/json", "schema", to={"type": "string"}),
        "listProfiles 200: answers without an envelope",
    ),
    "no object as a body": (
        setting(
            "paths",
            "/v3/profiles",
            "post",
            "requestBody",
            "content",
            "application/json",
            "schema",
            to={"type": "string"},
        ),
        "createProfile requestBody: must be an object",
    ),
    "inheritance from text": (
        setting(
            "components",
            "schemas",
            "ProfileDetail",
            "properties",
            "x",
            to={"allOf": [{"type": "string"}, {"type": "integer"}]},
        ),
        "allOf can only join objects",
    ),
    "a schema of another kind": (
        lambda d: setting("components", "schemas", "ProfileDetail", "properties", to={"x": [1]})(d),
        "ProfileDetail/properties/x: [1] is not valid",
    ),
    "unmapped name": (
        lambda d: (
            setting("components", "schemas", "New", to={"properties": {"a": {"type": "string"}}})(d),
            pointing("#/components/schemas/New")(d),
        ),
        'New = "ProfileX"',
    ),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD.keys())
def test_bad_documents(tmp_path: Path, change: Callable[[Node], object], message: str) -> None:
    """One message that names the place."""
    document = json.loads(OCTOBER.read_text(encoding="utf-8"))
    change(document)
    (tmp_path / "upstream.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(SpecError) as raised:
        import_document(read_upstream(tmp_path / "upstream.json"), OURS, names(), FIXES, "upstream.json")
    assert message in str(raised.value)


@pytest.mark.parametrize("case", ["not JSON", "vanished path", "unmapped name"])
def test_bad_input_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    """Exit code 2, and not one byte written."""
    root = project(tmp_path / "p")
    document = json.loads(OCTOBER.read_text(encoding="utf-8"))
    if case in BAD:
        BAD[case][0](document)
    text = json.dumps(document) if case in BAD else BAD_TEXTS[case][0]
    (tmp_path / "upstream.json").write_text(text, encoding="utf-8")
    before = contents(root)
    assert main(["--root", str(root), "import", str(tmp_path / "upstream.json")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and (BAD[case][1] if case in BAD else "Expecting value") in error
    assert contents(root) == before


BAD_TEXTS = {
    "YAML bomb": ("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "upstream.txt:2:8: aliases are refused"),
    "not YAML": ("a: [", "upstream.txt:2:1: "),
    "not JSON": ('{"a": }', "upstream.txt:1:7: Expecting value"),
    "deep JSON": ('{"a":' * 100_000, "upstream.txt: is nested too deeply"),
    "deep YAML": ("[" * 100_000, "upstream.txt:1:101: is nested too deeply"),
    "a list": ("- a\n", "upstream.txt: is not a mapping"),
    "empty": ("", "upstream.txt: is not a mapping"),
    "twice the same key": ('{"a": 1, "a": 2}', "upstream.txt: duplicate key 'a'"),
    "odd bytes": ("a: \x00", "upstream.txt: is not YAML"),
    "a date for a version": ("openapi: 2026-01-01\n", "must be 3.0.x or 3.1.x, not '2026-01-01'"),
}


@pytest.mark.parametrize(("text", "message"), BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
def test_bad_texts(tmp_path: Path, text: str, message: str) -> None:
    """What cannot be read is refused with its line."""
    (tmp_path / "upstream.txt").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as raised:
        read_upstream(tmp_path / "upstream.txt")
    assert message in str(raised.value)


def test_missing_document(tmp_path: Path) -> None:
    """No file is bad input like any other."""
    with pytest.raises(SpecError, match="nowhere: cannot be read"):
        read_upstream(tmp_path / "nowhere")


def test_two_schemas_with_one_name() -> None:
    """Two of the vendor's schemas cannot be the same class of ours."""
    map_ = names()
    map_.schemas["PaginationMeta"] = "Profile"
    with pytest.raises(SpecError, match="are both named 'Profile'"):
        imported(lambda _: None, map_=map_)


def test_inline_objects_at_odds() -> None:
    """Two inline objects that would have one name are refused."""

    def change(document: Node) -> None:
        inline = {"type": "object", "properties": {"a": {"type": "string"}}}
        schema(document, "ProfileDetail")["properties"] |= {"extras": inline, "extra": copy.deepcopy(inline)}

    with pytest.raises(SpecError, match="an inline object that would be 'ProfileExtra'"):
        imported(change)


BAD_FILES = {
    "names.toml": {
        "[": "names.toml: cannot be read",
        "operations = 1": "names.toml operations: must be a table",
        "[operations]\na = 'FETCH /x'": "names.toml operations.a: must be like",
        "[schemas]\nA = 'b c'": "names.toml schemas.A: must be a name in CamelCase",
    },
    "corrections.toml": {
        "[[other]]\nreason = 'x'": "corrections.toml other: is neither",
        "[[correction]]\nrequired = []": "corrections.toml correction 1: has no reason",
        "[[correction]]\nreason = 'x'\nrequierd = []": "'requierd' is unknown or of the wrong type",
    },
}


@pytest.mark.parametrize(("file", "text"), [(f, t) for f, texts in BAD_FILES.items() for t in texts])
def test_bad_maps(tmp_path: Path, file: str, text: str) -> None:
    """A map or a correction that cannot be meant is refused with its place."""
    (tmp_path / file).write_text(text, encoding="utf-8")
    read = read_names if file == "names.toml" else read_corrections
    with pytest.raises(SpecError) as raised:
        read(tmp_path / file)
    assert BAD_FILES[file][text] in str(raised.value)
