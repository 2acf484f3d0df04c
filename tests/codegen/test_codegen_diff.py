"""``python -m codegen diff``: what the vendor changed in 2026, row by row, and the forms of the report."""

# ruff: noqa: E501 (a table of changes reads worse when broken)

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from codegen import comparing, drift
from codegen.__main__ import main
from codegen.load import load
from codegen.report import FORMATS, render
from codegen.row import Row
from codegen.specdiff import Report, compare

ROOT = Path(__file__).parents[2]
MARCH, OCTOBER = (Path(__file__).with_name(f"upstream-2026-{month}.json") for month in ("03", "10"))
SAMPLE = Path(__file__).with_name("sample.yaml")
OURS = load(ROOT / drift.FRAGMENT)

# The vendor's changes of March to October 2026 that a document can show: place, change, effect.
PROFILE_OPERATIONS = ["listProfiles", "createProfile", "retrieveProfile", "updateProfile", "deleteProfile"]
PROFILE_OPERATIONS += ["completeProfile", "listCampaigns", "createCampaign", "updateCampaign", "deleteCampaign"]
GONE_FROM_CAMPAIGNS = [
    "cspId",
    "kycSubmissionFormId",
    "resellerId",
    "telnyxCampaignId",
    "upstreamCnpId",
    "sharingStatus",
]
NEW_IN_CAMPAIGNS = ["volume", "hasSubmissionTransaction", "dcaElectionsComplete", "dcaElectionsCompletedAt"]
SHARING = ["allow_contact_sharing", "allow_template_sharing", "inherit_contacts", "inherit_templates"]
REPLAY: list[tuple[str, str, str]] = [
    ("ProfileList.pagination", "added", "new attribute"),
    *((name, "deprecated", "nothing") for name in PROFILE_OPERATIONS),
    *((f"{name}.{key}", "deprecated", "nothing") for name in ("ProfileCreate", "ProfileUpdate") for key in SHARING),
    *((f"Profile.{key}", "changed", "nothing") for key in SHARING),
    ("ProfileCreate.inherit_tcr_brand", "changed", "nothing"),
    ("ProfileCreate.inherit_tcr_campaign", "changed", "nothing"),
    ("ProfileCreate.allow_contact_sharing", "changed", "nothing"),
    ("ProfileUpdate.sending_phone_number_profile_id", "deprecated", "nothing"),
    ("ProfileUpdate.sending_whatsapp_number_profile_id", "deprecated", "nothing"),
    ("Profile.sending_phone_number_profile_id", "changed", "nothing"),
    ("BrandCompliance.expected_messaging_volume", "removed", "call site breaks"),
    ("BrandComplianceData.expectedMessagingVolume", "removed", "call site breaks"),
    ("BrandCompliance.primary_use_case", "changed", "nothing"),
    ("BrandComplianceData.primaryUseCase", "removed", "call site breaks"),
    ("Brand.csp_id", "deprecated", "nothing"),
    *((f"Campaign.{key}", "removed", "call site breaks") for key in GONE_FROM_CAMPAIGNS),
    ("CampaignSharingStatus", "removed", "call site breaks"),
    *((f"Campaign.{key}", "added", "new attribute") for key in NEW_IN_CAMPAIGNS),
    ("CampaignData.volume", "added", "new optional argument"),
    ("Template.customer_id", "added", "new attribute"),
    ("Template.auto_reply_action", "added", "new attribute"),
    *((f"TemplateStatus.{value}", "added", "new attribute") for value in ("PAUSED", "DISABLED", "REVOKED")),
    *((f"TemplateChannel.{value}", "added", "new attribute") for value in ("rcs", "mms")),
    ("TemplateBody.rcs", "added", "new optional argument"),
    ("TemplateBody.mms", "added", "new optional argument"),
    ("TemplateBody.multiChannel", "changed", "nothing"),
    *(
        (f"TemplateHeader.{key}", "added", "new optional argument")
        for key in ("example_url", "static_resource", "location")
    ),
    ("TemplateButtonProps.variables", "added", "new optional argument"),
    ("TemplateCreate.auto_create_for_sp", "added", "new optional argument"),
    ("listTemplates.page", "changed", "nothing"),
    ("listTemplates.page_size", "changed", "nothing"),
    ("listTemplates.is_welcome_playground", "deprecated", "nothing"),
    ("updateTemplate", "changed", "nothing"),
]
ALONG = {  # which the rows above bring with them
    *("Profile.sending_whatsapp_number_profile_id", "ProfileCreate.allow_template_sharing"),
    *("TemplateAutoReplyAction", "TemplateLocation", "TemplateMedia", "TemplateMmsContent"),
}


