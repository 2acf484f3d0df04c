"""Each kind of change: its words, its effect and its bump."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from codegen.diff.compare import compare
from codegen.diff.report import Change, Effect, Report
from codegen.openapi.nodes import Node, nodes
from codegen.openapi.sources import read_source
from tests.support.things import ROOT, Edit, at, changed, document, put, schema


def changes(name: str, edit: Edit) -> list[Change]:
    """The report on a document after a change."""
    return list(compare(document(name), changed(name, edit)).changes)


def member(place: str, **said: Any) -> Edit:
    """Set keys of a member, ``Thing.name``."""
    name, key = place.split(".")
    return lambda found: schema(found, name)["properties"].setdefault(key, {}).update(said)


# Each kind of change.

LISTING = ("paths", "/v3/things", "get")
CREATE = ("paths", "/v3/things", "post")


def rename(old: str, new: str) -> Edit:
    """Another name for a class of the fragment."""

    def change(found: Node) -> None:
        text = json.dumps(found).replace(f'"{old}"', f'"{new}"').replace(f'schemas/{old}"', f'schemas/{new}"')
        found.clear()
        found.update(json.loads(text))

    return change


ANY = {"schema": {"$ref": "#/components/schemas/Envelope"}}
ENVELOPE = {"application/json": ANY}
MAKER = {"$ref": "#/components/schemas/Maker"}
UNION = {"oneOf": [MAKER, {"$ref": "#/components/schemas/ErrorDetail"}]}
CASES: dict[str, tuple[Edit, str, str]] = {
    "tier": (at(*LISTING, "x-rate-tier", to="sensitive"), "rate tier standard is now sensitive", "patch"),
    "codes": (
        at(*CREATE, "responses", "200", to={"description": ""}),
        "succeeds with 200, 201; the client accepts any 2xx",
        "patch",
    ),
    "id": (at(*LISTING, "operationId", to="readThings"), "the operation is now called readThings", "major"),
    "method": (at(*LISTING, "x-method", to="list_all"), "the method things.list is now things.list_all", "major"),
    "path parameter": (
        at("paths", "/v3/things/{thingId}", "get", "parameters", 0, "x-python-name", to="key"),
        "the path takes key",
        "major",
    ),
    "no longer deprecated": (at(*LISTING, "deprecated", to=True), "deprecated; it still works", "minor"),
    "operation text": (at(*LISTING, "summary", to="x"), "new description: Our words about the list.", "patch"),
    "parameter gone": (at(*LISTING, "parameters", to=[]), "the parameter is gone", "major"),
    "parameter added": (
        at(*CREATE, "parameters", to=[{"name": "q", "in": "query", "schema": {"type": "number"}}]),
        "float",
        "minor",
    ),
    "header required": (
        at(
            *CREATE,
            "parameters",
            to=[{"name": "X-New", "in": "header", "required": True, "schema": {"type": "string"}}],
        ),
        "str, required",
        "major",
    ),
    "parameter type": (at(*LISTING, "parameters", 1, "schema", to={"type": "boolean"}), "str is now bool", "major"),
    "parameter name": (at(*LISTING, "parameters", 1, "x-python-name", to="q"), "search is now q", "major"),
    "parameter required": (at(*LISTING, "parameters", 1, "required", to=True), "required now", "major"),
    "parameter text": (at(*LISTING, "parameters", 1, "description", to="x"), "new description: x", "patch"),
    "body gone": (
        lambda d: d["paths"]["/v3/things"]["post"].pop("requestBody"),
        "no longer takes ThingCreate",
        "major",
    ),
    "form": (at(*CREATE, "requestBody", "content", to={"text/plain": {}}), "takes text/plain instead of JSON", "major"),
    "no data": (at(*CREATE, "responses", "201", "content", to=ENVELOPE), "gives nothing instead of Thing", "major"),
    "text response": (
        at(*CREATE, "responses", "201", "content", to={"text/plain": {}}),
        "responds with text/plain instead of JSON",
        "major",
    ),
    "other data": (
        at(
            *CREATE,
            "responses",
            "201",
            "content",
            "application/json",
            "schema",
            "allOf",
            1,
            "properties",
            "data",
            to=MAKER,
        ),
        "Thing is now Maker",
        "major",
    ),
    "class text": (at("components", "schemas", "Maker", "description", to="x"), "new description: x", "patch"),
    "class deprecated": (
        at("components", "schemas", "Maker", "deprecated", to=True),
        "deprecated; it still works",
        "patch",
    ),
    "class renamed": (rename("Maker", "Author"), "renamed to Author", "major"),
    "member of an enum": (
        at("components", "schemas", "Colour", "x-enum-varnames", to=["RED", "LIME"]),
        "green is now LIME",
        "major",
    ),
    "status": (
        at("components", "schemas", "Colour", "x-http-status", to={"red": 400, "green": 401}),
        "another HTTP status",
        "patch",
    ),
    "value gone": (
        at("components", "schemas", "Colour", "enum", to=["red"]),
        "value removed; it still decodes",
        "major",
    ),
    "looser limit": (member("ThingCreate.name", maxLength=30), "maxLength 20 is now 30", "patch"),
    "tighter limit": (member("ThingCreate.name", maxLength=10), "maxLength 20 is now 10", "major"),
    "new limit": (member("ThingCreate.name", minLength=3), "minLength none is now 3", "major"),
    "wider request": (member("ThingCreate.name", type=["string", "number"]), "str is now float | str", "minor"),
    "narrower request": (member("ThingCreate.name", type="integer"), "str is now int", "major"),
    "request enum": (
        at("components", "schemas", "MakerData", "properties", "name", to={"$ref": "#/components/schemas/Colour"}),
        "str is now Colour",
        "major",
    ),
    "response map": (
        member("Thing.colour", anyOf=[{"type": "object"}, {"type": "null"}]),
        "Colour | None is now dict[str, Any] | None",
        "major",
    ),
    "response union": (
        member("Thing.colour", anyOf=[UNION]),
        "Colour | None is now Maker | ErrorDetail | None",
        "major",
    ),
    "enum to text": (member("Thing.colour", anyOf=[{"type": "string"}]), "Colour | None is now str | None", "major"),
    "anything": (member("Thing.colour", anyOf=[{}]), "Colour | None is now Any | None", "major"),
    "list": (member("Thing.id", type="array", items={"type": "string"}), "str is now list[str]", "major"),
    "added class": (
        member("Thing.error", **{"$ref": "#/components/schemas/ErrorEnvelope"}),
        "ErrorEnvelope | None",
        "minor",
    ),
}


@pytest.mark.parametrize(("edit", "text", "bump"), CASES.values(), ids=CASES.keys())
def test_a_change(edit: Edit, text: str, bump: str) -> None:
    """Each kind of change has its words and its bump; the way back is reported, too."""
    found = [row for row in changes("things", edit) if text in row.text]
    assert found and {row.effect.bump for row in found} == {bump}
    assert compare(changed("things", edit), document("things")).changes


def test_the_way_back() -> None:
    """Bodies that come, parameters that are no longer required, operations no longer deprecated, JSON again."""
    old = copy.deepcopy(document("things"))
    operation = old["paths"]["/v3/things"]["post"]
    del operation["requestBody"]
    listing = old["paths"]["/v3/things"]["get"]
    listing["deprecated"] = True
    listing["parameters"][1]["required"] = True
    old["components"]["schemas"]["MakerData"]["required"] = ["name"]
    found = {(row.place, row.text, row.effect) for row in compare(old, document("things")).changes}
    assert ("createThing body", "takes ThingCreate", Effect.BREAKS) in found
    assert ("listThings", "no longer deprecated", Effect.TEXT) in found
    assert ("listThings.search", "no longer required", Effect.HARMLESS) in found
    operation["responses"]["201"]["content"] = {"text/plain": {}}
    operation["requestBody"] = {"content": {"text/plain": {}}}
    found = {(row.place, row.text, row.effect) for row in compare(old, document("things")).changes}
    assert ("createThing body", "takes JSON now", Effect.BREAKS) in found
    assert ("createThing", "responds with the envelope (success, data, error, meta) now", Effect.BREAKS) in found


def test_unions() -> None:
    """Alternatives that come and go, and what changes inside one."""
    old = copy.deepcopy(document("things"))
    member("Thing.owner", **UNION)(old)
    new = copy.deepcopy(old)
    member("Thing.owner", oneOf=[MAKER, {"$ref": "#/components/schemas/MakerData"}])(new)
    found = {(row.place, row.kind, row.effect.bump) for row in compare(old, new).changes}
    assert ("ThingOwner.ErrorDetail", "removed", "major") in found
    assert ("ThingOwner.MakerData", "added", "minor") in found


def test_alternatives_under_other_names() -> None:
    """Between documents of the vendor's a renamed schema is no change, in a union either; what changed in it is one."""
    union = {"oneOf": [MAKER, {"$ref": "#/components/schemas/ErrorDetail"}]}
    old = changed("vendor", put("ThingResponse.owner", union))
    new = copy.deepcopy(old)
    rename("Maker", "Author")(new)
    assert compare(old, new) == Report(())
    put("Author.age", {"type": "integer"})(new)
    assert {(change.kind, change.effect) for change in compare(old, new).changes} == {("added", Effect.ATTRIBUTE)}


