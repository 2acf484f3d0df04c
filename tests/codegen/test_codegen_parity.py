"""Methods against operations, by calling them; public names against the committed list; the whole chain."""

# ruff: noqa: E501 (a table of texts to find and to put in place reads worse when broken)

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codegen import drift, surface
from codegen.__main__ import main
from codegen.document import SpecError
from codegen.load import load
from codegen.parity import check_parity
from codegen.skeleton import skeleton

ROOT = Path(__file__).parents[2]
OCTOBER = Path(__file__).with_name("upstream-2026-10.json")
DUPLICATE = 'duplicateTemplate = "POST /v3/templates/{id}/duplicate"\n'


def project(folder: Path) -> Path:
    """Our project, to be changed."""
    for name in ("openapi", "sent_async"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, once."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a fresh interpreter, which loads that project's package."""
    command = [sys.executable, "-m", "codegen", "--root", str(root), *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, env={**os.environ})


def test_methods_and_operations_agree(capsys: pytest.CaptureFixture[str]) -> None:
    """Every operation has exactly one method, with its method, path, parameters, members and type."""
    assert main(["parity"]) == 0
    assert capsys.readouterr().out == "15 methods called; all operations have theirs\n"


def test_an_operation_without_a_method() -> None:
    """What has no method is listed with a skeleton; what an operation does not have is named."""
    document = load(ROOT / drift.FRAGMENT)
    paths: Any = document["paths"]
    paths["/v3/templates/{id}/archive"] = {
        "get": {**paths["/v3/templates/{id}"]["get"], "operationId": "archiveTemplate"}
    }
    paths["/v3/extra"] = {
        "delete": {**paths["/v3/templates/{id}"]["delete"], "operationId": "dropExtra", "parameters": []}
    }
    del paths["/v3/extra"]["delete"]["requestBody"], paths["/v3/extra"]["delete"]["tags"]
    paths["/v3/all"] = {
        "get": {**paths["/v3/profiles/{profileId}/campaigns"]["get"], "operationId": "allThings", "parameters": []}
    }
    del paths["/v3/templates/{id}"]["delete"]["requestBody"], document["components"]["schemas"]["TemplateDelete"]
    brand = {"description": "A brand.", "$ref": "#/components/schemas/BrandData"}
    document["components"]["schemas"]["ProfileCreate"]["properties"]["name"] = brand
    found = check_parity(ROOT, document)
    assert [row.name for row in found.missing] == ["archiveTemplate", "dropExtra", "allThings"]
    assert found.problems == [
        "profiles.create (createProfile): body.name is no object",
        "templates.delete (deleteTemplate): sends a body, and the operation has none",
    ]
    texts = [skeleton(row, document) for row in found.missing]
    assert "    async def archive(\n        self,\n        id: str,\n    ) -> Template:\n" in texts[0].replace(
        "template_id", "id"
    )
    assert "into sent_async/resources/extra.py" in texts[1] and ") -> None:" in texts[1]
    assert "import builtins" in texts[2] and "-> builtins.list[Campaign]:" in texts[2]


BROKEN = {
    "other path": ("operations.RETRIEVE_TEMPLATE, template_id=template_id", 'operations.RETRIEVE_TEMPLATE, template_id="x"',
                   "templates.retrieve (retrieveTemplate): path /v3/templates/x, expected /v3/templates/the-template_id"),
    "parameter forgotten": ("                search=search,\n", "", "query parameter 'search' cannot be given"),
    "member forgotten": ("TemplateCreate(**fields)", "TemplateCreate(definition=fields['definition'])",
                         "body member 'category' cannot be given"),
    "key forgotten": ("operations.CREATE_TEMPLATE, body=body, idempotency_key=idempotency_key",
                      "operations.CREATE_TEMPLATE, body=body", "does not pass idempotency_key on"),
    "other type": ("async def retrieve(self, template_id: str) -> Template:", "async def retrieve(self, template_id: str) -> TemplateDelete:",
                   "gives Template and says that it gives TemplateDelete; expected Template"),
    "second method": ("    async def retrieve(", "    async def get(self, template_id: str) -> Template:\n        return await self.retrieve(template_id)\n\n    async def retrieve(",
                      "retrieveTemplate has 2 methods: templates.get, templates.retrieve"),
    "no call": ("return (await self._client.send(operations.RETRIEVE_TEMPLATE, template_id=template_id)).data", "raise ValueError",
                "templates.retrieve called nothing"),
    "failure": ("return (await self._client.send(operations.RETRIEVE_TEMPLATE, template_id=template_id)).data",
                "raise ValueError((await self._client.send(operations.RETRIEVE_TEMPLATE, template_id=template_id)).status)",
                "templates.retrieve (retrieveTemplate): raised ValueError: 200"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), BROKEN.values(), ids=BROKEN.keys())
def test_a_method_that_differs(tmp_path: Path, old: str, new: str, problem: str) -> None:
    """What a hand-written method gets wrong is named."""
    root = project(tmp_path)
    edit(root / "sent_async/resources/templates.py", old, new)
    done = run(root, "parity")
    assert done.returncode == 1, done.stderr
    assert problem in done.stdout


def test_the_chain_with_a_new_operation(tmp_path: Path) -> None:
    """A line in the map, ``update``, and the skeleton pasted as it is: the new operation works and all agrees."""
    root = project(tmp_path)
    edit(root / "openapi/names.toml", "[operations]\n", f"[operations]\n{DUPLICATE}")
    edit(
        root / "openapi/names.toml",
        'TemplatesDeleteTemplateRequest = "TemplateDelete"',
        'TemplatesDeleteTemplateRequest = { request = "TemplateDelete", duplicateTemplate = "TemplateDuplicate" }',
    )
    done = run(root, "update", str(OCTOBER))
    assert done.returncode == 1, done.stderr
    assert "What changed:          2 added; none breaking. Suggested version bump: minor." in done.stdout
    assert "sent_async/models/requests.py" in done.stdout.partition("What was regenerated:")[2]
    left = done.stdout.partition("Ready to paste:\n\n")[2].partition("\n15 methods")[0]
    target = root / "sent_async/resources/templates.py"
    target.write_text(target.read_text(encoding="utf-8") + "\n" + left, encoding="utf-8")
    edit(target, "import Template, ", "import Template, TemplateDuplicate, ")
    edit(target, "fields import ", "fields import TemplateDuplicateFields, ")
    done = run(root, "parity")
    assert done.stdout == "16 methods called; all operations have theirs\n", done.stdout + done.stderr
    assert drift.differences(drift.present(root), drift.expected(root)) == ""


def test_the_chain_without_a_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The document that is there already: nothing is regenerated and nothing is left to do."""
    assert main(["--root", str(project(tmp_path)), "update", str(OCTOBER)]) == 0
    screen = capsys.readouterr().out
    assert "What was regenerated:  nothing, the code was up to date" in screen
    assert screen.endswith("What is left:          15 methods called; all operations have theirs\n")


def test_the_chain_stops_before_anything_is_written(tmp_path: Path) -> None:
    """A document that cannot be taken leaves fragment, lock and code as they are."""
    root = project(tmp_path)
    document = json.loads(OCTOBER.read_text(encoding="utf-8"))
    del document["paths"]["/v3/templates"]
    (tmp_path / "new.json").write_text(json.dumps(document), encoding="utf-8")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert main(["--root", str(root), "update", str(tmp_path / "new.json")]) == 2
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Removed\n\n- {}\n\n### Fixed\n\n- `Other`\n\n## [0.1.0]\n\n### Removed\n\n- `Old`\n"


def small(folder: Path, source: str, changelog: str = CHANGELOG.format("")) -> Path:
    """A package with nothing but a few names, and its baseline from before."""
    package = folder / "sent_async"
    for place in surface.MODULES:
        module = package / (place.replace(".", "/") + ".py" if place else "__init__.py")
        if place in ("models", "testing"):
            module = package / place / "__init__.py"
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(source if not place else "", encoding="utf-8")
    (package / "resources/__init__.py").touch()
    (folder / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    (folder / "codegen").mkdir(exist_ok=True)
    return folder


SOURCE = """
from os import path as elsewhere
__all__ = ["Thing", "make", "elsewhere"]
class Base:
    def kept(self, way: int) -> None: ...
class Thing(Base):
    size = 1
    def __init__(self, name: str) -> None: ...
def make(a: int, b: int = 0) -> Thing: ...
"""


def test_public_names(tmp_path: Path) -> None:
    """Exports, members, inherited ones, and parameters of functions and constructors."""
    assert surface.public_names(small(tmp_path, SOURCE)) == [
        "sent_async.Thing", "sent_async.Thing(name)", "sent_async.Thing.kept", "sent_async.Thing.kept(way)",
        "sent_async.Thing.size", "sent_async.elsewhere", "sent_async.make", "sent_async.make(a)", "sent_async.make(b)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "gone"),
    [
        ("", ["sent_async.Thing.size", "sent_async.make(b)"]),
        ("`Thing.size` and `make(b)`", []),
        ("`sent_async.Thing.size`", ["sent_async.make(b)"]),
        ("`Thing`", ["sent_async.make(b)"]),
        ("`Old`, `Other`", ["sent_async.Thing.size", "sent_async.make(b)"]),
    ],
)
def test_removed_names(tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str, gone: list[str]) -> None:
    """A name that goes is reported unless the change log says, under Removed of Unreleased, that it goes."""
    root = small(tmp_path, SOURCE)
    assert main(["--root", str(root), "surface", "--write"]) == 0
    small(tmp_path, SOURCE.replace("    size = 1\n", "").replace(", b: int = 0", ""), CHANGELOG.format(said))
    assert main(["--root", str(root), "surface"]) == (1 if gone else 0)
    assert re.findall(r"^removed: (.*)$", capsys.readouterr().out, re.MULTILINE) == gone


def test_no_baseline(tmp_path: Path) -> None:
    """Without a baseline there is nothing to compare with; without an Unreleased section, nothing is said."""
    with pytest.raises(SpecError, match=r"codegen/surface\.txt: cannot be read"):
        surface.removed(small(tmp_path, SOURCE))
    assert surface.said_to_be_removed("# Changelog\n") == set()


def test_our_own_surface(capsys: pytest.CaptureFixture[str]) -> None:
    """No public name of ours is gone without a word."""
    assert main(["surface"]) == 0, capsys.readouterr().out
