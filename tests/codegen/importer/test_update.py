"""``python -m codegen update``: what comes over from the vendor's document, and what stays ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codegen.__main__ import main
from codegen.generate import output
from codegen.importer.update import prepare
from codegen.openapi.nodes import Node
from tests.support.things import (
    SCHEMAS,
    contents,
    data,
    edit,
    member,
    put,
    refused,
    respond,
    schema,
    updated,
    vendor,
)


def test_the_same_document_changes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The fragment keeps every byte; a second update changes nothing at all, and a dry run never does."""
    before = contents(root)
    source = vendor(root)
    assert main(["--root", str(root), "update", source, "--dry-run"]) == 0
    (root / "vendor.json").unlink()
    assert contents(root) == before
    source = vendor(root)
    assert main(["--root", str(root), "update", source]) == 0
    first = contents(root)
    assert {key: first[key] for key in before if key.endswith(".yaml")} == {
        key: text for key, text in before.items() if key.endswith(".yaml")
    }
    assert b"sha256" in first["openapi/lock.toml"]
    assert "No change that concerns a caller." in capsys.readouterr().out
    assert main(["--root", str(root), "update", source]) == 0
    assert contents(root) == first
    assert "everything was up to date" in capsys.readouterr().out
    assert main(["--root", str(root), "check"]) == 0


