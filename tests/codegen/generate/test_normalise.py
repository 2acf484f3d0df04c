"""Each rule of the normalisation on a small document."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from codegen.fragment.endpoints import data_type, read_endpoints
from codegen.fragment.rules import check
from codegen.generate.normalise import SECRET, SECRET_MAP, TIMESTAMP, normalise
from codegen.generate.resources import failures
from codegen.openapi.names import python_name, snake
from codegen.openapi.nodes import Node, SpecError, lookup
from codegen.openapi.reading import parse
from tests.support.things import DOCUMENTS

SAMPLE = parse((DOCUMENTS / "sample.yaml").read_bytes(), "sample.yaml")
STRING: Node = {"type": "string"}
NULL: Node = {"type": "null"}
COLOUR: Node = {"$ref": "#/components/schemas/Colour"}
COLOURS: Node = {**STRING, "x-python-type": "sent_async.models.enums.ColourValue", "x-enum": "Colour"}
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
    result = normalise(check(document), read_endpoints(document))["components"]["schemas"]
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
        pytest.param({**STRING, "maxLength": 3}, STRING, id="limits are the server's"),
        pytest.param(
            {"anyOf": [STRING, {"type": "integer"}]}, {"type": ["string", "integer"]}, id="choices are of scalars"
        ),
        pytest.param(COLOUR, {**COLOURS, "description": "One of `red`, `NO`."}, id="known values of an enum"),
        pytest.param(
            {"anyOf": [COLOUR, NULL], "description": "Paint: `red` or `NO`."},
            {"anyOf": [COLOURS, NULL], "description": "Paint: `red` or `NO`."},
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
            id="deprecation is in the description",
        ),
    ],
)
def test_request_member(member: Node, expected: Node) -> None:
    """A member of a request keeps absent, null and value apart, and has no default."""
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
        pytest.param(
            {**STRING, "format": "date"},
            True,
            {**STRING, "format": "date", "x-python-type": "sent_async.structs.Date"},
            id="dates have a name that no member has",
        ),
        pytest.param({**STRING, "format": "binary"}, True, STRING, id="encoded bytes are text"),
        pytest.param(
            {**STAMP, "x-secret": True}, True, {**STAMP, "x-python-type": SECRET}, id="a secret is one in any format"
        ),
    ],
)
def test_response_member(member: Node, required: bool, expected: Node) -> None:
    """A member of a response is ``None`` when it is absent or null, and no wrong value makes a page unreadable."""
    assert probe("Thing", member, required=required) == expected


def test_modules_follow_use() -> None:
    """Enums, requests and responses go to their own modules, and envelopes are no classes."""
    schemas = normalise(SAMPLE, read_endpoints(SAMPLE))["components"]["schemas"]
    assert sorted(schemas) == [
        "enums.Colour",
        "enums.ErrorCode",
        "requests.Card",
        "requests.ThingCreate",
        "responses.ErrorDetail",
        "responses.Thing",
    ]


def test_a_schema_has_one_direction() -> None:
    """A schema that is both sent and received is refused by its name."""
    with pytest.raises(SpecError, match=r"schemas/Card: is sent and received"):
        probe("Thing", CARD)


@pytest.mark.parametrize("mark", ["x-secret", "x-sensitive"])
def test_secret_in_a_response(mark: str) -> None:
    """A credential and a sensitive text or number have a type of their own."""
    assert probe("Thing", {**STRING, mark: True})["x-python-type"] == SECRET
    free: Node = {"type": "object", "additionalProperties": True, mark: True}
    assert probe("Thing", free)["x-python-type"] == SECRET_MAP


def test_input_is_left_alone() -> None:
    """The document is not changed."""
    before = deepcopy(SAMPLE)
    normalise(SAMPLE, read_endpoints(SAMPLE))
    assert before == SAMPLE


def test_endpoints() -> None:
    """Parameters, body and data are read through references."""
    endpoints = {endpoint.name: endpoint for endpoint in read_endpoints(SAMPLE)}
    assert list(endpoints) == ["retrieveThing", "deleteThing", "listThings", "createThing"]
    retrieve, delete, listing = endpoints["retrieveThing"], endpoints["deleteThing"], endpoints["listThings"]
    assert [(p.name, p.wire, p.type, p.required) for p in retrieve.path_parameters] == [("thing_id", "id", "str", True)]
    assert [(p.name, p.wire, p.type, p.required) for p in retrieve.query_parameters] == [
        ("page_size", "pageSize", "int", False)  # and no header
    ]
    assert retrieve.data is not None and retrieve.data.type == "Thing"
    assert delete.data is None
    assert delete.summary.startswith("Deprecated. ")
    assert listing.data is not None
    assert (listing.data.type, listing.data.items, listing.data.item) == ("list[Thing]", "", "Thing")
    assert endpoints["createThing"].body == "ThingCreate"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"type": ["array", "null"], "items": {"type": "string"}}, "list[str]"),
        ({"type": "object", "additionalProperties": True}, "dict[str, Any]"),
        ({"type": "integer"}, "int"),
    ],
)
def test_data_of_other_kinds(data: Node, expected: str) -> None:
    """Lists of scalars, free maps and scalars are data too."""
    found = data_type(SAMPLE, "here", data)
    assert (found.type, found.classes) == (expected, frozenset())


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
    """Names of the wire become the usual Python names."""
    assert snake(wire) == python


@pytest.mark.parametrize(
    ("wire", "python"),
    [
        ("self", "self_"),
        ("from", "from_"),
        ("str", "str_"),
        ("idempotencyKey", "idempotency_key_"),
        ("toJSON", "to_json_"),
        ("_id", "id"),
        ("1st", "field_1st"),
        ("$", "field_"),
        ("x-request-id", "x_request_id"),
        ("type", "type"),
    ],
)
def test_python_name(wire: str, python: str) -> None:
    """A name that is taken by Python, a method or a model gets an underscore; every name is an identifier."""
    assert python_name(wire) == python
    assert python.isidentifier() and python_name(python) == python


def test_failures() -> None:
    """A 4xx response has its whole text, a shared one its first sentence; those of every call are left out."""
    document = deepcopy(SAMPLE)
    shared = {"description": "Not there (`RESOURCE_001`). The guide shows a body."}
    document["components"]["responses"] |= {"NotFound": shared, "Unauthorized": {"description": "No key."}}
    document["paths"]["/things/{id}"]["get"]["responses"] |= {
        "400": {"description": "Not an\nid. Ids are UUIDs."},
        "401": {"$ref": "#/components/responses/Unauthorized"},
        "404": {"$ref": "#/components/responses/NotFound"},
    }
    assert list(failures(read_endpoints(document)[0])) == [
        "BadRequestError: Not an id. Ids are UUIDs.",
        "NotFoundError: Not there (`RESOURCE_001`).",
    ]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "array", "items": {"type": "string"}}, "Sequence[str]"),
        ({"type": "string", "format": "date-time"}, "datetime"),
        ({"type": ["boolean", "null"]}, "bool"),
    ],
)
def test_parameter_types(schema: Node, expected: str) -> None:
    """Lists and times are parameters too."""
    document = deepcopy(SAMPLE)
    document["paths"]["/things/{id}"]["get"]["parameters"][1]["schema"] = schema
    (parameter,) = read_endpoints(document)[0].query_parameters
    assert parameter.type == expected


def test_an_envelope_alone_promises_nothing() -> None:
    """A response that is only the envelope has no data."""
    document = deepcopy(SAMPLE)
    schema = {"$ref": "#/components/schemas/Envelope"}
    document["paths"]["/things"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = schema
    assert [endpoint.data for endpoint in read_endpoints(document) if endpoint.name == "listThings"] == [None]


def test_a_reference_out_of_the_document() -> None:
    """A reference to another file is refused."""
    with pytest.raises(SpecError, match="leaves the document"):
        lookup(SAMPLE, "here", "other.yaml#/x")
