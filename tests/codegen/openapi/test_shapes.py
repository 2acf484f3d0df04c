"""The plain form of a schema, however it is written."""

from __future__ import annotations

from typing import Any

import pytest

from codegen.openapi.names import without_namespace
from codegen.openapi.nodes import Node, SpecError
from codegen.openapi.shapes import class_shape, shape

REF = "#/components/schemas/"


def document(**schemas: Any) -> Node:
    """A document with nothing but schemas."""
    return {"components": {"schemas": schemas, "parameters": {"Loop": {"$ref": "#/components/parameters/Loop"}}}}


@pytest.mark.parametrize("schema", [True, {}, {"type": "nonsense"}])
def test_anything(schema: object) -> None:
    """A schema without a known type allows anything."""
    assert shape(schema, document(), "here").kind == "any"


@pytest.mark.parametrize("schema", [False, "string", None])
def test_no_schema(schema: object) -> None:
    """A value that is no schema is refused, and the error names its place."""
    with pytest.raises(SpecError, match="is not a schema"):
        shape(schema, document(), "here")


def test_dropped_members_are_named() -> None:
    """An object with members and free members keeps its members; the note says what was dropped."""
    found = shape(
        {"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}}, document(), "x"
    )
    assert (found.kind, found.dropped) == ("object", ("additionalProperties",))


def test_a_class_that_leads_back_to_itself() -> None:
    """A wrapping that leads back to itself is no class."""
    loop = document(A={"allOf": [{"$ref": f"{REF}A"}]})
    with pytest.raises(SpecError, match="leads back to itself"):
        class_shape("A", loop)


def test_a_reference_that_leads_back_to_itself() -> None:
    """It is refused outside the schemas, too."""
    with pytest.raises(SpecError, match="leads back to itself"):
        shape({"$ref": "#/components/parameters/Loop"}, document(), "x")


def test_a_wrapping_of_another_class() -> None:
    """It has the name of the class that it wraps."""
    found = document(A={"allOf": [{"$ref": f"{REF}B"}]}, B={"type": "object", "properties": {"b": {"type": "string"}}})
    assert list(class_shape("A", found).schema["properties"]) == ["b"]


def test_a_constant() -> None:
    """It is an enum of one value."""
    assert shape({"const": "a"}, document(), "x").schema["enum"] == ["a"]


@pytest.mark.parametrize(
    ("values", "kind", "schema"),
    [
        ([1, 2], "scalar", {"type": "integer"}),
        ([True, None], "scalar", {"type": "boolean"}),
        ([1, "a"], "any", {}),
        ([None], "any", {}),
        (["a", "a", None], "enum", {"type": "string", "enum": ["a"]}),
    ],
)
def test_values(values: list[object], kind: str, schema: Node) -> None:
    """Texts are an enum, other values of one kind are of this type, and null is no value."""
    found = shape({"enum": values}, document(), "x")
    assert (found.kind, found.schema, found.nullable) == (kind, schema, None in values)


def test_members_beside_a_base() -> None:
    """Members and required names beside a base belong to the class."""
    base = document(B={"type": "object", "properties": {"b": {"type": "string"}}})
    beside = {"allOf": [{"$ref": f"{REF}B"}], "properties": {"c": {"type": "string"}}, "required": ["c"]}
    found = shape(beside, base, "x")
    assert (list(found.schema["properties"]), found.schema["required"]) == (["b", "c"], ["c"])


def test_bases_that_do_not_go_together() -> None:
    """A plain type beside an object adds nothing; the limits of a number are named as dropped."""
    base = document(B={"type": "object", "properties": {"b": {"type": "string"}}})
    found = shape({"allOf": [{"$ref": f"{REF}B"}, {"type": "integer"}]}, base, "x")
    assert (found.kind, found.dropped) == ("object", ())
    broken = shape({"allOf": [{"$ref": f"{REF}B"}, {"type": "integer", "minimum": 3}]}, base, "x")
    assert (broken.kind, broken.dropped) == ("any", ("allOf",))


def test_alternatives_that_say_nothing() -> None:
    """A union of nulls is anything, and may be null."""
    found = shape({"oneOf": [{"type": "null"}, {"nullable": True}]}, document(), "x")
    assert (found.kind, found.nullable) == ("any", True)


def test_a_name_outside_the_known_namespaces() -> None:
    """The name is not shortened."""
    assert without_namespace("SentDmSomething") == "SentDmSomething"
    assert without_namespace("SentDmModelset") == "SentDmModelset"
