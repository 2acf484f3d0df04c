"""Operations that take documents: what `x-multipart` says must fit both forms of the body."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fragment import DESCRIBED

JSON, FORM = "application/json", "multipart/form-data"
FORMS: dict[str, dict[str, Any]] = {
    name: operation
    for name, (_, _, operation) in DESCRIBED.operations.items()
    if FORM in DESCRIBED.resolve(operation.get("requestBody", {})).get("content", {})
}


def test_documents_are_accepted_where_the_api_accepts_them() -> None:
    """Only the creation of sender profiles and of SMS markets accepts documents."""
    assert FORMS.keys() == {"createSmsMarket", "createSenderProfile"}


@pytest.mark.parametrize("operation", FORMS.values(), ids=FORMS.keys())
def test_the_form_has_a_place_for_what_it_claims(operation: dict[str, Any]) -> None:
    """The named part carries the JSON schema, or each named member exists there and its part exists in the form."""
    content = DESCRIBED.resolve(operation["requestBody"])["content"]
    body, form = (DESCRIBED.resolve(content[kind]["schema"]) for kind in (JSON, FORM))
    parts = operation["x-multipart"]
    if isinstance(parts, str):
        assert form["properties"].keys() == {parts}
        assert form["properties"][parts]["$ref"] == content[JSON]["schema"]["$ref"]
        return
    assert set(body["required"]) <= parts.keys() <= body["properties"].keys()
    assert set(parts.values()) == form["properties"].keys()
    assert {parts[member] for member in body["required"]} == set(form["required"])