def test_reports_hold_the_notes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON is one value, and Markdown has the notes in a list after the table, in which they would be rows."""

    def change(document: Node) -> None:
        put("ThingResponse.weight", {"type": "number"})(document)
        put("ThingResponse.odd", {})(document)

    source = vendor(root, change)
    reports: dict[str, str] = {}
    for form in ("json", "markdown"):
        assert main(["--root", str(root), "update", source, "--dry-run", "--format", form]) == 0
        reports[form] = capsys.readouterr().out
    notes = json.loads(reports["json"])["notes"]
    assert notes[0] == "note: Thing.odd: the document gives no type; the member is left out"
    assert notes[-1].startswith("would change: openapi/")
    assert reports["markdown"].endswith("".join(f"\n- {note}" for note in notes) + "\n")
    assert f"|\n\n- {notes[0]}" in reports["markdown"]


def test_texts_and_comments_survive(root: Path) -> None:
    """A change is patched into its file: our texts, our comments and every other line stay."""
    before = (root / "openapi/things.yaml").read_text(encoding="utf-8")
    change = put("ThingResponse.weight", {"type": "number", "description": "Theirs."})
    assert main(["--root", str(root), "update", vendor(root, change)]) == 0
    after = (root / "openapi/things.yaml").read_text(encoding="utf-8")
    new = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.strip() for line in new] == ["weight:", "type: number", "description: Theirs."] or len(new) == 3
    assert "# A comment that has to survive." in after
    assert set(before.splitlines()) <= set(after.splitlines())


def test_d1_a_moved_path_moves(root: Path) -> None:
    """An operation goes to the path and method that the name map and the document give."""

    def moved(document: Node) -> None:
        document["paths"]["/v4/items/{itemId}"] = document["paths"].pop("/v3/things/{id}")
        document["paths"]["/v4/items/{itemId}"]["get"]["parameters"][0]["name"] = "itemId"

    text = refused(root, moved)
    assert "GET /v3/things/{id}: is no longer in the document." in text and "change `at` of retrieveThing" in text
    names = root / "openapi/names.toml"
    names.write_text(
        names.read_text(encoding="utf-8").replace("/v3/things/{id}", "/v4/items/{itemId}"), encoding="utf-8"
    )
    after = updated(root, moved)
    assert "/v3/things/{thingId}" not in after["paths"]
    node = after["paths"]["/v4/items/{itemId}"]["get"]
    assert node["description"] == "Our words about one."
    assert [parameter["name"] for parameter in node["parameters"]] == ["itemId"]


def test_d2_lists_of_scalars_maps_and_nothing_are_data(root: Path) -> None:
    """Data may be a list of text, a free map or nothing, and is then no longer what we had."""

    def envelope(data: Node) -> Node:
        return {"type": "object", "properties": {"success": {"type": "boolean"}, "data": data}}

    texts = {"type": "array", "items": {"type": "string"}}
    after = updated(root, respond(envelope(texts)))
    assert data(after, "/v3/things/{thingId}") == texts
    after = updated(root, respond(envelope({"type": "object"})))
    assert data(after, "/v3/things/{thingId}") == {"type": "object", "additionalProperties": True}
    after = updated(root, respond({"type": "object", "properties": {"success": {"type": "boolean"}}}))
    content = after["paths"]["/v3/things/{thingId}"]["get"]["responses"]["200"]["content"]["application/json"]
    assert content == {"schema": {"$ref": f"{SCHEMAS}Envelope"}}


def test_nothing_is_dropped_without_a_note(root: Path) -> None:
    """What the fragment cannot hold, and what the document leaves open, is in the notes."""

    def change(document: Node) -> None:
        put("ThingResponse.rank", {"type": "integer", "enum": [1, 2]})(document)
        put("ThingResponse.odd", {})(document)
        put("ThingResponse.maker", {})(document)
        schema(document, "ApiResponseOfThing")["properties"]["trace"] = {"type": "string"}
        document["paths"]["/v3/things"]["get"]["responses"]["200"].pop("content")
        document["paths"]["/v3/other"] = {"get": {"responses": {"200": {"description": ""}}}}

    result = prepare(root, vendor(root, change))
    notes = "\n".join(result.notes)
    assert "Thing.rank: enum of the document is not carried over" in notes
    assert "Thing.odd: the document gives no type; the member is left out" in notes
    assert "Thing.maker: the document gives no type; ours stays" in notes
    assert "GET /v3/things/{id} response: the client does not read trace of the envelope" in notes
    assert "GET /v3/things response: the document shows no content; ours stays" in notes
    assert "not covered: GET /v3/other" in notes and '{ at = "GET /v3/other", call = "resource.method" }' in notes
    assert member(result.after, "Thing.rank")["type"] == "integer"


def test_what_a_document_may_decide(root: Path) -> None:
    """Types, formats, nullability of requests, what is required, deprecation, members that go: theirs hold."""

    def change(document: Node) -> None:
        put("ThingResponse.made_at", {"type": "string", "format": "date"})(document)
        put("CreateThingRequest.size", {"type": "integer", "nullable": True})(document)
        put("CreateThingRequest.labels", {"type": "array", "items": {"type": "string", "nullable": True}})(document)
        put("CreateThingRequest.extra", {"type": "object", "additionalProperties": {"type": "string"}})(document)
        schema(document, "CreateThingRequest")["required"] = ["maker"]
        schema(document, "CreateThingRequest")["properties"].pop("name")
        schema(document, "ThingResponse")["deprecated"] = True
        document["paths"]["/v3/things"]["get"]["deprecated"] = True
        listing = document["paths"]["/v3/things"]["get"]["parameters"]
        listing[1]["schema"] = {"type": "integer"}
        listing[0]["deprecated"] = True
        listing.append({"name": "ids", "in": "query", "required": True, "explode": True,
                        "schema": {"type": "array", "items": {"type": "string"}}})  # fmt: skip

    after = updated(root, change)
    # Ours was nullable, and a response stays as tolerant as it was.
    assert member(after, "Thing.made_at")["type"] == ["string", "null"]
    assert member(after, "Thing.made_at")["format"] == "date"
    assert member(after, "ThingCreate.size")["type"] == ["integer", "null"]
    assert member(after, "ThingCreate.labels")["items"] == {"type": ["string", "null"]}
    assert member(after, "ThingCreate.extra")["additionalProperties"] == {"type": "string"}
    assert schema(after, "ThingCreate")["required"] == ["maker"]
    assert "name" not in schema(after, "ThingCreate")["properties"]
    assert schema(after, "Thing")["deprecated"] is True and schema(after, "Thing")["required"] == ["id"]
    assert schema(after, "Thing")["description"] == "A thing, in our words."
    operation = after["paths"]["/v3/things"]["get"]
    assert operation["deprecated"] is True
    parameters = {parameter.get("name", "page"): parameter for parameter in operation["parameters"]}
    assert parameters["page"]["deprecated"] is True and "required" not in parameters["page"]
    assert parameters["search"]["schema"] == {"type": "integer"}
    assert parameters["search"]["description"] == "Our words about the search."
    assert parameters["ids"]["required"] is True and parameters["ids"]["explode"] is True


def test_what_stays_ours(root: Path) -> None:
    """Text that we know as an enum stays one; its values only grow; secrets stay secrets; limits stay."""
    target = root / "openapi/things.yaml"
    text = target.read_text(encoding="utf-8").replace(
        "name: {type: string, description: The name.}", "name: {type: string, format: password, description: The name.}"
    )
    target.write_text(text, encoding="utf-8")

    def change(document: Node) -> None:
        put("ThingResponse.colour", {"type": "string", "enum": ["blue", "red"]})(document)
        put("CreateThingRequest.name", {"type": "string"})(document)

    after = updated(root, change)
    assert schema(after, "Colour")["enum"] == ["red", "green", "blue"]
    assert member(after, "MakerData.name")["format"] == "password"
    assert member(after, "ThingCreate.name")["maxLength"] == 20
    plain = updated(root)
    assert member(plain, "Thing.colour")["anyOf"][0] == {"$ref": f"{SCHEMAS}Colour"}


def test_a_path_parameter_that_the_document_forgets(root: Path) -> None:
    """Ours stays: the path still has its place."""
    after = updated(root, lambda d: d["paths"]["/v3/things/{id}"]["get"].pop("parameters"))
    parameters = after["paths"]["/v3/things/{thingId}"]["get"]["parameters"]
    assert [parameter["name"] for parameter in parameters] == ["thingId"]


def test_a_response_without_a_schema(root: Path) -> None:
    """An empty schema says nothing, so ours stays, with a note."""
    found = prepare(root, vendor(root, respond({})))
    assert data(found.after, "/v3/things/{thingId}") == {"$ref": f"{SCHEMAS}Thing"}
    assert any("shows no content; ours stays" in note for note in found.notes)


def test_a_form_that_the_document_describes_otherwise(root: Path) -> None:
    """Where documents are uploaded our form stays, with a note. Elsewhere a body that is no JSON is refused."""
    form = {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}

    def change(document: Node) -> None:
        document["paths"]["/v3/things"]["post"]["requestBody"] = form

    assert "POST /v3/things request" in refused(root, change)
    edit(root, "things.yaml", "      x-method: create\n", "      x-method: create\n      x-multipart: thing\n")
    assert any("our form stays" in note for note in prepare(root, vendor(root, change)).notes)


def test_a_list_of_ours_that_may_be_null(root: Path) -> None:
    """The document's null is not carried into the data, and ours changes nothing either."""
    edit(root, "things.yaml", "data: {type: array, items", "data: {type: [array, 'null'], items")
    data_of_list = data(updated(root), "/v3/things")
    assert data_of_list["items"] == {"$ref": f"{SCHEMAS}Thing"}


