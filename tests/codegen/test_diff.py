"""``python -m codegen diff``: any two documents, change by change, and the forms of the report."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.__main__ import main
from codegen.diff.compare import compare
from codegen.diff.report import FORMATS, Change, Report, render
from codegen.importer.names import read_names
from codegen.importer.overlay import apply_overlay, read_overlay
from codegen.importer.source import read_source, used_part
from codegen.openapi import METHODS, Node, nodes

ROOT = Path(__file__).parents[2]
DOCUMENTS = Path(__file__).with_name("documents")
FRAGMENT = ROOT / "openapi/sent-v3.yaml"


@cache
def document(name: str) -> Node:
    """One of the documents: march, october, sdk, ours or things."""
    if name == "october":
        changed, _ = apply_overlay(document("march"), read_overlay(DOCUMENTS / "october-2026.overlay.yaml"), "october")
        return changed
    files = {
        "march": DOCUMENTS / "march-2026.yaml",
        "sdk": DOCUMENTS / "sdk-0.46.json",
        "ours": FRAGMENT,
        "things": DOCUMENTS / "things/openapi/sent-v3.yaml",
        "vendor": DOCUMENTS / "things/vendor.yaml",
    }
    return read_source(str(files[name]), ROOT).document


def changes(name: str, change: Callable[[Node], object]) -> list[Change]:
    """The report on a document after a change."""
    changed = copy.deepcopy(document(name))
    change(changed)
    return list(compare(document(name), changed).changes)


def schema(found: Node, name: str) -> Node:
    """A component."""
    node: Node = found["components"]["schemas"][name]
    return node


def member(place: str, **said: Any) -> Callable[[Node], object]:
    """Set keys of a member, ``Thing.name``."""
    name, key = place.split(".")
    return lambda found: schema(found, name)["properties"].setdefault(key, {}).update(said)


# The vendor's changes of March to October 2026 that a document can show: place, kind, effect.
PROFILES = ["/v3/profiles", "/v3/profiles/{profileId}", "/v3/profiles/{profileId}/campaigns"]
DEPRECATED = [
    *(f"{method} {PROFILES[0]}" for method in ("GET", "POST")),
    *(f"{method} {PROFILES[1]}" for method in ("GET", "PATCH", "DELETE")),
    f"POST {PROFILES[1]}/complete",
    *(f"{method} {PROFILES[2]}" for method in ("GET", "POST")),
    *(f"{method} {PROFILES[2]}/{{campaignId}}" for method in ("PUT", "DELETE")),
]
GONE = ["cspId", "kycSubmissionFormId", "resellerId", "telnyxCampaignId", "upstreamCnpId", "sharingStatus"]
NEW = ["volume", "hasSubmissionTransaction", "dcaElectionsComplete", "dcaElectionsCompletedAt"]
SHARING = ["allow_contact_sharing", "allow_template_sharing", "inherit_contacts", "inherit_templates"]
SENDING = ["sending_phone_number_profile_id", "sending_whatsapp_number_profile_id"]
NOTHING, ATTRIBUTE, ARGUMENT = "nothing", "new attribute", "new optional argument"
TYPE, BREAKS = "type change", "call site breaks"
YEAR: list[tuple[str, str, str]] = [
    ("ProfilesListProfilesResponse.pagination", "added", ATTRIBUTE),
    *((place, "deprecated", NOTHING) for place in DEPRECATED),
    *((f"ProfilesCreateProfileRequest.{key}", "deprecated", NOTHING) for key in SHARING),
    *((f"ProfilesUpdateProfileRequest.{key}", "deprecated", NOTHING) for key in (*SHARING, *SENDING)),
    *((f"ProfilesCreateProfileRequest.{key}", "changed", NOTHING) for key in SHARING[:2]),
    ("BrandComplianceInfo.expected_messaging_volume", "removed", BREAKS),
    ("BrandsBrandCompliance.expectedMessagingVolume", "removed", BREAKS),
    ("BrandsBrandCompliance.primaryUseCase", "removed", BREAKS),
    ("BrandWithKyc.csp_id", "deprecated", NOTHING),
    *((f"TcrCampaignWithUseCases.{key}", "removed", BREAKS) for key in GONE),
    *((f"TcrCampaignWithUseCases.{key}", "added", ATTRIBUTE) for key in NEW),
    ("BrandsCampaignData.volume", "added", ARGUMENT),
    ("TemplateResponse.customer_id", "added", ATTRIBUTE),
    ("TemplateResponse.auto_reply_action", "added", ATTRIBUTE),
    *((f"EnumsTemplateStatus.{value}", "added", ATTRIBUTE) for value in ("PAUSED", "DISABLED", "REVOKED")),
    *((f"TemplateResponseChannelsItem.{value}", "added", ATTRIBUTE) for value in ("rcs", "mms")),
    *((f"TemplateBody.{key}", "added", ARGUMENT) for key in ("rcs", "mms")),
    ("TemplateHeader.example_url", "added", ARGUMENT),
    ("TemplateHeader.location", "added", ARGUMENT),
    ("TemplatesCreateTemplateRequest.auto_create_for_sp", "added", ARGUMENT),
    ("GET /v3/templates.page", "changed", NOTHING),
    ("GET /v3/templates.page_size", "changed", NOTHING),
    ("GET /v3/templates.is_welcome_playground", "deprecated", NOTHING),
]


def test_the_year_row_by_row() -> None:
    """Each change of 2026 is reported, and what else is reported comes from requests that require more on paper."""
    report = compare(document("march"), document("october"))
    found = {(change.place, change.kind, change.effect) for change in report.changes}
    assert sorted(set(YEAR) - found) == []
    along = ("TemplateButtonProps.", "TemplateHeader.", "TemplateBody.", "TemplateVariableProps.", "TcrCampaign")
    rest = sorted(place for place, _, _ in found - set(YEAR) if not place.startswith(along))
    assert rest == []
    assert report.bump == "major"


def test_operations_of_a_change() -> None:
    """A member's change says which operations send or receive it."""
    report = compare(document("march"), document("october"))
    change = next(change for change in report.changes if change.place == "BrandsCampaignData.volume")
    assert change.operations == (f"POST {PROFILES[2]}", f"PUT {PROFILES[2]}/{{campaignId}}")