def test_a_deprecated_member_is_reported_once() -> None:
    """An enum without a name has no text of its own."""
    old = changed("things", member("Thing.size", type="string", enum=["s", "m"]))
    new = copy.deepcopy(old)
    member("Thing.size", deprecated=True)(new)
    assert [change.place for change in compare(old, new).changes] == ["Thing.size"]


def test_names_in_python_are_ours_alone() -> None:
    """Between our fragment and a document of the vendor's, names and statuses of enum values are no change."""
    said = {"x-enum-varnames": ["RED", "LIME"], "x-http-status": {"red": 400, "green": 404}}
    ours = changed("things", lambda d: schema(d, "Colour").update(said))
    theirs = copy.deepcopy(document("things"))
    for node in nodes(theirs["paths"]):
        node.pop("x-rate-tier", None)
    assert [change for change in compare(theirs, ours).changes if change.place.startswith("Colour")] == []


def test_the_number_of_members() -> None:
    """A request that needs more members than before breaks callers; one that needs fewer does not."""
    (change,) = changes("things", lambda d: schema(d, "ThingCreate").update(minProperties=2))
    assert (change.text, change.effect) == ("minProperties none is now 2", Effect.BREAKS)
    assert changes("things", lambda d: schema(d, "Thing").update(minProperties=2)) == []