def test_what_an_enum_says_of_its_values_grows_with_it(root: Path) -> None:
    """A new value has itself as its name, no text, and the status of its prefix."""
    edit(
        root,
        "things.yaml",
        "      enum: [red, green]",
        "      enum: [AUTH_005, red]\n      x-enum-varnames: [NO_RIGHT, RED]\n"
        "      x-enum-descriptions: [No right., Red.]\n      x-http-status: {AUTH_005: 403, red: 404}\n"
        "      x-prefix-http-status: {RESOURCE: 404}",
    )
    values = ["AUTH_005", "red", "RESOURCE_099", "blue"]
    after = updated(root, put("ThingResponse.colour", {"type": "string", "enum": values}))
    colour = schema(after, "Colour")
    assert colour["x-enum-varnames"] == ["NO_RIGHT", "RED", "RESOURCE_099", "blue"]
    assert colour["x-enum-descriptions"] == ["No right.", "Red.", "", ""]
    assert colour["x-http-status"] == {"AUTH_005": 403, "red": 404, "RESOURCE_099": 404, "blue": 500}


def test_a_reference_to_another_place(root: Path) -> None:
    """Whatever a reference leads to is read."""

    def change(document: Node) -> None:
        document["x-schemas"] = {"Text": {"type": "string"}}
        put("ThingResponse.search", {"$ref": "#/x-schemas/Text"})(document)

    after = updated(root, change)
    assert "string" in member(after, "Thing.search")["type"]