def test_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Terminal, Markdown and JSON say the same; the exit status tells breaking from harmless."""
    october = tmp_path / "october.json"
    october.write_text(json.dumps(document("october")), encoding="utf-8")
    march = str(DOCUMENTS / "march-2026.yaml")
    report = compare(document("march"), document("october"), read_names(ROOT / "openapi/names.toml").covered)
    for form in FORMATS:
        assert main(["diff", march, str(october), "--format", form]) == 1
        assert capsys.readouterr().out == render(report, form)
    said = render(report, "markdown")
    assert said.startswith("### Spec\n")
    assert "| removed: the attribute is gone; older clients read None | **call site breaks** | major |" in said
    assert json.loads(render(report, "json"))["breaking"] is True
    assert "Suggested version bump: major." in render(report, "terminal")


def test_the_same_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """No change is status 0 and one line."""
    assert main(["diff", str(FRAGMENT), str(FRAGMENT), "--format", "markdown"]) == 0
    assert "No change that concerns a caller." in capsys.readouterr().out


def test_d3_formats() -> None:
    """A format that changes the type in Python is a type change; another is mentioned."""
    for form, kind in (("date", "date"), ("time", "time"), ("duration", "timedelta"), ("password", "Secret")):
        (change,) = changes("things", member("Thing.made_at", format=form))
        assert (change.text, change.effect) == (f"datetime | None is now {kind} | None", TYPE)
    (change,) = changes("things", member("ThingCreate.name", format="email"))
    assert (change.text, change.bump) == ("format none is now email", "patch")
    (change,) = changes("things", member("ThingCreate.name", **{"x-secret": True}))
    assert change.text == "str is now Secret"


# D8: no names, no idle schemas, any form, any place.


def test_d8_moved_and_removed() -> None:
    """An operation is known by method and path, and by its id when it moved; one that went is removed."""

    def moved(found: Node) -> None:
        found["paths"]["/v4/things/{key}"] = found["paths"].pop("/v3/things/{id}")
        found["paths"]["/v3/new"] = {"get": {"responses": {"200": {"description": ""}}}}
        del found["paths"]["/v3/things"]["post"]

    found = {(change.place, change.text, change.bump) for change in changes("vendor", moved)}
    assert ("GET /v4/things/{key}", "moved: GET /v3/things/{id} is now GET /v4/things/{key}", "major") in found
    assert ("POST /v3/things", "POST /v3/things is gone", "major") in found
    assert ("GET /v3/new", "GET /v3/new is new", "minor") in found


def test_d8_names_of_parameters_classes_and_ids_do_not_count() -> None:
    """The vendor may rename schemas, path parameters and operation ids: no caller of ours sees them."""

    def renamed(found: Node) -> None:
        text = json.dumps(found).replace("ThingResponse", "Item").replace("AcmeThings", "Other").replace("{id}", "{x}")
        found.clear()
        found.update(json.loads(text))

    assert changes("vendor", renamed) == []


def test_d8_uncovered_operations_are_listed_apart() -> None:
    """What breaks in an operation that we do not cover is not our callers' break."""
    changed = copy.deepcopy(document("vendor"))
    del changed["paths"]["/v3/things"]
    names = read_names(DOCUMENTS / "things/openapi/names.toml").covered
    only = {key: name for key, name in names.items() if name == "retrieveThing"}
    report = compare(document("vendor"), changed, only)
    assert report.changes == () and {change.kind for change in report.apart} == {"removed"}
    assert not report.is_breaking
    for form in FORMATS[:2]:
        assert "Not covered by this client:" in render(report, form)
    assert "2 changes in operations that this client does not cover" in render(report, "terminal")
    assert {change.place for change in compare(document("vendor"), changed, names).changes} == {
        "listThings",
        "createThing",
    }