def test_webhooks() -> None:
    """What the vendor posts to us is read like a response."""
    events = read_source(str(ROOT / "openapi/events.yaml"), ROOT).document
    changed = copy.deepcopy(events)
    name = next(name for name in changed["components"]["schemas"] if name.endswith("StatusPayload"))
    changed["components"]["schemas"][name]["properties"].popitem()
    (change,) = compare(events, changed).changes
    assert change.kind == "removed" and change.operations == ("webhook messageStatus",)


def test_webhooks_come_and_go() -> None:
    """One that is gone is missed by its receivers; a new one reaches only those who ask for it."""
    events = read_source(str(ROOT / "openapi/events.yaml"), ROOT).document
    fewer = copy.deepcopy(events)
    del fewer["webhooks"]["messageStatus"]
    (gone,) = (change for change in compare(events, fewer).changes if change.place == "webhook messageStatus")
    (new,) = (change for change in compare(fewer, events).changes if change.place == "webhook messageStatus")
    assert (gone.kind, gone.effect) == ("removed", Effect.BREAKS)
    assert (new.kind, new.effect) == ("added", Effect.HARMLESS)


def test_d3_formats() -> None:
    """A format that changes the type in Python is a type change; another is mentioned."""
    for form, kind in (("date", "date"), ("time", "time"), ("duration", "timedelta"), ("password", "Secret")):
        (change,) = changes("things", member("Thing.made_at", format=form))
        assert (change.text, change.effect) == (f"datetime | None is now {kind} | None", Effect.TYPE)
    (change,) = changes("things", member("ThingCreate.name", format="email"))
    assert (change.text, change.effect.bump) == ("format none is now email", "patch")
    (change,) = changes("things", member("ThingCreate.name", **{"x-secret": True}))
    assert change.text == "str is now Secret"


def test_an_object_without_a_name_may_hold_itself() -> None:
    """It is compared once, although each time it stands at a longer place."""
    itself = {"allOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "object", "properties": {"z": {}}}]}
    found = copy.deepcopy(document("things"))
    schema(found, "Thing")["properties"]["inner"] = itself
    assert compare(found, copy.deepcopy(found)) == Report(())


def test_what_says_nothing_is_not_compared() -> None:
    """A webhook without a payload, and a response whose form we do not read in either document."""
    found = copy.deepcopy(document("things"))
    found["webhooks"] = {"ping": {"post": {"responses": {"200": {"description": ""}}}}}
    content = {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}
    found["paths"]["/v3/things"]["get"]["responses"]["200"] = {"description": "", "content": content}
    assert compare(found, copy.deepcopy(found)) == Report(())


def test_a_name_that_is_spelled_out_is_no_change() -> None:
    """A parameter that is called ``class`` is ``class_`` in Python, said or not."""
    found = copy.deepcopy(document("things"))
    found["paths"]["/v3/things"]["get"]["parameters"].append(
        {"name": "class", "in": "query", "schema": {"type": "string"}}
    )
    said = copy.deepcopy(found)
    said["paths"]["/v3/things"]["get"]["parameters"][-1]["x-python-name"] = "class_"
    assert compare(found, said) == Report(())