def test_a_header_of_ours_stays(root: Path) -> None:
    """Headers are the client's own business; the document does not decide them."""
    header = "        - {name: X-Trace, in: header, description: Ours., schema: {type: string}}\n"
    page = "        - {$ref: 'common.yaml#/components/parameters/Page'}\n"
    edit(root, "things.yaml", page, page + header)
    parameters = updated(root)["paths"]["/v3/things"]["get"]["parameters"]
    assert "X-Trace" in [parameter.get("name") for parameter in parameters]


def test_data_that_is_only_ever_null(root: Path) -> None:
    """It is no data."""
    envelope = {"type": "object", "properties": {"success": {"type": "boolean"}, "data": {"nullable": True}}}
    after = updated(root, respond(envelope))
    schema_of_response = after["paths"]["/v3/things/{thingId}"]["get"]["responses"]["200"]["content"]
    assert "Thing" not in json.dumps(schema_of_response)


def test_null_is_written_in_words(root: Path) -> None:
    """An empty value would read like something that was forgotten."""
    edit(
        root,
        "things.yaml",
        "        name: {type: [string, 'null'],",
        "        name: {example: null, type: [string, 'null'],",
    )
    found = prepare(root, vendor(root, put("ThingResponse.size", {"type": "integer"})))
    text = found.files["openapi/things.yaml"]
    assert text is not None
    assert "example: null" in text


def test_what_only_we_know_stays(root: Path) -> None:
    """Marks of items and values, limits that .NET writes anyway, and a parameter that says it is not required."""
    edit(
        root,
        "things.yaml",
        "        name: {type: string, maxLength: 20, description: Its name.}\n",
        "        name: {type: string, minLength: 1, maxLength: 20, description: Its name.}\n"
        "        phones: {type: array, minItems: 1, items: {type: string, x-sensitive: true}, description: Numbers.}\n"
        "        values: {type: object, additionalProperties: {type: string, x-secret: true}, description: Values.}\n",
    )
    edit(root, "things.yaml", "      required: [name]\n", "      required: [name]\n      minProperties: 2\n")
    edit(root, "common.yaml", "      in: query\n", "      in: query\n      required: false\n")
    before = prepare(root, vendor(root)).before

    def change(document: Node) -> None:
        put("CreateThingRequest.phones", {"type": "array", "items": {"type": "string"}})(document)
        put("CreateThingRequest.values", {"type": "object", "additionalProperties": {"type": "string"}})(document)

    assert updated(root, change) == before


def test_limits_of_an_object(root: Path) -> None:
    """How many members an object must have comes over like other limits."""
    after = updated(root, lambda d: schema(d, "CreateThingRequest").update(minProperties=2))
    assert schema(after, "ThingCreate")["minProperties"] == 2


def test_what_a_class_cannot_hold_is_noted_once(root: Path) -> None:
    """Other keys of an object, and values for further members, are named with the class."""

    def change(document: Node) -> None:
        schema(document, "ThingResponse").update(
            {"additionalProperties": {"type": "string"}, "not": {"required": ["x"]}}
        )

    notes = prepare(root, vendor(root, change)).notes
    for key in ("additionalProperties", "not"):
        assert notes.count(f"Thing: {key} of the document is not carried over") == 1


