"""An API changes: what the report says, what is generated, and which client still understands which server.

For each change a client is generated from the document before it and another from the document after it. Each of them
calls every operation that it has, at a server that responds by the other document.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from codegen.diff.compare import compare
from codegen.openapi.nodes import Node
from sent_async import SentClient
from tests.support.by_document import Described, serve
from tests.support.generated import OK, Client
from tests.support.things import Edit, at, changed, member, put, schema

STRING = {"type": "string", "description": "Text."}
NUMBER = {"type": "number", "description": "A number."}
LIST, CREATE, RETRIEVE = "listThings", "createThing", "retrieveThing"


@dataclass(frozen=True)
class Case:
    """A change: where it is reported, its effect, a line of the new code, and how the calls of each client end."""

    edit: Edit
    place: str
    effect: str
    code: str
    old_client: str = OK
    """Made before the change, at a server after it: ``ok``, or the calls that fail and how."""
    new_client: str = OK
    """Made after the change, at a server from before it."""


def required(name: str, *keys: str) -> Edit:
    """Which members of a schema are required."""
    return lambda found: schema(found, name).update(required=list(keys))


def also(*edits: Edit) -> Edit:
    """Several edits as one."""

    def edit(found: Node) -> None:
        for each in edits:
            each(found)

    return edit


def drop(place: str) -> Edit:
    """Remove a member."""
    name, key = place.split(".")
    return lambda found: schema(found, name)["properties"].pop(key)


def described(place: str, **said: Any) -> Edit:
    """Set keys of a member."""
    return lambda found: member(found, place).update(said)


def delete_operation(found: Node) -> None:
    """``DELETE /v3/things/{thingId}``."""
    item = found["paths"]["/v3/things/{thingId}"]
    item["delete"] = {
        **item["get"],
        "operationId": "deleteThing",
        "x-method": "delete",
        "x-idempotency": "explicit",
        "responses": {"204": {"description": "Gone."}},
    }


def rename(found: Node) -> None:
    """``Maker`` is called ``Author``."""
    schemas = found["components"]["schemas"]
    schemas["Author"] = schemas.pop("Maker")
    member(found, "Thing.maker")["anyOf"][0] = {"$ref": "#/components/schemas/Author"}


def wrap(found: Node) -> None:
    """The list comes within an object now."""
    things = {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}, "description": "The things."}
    page = {"type": "object", "description": "A page.", "required": ["things"], "properties": {"things": things}}
    found["components"]["schemas"]["ThingPage"] = page
    content = found["paths"]["/v3/things"]["get"]["responses"]["200"]["content"]["application/json"]
    content["schema"]["allOf"][1]["properties"]["data"] = {"$ref": "#/components/schemas/ThingPage"}


def base(found: Node) -> None:
    """What the API of the things does not have, and the cases change."""
    schemas, paths = found["components"]["schemas"], found["paths"]
    schemas["Company"] = {"type": "object", "description": "A company.", "properties": {"tax_id": STRING}}
    schemas["ThingCreate"]["minProperties"] = 1
    paths["/v3/things"]["post"]["parameters"] = [ZONE, {"name": "rank", "in": "query", "schema": {"type": "integer"}}]
    item = paths["/v3/things/{thingId}"]["get"]
    paths["/v3/things/{thingId}/ping"] = {
        "post": {
            **item,
            "operationId": PING,
            "x-method": "ping",
            "x-idempotency": "automatic",
            "deprecated": True,
            "responses": {"204": {"description": "Done."}},
        }
    }


COLOUR = {"$ref": "#/components/schemas/Colour"}
ZONE = {"name": "zone", "in": "query", "required": True, "schema": STRING}
FREE = {"type": "object", "additionalProperties": True, "description": "Free."}
TEXTS = {**FREE, "additionalProperties": {"type": "string"}}
PING = "pingThing"
BASE = changed(
    "things",
    base,
    put("Thing.size", {"type": "integer", "description": "Its size."}),
    put("Thing.amount", NUMBER),
    put("Thing.code", {"type": ["string", "number"], "description": "Its code."}),
    put("Thing.extra", FREE),
    put("Thing.owner", {"$ref": "#/components/schemas/Company", "description": "Its owner."}),
    required("Thing", "id", "size"),
    put("ThingCreate.size", {"type": "integer", "description": "Its size."}),
    put("ThingCreate.colour", {**COLOUR, "description": "Its colour."}),
    put("ThingCreate.labels", TEXTS),
)
LISTING = ("paths", "/v3/things", "get")
UNREADABLE = f"{LIST} SentDecodeError, {CREATE} SentDecodeError, {RETRIEVE} SentDecodeError"
SEARCH = {"name": "search", "in": "query", "schema": STRING}
REGION = {"name": "region", "in": "query", "schema": STRING}

CASES = {
    # Harmless: a client made before the change goes on working after it.
    "response member added": Case(
        put("Thing.weight", NUMBER), "Thing.weight", "new attribute", "    weight: float | None = None\n"
    ),
    "required response member added": Case(
        also(put("Thing.weight", NUMBER), required("Thing", "id", "size", "weight")),
        "Thing.weight",
        "new attribute",
        "    weight: float\n",
        new_client=UNREADABLE,
    ),
    "response member always there now": Case(
        also(
            put("Thing.made_at", STRING),
            required("Thing", "id", "size", "made_at"),
            described("Thing.made_at", format="date-time"),
        ),
        "Thing.made_at",
        "nothing",
        "    made_at: Timestamp\n",
        new_client=UNREADABLE,
    ),
    "text became an enum": Case(
        also(put("Maker.name", {**COLOUR, "description": "The name."})),
        "Maker.name",
        "nothing",
        "    name: Colour | None = None\n",
    ),
    "enum value added": Case(
        lambda found: schema(found, "Colour").update(enum=["blue", "red", "green"]),
        "Colour.blue",
        "new attribute",
        '    BLUE = "blue"\n',
    ),
    "request member added": Case(
        put("ThingCreate.weight", NUMBER),
        "ThingCreate.weight",
        "new optional argument",
        "    weight: NotRequired[float]\n",
    ),
    "request member no longer required": Case(
        required("ThingCreate"),
        "ThingCreate.name",
        "nothing",
        "    name: NotRequired[str]\n",
        new_client=f"{CREATE} BadRequestError",
    ),
    "request member made nullable": Case(
        described("ThingCreate.size", type=["integer", "null"]),
        "ThingCreate.size",
        "nothing",
        "    size: int | None | UnsetType = UNSET\n",
    ),
    "request limit loosened": Case(
        described("ThingCreate.name", maxLength=40), "ThingCreate.name", "nothing", "    name: str\n"
    ),
    "parameter added": Case(
        at(*LISTING, "parameters", to=[SEARCH, REGION]),
        "listThings.region",
        "new optional argument",
        'query_parameters={"search": "search", "region": "region"}',
    ),
    "operation added": Case(
        delete_operation,
        "deleteThing",
        "nothing",
        "DELETE_THING: Operation[None] = Operation(",
        new_client="deleteThing NotFoundError",
    ),
    "operation deprecated": Case(
        at(*LISTING, "deprecated", to=True), "listThings", "nothing", '"""Deprecated. List things"""'
    ),
    "member deprecated": Case(
        described("ThingCreate.size", deprecated=True), "ThingCreate.size", "nothing", '"""Deprecated. Its size."""'
    ),
    "text changed": Case(described("Thing.id", description="Id."), "Thing.id", "nothing", '"""Id."""'),
    "format of a text": Case(described("Thing.id", format="uri"), "Thing.id", "nothing", "    id: str\n"),
    "another success": Case(
        lambda found: found["paths"]["/v3/things"]["post"]["responses"].update(
            {"200": found["paths"]["/v3/things"]["post"]["responses"].pop("201")}
        ),
        CREATE,
        "nothing",
        "CREATE_THING: Operation[Thing] = Operation(",
    ),
    "rate tier": Case(at(*LISTING, "x-rate-tier", to="sensitive"), LIST, "nothing", 'rate_tier="sensitive"'),
    "request member takes more numbers": Case(
        described("ThingCreate.size", type="number"),
        "ThingCreate.size",
        "nothing",
        "    size: NotRequired[float]\n",
    ),
    "request member takes any text": Case(
        put("ThingCreate.colour", STRING), "ThingCreate.colour", "nothing", "    colour: str | UnsetType = UNSET\n"
    ),
    "request map takes anything": Case(
        put("ThingCreate.labels", FREE),
        "ThingCreate.labels",
        "nothing",
        "    labels: dict[str, Any] | UnsetType = UNSET\n",
    ),
    "request may have no members": Case(
        lambda found: schema(found, "ThingCreate").pop("minProperties"), "ThingCreate", "nothing", "class ThingCreate("
    ),
    "response with whole numbers only": Case(
        described("Thing.amount", type="integer"), "Thing.amount", "nothing", "    amount: int | None = None\n"
    ),
    "response with text only": Case(
        described("Thing.code", type="string"), "Thing.code", "nothing", "    code: str | None = None\n"
    ),
    "response map of text": Case(
        put("Thing.extra", TEXTS), "Thing.extra", "nothing", "    extra: dict[str, str] | None = None\n"
    ),
    "new class": Case(
        lambda found: (
            found["components"]["schemas"].update(Box={**schema(found, "Company"), "description": "A box."}),
            put("Thing.box", {"$ref": "#/components/schemas/Box", "description": "Its box."})(found),
        ),
        "Box",
        "nothing",
        "class Box(",
    ),
    "class deprecated": Case(
        lambda found: schema(found, "Maker").update(deprecated=True), "Maker", "nothing", "class Maker("
    ),
    "status of a value": Case(
        lambda found: schema(found, "Colour").update({"x-http-status": {"red": 400, "green": 404}}),
        "Colour.red",
        "nothing",
        "class Colour(",
    ),
    "parameter no longer required": Case(
        at("paths", "/v3/things", "post", "parameters", 0, "required", to=False),
        "createThing.zone",
        "nothing",
        "zone: str | None = None",
        new_client=f"{CREATE} BadRequestError",
    ),
    "parameter takes more numbers": Case(
        at("paths", "/v3/things", "post", "parameters", 1, "schema", "type", to="number"),
        "createThing.rank",
        "nothing",
        "rank: float | None = None",
    ),
    "parameter deprecated": Case(
        at("paths", "/v3/things", "post", "parameters", 1, "deprecated", to=True),
        "createThing.rank",
        "nothing",
        "rank: int | None = None",
    ),
    "body added": Case(
        lambda found: (
            found["components"]["schemas"].update(Ping={**schema(found, "Company"), "description": "A ping."}),
            found["paths"]["/v3/things/{thingId}/ping"]["post"].update(
                requestBody={"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ping"}}}}
            ),
        ),
        f"{PING} body",
        "new optional argument",
        "class PingFields(TypedDict)",
    ),
    "no longer deprecated": Case(
        at("paths", "/v3/things/{thingId}/ping", "post", "deprecated", to=False),
        PING,
        "nothing",
        '"""Retrieve a thing"""',
    ),
    "idempotency": Case(
        at("paths", "/v3/things/{thingId}/ping", "post", "x-idempotency", to="explicit"),
        PING,
        "nothing",
        'idempotency="explicit"',
    ),
    # Breaking: why each is called so.
    "required request member added": Case(
        also(put("ThingCreate.weight", NUMBER), required("ThingCreate", "name", "weight")),
        "ThingCreate.weight",
        "call site breaks",
        "    weight: float\n",
        old_client=f"{CREATE} BadRequestError",
    ),
    "request member made required": Case(
        required("ThingCreate", "name", "size"),
        "ThingCreate.size",
        "call site breaks",
        "    size: int\n",
        old_client=f"{CREATE} BadRequestError",
    ),
    "required response member removed": Case(
        also(drop("Thing.size"), required("Thing", "id")),
        "Thing.size",
        "call site breaks",
        "class Thing(",
        old_client=UNREADABLE,
    ),
    "response member no longer required": Case(
        required("Thing", "id"), "Thing.size", "type change", "    size: int | None = None\n", old_client=UNREADABLE
    ),
    "response type changed": Case(
        described("Thing.size", type="string"),
        "Thing.size",
        "type change",
        "    size: str\n",
        old_client=UNREADABLE,
        new_client=UNREADABLE,
    ),
    "required parameter added": Case(
        at(*LISTING, "parameters", to=[SEARCH, {**REGION, "required": True}]),
        "listThings.region",
        "call site breaks",
        'query_parameters={"search": "search", "region": "region"}',
        old_client=f"{LIST} BadRequestError",
    ),
    "operation removed": Case(
        lambda found: found["paths"].pop("/v3/things/{thingId}"),
        RETRIEVE,
        "call site breaks",
        "LIST_THINGS",
        old_client=f"{RETRIEVE} NotFoundError",
    ),
    "response wrapped": Case(
        wrap,
        LIST,
        "type change",
        "LIST_THINGS: Operation[ThingPage] = Operation(",
        old_client=f"{LIST} SentDecodeError",
        new_client=f"{LIST} SentDecodeError",
    ),
    "body that is required": Case(
        lambda found: (
            found["components"]["schemas"].update(Ping={**schema(found, "Company"), "description": "A ping."}),
            found["paths"]["/v3/things/{thingId}/ping"]["post"].update(
                requestBody={
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ping"}}},
                }
            ),
        ),
        f"{PING} body",
        "call site breaks",
        "class PingFields(TypedDict)",
        old_client=f"{PING} BadRequestError",
    ),
    # Breaking for the code of callers, not on the wire.
    "optional response member removed": Case(drop("Thing.colour"), "Thing.colour", "call site breaks", "class Thing("),
    "request member removed": Case(
        drop("ThingCreate.size"), "ThingCreate.size", "call site breaks", "class ThingCreate("
    ),
    "request limit tightened": Case(
        described("ThingCreate.name", maxLength=5), "ThingCreate.name", "call site breaks", "    name: str\n"
    ),
    "enum value removed": Case(
        lambda found: schema(found, "Colour").update(enum=["green"]),
        "Colour.red",
        "call site breaks",
        '    GREEN = "green"\n',
    ),
    "class renamed": Case(rename, "Maker", "call site breaks", "    maker: Author | None = None\n"),
}


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The client of the API before any change."""
    return Client(BASE, tmp_path_factory.mktemp("before"))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_change(case: Case, old: Client, tmp_path: Path) -> None:
    """The report has the change and its effect, the code has the line, and old and new meet as foretold."""
    after = copy.deepcopy(BASE)
    case.edit(after)
    report = compare(BASE, after)
    effects = {change.effect.text for change in report.changes if change.place == case.place}
    assert case.effect in effects
    new = Client(after, tmp_path)
    assert case.code in new.text
    before, later = Described(BASE), Described(after)
    # Responses with nothing but what must be there show best what a client relies on.
    async with serve(later, full=False) as server:
        assert await old.outcome(before, server) == case.old_client
    async with serve(before, full=False) as server:
        assert await new.outcome(later, server) == case.new_client
    if not report.is_breaking:
        async with serve(later) as server:
            assert await old.outcome(before, server) == OK


async def test_an_unknown_value_reads_as_its_text(old: Client) -> None:
    """An old client meets a new enum value: it is equal to its string, and not a member that it knows."""
    after = copy.deepcopy(BASE)
    schema(after, "Colour")["enum"] = ["blue"]
    async with serve(Described(after)) as server, SentClient("key", base_url=server.url) as sent:
        thing = (await sent.send(old.operations.RETRIEVE_THING, thing_id="t-1")).data
    assert thing.colour == "blue" and thing.colour not in list(old.models.Colour)
