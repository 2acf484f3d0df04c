"""Whole APIs at once: the document of the published package, into an empty fragment and into ours."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from codegen.__main__ import main
from codegen.fragment.rules import load
from codegen.openapi.operations import operations
from codegen.openapi.sources import FRAGMENT
from tests.support.things import DOCUMENTS, ROOT, copy_ours, document, project, schema

SDK = DOCUMENTS / "sdk-0.46.json"


def test_the_sdk_document_is_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sixty operations at once, with no name given: every one is a method, and the second time nothing changes."""
    root = project(tmp_path)
    lines = ["[operations]"]
    for operation in operations(document("sdk")).values():
        words = operation.name.removeprefix("SentDmServicesEndpointsCustomerAPIv3").removesuffix("Endpoint")
        name = words[:1].lower() + words[1:]
        lines.append(f'{name} = {{ at = "{operation.place}", call = "all.{name.lower()}" }}')
    (root / "openapi/names.toml").write_text("\n".join(lines), encoding="utf-8")
    fragment = yaml.safe_load((root / "openapi/common.yaml").read_text(encoding="utf-8"))
    (root / FRAGMENT).write_text(yaml.safe_dump(fragment, sort_keys=False), encoding="utf-8")
    assert main(["--root", str(root), "update", str(SDK)]) == 0
    assert len(operations(load(root / FRAGMENT))) == 60
    capsys.readouterr()
    assert main(["--root", str(root), "update", str(SDK)]) == 0
    assert "everything was up to date" in capsys.readouterr().out


def test_the_sdk_document_in_our_own_fragment(tmp_path: Path) -> None:
    """What it has of our operations is taken over. Our texts and comments survive, and the code is generated."""
    copy_ours(tmp_path, "openapi")
    before = document("ours")
    lines = [
        f'{operation.name} = {{ at = "{operation.place}", call = "{node["x-resource"]}.{node["x-method"]}" }}'
        for key, operation in operations(before).items()
        if key in operations(document("sdk")) and (node := operation.node)
    ]
    (tmp_path / "openapi/names.toml").write_text("\n".join(["[operations]", *lines]), encoding="utf-8")
    assert main(["--root", str(tmp_path), "update", str(SDK)]) == 0
    after = load(tmp_path / FRAGMENT)
    assert operations(after).keys() == operations(before).keys()
    for key, operation in operations(after).items():
        assert operation.node["description"] == operations(before)[key].node["description"]
    common = before["components"]["schemas"].keys() & after["components"]["schemas"].keys()
    assert [n for n in common if schema(after, n)["description"] != schema(before, n)["description"]] == []
    ours, theirs = (
        "\n".join(path.read_text("utf-8") for path in sorted((folder / "openapi").glob("*.yaml")))
        for folder in (ROOT, tmp_path)
    )
    lost = {line.strip() for line in ours.splitlines() if line.lstrip().startswith("#") and line not in theirs}
    assert lost <= {"# Requests: campaigns."}  # it stands at the end of a class that the document no longer has