@pytest.fixture(scope="module")
def replay() -> Report:
    """The report from March to October."""
    return comparing.diff(ROOT, str(MARCH), str(OCTOBER))


def rows(change: Any) -> list[Row]:
    """The report's rows on our fragment after a change."""
    document = copy.deepcopy(OURS)
    change(document)
    return list(compare(OURS, document).rows)


def test_the_year_row_by_row(replay: Report) -> None:
    """Each change of 2026 has its row, and there is no row that is none of them."""
    found = {(row.place, row.change, row.effect) for row in replay.rows}
    assert set(REPLAY) - found == set()
    assert {place for place, _, _ in found - set(REPLAY)} <= ALONG
    assert replay.bump == "major"


def test_the_year_on_our_side() -> None:
    """With what we tolerate, neither document changes anything for our callers."""
    for upstream in (MARCH, OCTOBER):
        assert comparing.diff(ROOT, str(upstream), None).rows == ()


def test_operations_of_a_row(replay: Report) -> None:
    """A schema's row says which operations send or receive it."""
    row = next(row for row in replay.rows if row.place == "CampaignData.volume")
    assert row.operations == ("createCampaign", "updateCampaign")


def test_forms(replay: Report, capsys: pytest.CaptureFixture[str]) -> None:
    """Terminal, Markdown and JSON say the same; the exit status tells breaking from not."""
    assert main(["diff", str(MARCH), str(OCTOBER)]) == 1
    said = {form: render(replay, form) for form in FORMATS}
    assert capsys.readouterr().out == said["terminal"]
    assert "  ! removed    Campaign.cspId: the attribute is gone; older clients read None\n" in said["terminal"]
    assert "Suggested version bump: major." in said["terminal"]
    assert said["markdown"].startswith("### Spec\n")
    assert (
        "| `Campaign.cspId` (response) | removed: the attribute is gone; older clients read None | **call"
        in said["markdown"]
    )
    assert "str \\| None" in said["markdown"]
    content = json.loads(said["json"])
    assert content["breaking"] is True and len(content["rows"]) > 60


def test_no_change(capsys: pytest.CaptureFixture[str]) -> None:
    """The same twice is status 0 and one line."""
    assert main(["diff", str(SAMPLE), str(SAMPLE), "--format", "markdown"]) == 0
    assert "No change that a caller or a reader could see." in capsys.readouterr().out


def test_revisions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """OLD and NEW may be revisions of git, bare or with a path; a word that is neither is bad input."""

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    text = SAMPLE.read_text(encoding="utf-8")
    target = tmp_path / drift.FRAGMENT
    target.parent.mkdir()
    target.write_text(text, encoding="utf-8")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    target.write_text(text.replace("enum: [red, NO]", "enum: [red, NO, blue]"), encoding="utf-8")
    for old in ("HEAD", f"HEAD:{drift.FRAGMENT}"):
        assert main(["--root", str(tmp_path), "diff", old]) == 0
        assert "Colour.blue: new value" in capsys.readouterr().out
    for bad in ("nowhere", "HEAD:nothing.yaml", "--help-me"):
        assert main(["--root", str(tmp_path), "diff", "--", bad]) == 2
        assert f"error: {bad}: is neither a file nor a revision of git" in capsys.readouterr().err
    target.write_text("openapi: 3.1.0\nx: [", encoding="utf-8")
    git("commit", "-qam", "two")
    target.write_text(text, encoding="utf-8")
    assert main(["--root", str(tmp_path), "diff", "HEAD"]) == 2
    assert "error: HEAD:openapi/sent-v3.yaml" in capsys.readouterr().err


def test_files_that_are_no_fragment(tmp_path: Path) -> None:
    """A broken file is named; a document of the vendor's in YAML is known by its version."""
    (tmp_path / "old.yaml").write_text("openapi: 3.1.0\n", encoding="utf-8")
    (tmp_path / "theirs.yaml").write_text("openapi: 3.0.0\n", encoding="utf-8")
    assert comparing.is_upstream(str(tmp_path / "theirs.yaml"))
    assert not comparing.is_upstream(str(tmp_path / "old.yaml"))
    with pytest.raises(Exception, match=r"old\.yaml: #: 'info' is a required"):
        comparing.diff(ROOT, str(tmp_path / "old.yaml"), None)


def setting(*path: str | int, to: Any) -> Any:
    """A change that puts something somewhere."""

    def change(document: Any) -> None:
        node: Any = document
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = to

    return change


