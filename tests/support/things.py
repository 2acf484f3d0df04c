"""A project with a fragment of a small API that does not exist, and the document of its vendor, to be changed."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.__main__ import main
from codegen.importer.overlay import apply_overlay, read_overlay
from codegen.importer.update import prepare
from codegen.openapi.nodes import Node, SpecError
from codegen.openapi.sources import FRAGMENT, read_source

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "tests/codegen/documents"
THINGS = DOCUMENTS / "things"
SCHEMAS = "#/components/schemas/"
Edit = Callable[[Node], object]


@cache
def document(name: str) -> Node:
    """One of the documents: march, october, sdk, ours, events, things or vendor."""
    if name == "october":
        overlay = DOCUMENTS / "october-2026.overlay.yaml"
        return apply_overlay(document("march"), read_overlay(overlay, overlay.name))[0]
    files = {
        "march": DOCUMENTS / "march-2026.yaml",
        "sdk": DOCUMENTS / "sdk-0.46.json",
        "ours": ROOT / FRAGMENT,
        "events": ROOT / "openapi/events.yaml",
        "things": THINGS / FRAGMENT,
        "vendor": THINGS / "vendor.yaml",
    }
    return read_source(str(files[name]), ROOT).document


def changed(name: str, *changes: Edit) -> Node:
    """A copy of one of the documents after some changes."""
    found = copy.deepcopy(document(name))
    for change in changes:
        change(found)
    return found


def project(folder: Path) -> Path:
    """The project of the things, as a copy."""
    shutil.copytree(THINGS / "openapi", folder / "openapi")
    return folder


def copy_ours(root: Path, *parts: str) -> Path:
    """Folders and files of our own project, as a copy."""
    for part in parts:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / part, root / part)
    return root


def refer(root: Path, file: str, *paths: str) -> None:
    """Put paths that one file of our fragment describes into its root."""
    lines = [f"  {path}: {{$ref: '{file}#/paths/{path.replace('/', '~1')}'}}" for path in paths]
    edit(root, Path(FRAGMENT).name, "paths:\n", "\n".join(["paths:", *lines, ""]))


def vendor(root: Path, change: Edit = lambda _: None) -> str:
    """The vendor's document after a change, as a file."""
    target = root / "vendor.json"
    target.write_text(json.dumps(changed("vendor", change)), encoding="utf-8")
    return str(target)


def updated(root: Path, change: Edit = lambda _: None) -> Node:
    """The fragment after an update from a changed document."""
    return prepare(root, vendor(root, change)).after


def refused(root: Path, change: Edit = lambda _: None) -> str:
    """Why an update from a changed document is refused. Nothing may have been written."""
    source = vendor(root, change)
    before = contents(root)
    with pytest.raises(SpecError) as caught:
        prepare(root, source)
    assert main(["--root", str(root), "update", source]) == 2
    assert contents(root) == before
    return str(caught.value)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(root: Path, file: str, old: str, new: str) -> None:
    """Another text in one file of the fragment."""
    target = root / "openapi" / file
    text = target.read_text(encoding="utf-8")
    assert old in text
    target.write_text(text.replace(old, new, 1), encoding="utf-8")


def cover(root: Path, *lines: str) -> None:
    """More lines for the name map, under the operations."""
    edit(root, "names.toml", "[operations]\n", "\n".join(["[operations]", *lines, ""]))


def overlay(root: Path, name: str, *actions: Node) -> None:
    """Write an overlay."""
    target = root / "openapi/overlays" / f"{name}.yaml"
    target.parent.mkdir(exist_ok=True)
    written = [{"description": "For this test.", **action} for action in actions]
    target.write_text(yaml.safe_dump({"overlay": "1.0.0", "actions": written}), encoding="utf-8")


def schema(found: Node, name: str) -> Node:
    """A component."""
    node: Node = found["components"]["schemas"][name]
    return node


def member(found: Node, place: str) -> Node:
    """A member of a component: ``Thing.id``."""
    name, key = place.split(".")
    node: Node = schema(found, name)["properties"][key]
    return node


def put(place: str, value: Node) -> Edit:
    """Add or replace a member of a schema."""
    name, key = place.split(".")
    return lambda found: schema(found, name)["properties"].update({key: copy.deepcopy(value)})


def at(*path: str | int, to: Any) -> Edit:
    """Put something somewhere."""

    def change(found: Any) -> None:
        for step in path[:-1]:
            found = found[step]
        found[path[-1]] = to

    return change


def data(found: Node, path: str, method: str = "get", code: str = "200") -> Node:
    """The data that an operation of a fragment promises."""
    content = found["paths"][path][method]["responses"][code]["content"]["application/json"]["schema"]
    node: Node = content["allOf"][1]["properties"]["data"]
    return node


def respond(envelope: Node, *, path: str = "/v3/things/{id}") -> Edit:
    """Another response of an operation of the vendor's."""
    return at("paths", path, "get", "responses", "200", "content", to={"application/json": {"schema": envelope}})
