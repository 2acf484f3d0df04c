"""A small API, and ways to change it. What is described here is served, generated and called."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from codegen.load import check, parse

Node = dict[str, Any]
Change = Callable[[Node], None]

_TEXT = """\
openapi: 3.1.0
info: {title: Things, version: '1'}
paths:
  /v3/things:
    get:
      operationId: listThings
      tags: [things]
      summary: List things
      x-rate-tier: standard
      x-idempotency: none
      parameters:
        - {name: search, in: query, schema: {type: string}}
      responses:
        '200':
          description: The things.
          content: {application/json: {schema: {$ref: '#/components/schemas/ThingListEnvelope'}}}
    post:
      operationId: createThing
      tags: [things]
      summary: Create a thing
      x-rate-tier: standard
      x-idempotency: automatic
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/ThingCreate'}}}
      responses:
        '201':
          description: The thing.
          content: {application/json: {schema: {$ref: '#/components/schemas/ThingEnvelope'}}}
  /v3/things/{thingId}:
    get:
      operationId: retrieveThing
      tags: [things]
      summary: Retrieve a thing
      x-rate-tier: standard
      x-idempotency: none
      parameters:
        - {name: thingId, in: path, required: true, schema: {type: string}}
      responses:
        '200':
          description: The thing.
          content: {application/json: {schema: {$ref: '#/components/schemas/ThingEnvelope'}}}
components:
  schemas:
    ThingEnvelope:
      type: object
      properties:
        success: {type: boolean}
        data: {$ref: '#/components/schemas/Thing'}
    ThingListEnvelope:
      type: object
      properties:
        success: {type: boolean}
        data: {type: array, items: {$ref: '#/components/schemas/Thing'}}
    Thing:
      description: A thing.
      type: object
      required: [id, name, size, colour]
      properties:
        id: {type: string, description: Its id.}
        name: {type: string, description: Its name.}
        size: {type: integer, description: Its size.}
        colour: {$ref: '#/components/schemas/Colour'}
        note: {type: [string, 'null'], description: A note.}
        maker: {anyOf: [{$ref: '#/components/schemas/Maker'}, {type: 'null'}]}
    Maker:
      description: Who made it.
      type: object
      properties:
        name: {type: [string, 'null'], description: The name.}
    ThingCreate:
      description: A thing to make.
      type: object
      required: [name]
      properties:
        name: {type: string, description: Its name.}
        size: {type: integer, description: Its size.}
        note: {type: string, description: A note.}
    Colour:
      description: Colours.
      type: string
      enum: [red, green]
"""
BASE: Node = check(parse(_TEXT, "things.yaml"))


def changed(change: Change) -> Node:
    """The small API after a change, checked like any fragment."""
    document = copy.deepcopy(BASE)
    change(document)
    return check(document)


def schema(document: Node, name: str) -> Node:
    """A component."""
    found: Node = document["components"]["schemas"][name]
    return found


def put(place: str, value: Node, *, required: bool = False) -> Change:
    """Add or replace a member, ``Thing.name``, and say whether it is required."""
    name, member = place.split(".")

    def change(document: Node) -> None:
        target = schema(document, name)
        target["properties"][member] = {"description": f"Its {member}.", **value}
        target["required"] = [key for key in target.get("required", []) if key != member] + [member] * required

    return change


def drop(place: str) -> Change:
    """Remove a member."""
    name, member = place.split(".")

    def change(document: Node) -> None:
        target = schema(document, name)
        del target["properties"][member]
        target["required"] = [key for key in target.get("required", []) if key != member]

    return change


def also(*changes: Change) -> Change:
    """Several changes as one."""

    def change(document: Node) -> None:
        for each in changes:
            each(document)

    return change


def in_operation(path: str, method: str, **members: Any) -> Change:
    """Set members of an operation."""
    return lambda document: document["paths"][path][method].update(members)


def values(*names: str) -> Change:
    """Other colours."""
    return lambda document: schema(document, "Colour").update(enum=list(names))


def add_operation(document: Node) -> None:
    """``DELETE /v3/things/{thingId}``."""
    document["paths"]["/v3/things/{thingId}"]["delete"] = {
        "operationId": "deleteThing",
        "tags": ["things"],
        "summary": "Delete a thing",
        "x-rate-tier": "standard",
        "x-idempotency": "explicit",
        "parameters": document["paths"]["/v3/things/{thingId}"]["get"]["parameters"],
        "responses": {"204": {"description": "Gone."}},
    }


def remove_operation(document: Node) -> None:
    """No more ``GET /v3/things/{thingId}``."""
    del document["paths"]["/v3/things/{thingId}"]


def wrap_list(document: Node) -> None:
    """The list comes within an object now."""
    document["components"]["schemas"]["ThingPage"] = {
        "description": "A page of things.",
        "type": "object",
        "required": ["things"],
        "properties": {
            "things": {"description": "The things.", "type": "array", "items": {"$ref": "#/components/schemas/Thing"}}
        },
    }
    schema(document, "ThingListEnvelope")["properties"]["data"] = {"$ref": "#/components/schemas/ThingPage"}


def rename_schema(document: Node) -> None:
    """``Maker`` is called ``Author``."""
    schemas = document["components"]["schemas"]
    schemas["Author"] = schemas.pop("Maker")
    schema(document, "Thing")["properties"]["maker"] = {
        "anyOf": [{"$ref": "#/components/schemas/Author"}, {"type": "null"}]
    }
