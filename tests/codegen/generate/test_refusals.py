"""Fragments that are refused: one line that names the place, and no file is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sample import SAMPLE, project, run
from tests.support.things import contents

LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


BAD = {
    "not YAML": ("openapi: 3.1.0", "openapi: [", "sent-v3.yaml:"),
    "not a mapping": (SAMPLE, "- a\n- b\n", "is not a mapping"),
    "other version": ("openapi: 3.1.0", "openapi: 3.0.3", "openapi: must be 3.1.x"),
    "alias bomb": (SAMPLE, LAUGHS, "sent-v3.yaml:2:8: aliases are refused"),
    "deep nesting": (SAMPLE, "[" * 200, "is nested too deeply"),
    "duplicate key": ("  /things:\n", "  /things/{id}:\n", "duplicate key '/things/{id}'"),
    "key is no text": ("'204':", "[204]:", "a key must be text"),
    "unsafe tag": ("title: Things", "title: !!python/name:os.system ''", "sent-v3.yaml:2:15"),
    "invalid OpenAPI": ("in: query", "in: nowhere", "nowhere"),
    "dangling reference": ("responses/Thing'}", "responses/Thin'}", "points at nothing"),
    "foreign reference": ("'#/components/schemas/Card'", "'https://a.b/c'", "leaves the folder of the document"),
    "duplicate operationId": ("operationId: listThings", "operationId: createThing", "createThing"),
    "missing operationId": (
        "      operationId: listThings\n",
        "",
        "GET /things: operationId must match",
    ),
    "missing tier": (
        "      x-rate-tier: sensitive\n",
        "",
        "DELETE /things/{id}: x-rate-tier must match",
    ),
    "odd idempotency": ("x-idempotency: explicit", "x-idempotency: perhaps", "it is 'perhaps'"),
    "inline object": (
        "label: {type: string}",
        "label: {type: object, properties: {a: {type: string}}}",
        "#/components/schemas/Card/properties/label: inline object",
    ),
    "inline enum": (
        "label: {type: string}",
        "label: {type: string, enum: [a]}",
        "#/components/schemas/Card/properties/label: inline enum",
    ),
    "no type": (
        "label: {type: string}",
        "label: {description: x}",
        "#/components/schemas/Card/properties/label: no type",
    ),
    "unused component": (
        "    Card:\n",
        "    Unused: {type: object, properties: {}}\n    Card:\n",
        "Unused: no",
    ),
    "statuses": ("RESOURCE_005: 404", "RESOURCE_006: 404", "RESOURCE_005, RESOURCE_006"),
    "envelope as a class": (
        "label: {type: string}",
        "label: {$ref: '#/components/schemas/Envelope'}",
        "label: Envelope is no class and no enum",
    ),
    "choice inside a member": (
        "label: {type: string}",
        "label: {anyOf: [{$ref: '#/components/schemas/Thing'}, {type: integer}]}",
        "label: inline choice: make it a component",
    ),
    "choice of no objects": (
        "    Card:\n",
        "    Odd: {oneOf: [{$ref: '#/components/schemas/Colour'}, {$ref: '#/components/schemas/Thing'}]}\n    Card:\n",
        "Odd: a choice is of components that are objects",
    ),
    "choice with an object that has no name": (
        "    Card:\n",
        "    Odd: {oneOf: [{$ref: '#/components/schemas/Card'}, {type: object, properties: {a: {}}}]}\n    Card:\n",
        "Odd: a choice is of components that are objects",
    ),
    "choice with a mapping to others": (
        "    Card:\n",
        """\
    Odd:
      oneOf: [{$ref: '#/components/schemas/Card'}, {$ref: '#/components/schemas/Thing'}]
      discriminator: {propertyName: kind, mapping: {card: Colour}}
    Card:
