"""Each rewriting rule on a small document: what comes in, what the generator is given."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from codegen.document import Node, SpecError, read_operations, snake
from codegen.load import check, parse
from codegen.normalise import SECRET, TIMESTAMP, has_secret, normalise

SAMPLE = parse(Path(__file__).with_name("sample.yaml").read_text(encoding="utf-8"), "sample.yaml")
STRING: Node = {"type": "string"}
NULL: Node = {"type": "null"}
COLOUR: Node = {"$ref": "#/components/schemas/Colour"}
CARD: Node = {"$ref": "#/components/schemas/Card"}
TEXTS: Node = {"type": "array", "items": STRING}
SECRET_TEXT: Node = {"type": "string", "format": "password"}
STAMP: Node = {"type": "string", "format": "date-time"}


def normalised(name: str, member: Node, *, required: bool = False) -> Node:
    """The sample with one more member in one component, normalised; that component's schema."""
    document = deepcopy(SAMPLE)
    schema = document["components"]["schemas"][name]
    schema["properties"]["probe"] = member
    schema["required"] = [*schema["required"], "probe"] if required else schema["required"]
    result = normalise(check(document), read_operations(document))["components"]["schemas"]
    module = "responses" if name == "Thing" else "requests"
    return dict(result[f"{module}.{name}"])


def probe(name: str, member: Node, *, required: bool = False) -> Any:
    """What the added member became."""
    return normalised(name, member, required=required)["properties"]["probe"]


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        pytest.param(STRING, STRING, id="a value is never null"),
        pytest.param({"type": ["string", "null"]}, {"anyOf": [STRING, NULL]}, id="null stays"),
        pytest.param({**STRING, "default": "x"}, STRING, id="no default is sent"),
        pytest.param({**STRING, "maxLength": 3}, {**STRING, "maxLength": 3}, id="limits stay"),
        pytest.param(COLOUR, {**STRING, "description": "One of `Colour`."}, id="enum is text"),
        pytest.param(
            {"anyOf": [COLOUR, NULL], "description": "Paint."},
            {"anyOf": [STRING, NULL], "description": "Paint. One of `Colour`."},
            id="nullable enum",
        ),
        pytest.param(
            {"anyOf": [CARD, NULL]},
            {"anyOf": [{"$ref": "#/components/schemas/requests.Card"}, NULL]},
            id="references name their module",
        ),
        pytest.param(
            {"type": ["string", "null"], "format": "password"},
            {"anyOf": [{**SECRET_TEXT, "x-python-type": SECRET}, NULL]},
            id="secret",
        ),
        pytest.param(TEXTS, {**TEXTS, "x-python-type": "Sequence"}, id="list is covariant"),
        pytest.param(
            {"type": "object", "additionalProperties": STRING},
            {"type": "object", "additionalProperties": STRING, "x-python-type": "Mapping"},
            id="map is covariant",
        ),
        pytest.param(
            {**STRING, "deprecated": True, "description": "Old."},
            {**STRING, "description": "Deprecated. Old."},
            id="deprecation is said",
        ),
    ],
)
def test_request_member(member: Node, expected: Node) -> None:
    """What is sent keeps absent, null and a value apart, and has no opinion of its own."""
    assert probe("ThingCreate", member) == expected


@pytest.mark.parametrize(
    ("member", "required", "expected"),
    [
        pytest.param(STRING, True, STRING, id="required"),
        pytest.param(STRING, False, {**STRING, "nullable": True}, id="optional reads None"),
        pytest.param({"type": ["string", "null"]}, False, {**STRING, "nullable": True}, id="null reads None"),
        pytest.param({"type": ["string", "null"]}, True, {"anyOf": [STRING, NULL]}, id="required null"),
        pytest.param({**STRING, "default": "x"}, True, STRING, id="no default is made up"),
        pytest.param(TEXTS, True, TEXTS, id="list is a list"),
        pytest.param(
            {"anyOf": [COLOUR, NULL], "description": "Paint."},
            False,
            {
                "$ref": "#/components/schemas/enums.Colour",
                "nullable": True,
                "description": "Paint.",
            },
            id="enum stays an enum",
        ),
        pytest.param(STAMP, True, {**STAMP, "x-python-type": TIMESTAMP}, id="stamps are aware"),
    ],
)
def test_response_member(member: Node, required: bool, expected: Node) -> None:
    """What is received reads ``None`` when absent or null, and nothing makes a page unreadable."""
    assert probe("Thing", member, required=required) == expected


def test_modules_follow_use() -> None:
    """Enums, requests and responses go to their modules; envelopes are no classes."""
    schemas = normalise(SAMPLE, read_operations(SAMPLE))["components"]["schemas"]
    assert sorted(schemas) == [
        "enums.Colour",
        "enums.ErrorCode",
        "requests.Card",
        "requests.ThingCreate",
        "responses.ErrorDetail",
        "responses.Thing",
    ]


def test_a_schema_has_one_direction() -> None:
    """A component that is both sent and received is refused by name."""
    with pytest.raises(SpecError, match=r"schemas/Card: is sent and received"):
        probe("Thing", CARD)


def test_secret_in_a_response_is_refused() -> None:
    """A response has no mask, so a secret in it is an error and not a leak."""
    with pytest.raises(SpecError, match=r"schemas/Thing/properties/probe: a secret"):
        probe("Thing", SECRET_TEXT)


def test_has_secret_looks_at_own_members_only() -> None:
    """The component with the secret masks it; one that refers to it need not."""
    assert has_secret(normalised("Card", STRING))
    assert not has_secret(normalised("ThingCreate", STRING))


def test_input_is_left_alone() -> None:
    """Normalising is a function of the document: the document itself stays as it was."""
    before = deepcopy(SAMPLE)
    normalise(SAMPLE, read_operations(SAMPLE))
    assert before == SAMPLE


def test_operation_table() -> None:
    """Parameters, body, data, codes and extensions are read through references."""
    rows = {row.name: row for row in read_operations(SAMPLE)}
    assert list(rows) == ["retrieveThing", "deleteThing", "listThings", "createThing"]
    retrieve, delete, listing = rows["retrieveThing"], rows["deleteThing"], rows["listThings"]
    assert retrieve.path_parameters == {"thing_id": "id"}
    assert retrieve.query_parameters == {"page_size": "pageSize"}  # and no header
    assert (retrieve.data, retrieve.data_is_list, retrieve.success) == ("Thing", False, (200, 202))
    assert (delete.data, delete.success, delete.deprecated) == (None, (204,), True)
    assert (delete.rate_tier, delete.idempotency) == ("sensitive", "explicit")
    assert (listing.data, listing.data_is_list) == ("Thing", True)
    assert rows["createThing"].body == "ThingCreate"


def test_no_data() -> None:
    """An envelope whose data is always null promises nothing."""
    document = deepcopy(SAMPLE)
    document["components"]["schemas"]["ThingListEnvelope"]["properties"]["data"] = NULL
    rows = {row.name: row for row in read_operations(check(document))}
    assert rows["listThings"].data is None


@pytest.mark.parametrize(
    ("wire", "python"),
    [
        ("profileId", "profile_id"),
        ("submittedToTCR", "submitted_to_tcr"),
        ("TCRBrand", "tcr_brand"),
        ("page_size", "page_size"),
        ("x-profile-id", "x_profile_id"),
    ],
)
def test_snake(wire: str, python: str) -> None:
    """Wire names become the Python names that a reader would guess."""
    assert snake(wire) == python
