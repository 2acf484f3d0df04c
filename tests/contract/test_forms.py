"""Operations that take documents: what `x-multipart` says must fit both forms of the body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

OPENAPI = Path(__file__).resolve().parents[2] / "openapi"
JSON, FORM = "application/json", "multipart/form-data"


def forms() -> list[Any]:
    """The operations with a multipart body, each with the schemas of its file."""
    found = []
    for path in sorted(OPENAPI.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for item in document.get("paths", {}).values():
            for operation in item.values():
                if isinstance(operation, dict) and FORM in operation.get("requestBody", {}).get("content", {}):
                    schemas = document["components"]["schemas"]
                    found.append(pytest.param(operation, schemas, id=operation["operationId"]))
    return found


def test_documents_are_accepted_where_the_api_accepts_them() -> None:
    """Only the creation of sender profiles and of SMS markets accepts documents."""
    assert [form.id for form in forms()] == ["createSmsMarket", "createSenderProfile"]


@pytest.mark.parametrize(("operation", "schemas"), forms())
def test_the_form_has_a_place_for_what_it_claims(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The named part carries the JSON schema, or each named member exists there and its part exists in the form."""
    reference = {kind: operation["requestBody"]["content"][kind]["schema"]["$ref"] for kind in (JSON, FORM)}
    body, form = (schemas[reference[kind].rsplit("/", 1)[1]] for kind in (JSON, FORM))
    parts = operation["x-multipart"]
    if isinstance(parts, str):
        assert form["properties"].keys() == {parts} and form["properties"][parts]["$ref"] == reference[JSON]
        return
    assert set(body["required"]) <= parts.keys() <= body["properties"].keys()
    assert set(parts.values()) == form["properties"].keys()
    assert {parts[member] for member in body["required"]} == set(form["required"])
