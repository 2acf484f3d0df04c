"""The fragment as one document, read without the generator's help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from codegen.openapi.reading import bundle

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT: dict[str, Any] = bundle(ROOT / "openapi" / "sent-v3.yaml")
REGISTRY: Registry[Any] = Registry().with_resource(
    "urn:fragment", Resource.from_contents(DOCUMENT, default_specification=DRAFT202012)
)


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """Follow the `$ref` of a node, if it has one."""
    while "$ref" in node:
        target: Any = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node