""",
        "Odd: a choice is of components that are objects, and its mapping names these",
    ),
    "negation": ("label: {type: string}", "label: {not: {type: string}}", "label: not is not supported"),
    "choice with objects": ("label: {type: string}", "label: {type: [string, object]}", "label: type is not supported"),
    "untyped map values": (
        "label: {type: string}",
        "label: {type: object, additionalProperties: {type: string, enum: [a]}}",
        "label/additionalProperties: inline enum",
    ),
    "untyped list": ("label: {type: string}", "label: {type: array}", "label/items: no type"),
    "component name": ("    Card:\n", "    card_1: {type: object, properties: {}}\n    Card:\n", "in CamelCase"),
    "component kind": ("    Card:\n", "    Id: {type: string}\n    Card:\n", "an object with properties, a"),
    "enum with null": ("enum: [red, NO]", "enum: [red, null]", "Colour: an enum is of strings"),
    "enum texts": ("[No key came., There is none.]", "[No key came.]", "must give each value a text"),
    "enum names": ("[MISSING_KEY, ORGANIZATION_NOT_FOUND]", "[MISSING_KEY]", "its own identifier"),
    "circular reference": (
        "    Id: {name: id, in: path, required: true, x-python-name: thing_id, schema: {type: string}}",
        "    Id: {$ref: '#/components/parameters/Id'}",
        "leads back to itself",
    ),
    "operationId form": ("operationId: listThings", "operationId: list-things", "it is 'list-things'"),
    "parameter name": (
        "name: pageSize,",
        "name: pageSize, x-python-name: list,",
        "pageSize: 'list' cannot be its x-python-name",
    ),
    "parameter named as that of the path": (
        "name: pageSize,",
        "name: thing_id,",
        "parameter 'id' and parameter 'thing_id' are both 'thing_id' in Python",
    ),
    "parameter named as a member": (
        "      operationId: createThing\n",
        "      operationId: createThing\n      parameters: [{name: Name, in: query, schema: {type: string}}]\n",
        "parameter 'Name' and member 'name' of the body are both 'name' in Python; rename one (x-python-name)",
    ),
    "joined list": (
        "in: query, schema: {type: integer}}",
        "in: query, explode: false, schema: {type: array, items: {type: string}}}",
        "pageSize: a list is sent as repeated names only",
    ),
    "list in another style": (
        "in: query, schema: {type: integer}}",
        "in: query, style: pipeDelimited, schema: {type: array, items: {type: string}}}",
        "pageSize: a list is sent as repeated names only",
    ),
    "members alike": (
        "label: {type: string}",
        "label: {type: string}\n        Label: {type: string}",
        "Card: member 'label' and member 'Label' are both 'label'",
    ),
    "secret list": (
        "label: {type: string}",
        "label: {type: array, items: {type: string}, x-secret: true}",
        "label: x-secret and x-sensitive mark a text or a map; mark the items of a list",
    ),
    "secret reference": (
        "colour: {$ref: '#/components/schemas/Colour', description: Its colour.}",
        "colour: {$ref: '#/components/schemas/Colour', x-sensitive: true}",
        "colour: x-secret and x-sensitive mark a text or a map",
    ),
    "parameters alike": (
        "        - {name: pageSize,",
        "        - {name: page_size, in: query, schema: {type: integer}}\n        - {name: pageSize,",
        "parameter 'page_size' and parameter 'pageSize' are both 'page_size'",
    ),
    "no success": ("'204': {description: gone}", "'404': {description: gone}", "no 2xx response"),
    "two kinds of data": (
        "'202': {$ref: '#/components/responses/Thing'}",
        "'202': {$ref: '#/paths/~1things/get/responses/200'}",
        "its 2xx responses promise different data",
    ),
    "no envelope": (
        "{allOf: [{$ref: '#/components/schemas/Envelope'}, {properties: {data: {type: array",
        "{allOf: [{$ref: '#/components/schemas/Thing'}, {properties: {data: {type: array",
        "GET /things: responds without the envelope (success, data, error, meta)",
    ),
    "inline data": (
        "data: {type: array, items: {$ref: '#/components/schemas/Thing'}}",
        "data: {type: array, items: {type: object, properties: {a: {type: string}}}}",
        "GET /things data items: inline object",
    ),
    "nothing to generate": (
        SAMPLE,
        "openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: {}\n",
        "datamodel-code-generator: Models not found",
    ),
    "odd parameter": ("schema: {type: integer}}", "schema: {type: object}}", "a parameter is text, a number"),
    "no resource": ("      x-resource: things\n", "", "x-resource must match"),
    "a method twice": (
        "x-method: retrieve",
        "x-method: list",
        "retrieveThing and listThings are both 'sent.things.list'",
    ),
    "resource without a text": ("{things: Things that can be made.}", "{}", "things has no description"),
    "inline body": (
        "schema: {$ref: '#/components/schemas/ThingCreate'}",
        "schema: {type: object}",
        "POST /things requestBody: inline object",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    message: str,
) -> None:
    """One line that names the place, exit code 2, and no file touched."""
    assert old in SAMPLE
    root = project(tmp_path, SAMPLE.replace(old, new, 1))
    before = contents(root)
    assert run(root, "generate") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert contents(root) == before


def test_check_refuses_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When the fragment cannot be read, the check fails and prints nothing else."""
    root = project(tmp_path, "- a\n")
    assert run(root, "check") == 2
    assert capsys.readouterr().err == "error: sent-v3.yaml: is not a mapping, but begins with '- a'\n"


def test_missing_fragment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing fragment is bad input."""
    assert run(tmp_path, "check") == 2
    assert "sent-v3.yaml: cannot be read" in capsys.readouterr().err