PROFILES = ("paths", "/v3/profiles", "get")
COMPONENTS = ("components", "schemas")
CHANGES = {
    "tier": (setting(*PROFILES, "x-rate-tier", to="sensitive"), "rate tier standard is now sensitive", "patch"),
    "codes": (
        lambda d: d["paths"]["/v3/templates"]["post"]["responses"].update(
            {"200": d["paths"]["/v3/templates"]["post"]["responses"]["201"]}
        ),
        "succeeds with 200, 201; any 2xx is taken",
        "patch",
    ),
    "id": (setting(*PROFILES, "operationId", to="readProfiles"), "the operation is now called readProfiles", "major"),
    "moved": (
        lambda d: d["paths"].update({"/v4/profiles": d["paths"].pop("/v3/profiles")}),
        "GET /v3/profiles is now GET /v4/profiles",
        "major",
    ),
    "path parameter": (
        setting("components", "parameters", "TemplateId", "x-python-name", to="the_id"),
        "the path takes the_id",
        "major",
    ),
    "parameter gone": (
        lambda d: d["paths"]["/v3/templates"]["get"]["parameters"].remove({"$ref": "#/components/parameters/TemplateSearch"}),
        "the parameter is gone",
        "major",
    ),
    "parameter type": (setting("components", "parameters", "Page", "schema", to={"type": "string"}), "integer is now string", "major"),
    "parameter name": (setting("components", "parameters", "Page", "x-python-name", to="number"), "page is now number", "major"),
    "parameter required": (setting("components", "parameters", "Page", "required", to=True), "required now", "major"),
    "parameter text": (setting("components", "parameters", "Page", "description", to="x"), "described anew", "patch"),
    "body gone": (
        lambda d: (d["paths"]["/v3/templates/{id}"]["delete"].pop("requestBody"), d["components"]["schemas"].pop("TemplateDelete")),
        "no longer takes TemplateDelete",
        "major",
    ),
    "other body": (
        lambda d: (
            d["paths"]["/v3/templates/{id}"]["delete"]["requestBody"]["content"]["application/json"].update(
                schema={"$ref": "#/components/schemas/ProfileDelete"}
            ),
            d["components"]["schemas"].pop("TemplateDelete"),
        ),
        "takes ProfileDelete instead of TemplateDelete",
        "major",
    ),
    "schema text": (setting(*COMPONENTS, "Brand", "description", to="x"), "described anew", "patch"),
    "schema deprecated": (setting(*COMPONENTS, "Brand", "deprecated", to=True), "works, and says so", "patch"),
    "member of an enum": (
        lambda d: setting(*COMPONENTS, "ErrorCode", "x-enum-varnames", 0, to="NO_KEY")(d),
        "is now NO_KEY",
        "major",
    ),
    "status": (setting(*COMPONENTS, "ErrorCode", "x-http-status", "AUTH_001", to=403), "another HTTP status", "patch"),
    "looser limit": (
        setting(*COMPONENTS, "TemplateFooter", "properties", "template", "maxLength", to=70), "maxLength 60 is now 70", "patch"
    ),
    "number of types": (
        setting(*COMPONENTS, "TemplateVariableProps", "properties", "sample", "type", to=["string", "number", "null"]),
        "str | None is now str | float | None",
        "minor",
    ),
    "list to map": (
        setting(
            *COMPONENTS, "Template", "properties", "variables",
            to={"type": ["object", "null"], "description": "x", "additionalProperties": {"type": "string"}},
        ),
        "list[str] | None is now dict[str, str] | None",
        "major",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "text", "bump"), CHANGES.values(), ids=CHANGES.keys())
def test_a_row(change: Any, text: str, bump: str) -> None:
    """Each kind of change has words and a bump."""
    found = [row for row in rows(change) if text in row.text]
    assert found and {row.bump for row in found} == {bump}


def test_the_way_back_has_rows() -> None:
    """Bodies that come, parameters that are no longer required, operations no longer deprecated."""
    old = copy.deepcopy(OURS)
    operation = old["paths"]["/v3/templates/{id}"]["delete"]
    del operation["requestBody"], old["components"]["schemas"]["TemplateDelete"]
    operation["deprecated"] = True
    old["components"]["parameters"]["Page"]["required"] = True
    found = {(row.place, row.text, row.effect) for row in compare(old, OURS).rows}
    assert ("deleteTemplate body", "takes TemplateDelete", "new optional argument") in found
    assert ("deleteTemplate", "no longer deprecated", "nothing") in found
    assert ("listTemplates.page", "no longer required", "nothing") in found


def test_a_renamed_class_is_one_row() -> None:
    """A class that holds others and is held by others is renamed: one row breaks, and no member is said to change."""
    new = json.loads(json.dumps(OURS).replace('"Brand"', '"Firm"').replace('schemas/Brand"', 'schemas/Firm"'))
    found = compare(OURS, new)
    assert [(row.place, row.text) for row in found.rows] == [("Brand", "renamed to Firm")]
    assert found.is_breaking