def test_d8_revisions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """OLD and NEW may be revisions of git, bare or with a path, of several files; anything else is unusable."""

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    source = DOCUMENTS / "things/openapi"
    target = tmp_path / "openapi"
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "theirs.yaml").write_text(
        (DOCUMENTS / "things/vendor.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    things = (target / "things.yaml").read_text(encoding="utf-8")
    (target / "things.yaml").write_text(
        things.replace("enum: [red, green]", "enum: [red, green, blue]"), encoding="utf-8"
    )
    for old in ("HEAD", "HEAD:openapi/sent-v3.yaml"):
        assert main(["--root", str(tmp_path), "diff", old]) == 0
        assert "Colour.blue: new value" in capsys.readouterr().out
    assert main(["--root", str(tmp_path), "diff", "HEAD:theirs.yaml", str(DOCUMENTS / "things/vendor.yaml")]) == 0
    for bad in ("nowhere", "HEAD:nothing.yaml", "HEAD:none/x.yaml", "--help-me"):
        assert main(["--root", str(tmp_path), "diff", "--", bad]) == 2
        assert f"error: {bad}: " in capsys.readouterr().err


def written(found: Node, version: str, form: str, folder: Path) -> str:
    """A document in another spelling."""
    content = copy.deepcopy(found)
    content["openapi"] = version
    if version.startswith("3.1"):
        for node in nodes(content):
            if node.pop("nullable", None):
                plain = dict(node)
                node.clear()
                typed = isinstance(plain.get("type"), str)
                node.update(
                    {**plain, "type": [plain["type"], "null"]} if typed else {"anyOf": [plain, {"type": "null"}]}
                )
    target = folder / f"{version}.{form}"
    text = json.dumps(content) if form == "json" else yaml.safe_dump(content)
    target.write_text(text, encoding="utf-8-sig")
    return str(target)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_d8_spellings(version: str, form: str, tmp_path: Path) -> None:
    """JSON or YAML, 3.0 or 3.1: the same document is the same."""
    source = written(document("march"), version, form, tmp_path)
    assert main(["diff", str(DOCUMENTS / "march-2026.yaml"), source]) == 0


@pytest.mark.parametrize("old", ["march", "october", "sdk", "ours"])
@pytest.mark.parametrize("new", ["march", "october", "sdk", "ours"])
def test_d8_any_two(old: str, new: str) -> None:
    """Any two documents compare, and each with itself is no change."""
    report = compare(used_part(document(old), old), used_part(document(new), new))
    assert (not report.changes) == (old == new)


class Mutated(dict[str, Any]):
    """A document whose repr is short: what was done to it."""

    said: list[str]

    def __repr__(self) -> str:
        return "; ".join(self.said)


@st.composite
def mutations(draw: st.DrawFn) -> Mutated:
    """One of the documents with some of its nodes changed, so that it is still OpenAPI."""
    base = draw(st.sampled_from(["march", "october", "sdk"]))
    found = Mutated(copy.deepcopy(document(base)))
    found.said = [base]
    for _ in range(draw(st.integers(1, 6))):
        schemas: Node = found["components"]["schemas"]
        name = draw(st.sampled_from(sorted(schemas)))
        path = draw(st.sampled_from(sorted(found["paths"])))
        item: Node = found["paths"][path]
        method = draw(st.sampled_from(sorted(key for key in item if key in METHODS)))
        leaves: list[Node] = [
            {"type": "string"},
            {"type": "integer", "enum": [1]},
            {},
            {"type": "array", "items": {}},
            {"type": "object"},
        ]
        value: Node = draw(
            st.sampled_from(
                [
                    *leaves,
                    {"type": "string", "format": "date", "enum": ["a", "b"]},
                    {"oneOf": [{"$ref": f"#/components/schemas/{name}"}, {"type": "integer"}]},
                    {"allOf": [{"$ref": f"#/components/schemas/{name}"}, {"type": "object", "properties": {"z": {}}}]},
                    {"anyOf": [{"type": "string"}, {"type": "number"}]},
                    {"$ref": f"#/components/schemas/{draw(st.sampled_from(sorted(schemas)))}"},
                ]
            )
        )
        number = draw(st.integers(0, 7))
        found.said.append(f"{number}: {name} {method} {path} {value}")
        match number:
            case 0:
                schemas[name] = {k: v for k, v in value.items() if k != "$ref"}
            case 1 if schemas[name].get("properties"):
                schemas[name]["properties"][draw(st.sampled_from(sorted(schemas[name]["properties"])))] = value
            case 2 if schemas[name].get("properties"):
                del schemas[name]["properties"][draw(st.sampled_from(sorted(schemas[name]["properties"])))]
            case 3:
                found["paths"][f"/v9{path}"] = found["paths"].pop(path)
            case 4 if len(item) > 1:
                del item[method]
            case 5:
                item[method]["parameters"] = [{"name": "new", "in": "query", "required": True, "schema": value}]
            case 6:
                item[method]["responses"] = {
                    "200": {"description": "", "content": {"application/json": {"schema": value}}}
                }
            case _:
                item[method]["requestBody"] = {"content": {"application/json": {"schema": value}}}
    return found


@given(mutations(), st.sampled_from(["march", "october", "sdk", "ours"]))
@settings(max_examples=60, deadline=None)
def test_d8_mutations_are_never_unusable(mutated: Node, other: str) -> None:
    """A valid document, whatever it says, compares with any other, both ways, and with itself is no change."""
    part = used_part(mutated, "mutated")
    for report in (compare(document(other), part), compare(part, document(other))):
        assert report.bump in ("major", "minor", "patch", "none")
        assert all(render(report, form) for form in FORMATS)
    assert compare(part, copy.deepcopy(part)) == Report(())


def test_an_object_without_a_name_may_hold_itself() -> None:
    """It is compared once, although each time it stands at a longer place."""
    itself = {"allOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "object", "properties": {"z": {}}}]}
    found = copy.deepcopy(document("things"))
    schema(found, "Thing")["properties"]["inner"] = itself
    assert compare(found, copy.deepcopy(found)) == Report(())


def test_what_says_nothing_is_not_compared() -> None:
    """A webhook without a payload, and a response whose form we do not read in either document."""
    found = copy.deepcopy(document("things"))
    found["webhooks"] = {"ping": {"post": {"responses": {"200": {"description": ""}}}}}
    content = {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}
    found["paths"]["/v3/things"]["get"]["responses"]["200"] = {"description": "", "content": content}
    assert compare(found, copy.deepcopy(found)) == Report(())


def test_a_name_that_is_spelled_out_is_no_change() -> None:
    """A parameter that is called ``class`` is ``class_`` in Python, said or not."""
    found = copy.deepcopy(document("things"))
    found["paths"]["/v3/things"]["get"]["parameters"].append(
        {"name": "class", "in": "query", "schema": {"type": "string"}}
    )
    said = copy.deepcopy(found)
    said["paths"]["/v3/things"]["get"]["parameters"][-1]["x-python-name"] = "class_"
    assert compare(found, said) == Report(())


# Each kind of change.

LISTING = ("paths", "/v3/things", "get")
CREATE = ("paths", "/v3/things", "post")


def at(*path: str | int, to: Any) -> Callable[[Node], object]:
    """Put something somewhere."""

    def change(found: Any) -> None:
        for step in path[:-1]:
            found = found[step]
        found[path[-1]] = to

    return change


def rename(old: str, new: str) -> Callable[[Node], object]:
    """Another name for a class of the fragment."""

    def change(found: Node) -> None:
        text = json.dumps(found).replace(f'"{old}"', f'"{new}"').replace(f'schemas/{old}"', f'schemas/{new}"')
        found.clear()
        found.update(json.loads(text))

    return change


ANY = {"schema": {"$ref": "#/components/schemas/Envelope"}}
ENVELOPE = {"application/json": ANY}
MAKER = {"$ref": "#/components/schemas/Maker"}
UNION = {"oneOf": [MAKER, {"$ref": "#/components/schemas/ErrorDetail"}]}
CASES: dict[str, tuple[Callable[[Node], object], str, str]] = {
    "tier": (at(*LISTING, "x-rate-tier", to="sensitive"), "rate tier standard is now sensitive", "patch"),
    "codes": (
        at(*CREATE, "responses", "200", to={"description": ""}),
        "succeeds with 200, 201; the client accepts any 2xx",
        "patch",
    ),
    "id": (at(*LISTING, "operationId", to="readThings"), "the operation is now called readThings", "major"),
    "method": (at(*LISTING, "x-method", to="list_all"), "the method things.list is now things.list_all", "major"),
    "path parameter": (
        at("paths", "/v3/things/{thingId}", "get", "parameters", 0, "x-python-name", to="key"),
        "the path takes key",
        "major",
    ),
    "no longer deprecated": (at(*LISTING, "deprecated", to=True), "deprecated; it still works", "minor"),
    "operation text": (at(*LISTING, "summary", to="x"), "new description: Our words about the list.", "patch"),
    "parameter gone": (at(*LISTING, "parameters", to=[]), "the parameter is gone", "major"),
    "parameter added": (
        at(*CREATE, "parameters", to=[{"name": "q", "in": "query", "schema": {"type": "number"}}]),
        "float",
        "minor",
    ),
    "header required": (
        at(
            *CREATE,
            "parameters",
            to=[{"name": "X-New", "in": "header", "required": True, "schema": {"type": "string"}}],
        ),
        "str, required",
        "major",
    ),
    "parameter type": (at(*LISTING, "parameters", 1, "schema", to={"type": "boolean"}), "str is now bool", "major"),
    "parameter name": (at(*LISTING, "parameters", 1, "x-python-name", to="q"), "search is now q", "major"),
    "parameter required": (at(*LISTING, "parameters", 1, "required", to=True), "required now", "major"),
    "parameter text": (at(*LISTING, "parameters", 1, "description", to="x"), "new description: x", "patch"),
    "body gone": (
        lambda d: d["paths"]["/v3/things"]["post"].pop("requestBody"),
        "no longer takes ThingCreate",
        "major",
    ),
    "form": (at(*CREATE, "requestBody", "content", to={"text/plain": {}}), "takes text/plain instead of JSON", "major"),
    "no data": (at(*CREATE, "responses", "201", "content", to=ENVELOPE), "gives nothing instead of Thing", "major"),
    "text response": (
        at(*CREATE, "responses", "201", "content", to={"text/plain": {}}),
        "responds with text/plain instead of JSON",
        "major",
    ),
    "other data": (
        at(
            *CREATE,
            "responses",
            "201",
            "content",
            "application/json",
            "schema",
            "allOf",
            1,
            "properties",
            "data",
            to=MAKER,
        ),
        "Thing is now Maker",
        "major",
    ),
    "class text": (at("components", "schemas", "Maker", "description", to="x"), "new description: x", "patch"),
    "class deprecated": (
        at("components", "schemas", "Maker", "deprecated", to=True),
        "deprecated; it still works",
        "patch",
    ),
    "class renamed": (rename("Maker", "Author"), "renamed to Author", "major"),
    "member of an enum": (
        at("components", "schemas", "Colour", "x-enum-varnames", to=["RED", "LIME"]),
        "green is now LIME",
        "major",
    ),
    "status": (
        at("components", "schemas", "Colour", "x-http-status", to={"red": 400, "green": 401}),
        "another HTTP status",
        "patch",
    ),
    "value gone": (
        at("components", "schemas", "Colour", "enum", to=["red"]),
        "value removed; it still decodes",
        "major",
    ),
    "looser limit": (member("ThingCreate.name", maxLength=30), "maxLength 20 is now 30", "patch"),
    "tighter limit": (member("ThingCreate.name", maxLength=10), "maxLength 20 is now 10", "major"),
    "new limit": (member("ThingCreate.name", minLength=3), "minLength none is now 3", "major"),
    "wider request": (member("ThingCreate.name", type=["string", "number"]), "str is now float | str", "minor"),
    "narrower request": (member("ThingCreate.name", type="integer"), "str is now int", "major"),
    "request enum": (
        at("components", "schemas", "MakerData", "properties", "name", to={"$ref": "#/components/schemas/Colour"}),
        "str is now Colour",
        "major",
    ),
    "response map": (
        member("Thing.colour", anyOf=[{"type": "object"}, {"type": "null"}]),
        "Colour | None is now dict[str, Any] | None",
        "major",
    ),
    "response union": (
        member("Thing.colour", anyOf=[UNION]),
        "Colour | None is now Maker | ErrorDetail | None",
        "major",
    ),
    "enum to text": (member("Thing.colour", anyOf=[{"type": "string"}]), "Colour | None is now str | None", "major"),
    "anything": (member("Thing.colour", anyOf=[{}]), "Colour | None is now Any | None", "major"),
    "list": (member("Thing.id", type="array", items={"type": "string"}), "str is now list[str]", "major"),
    "added class": (
        member("Thing.error", **{"$ref": "#/components/schemas/ErrorEnvelope"}),
        "ErrorEnvelope | None",
        "minor",
    ),
}


@pytest.mark.parametrize(("change", "text", "bump"), CASES.values(), ids=CASES.keys())
def test_a_change(change: Callable[[Node], object], text: str, bump: str) -> None:
    """Each kind of change has its words and its bump; the way back is reported, too."""
    found = [row for row in changes("things", change) if text in row.text]
    assert found and {row.bump for row in found} == {bump}
    changed = copy.deepcopy(document("things"))
    change(changed)
    assert compare(changed, document("things")).changes


def test_the_way_back() -> None:
    """Bodies that come, parameters that are no longer required, operations no longer deprecated, JSON again."""
    old = copy.deepcopy(document("things"))
    operation = old["paths"]["/v3/things"]["post"]
    del operation["requestBody"]
    listing = old["paths"]["/v3/things"]["get"]
    listing["deprecated"] = True
    listing["parameters"][1]["required"] = True
    old["components"]["schemas"]["MakerData"]["required"] = ["name"]
    found = {(row.place, row.text, row.effect) for row in compare(old, document("things")).changes}
    assert ("createThing body", "takes ThingCreate", BREAKS) in found
    assert ("listThings", "no longer deprecated", NOTHING) in found
    assert ("listThings.search", "no longer required", NOTHING) in found
    operation["responses"]["201"]["content"] = {"text/plain": {}}
    operation["requestBody"] = {"content": {"text/plain": {}}}
    found = {(row.place, row.text, row.effect) for row in compare(old, document("things")).changes}
    assert ("createThing body", "takes JSON now", BREAKS) in found
    assert ("createThing", "responds with the envelope (success, data, error, meta) now", BREAKS) in found


def test_unions() -> None:
    """Alternatives that come and go, and what changes inside one."""
    old = copy.deepcopy(document("things"))
    member("Thing.owner", **UNION)(old)
    new = copy.deepcopy(old)
    member("Thing.owner", oneOf=[MAKER, {"$ref": "#/components/schemas/MakerData"}])(new)
    found = {(row.place, row.kind, row.bump) for row in compare(old, new).changes}
    assert ("ThingOwner.ErrorDetail", "removed", "major") in found
    assert ("ThingOwner.MakerData", "added", "minor") in found


def test_webhooks() -> None:
    """What the vendor posts to us is read like a response."""
    events = read_source(str(ROOT / "openapi/events.yaml"), ROOT).document
    changed = copy.deepcopy(events)
    name = next(name for name in changed["components"]["schemas"] if name.endswith("StatusPayload"))
    changed["components"]["schemas"][name]["properties"].popitem()
    (change,) = compare(events, changed).changes
    assert change.kind == "removed" and change.operations == ("webhook messageStatus",)
