"""Small changes of an API: what the report says, what is generated, and who still understands whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from codegen.loopback import Loopback, serve
from codegen.row import Row
from codegen.specdiff import compare
from sent_async import SentClient, SentError

from . import document as d
from .document import BASE, Change, Node
from .generated import Generated

OK = "ok"
STRING = {"type": "string"}
NAMES = count()


@dataclass(frozen=True)
class Case:
    """A change; its row (place, change, effect, bump); a line of the new code; how the calls of either client end."""

    change: Change
    row: tuple[str, str, str, str]
    code: str
    old_client: str = OK
    """Made before the change, against a server after it: ``ok``, or the calls that fail and how."""
    new_client: str = OK
    """Made after the change, against a server from before."""


NOTHING, ATTRIBUTE, ARGUMENT = "nothing", "new attribute", "new optional argument"
TYPE, BREAKS = "type change", "call site breaks"
LIST, CREATE, RETRIEVE = "LIST_THINGS", "CREATE_THING", "RETRIEVE_THING"
ALL_DECODES = f"{CREATE} SentDecodeError, {LIST} SentDecodeError, {RETRIEVE} SentDecodeError"

CASES = {
    "response field added": Case(
        d.put("Thing.weight", {"type": "number"}),
        ("Thing.weight", "added", ATTRIBUTE, "minor"),
        "    weight: float | None = None\n",
    ),
    "required response field added": Case(
        d.put("Thing.weight", {"type": "number"}, required=True),
        ("Thing.weight", "added", ATTRIBUTE, "minor"),
        "    weight: float\n",
        new_client=ALL_DECODES,
    ),
    "request field added": Case(
        d.put("ThingCreate.weight", {"type": "number"}),
        ("ThingCreate.weight", "added", ARGUMENT, "minor"),
        "    weight: float | UnsetType = UNSET\n",
    ),
    "required request field added": Case(
        d.put("ThingCreate.weight", {"type": "number"}, required=True),
        ("ThingCreate.weight", "added", BREAKS, "major"),
        "    weight: Required[float]\n",
        old_client=f"{CREATE} BadRequestError",
    ),
    "optional response field removed": Case(
        d.drop("Thing.note"),
        ("Thing.note", "removed", BREAKS, "major"),
        "class Thing(",
    ),
    "required response field removed": Case(
        d.drop("Thing.size"),
        ("Thing.size", "removed", BREAKS, "major"),
        "class Thing(",
        old_client=ALL_DECODES,
    ),
    "request field removed": Case(
        d.drop("ThingCreate.note"),
        ("ThingCreate.note", "removed", BREAKS, "major"),
        "class ThingCreate(",
    ),
    "response field renamed": Case(
        d.also(d.drop("Thing.note"), d.put("Thing.remark", {"type": ["string", "null"]})),
        ("Thing.note", "removed", BREAKS, "major"),
        "    remark: str | None = None\n",
    ),
    "request field made required": Case(
        d.put("ThingCreate.size", {"type": "integer"}, required=True),
        ("ThingCreate.size", "changed", BREAKS, "major"),
        "    size: Required[int]\n",
        old_client=f"{CREATE} BadRequestError",
    ),
    "request field no longer required": Case(
        d.put("ThingCreate.name", STRING),
        ("ThingCreate.name", "changed", NOTHING, "minor"),
        "    name: NotRequired[str]\n",
        new_client=f"{CREATE} BadRequestError",
    ),
    "response field made required": Case(
        d.put("Thing.note", STRING, required=True),
        ("Thing.note", "changed", NOTHING, "minor"),
        "    note: str\n",
        new_client=ALL_DECODES,
    ),
    "response field no longer required": Case(
        d.put("Thing.size", {"type": "integer"}),
        ("Thing.size", "changed", TYPE, "major"),
        "    size: int | None = None\n",
        old_client=ALL_DECODES,
    ),
    "response field made nullable": Case(
        d.put("Thing.size", {"type": ["integer", "null"]}, required=True),
        ("Thing.size", "changed", TYPE, "major"),
        "    size: int | None\n",
    ),
    "request field made nullable": Case(
        d.put("ThingCreate.note", {"type": ["string", "null"], "description": "A note."}),
        ("ThingCreate.note", "changed", NOTHING, "minor"),
        "    note: str | None | UnsetType = UNSET\n",
    ),
    "response type changed": Case(
        d.put("Thing.size", STRING, required=True),
        ("Thing.size", "changed", TYPE, "major"),
        "    size: str\n",
        old_client=ALL_DECODES,
        new_client=ALL_DECODES,
    ),
    "request type changed": Case(
        d.put("ThingCreate.size", STRING),
        ("ThingCreate.size", "changed", TYPE, "major"),
        "    size: str | UnsetType = UNSET\n",
    ),
    "request limit tightened": Case(
        d.put("ThingCreate.name", {"type": "string", "maxLength": 5}, required=True),
        ("ThingCreate.name", "changed", BREAKS, "major"),
        "    name: Required[str]\n",
    ),
    "text became an enum": Case(
        d.put("Thing.name", {"$ref": "#/components/schemas/Colour"}, required=True),
        ("Thing.name", "changed", NOTHING, "minor"),
        "    name: Colour\n",
    ),
    "enum value added": Case(
        d.values("blue", "red", "green"),
        ("Colour.blue", "added", ATTRIBUTE, "minor"),
        '    BLUE = "blue"\n',
    ),
    "enum value removed": Case(
        d.values("green"),
        ("Colour.red", "removed", BREAKS, "major"),
        '    GREEN = "green"\n',
    ),
    "operation added": Case(
        d.add_operation,
        ("deleteThing", "added", NOTHING, "minor"),
        "DELETE_THING: Operation[None] = Operation(",
        new_client="DELETE_THING NotFoundError",
    ),
    "operation removed": Case(
        d.remove_operation,
        ("retrieveThing", "removed", BREAKS, "major"),
        "LIST_THINGS",
        old_client=f"{RETRIEVE} NotFoundError",
    ),
    "operation deprecated": Case(
        d.in_operation("/v3/things", "get", deprecated=True),
        ("listThings", "deprecated", NOTHING, "minor"),
        '"""Deprecated. List things"""',
    ),
    "parameter added": Case(
        d.in_operation(
            "/v3/things",
            "get",
            parameters=[{"name": name, "in": "query", "schema": STRING} for name in ("search", "sortBy")],
        ),
        ("listThings.sortBy", "added", ARGUMENT, "minor"),
        'query_parameters={"search": "search", "sort_by": "sortBy"}',
    ),
    "required parameter added": Case(
        d.in_operation(
            "/v3/things", "get", parameters=[{"name": "region", "in": "query", "required": True, "schema": STRING}]
        ),
        ("listThings.region", "added", BREAKS, "major"),
        'query_parameters={"region": "region"}',
        old_client=f"{LIST} BadRequestError",
    ),
    "response wrapped": Case(
        d.wrap_list,
        ("listThings", "changed", TYPE, "major"),
        "LIST_THINGS: Operation[ThingPage] = Operation(",
        old_client=f"{LIST} SentDecodeError",
        new_client=f"{LIST} SentDecodeError",
    ),
    "schema renamed": Case(
        d.rename_schema,
        ("Maker", "changed", BREAKS, "major"),
        "    maker: Author | None = None\n",
    ),
}


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """The code of the API before any change."""
    return Generated(BASE, tmp_path_factory.mktemp("before"), "things_before")


async def outcome(generated: Generated, described: Node, server: Loopback) -> str:
    """``ok``, or which calls of this client failed at this server and how."""
    found: list[str] = []
    async with SentClient("key", base_url=server.url, max_retries=0, pacing=False) as sent:
        for name in sorted(set(generated.operations.__all__) - {"ALL", "ERROR_STATUS"}):
            operation = generated.operation(name)
            arguments: dict[str, Any] = dict.fromkeys(operation.path_parameters, "t-1")
            if "region" in operation.query_parameters:
                arguments["region"] = "eu"
            if operation.body is not None:
                arguments["body"] = operation.body(**required_members(described))
            try:
                await sent.send(operation, **arguments)
            except SentError as error:
                found.append(f"{name} {type(error).__name__}")
    return ", ".join(found) or OK


def required_members(described: Node) -> dict[str, Any]:
    """What a caller has to give to create a thing."""
    sample = {"string": "text", "integer": 1, "number": 1.5}
    create = d.schema(described, "ThingCreate")
    return {key: sample[create["properties"][key]["type"]] for key in create.get("required", [])}


def only(rows: tuple[Row, ...], place: str, change: str) -> Row:
    """The one row about this change that is more than a new text."""
    found = [row for row in rows if (row.place, row.change) == (place, change) and "described" not in row.text]
    assert len(found) == 1, rows
    return found[0]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_change(case: Case, old: Generated, tmp_path: Path) -> None:
    """The report has the row with its effect and bump, the code has the line, and old and new meet as foretold."""
    after = d.changed(case.change)
    report = compare(BASE, after)
    place, change, effect, bump = case.row
    row = only(report.rows, place, change)
    assert (row.effect, row.bump) == (effect, bump)
    assert report.bump == bump
    new = Generated(after, tmp_path, f"things_{next(NAMES)}")
    assert case.code in new.text
    # Bare answers, with nothing but what must be there, show best who relies on what.
    async with serve(after, full=False) as later, serve(BASE, full=False) as earlier:
        assert await outcome(old, BASE, later) == case.old_client
        assert await outcome(new, after, earlier) == case.new_client
    if not report.is_breaking:
        for full in (False, True):
            async with serve(after, full=full) as server:
                assert await outcome(old, BASE, server) == OK


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_way_back(case: Case) -> None:
    """Undoing a change is reported too, and the same comparison gives the same rows."""
    after = d.changed(case.change)
    assert compare(after, BASE).rows
    assert compare(BASE, after) == compare(BASE, after)


def test_a_removed_attribute_is_gone(old: Generated, tmp_path: Path) -> None:
    """Why a removed member breaks: reading it is an AttributeError, giving it a TypeError."""
    new = Generated(d.changed(d.also(d.drop("Thing.note"), d.drop("ThingCreate.note"))), tmp_path, "things_without")
    assert hasattr(old.models.Thing, "note") and not hasattr(new.models.Thing, "note")
    make: Callable[..., Any] = new.models.ThingCreate
    with pytest.raises(TypeError, match="note"):
        make(name="x", note="y")


async def test_an_unknown_value_reads_as_its_text(old: Generated) -> None:
    """An old client meets a new enum value: it is equal to its string, and not a member that it knows."""
    async with serve(d.changed(d.values("blue"))) as server, SentClient("key", base_url=server.url) as sent:
        thing = (await sent.send(old.operation(RETRIEVE), thing_id="t-1")).data
    assert thing.colour == "blue" and thing.colour not in list(old.models.Colour)
