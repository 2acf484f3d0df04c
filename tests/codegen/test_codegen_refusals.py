"""``python -m codegen import`` refuses what it cannot use: a message that names the place, and nothing is written."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from codegen.__main__ import main
from codegen.corrections import read_corrections
from codegen.document import SpecError
from codegen.names import read_names
from codegen.source import read_upstream
from codegen.upstream import import_document
from tests.codegen.documents import FIXES, OCTOBER, OURS, Node, contents, imported, names, project, schema


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
