"""What cannot be carried over stops an update, with the place and what to do, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.openapi.nodes import Node
from tests.support.things import (
    SCHEMAS,
    Edit,
    edit,
    put,
    refused,
    respond,
    schema,
)


@pytest.mark.parametrize(
    ("envelope", "problem"),
    [
        (
            {"type": "object", "properties": {"success": {"type": "boolean"}, "result": {"type": "string"}}},
            "has an envelope with result where data was expected",
        ),
        ({"type": "object", "properties": {"id": {"type": "string"}}}, "responds without the envelope"),
        ({"type": "array", "items": {"type": "string"}}, "responds without the envelope"),
        (
            {
                "type": "object",
                "properties": {
                    "success": {"type": "boolean"},
                    "data": {"oneOf": [{"$ref": f"{SCHEMAS}Maker"}, {"type": "string"}]},
                },
            },
            "is one of 2 schemas, which the fragment cannot express",
        ),
        (
            {"type": "object", "properties": {"success": {"type": "boolean"}, "data": {"not": {"type": "string"}}}},
            "not cannot be expressed",
        ),
    ],
)
def test_d2_what_cannot_be_carried_over_is_refused(root: Path, envelope: Node, problem: str) -> None:
    """A covered response that no longer resolves stops the update, with the place and what to do."""
    text = refused(root, respond(envelope))
    assert problem in text
    assert "openapi/overlays/vendor.yaml" in text


@pytest.mark.parametrize("value", [{"type": "boolean"}, {"type": "object"}, {"$ref": f"{SCHEMAS}Idle"}])
def test_d2_an_error_of_another_type_is_refused(root: Path, value: Node) -> None:
    """The client reads the error of every failed call, so another one is not passed over."""

    def change(document: Node) -> None:
        schema(document, "Idle").update(type="string", enum=["a"])
        put("ApiResponseOfThing.error", value)(document)

    text = refused(root, change)
    assert "POST /v3/things response: error of the envelope has another type than the client reads" in text


def test_d2_a_request_that_is_no_object(root: Path) -> None:
    """A body that is a list or a form is refused."""

    def body(content: Node) -> Edit:
        return lambda d: d["paths"]["/v3/things"]["post"].update(requestBody={"content": content})

    assert "POST /v3/things request: is not an object" in refused(
        root, body({"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}})
    )
    assert "takes text/plain instead of JSON" in refused(root, body({"text/plain": {"schema": {"type": "string"}}}))


def test_what_has_no_type_is_refused(root: Path) -> None:
    """A parameter, the items of a list, or data for which we have no type either."""
    parameter = {"name": "x", "in": "query", "schema": {}}
    assert "x: has no type" in refused(root, lambda d: d["paths"]["/v3/things"]["get"]["parameters"].append(parameter))
    assert "its items have no type" in refused(root, put("CreateThingRequest.tags", {"type": "array", "items": {}}))
    edit(root, "names.toml", "[operations]\n", '[operations]\nping = { at = "GET /v3/ping", call = "things.ping" }\n')
    envelope = {"type": "object", "properties": {"success": {"type": "boolean"}, "data": {}}}
    content = {"application/json": {"schema": envelope}}
    ping = {"get": {"operationId": "Ping", "responses": {"200": {"description": "", "content": content}}}}
    assert "data has no type" in refused(root, lambda d: d["paths"].update({"/v3/ping": ping}))


def test_invalid_parts_are_refused_where_they_are_used(root: Path) -> None:
    """An idle schema may be nonsense (it is, in the document of these tests); a used one may not."""
    text = refused(root, lambda d: schema(d, "Maker").update(type=5))
    assert text.startswith("vendor.json #/components/schemas/Maker/type: 5 is not of type 'string'. ")
    assert "openapi/overlays/vendor.yaml" in text
    assert "points at nothing" in refused(root, put("ThingResponse.maker", {"$ref": f"{SCHEMAS}None"}))
    loop = {"A": {"$ref": f"{SCHEMAS}B"}, "B": {"$ref": f"{SCHEMAS}A"}}
    assert "leads back to itself" in refused(
        root,
        lambda d: (d["components"]["schemas"].update(loop), put("ThingResponse.maker", {"$ref": f"{SCHEMAS}A"})(d)),
    )


def test_d5_code_that_cannot_be_generated(root: Path) -> None:
    """A fragment that gives no code is refused as a whole: fragment, lock and code stay."""
    parameter = {"name": "name", "in": "query", "schema": {"type": "string"}}

    def change(document: Node) -> None:
        document["paths"]["/v3/things"]["post"].setdefault("parameters", []).append(parameter)

    assert "rename one (x-python-name)" in refused(root, change)


def test_what_the_fragment_has_no_form_for(root: Path) -> None:
    """Any rule of the fragment that would be broken: the place, and the two files in which it can be put right."""
    both = {"anyOf": [{"type": "string"}, {"type": "number"}]}
    parameter = {"name": "size", "in": "query", "schema": both}
    text = refused(root, lambda d: d["paths"]["/v3/things"]["get"]["parameters"].append(parameter))
    assert text.startswith("vendor.json GET /v3/things size: a parameter is text, a number, true or false, or a list")
    assert "openapi/overlays/vendor.yaml" in text and "openapi/overlays/fragment.yaml" in text
    envelope = {"type": "object", "properties": {"success": {"type": "boolean"}, "data": both}}
    assert "data: inline object: data must be" in refused(root, respond(envelope))


def test_a_body_that_is_an_enum_is_refused(root: Path) -> None:
    """It has a class, but no members that could be arguments."""
    content = {"application/json": {"schema": {"type": "string", "enum": ["a"]}}}
    text = refused(root, lambda d: d["paths"]["/v3/things"]["post"].update(requestBody={"content": content}))
    assert text.startswith("POST /v3/things request: is not an object. ")


def test_a_list_of_nothing_but_itself_is_refused(root: Path) -> None:
    """There is no end to it. The place is that of the member."""

    def change(document: Node) -> None:
        document["components"]["schemas"]["Tree"] = {"type": "array", "items": {"$ref": f"{SCHEMAS}Tree"}}
        put("ThingResponse.tree", {"$ref": f"{SCHEMAS}Tree"})(document)

    assert refused(root, change).startswith("Thing.tree: its items have no type")