def test_an_enum_that_became_a_date(root: Path) -> None:
    """Plain text stays our enum; text with a format of its own type does not."""
    after = updated(root, put("ThingResponse.colour", {"type": "string", "format": "date"}))
    assert member(after, "Thing.colour")["format"] == "date"


def test_a_deprecated_member_is_no_deprecated_enum(root: Path) -> None:
    """An enum that is written where it is used serves other members, too."""
    colour = {"type": "string", "enum": ["red"], "deprecated": True}
    after = updated(root, put("ThingResponse.colour", colour))
    assert member(after, "Thing.colour")["deprecated"] is True
    assert "deprecated" not in schema(after, "Colour")


def test_data_where_there_was_none(root: Path) -> None:
    """An operation that had nothing but 204 gives data now: in a response of the document's status."""
    things = (root / "openapi/things.yaml").read_text(encoding="utf-8")
    start, end = things.index("        '200':\n"), things.index("        '404':")
    without = f"{things[:start]}        '204': {{description: Nothing.}}\n{things[end:]}"
    (root / "openapi/things.yaml").write_text(without, encoding="utf-8")
    assert data(updated(root), "/v3/things")["items"] == {"$ref": f"{SCHEMAS}Thing"}


def test_a_map_of_nothing_but_itself(root: Path) -> None:
    """It is a free map, with a note."""

    def change(document: Node) -> None:
        tree = {"type": "object", "additionalProperties": {"type": "array", "items": {"$ref": f"{SCHEMAS}Tree"}}}
        document["components"]["schemas"]["Tree"] = tree
        put("ThingResponse.tree", {"$ref": f"{SCHEMAS}Tree"})(document)

    found = prepare(root, vendor(root, change))
    assert member(found.after, "Thing.tree")["additionalProperties"] is True
    assert "Thing.tree: additionalProperties of the document is not carried over" in found.notes


def test_a_choice_of_classes(root: Path) -> None:
    """It is a component, and its discriminator names our classes. A second update changes nothing."""

    def change(document: Node) -> None:
        schemas = document["components"]["schemas"]
        schemas["Workshop"] = {"type": "object", "properties": {"kind": {"type": "string"}, "city": {"type": "string"}}}
        branches = [{"$ref": f"{SCHEMAS}Maker"}, {"$ref": f"{SCHEMAS}Workshop"}]
        origin = {"nullable": True, "oneOf": branches, "discriminator": {"propertyName": "kind"}}
        put("ThingResponse.origin", origin)(document)
        mapping = {"m": "Maker", "w": f"{SCHEMAS}Workshop", "x": "Idle"}
        places = {"anyOf": branches[::-1], "discriminator": {"propertyName": "kind", "mapping": mapping}}
        put("ThingResponse.places", {"type": "array", "items": places})(document)

    found = prepare(root, vendor(root, change))
    classes = [{"$ref": f"{SCHEMAS}Maker"}, {"$ref": f"{SCHEMAS}Workshop"}]
    assert member(found.after, "Thing.origin")["anyOf"] == [{"$ref": f"{SCHEMAS}ThingOrigin"}, {"type": "null"}]
    origin = schema(found.after, "ThingOrigin")
    assert origin["oneOf"] == classes
    mapping = {"Maker": f"{SCHEMAS}Maker", "Workshop": f"{SCHEMAS}Workshop"}
    assert origin["discriminator"] == {"propertyName": "kind", "mapping": mapping}
    assert member(found.after, "Thing.places")["items"] == {"$ref": f"{SCHEMAS}ThingPlace"}
    assert schema(found.after, "ThingPlace")["oneOf"] == classes[::-1]
    mapping = {"m": f"{SCHEMAS}Maker", "w": f"{SCHEMAS}Workshop"}
    assert schema(found.after, "ThingPlace")["discriminator"]["mapping"] == mapping
    assert "ThingPlace: 'x' names none of its schemas" in found.notes
    output.write(root, found.files)
    assert not prepare(root, vendor(root, change)).files
