"""``python -m codegen diff``: any two documents, and the forms of the report."""

from __future__ import annotations

import copy
import json
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.__main__ import main
from codegen.diff.compare import compare
from codegen.diff.report import FORMATS, Report, render
from codegen.importer.name_map import read_names
from codegen.openapi.nodes import Node, closure, nodes
from codegen.openapi.sources import FRAGMENT, check_used
from tests.support.mutations import MEMBERS, MOVED_OR_GONE, OPERATIONS, Mutated, mutations
from tests.support.things import DOCUMENTS, THINGS, changed, document

NOTHING, ATTRIBUTE, ARGUMENT = "nothing", "new attribute", "new optional argument"
TYPE, BREAKS = "type change", "call site breaks"
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
    found = {(change.place, change.kind, change.effect.text) for change in report.changes}
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
    report = compare(document("march"), document("october"))
    for form in FORMATS:
        # A project without a name map: what the client covers plays no part.
        assert main(["--root", str(tmp_path), "diff", march, str(october), "--format", form]) == 1
        assert capsys.readouterr().out == render(report, form)
    said = render(report, "markdown")
    assert said.startswith("### Spec\n")
    assert "| removed: the attribute is gone; older clients read None | **call site breaks** | major |" in said
    assert json.loads(render(report, "json"))["breaking"] is True
    assert "Suggested version bump: major." in render(report, "terminal")


def test_the_same_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """No change is status 0 and one line."""
    things = str(THINGS / FRAGMENT)
    assert main(["--root", str(THINGS), "diff", things, things, "--format", "markdown"]) == 0
    assert "No change that concerns a caller." in capsys.readouterr().out


def test_d8_moved_and_removed() -> None:
    """An operation is known by method and path, and by its id when it moved; one that went is removed."""

    def moved(found: Node) -> None:
        found["paths"]["/v4/things/{key}"] = found["paths"].pop("/v3/things/{id}")
        found["paths"]["/v3/new"] = {"get": {"responses": {"200": {"description": ""}}}}
        del found["paths"]["/v3/things"]["post"]

    found = {
        (change.place, change.text, change.effect.bump)
        for change in compare(document("vendor"), changed("vendor", moved)).changes
    }
    assert ("GET /v4/things/{key}", "moved: GET /v3/things/{id} is now GET /v4/things/{key}", "major") in found
    assert ("POST /v3/things", "POST /v3/things is gone", "major") in found
    assert ("GET /v3/new", "GET /v3/new is new", "minor") in found


def test_d8_names_of_parameters_classes_and_ids_do_not_count() -> None:
    """The vendor may rename schemas, path parameters and operation ids: no caller of ours sees them."""

    def renamed(found: Node) -> None:
        text = json.dumps(found).replace("ThingResponse", "Item").replace("AcmeThings", "Other").replace("{id}", "{x}")
        found.clear()
        found.update(json.loads(text))

    assert compare(document("vendor"), changed("vendor", renamed)) == Report(())


def test_d8_uncovered_operations_are_listed_apart() -> None:
    """What breaks in an operation that we do not cover is not our callers' break."""
    changed = copy.deepcopy(document("vendor"))
    del changed["paths"]["/v3/things"]
    names = read_names(DOCUMENTS / "things/openapi/names.toml").keys
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
    assert main(["--root", str(tmp_path), "diff", "HEAD:theirs.yaml", str(THINGS / "vendor.yaml")]) == 0
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
    assert main(["--root", str(tmp_path), "diff", str(DOCUMENTS / "march-2026.yaml"), source]) == 0


@pytest.mark.parametrize("old", ["march", "october", "sdk", "ours"])
@pytest.mark.parametrize("new", ["march", "october", "sdk", "ours"])
def test_d8_any_two(old: str, new: str) -> None:
    """Any two documents compare, and each with itself is no change."""
    report = compare(check_used(document(old), old), check_used(document(new), new))
    assert (not report.changes) == (old == new)


@cache
def slices() -> list[Mutated]:
    """Each path of each document as a document of its own: the same shapes, in a hundredth of the time."""
    found: list[Mutated] = []
    for name in ("march", "october", "sdk", "ours"):
        whole = document(name)
        for path, item in whole["paths"].items():
            parts: Node = {"schemas": {}}
            for kind, key in sorted(closure(whole, item)):
                parts.setdefault(kind, {})[key] = whole["components"][kind][key]
            about = {"openapi": whole["openapi"], "info": {"title": name, "version": "1"}}
            found.append(Mutated(about, paths={path: item}, components=parts))
    return found


SLICES = st.deferred(lambda: st.sampled_from(slices()))


@given(mutations(SLICES, (*MOVED_OR_GONE, *OPERATIONS, *MEMBERS)), SLICES)
@settings(max_examples=100)
def test_d8_mutations_are_never_unusable(mutated: Node, other: Node) -> None:
    """A valid document, whatever it says, compares with any other, both ways, and with itself is no change."""
    part = check_used(mutated, "mutated")
    for report in (compare(other, part), compare(part, other)):
        assert report.bump in ("major", "minor", "patch", "none")
        assert all(render(report, form) for form in FORMATS)
    assert compare(part, copy.deepcopy(part)) == Report(())
