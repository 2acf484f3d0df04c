"""``python -m codegen update``: what comes over from the vendor's document, what is refused, and what stays ours."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.__main__ import main
from codegen.fragment import bundle, load
from codegen.generate import output
from codegen.importer import files
from codegen.importer.endpoints import endpoints
from codegen.importer.files import replace_all
from codegen.importer.names import NAME_MAP, propose, read_names, singular
from codegen.importer.overlay import apply_overlay, read_overlay
from codegen.importer.source import read_source
from codegen.importer.update import prepare
from codegen.openapi import Node, SpecError

ROOT = Path(__file__).parents[2]
DOCUMENTS = Path(__file__).with_name("documents")
THINGS = DOCUMENTS / "things"
Change = Callable[[Node], object]
SCHEMAS = "#/components/schemas/"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the fragment of the things."""
    shutil.copytree(THINGS / "openapi", tmp_path / "openapi")
    return tmp_path


def vendor(root: Path, change: Change = lambda _: None) -> str:
    """The vendor's document after a change, as a file."""
    document = yaml.safe_load((THINGS / "vendor.yaml").read_text(encoding="utf-8"))
    change(document)
    target = root / "vendor.json"
    target.write_text(json.dumps(document), encoding="utf-8")
    return str(target)


def updated(root: Path, change: Change = lambda _: None) -> Node:
    """The fragment after an update from a changed document."""
    return prepare(root, vendor(root, change)).after


def refused(root: Path, change: Change) -> str:
    """Why an update from a changed document is refused. Nothing may have been written."""
    source = vendor(root, change)
    before = contents(root)
    with pytest.raises(SpecError) as caught:
        prepare(root, source)
    assert main(["--root", str(root), "update", source]) == 2
    assert contents(root) == before
    return str(caught.value)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def schema(document: Node, name: str) -> Node:
    """A component."""
    found: Node = document["components"]["schemas"][name]
    return found


def member(document: Node, place: str) -> Node:
    """A member of a component: ``Thing.id``."""
    name, key = place.split(".")
    found: Node = schema(document, name)["properties"][key]
    return found


def put(place: str, value: Node) -> Change:
    """Add or replace a member of one of the vendor's schemas."""
    name, key = place.split(".")
    return lambda document: schema(document, name)["properties"].update({key: value})


def data(document: Node, path: str, method: str = "get", code: str = "200") -> Node:
    """The data that an operation of the fragment promises."""
    content = document["paths"][path][method]["responses"][code]["content"]["application/json"]["schema"]
    found: Node = content["allOf"][1]["properties"]["data"]
    return found


def respond(envelope: Node, *, path: str = "/v3/things/{id}") -> Change:
    """Another response of an operation."""
    return lambda d: d["paths"][path]["get"]["responses"]["200"].update(
        content={"application/json": {"schema": envelope}}
    )


def overlay(root: Path, name: str, *actions: Node) -> None:
    """Write an overlay."""
    target = root / "openapi/overlays" / f"{name}.yaml"
    target.parent.mkdir(exist_ok=True)
    written = [{"description": "For this test.", **action} for action in actions]
    target.write_text(yaml.safe_dump({"overlay": "1.0.0", "actions": written}), encoding="utf-8")


# The document says what we have.


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
                    "data": {"oneOf": [{"$ref": f"{SCHEMAS}Maker"}, {"$ref": f"{SCHEMAS}ThingResponse"}]},
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


def test_d2_a_request_that_is_no_object(root: Path) -> None:
    """A body that is a list or a form is refused."""

    def body(content: Node) -> Change:
        return lambda d: d["paths"]["/v3/things"]["post"].update(requestBody={"content": content})

    assert "POST /v3/things request: is not an object" in refused(
        root, body({"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}})
    )
    assert "takes text/plain instead of JSON" in refused(root, body({"text/plain": {"schema": {"type": "string"}}}))


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


# New operations and names.


def test_a_new_operation_is_one_line_of_the_name_map(root: Path) -> None:
    """It goes into the file of its resource, with classes named in one round, and its code is generated."""

    def change(document: Node) -> None:
        thing = {"type": "object", "properties": {
            "success": {"type": "boolean"}, "data": {"$ref": f"{SCHEMAS}AcmeModelsWidgetDto"}}}  # fmt: skip
        document["components"]["schemas"] |= {
            "AcmeModelsWidgetDto": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "string"}, "part": {"$ref": f"{SCHEMAS}Part"},
                "rcs": {"type": "object", "properties": {"a": {"type": "string"}}},
                "parts": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "string"}}}},
                "size": {"type": "string", "enum": ["s", "m"]}}},
            "Part": {"type": "object", "properties": {"n": {"type": "string"}}},
            "Other.Part": {"type": "object", "properties": {"n": {"type": "string"}}},
            "WidgetRequest": {"type": "object", "properties": {"part": {"$ref": f"{SCHEMAS}Part"}}},
        }  # fmt: skip
        document["paths"]["/v3/widgets/{id}"] = {
            "put": {
                "summary": "Change a widget.",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}WidgetRequest"}}}},
                "responses": {"200": {"description": "", "content": {"application/json": {"schema": thing}}}},
            },
            "delete": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"204": {"description": ""}},
            },
        }

    names = root / "openapi/names.toml"
    lines = [
        'updateWidget = { at = "PUT /v3/widgets/{id}", call = "widgets.update" }',
        'deleteWidget = { at = "DELETE /v3/widgets/{id}", call = "widgets.delete" }',
    ]
    names.write_text(names.read_text(encoding="utf-8") + "\n".join(lines) + "\n", encoding="utf-8")
    assert main(["--root", str(root), "update", vendor(root, change)]) == 0
    after = load(root / output.FRAGMENT)
    node = after["paths"]["/v3/widgets/{id}"]["put"]
    assert (node["x-resource"], node["x-method"], node["x-idempotency"]) == ("widgets", "update", "automatic")
    assert data(after, "/v3/widgets/{id}", "put") == {"$ref": f"{SCHEMAS}AcmeModelsWidget"}
    assert schema(after, "AcmeModelsWidget")["required"] == ["id"]
    # D7: one class for one schema and direction, and words that only look like a plural stay.
    made = {"Part", "PartData", "Widget", "AcmeModelsWidgetRcs", "AcmeModelsWidgetPart", "AcmeModelsWidgetSize"}
    assert made <= after["components"]["schemas"].keys()
    assert "widgets.yaml#/paths/~1v3~1widgets~1{id}" in (root / output.FRAGMENT).read_text(encoding="utf-8")
    assert "Change a widget." in (root / "openapi/widgets.yaml").read_text(encoding="utf-8")
    assert "class Widgets" in (root / "sent_async/resources/widgets.py").read_text(encoding="utf-8")
    assert main(["--root", str(root), "check"]) == 0
    # The same document again: the names are known now.
    assert prepare(root, vendor(root, change)).files == {}
    # Without its lines it is ours alone: nothing is lost, and the vendor's document has no say in it.
    names.write_text((THINGS / "openapi/names.toml").read_text(encoding="utf-8"), encoding="utf-8")
    found = prepare(root, vendor(root))
    assert found.after == after
    assert "not in openapi/names.toml, and left as they are: updateWidget, deleteWidget" in found.notes


def test_d7_names() -> None:
    """Names without namespace and suffix; only real plurals lose their end."""
    assert propose("SentDmServicesCommonContractsPOCOsTemplateDefinition", "request", ()) == "TemplateDefinition"
    assert propose("ThingResponse", "response", ()) == "Thing"
    assert propose("ThingResponse", "request", {"Thing"}) == "ThingData"
    assert propose("Response", "response", {"Response", "ResponseDetail"}) == "ResponseDetail2"
    words = ("rcs", "sms", "status", "address", "alias", "basis", "categories", "buttons", "us")
    assert [singular(word) for word in words] == [
        *("rcs", "sms", "status", "address", "alias", "basis", "category", "button", "us"),
    ]


def test_d7_twins_are_one_class(root: Path) -> None:
    """Two schemas that differ in their namespace only become one class; two that differ become two."""

    def twins(inner: Node) -> Change:
        def change(document: Node) -> None:
            document["components"]["schemas"] |= {
                "SentDmModelsBox": {"type": "object", "properties": {"a": {"type": "string"}}},
                "SentDmContractsBox": {"type": "object", "properties": inner},
            }
            put("ThingResponse.first", {"$ref": f"{SCHEMAS}SentDmModelsBox"})(document)
            put("ThingResponse.second", {"$ref": f"{SCHEMAS}SentDmContractsBox"})(document)

        return change

    same = updated(root, twins({"a": {"type": "string"}}))
    assert member(same, "Thing.first")["$ref"] == member(same, "Thing.second")["$ref"] == f"{SCHEMAS}Box"
    other = updated(root, twins({"b": {"type": "string"}}))
    assert member(other, "Thing.second")["$ref"] == f"{SCHEMAS}BoxDetail"


def test_names_of_the_map_win(root: Path) -> None:
    """``[schemas]`` names a new class, for both directions or for each."""
    names = root / "openapi/names.toml"
    names.write_text(
        names.read_text(encoding="utf-8") + '[schemas]\nBox = "Crate"\nBag = { request = "SackData" }\n',
        encoding="utf-8",
    )

    def change(document: Node) -> None:
        document["components"]["schemas"] |= {
            name: {"type": "object", "properties": {"a": {"type": "string"}}} for name in ("Box", "Bag")
        }
        put("ThingResponse.box", {"$ref": f"{SCHEMAS}Box"})(document)
        put("CreateThingRequest.bag", {"$ref": f"{SCHEMAS}Bag"})(document)

    after = updated(root, change)
    assert {"Crate", "SackData"} <= after["components"]["schemas"].keys()

    def both_ways(document: Node) -> None:
        change(document)
        put("CreateThingRequest.box", {"$ref": f"{SCHEMAS}Box"})(document)

    assert "Crate is sent and received; give Box two names" in refused(root, both_ways)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[operations]\nx = "GET /v3/x"', "must be like"),
        ('[operations]\nx = { at = "GET /v3/x" }', "must be like"),
        ('[operations]\nx = { at = "/v3/x", call = "x.y" }', "must be like"),
        ("operations = 1", "must be a table"),
        ('[schemas]\nX = "lower"', "must be a name in CamelCase"),
        ("= =", "cannot be read"),
    ],
)
def test_a_bad_name_map(root: Path, text: str, problem: str) -> None:
    """Each entry that is none is refused with what it should look like."""
    (root / "openapi/names.toml").write_text(text, encoding="utf-8")
    assert problem in refused(root, lambda _: None)


# Corrections.


def test_d9_corrections_of_the_fragment(root: Path) -> None:
    """An overlay sets a member's type, a required query parameter, a member's name and a free map."""
    properties = "$.components.schemas.Thing.properties"
    overlay(
        root,
        "fragment",
        {"target": f"{properties}.made_at", "update": {"type": "integer", "format": "int64"}},
        {"target": "$.paths['/v3/things'].get.parameters[?@.name == 'search']", "update": {"required": True}},
        {"target": f"{properties}.maker", "remove": True},
        {"target": properties, "update": {"made_by": {"type": "object", "additionalProperties": True}}},
        {"target": "$.components.schemas.ThingCreate.required", "update": "maker"},
        {"target": "$.components.schemas.Gone", "remove": True},
    )
    result = prepare(root, vendor(root))
    after = result.after
    assert member(after, "Thing.made_at")["type"] == "integer"
    assert after["paths"]["/v3/things"]["get"]["parameters"][1]["required"] is True
    assert member(after, "Thing.made_by")["additionalProperties"] is True
    assert member(after, "Thing.made_by")["description"] == "Made by; not described by the vendor."
    assert "maker" not in schema(after, "Thing")["properties"] and "Maker" not in after["components"]["schemas"]
    assert schema(after, "ThingCreate")["required"] == ["name", "maker"]
    assert "openapi/overlays/fragment.yaml action 6 changes nothing: $.components.schemas.Gone" in result.notes


def test_d9_another_envelope(root: Path) -> None:
    """An overlay of the vendor's document puts right what could not be read: an envelope, a union."""

    def change(document: Node) -> None:
        members = schema(document, "ApiResponseOfThing")["properties"]
        members["result"] = members.pop("data")

    assert "has an envelope with result" in refused(root, change)
    place = "$.components.schemas.ApiResponseOfThing.properties"
    overlay(
        root,
        "vendor",
        {"target": f"{place}.result", "remove": True},
        {"target": place, "update": {"data": {"$ref": f"{SCHEMAS}ThingResponse"}}},
    )
    assert data(updated(root, change), "/v3/things/{thingId}") == {"$ref": f"{SCHEMAS}Thing"}


def test_a_member_that_an_overlay_brings_back_keeps_its_text(root: Path) -> None:
    """The overlay says the type; the description is still ours."""
    overlay(
        root, "fragment", {"target": "$.components.schemas.Thing.properties", "update": {"colour": {"type": "string"}}}
    )
    after = updated(root, lambda d: schema(d, "ThingResponse")["properties"].pop("colour"))
    assert member(after, "Thing.colour") == {"type": "string", "description": "Its colour, in our words."}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1", "is no overlay"),
        ("overlay: 1.0.0\nactions: [{target: $, update: {}}]", "action 1: has no description"),
        ("overlay: 1.0.0\nactions: [{target: $, description: x}]", "needs a target and either update or remove"),
        ("overlay: 1.0.0\nactions: [{target: $, description: x, remove: true, copy: 1}]", "needs a target"),
        ("overlay: 1.0.0\nactions: [{target: '$[', description: x, remove: true}]", "the target is no JSONPath"),
        ("overlay: 1.0.0\nactions: [{target: $, description: x, remove: true}]", "cannot be the whole document"),
    ],
)
def test_a_bad_overlay(root: Path, text: str, problem: str) -> None:
    """An overlay that is none, an action without a reason, and an action without sense are refused."""
    (root / "openapi/overlays").mkdir()
    (root / "openapi/overlays/fragment.yaml").write_text(text, encoding="utf-8")
    assert problem in refused(root, lambda _: None)


def test_overlays_follow_the_specification() -> None:
    """Objects merge, arrays join, other values are replaced, and every match is changed."""
    document: Node = {"a": {"x": 1, "l": [1]}, "b": [{"n": 1}, {"n": 2}, {"n": 3}], "required": ["p"]}
    actions: list[Node] = [
        {"target": "$.a", "update": {"x": 2, "l": [1, 2], "y": {"z": 3}}},
        {"target": "$.b[?@.n > 1]", "remove": True},
        {"target": "$.b", "update": {"n": 9}},
        {"target": "$.required", "update": ["p", "q"]},
    ]
    changed, notes = apply_overlay(document, actions, "x")
    assert changed == {"a": {"x": 2, "l": [1, 1, 2], "y": {"z": 3}}, "b": [{"n": 1}, {"n": 9}], "required": ["p", "q"]}
    assert notes == []


# Sources.


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A web server on this machine with the vendor's document."""
    folder = tmp_path / "served"
    folder.mkdir()
    shutil.copy(THINGS / "vendor.yaml", folder)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, format: str, *args: Any) -> None:
            """No log."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_document_from_a_url(root: Path, served: str) -> None:
    """An update fetches a document, and the lock says which: address and digest."""
    assert main(["--root", str(root), "update", f"{served}/vendor.yaml"]) == 0
    assert f"{served}/vendor.yaml" in (root / "openapi/lock.toml").read_text(encoding="utf-8")
    for source, problem in ((f"{served}/none", "cannot be fetched"), ("http://example.com/x", "must be https")):
        with pytest.raises(SpecError, match=problem):
            read_source(source, root)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"[1]", "is not a mapping"),
        (b'{"a": 1, "a": 2}', "duplicate key 'a'"),
        (b'{"a": ', "bad:1:7"),
        (b"a: [", "bad:2:1"),
        (b"a: \x07", "is not YAML"),
        (b"{" * 3 + b'"a":' + b"[" * 100_000, "bad:1:2"),
        (b'{"a":' * 20_000, "is nested too deeply"),
        (b"- " * 101, "is nested too deeply"),
        (b"a: &x [1]\nb: *x", "aliases are refused"),
        (b"swagger: '2.0'", "must be 3.0.x or 3.1.x"),
        (b"openapi: 3.0.0", "info: is missing"),
        (b"openapi: 3.0.0\ninfo: {}\npaths: {}\ncomponents: {schemas: 1}", "components: is no mapping of schemas"),
        (b"openapi: 3.0.0\ninfo: {}\npaths: {/x: {get: 1}}", "paths /x: is not a mapping of operations"),
        (b"openapi: 3.0.0\ninfo: {}\npaths: {/x: {$ref: 'none.yaml#/x'}}", "cannot be read"),
    ],
)
def test_bad_documents(root: Path, text: bytes, problem: str) -> None:
    """What is no OpenAPI document is refused with the place."""
    source = root / "bad"
    source.write_bytes(text)
    with pytest.raises(SpecError) as caught:
        read_source(str(source), root)
    assert problem in str(caught.value)


def test_invalid_parts_are_refused_where_they_are_used(root: Path) -> None:
    """An idle schema may be nonsense (it is, in the document of these tests); a used one may not."""
    assert "#/components/schemas/Maker" in refused(root, lambda d: schema(d, "Maker").update(type=5))
    assert "points at nothing" in refused(root, put("ThingResponse.maker", {"$ref": f"{SCHEMAS}None"}))
    loop = {"A": {"$ref": f"{SCHEMAS}B"}, "B": {"$ref": f"{SCHEMAS}A"}}
    assert "leads back to itself" in refused(
        root,
        lambda d: (d["components"]["schemas"].update(loop), put("ThingResponse.maker", {"$ref": f"{SCHEMAS}A"})(d)),
    )


# All or nothing.


def test_d5_a_crash_is_never_swallowed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update that fails between two files puts the first one back, and the failure is reported."""
    (root / "a").write_text("old", encoding="utf-8")
    (root / "b").mkdir()
    (root / "b/inner").write_text("", encoding="utf-8")
    before = contents(root)
    with pytest.raises(OSError, match="b"):
        files.replace_all(root, {"a": "new", "new": "x", "b/inner/c": "text"})
    assert contents(root) == before


def test_d5_code_that_cannot_be_generated(root: Path) -> None:
    """A fragment that gives no code is refused as a whole: fragment, lock and code stay."""
    parameter = {"name": "name", "in": "query", "schema": {"type": "string"}}

    def change(document: Node) -> None:
        document["paths"]["/v3/things"]["post"].setdefault("parameters", []).append(parameter)

    assert "give it an x-python-name" in refused(root, change)


def test_the_sdk_document_is_imported(root: Path) -> None:
    """Sixty operations at once, with no name given: every one is a method, and the second time nothing changes."""
    document = json.loads((DOCUMENTS / "sdk-0.46.json").read_text(encoding="utf-8"))
    lines = ["[operations]"]
    for path, item in document["paths"].items():
        for method, node in item.items():
            words = node["operationId"].removeprefix("SentDmServicesEndpointsCustomerAPIv3").removesuffix("Endpoint")
            name = words[:1].lower() + words[1:]
            lines.append(f'{name} = {{ at = "{method.upper()} {path}", call = "all.{name.lower()}" }}')
    (root / "openapi/names.toml").write_text("\n".join(lines), encoding="utf-8")
    target = root / "openapi/sent-v3.yaml"
    fragment = yaml.safe_load((root / "openapi/common.yaml").read_text(encoding="utf-8"))
    target.write_text(yaml.safe_dump(fragment, sort_keys=False), encoding="utf-8")
    source = str(DOCUMENTS / "sdk-0.46.json")
    assert main(["--root", str(root), "update", source]) == 0
    assert len(load(target)["paths"]) > 30
    assert main(["--root", str(root), "update", source]) == 0


def test_the_sdk_document_in_our_own_fragment(tmp_path: Path) -> None:
    """What it has of our operations is taken over. Our texts and comments survive, and the code is generated."""
    for folder in ("openapi", "sent_async"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    source = str(DOCUMENTS / "sdk-0.46.json")
    known = endpoints(read_source(source, ROOT).document)
    names = tmp_path / "openapi/names.toml"
    calls = read_names(names).operations
    absent = {name for name, call in calls.items() if call.key not in known}
    lines = names.read_text(encoding="utf-8").splitlines()
    names.write_text("\n".join(line for line in lines if line.split(" ")[0] not in absent), encoding="utf-8")
    before = bundle(ROOT / "openapi/sent-v3.yaml")
    assert main(["--root", str(tmp_path), "update", source]) == 0
    assert main(["--root", str(tmp_path), "check"]) == 0
    after = load(tmp_path / "openapi/sent-v3.yaml")
    assert {e.name for e in endpoints(after).values()} == calls.keys()
    for key, endpoint in endpoints(after).items():
        assert endpoint.node["description"] == endpoints(before)[key].node["description"]
    common = before["components"]["schemas"].keys() & after["components"]["schemas"].keys()
    assert [n for n in common if schema(after, n)["description"] != schema(before, n)["description"]] == []
    ours, theirs = ("\n".join(path.read_text("utf-8") for path in sorted((folder / "openapi").glob("*.yaml")))
                    for folder in (ROOT, tmp_path))  # fmt: skip
    lost = {line.strip() for line in ours.splitlines() if line.lstrip().startswith("#") and line not in theirs}
    assert lost <= {"# Requests: campaigns."}  # it stands at the end of a class that the document no longer has


def test_every_operation_of_ours_has_a_name() -> None:
    """The name map lists the fragment's operations, each with the method that the fragment gives it."""
    named = {name: f"{call.resource}.{call.name}" for name, call in read_names(ROOT / NAME_MAP).operations.items()}
    ours = endpoints(bundle(ROOT / "openapi/sent-v3.yaml")).values()
    assert {e.name: f"{e.node['x-resource']}.{e.node['x-method']}" for e in ours} == named


def test_october_is_march_under_its_overlay() -> None:
    """The documents of the tests are one document and what changed in it; no action is idle."""
    march = read_source(str(DOCUMENTS / "march-2026.yaml"), DOCUMENTS).document
    _, notes = apply_overlay(march, read_overlay(DOCUMENTS / "october-2026.overlay.yaml"), "october")
    assert notes == []


# What a document leaves out, and what cannot be carried over.


def edited(root: Path, file: str, old: str, new: str) -> None:
    """Another text in one file of the project."""
    target = root / "openapi" / file
    text = target.read_text(encoding="utf-8")
    assert old in text
    target.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_path_parameter_that_the_document_forgets(root: Path) -> None:
    """Ours stays: the path still has its place."""
    after = updated(root, lambda d: d["paths"]["/v3/things/{id}"]["get"].pop("parameters"))
    parameters = after["paths"]["/v3/things/{thingId}"]["get"]["parameters"]
    assert [parameter["name"] for parameter in parameters] == ["thingId"]


def test_what_has_no_type_is_refused(root: Path) -> None:
    """A parameter, the items of a list, or data for which we have no type either."""
    parameter = {"name": "x", "in": "query", "schema": {}}
    assert "x: has no type" in refused(root, lambda d: d["paths"]["/v3/things"]["get"]["parameters"].append(parameter))
    assert "its items have no type" in refused(root, put("CreateThingRequest.tags", {"type": "array", "items": {}}))
    edited(root, "names.toml", "[operations]\n", '[operations]\nping = { at = "GET /v3/ping", call = "things.ping" }\n')
    envelope = {"type": "object", "properties": {"success": {"type": "boolean"}, "data": {}}}
    content = {"application/json": {"schema": envelope}}
    ping = {"get": {"operationId": "Ping", "responses": {"200": {"description": "", "content": content}}}}
    assert "data has no type" in refused(root, lambda d: d["paths"].update({"/v3/ping": ping}))


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
    edited(root, "things.yaml", "      x-method: create\n", "      x-method: create\n      x-multipart: thing\n")
    assert any("our form stays" in note for note in prepare(root, vendor(root, change)).notes)


def test_a_list_of_ours_that_may_be_null(root: Path) -> None:
    """The document's null is not carried into the data, and ours changes nothing either."""
    edited(root, "things.yaml", "data: {type: array, items", "data: {type: [array, 'null'], items")
    data_of_list = data(updated(root), "/v3/things")
    assert data_of_list["items"] == {"$ref": f"{SCHEMAS}Thing"}


def test_what_an_enum_says_of_its_values_grows_with_it(root: Path) -> None:
    """A new value has itself as its name, no text, and the status of its prefix."""
    edited(
        root,
        "things.yaml",
        "      enum: [red, green]",
        "      enum: [AUTH_005, red]\n      x-enum-varnames: [NO_RIGHT, RED]\n"
        "      x-enum-descriptions: [No right., Red.]\n      x-http-status: {AUTH_005: 403, red: 404}",
    )
    values = ["AUTH_005", "red", "RESOURCE_099", "blue"]
    after = updated(root, put("ThingResponse.colour", {"type": "string", "enum": values}))
    colour = schema(after, "Colour")
    assert colour["x-enum-varnames"] == ["NO_RIGHT", "RED", "RESOURCE_099", "blue"]
    assert colour["x-enum-descriptions"] == ["No right.", "Red.", "", ""]
    assert colour["x-http-status"] == {"AUTH_005": 403, "red": 404, "RESOURCE_099": 404, "blue": 500}


def test_two_schemas_for_one_class(root: Path) -> None:
    """Their members are joined; where they differ, a note says which one decides. Of two enums the first stands."""
    names = root / "openapi/names.toml"
    said = '\n[schemas]\n"Box" = "Crate"\n"Bag" = "Crate"\n"Red" = "Shade"\n"Blue" = "Shade"\n'
    names.write_text(names.read_text(encoding="utf-8") + said, encoding="utf-8")

    def change(document: Node) -> None:
        schemas = document["components"]["schemas"]
        schemas["Box"] = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
        schemas["Bag"] = {"type": "object", "properties": {"a": {"type": "integer"}, "c": {"type": "string"}}}
        schemas["Red"] = {"type": "string", "enum": ["r"]}
        schemas["Blue"] = {"type": "string", "enum": ["b"]}
        for name in ("Box", "Bag", "Red", "Blue"):
            put(f"ThingResponse.{name.lower()}", {"$ref": f"{SCHEMAS}{name}"})(document)

    found = prepare(root, vendor(root, change))
    assert list(schema(found.after, "Crate")["properties"]) == ["a", "b", "c"]
    assert (
        member(found.after, "Crate.a")["type"] == ["string", "null"]
        or member(found.after, "Crate.a")["type"] == "string"
    )
    assert any("Crate.a: Box and Bag differ" in note for note in found.notes)
    assert schema(found.after, "Shade")["enum"] == ["r"]


def test_files_come_and_go_together(root: Path) -> None:
    """A file that goes is removed, one that was not there stays away, and the others are replaced."""
    (root / "old.txt").write_text("old", encoding="utf-8")
    replace_all(root, {"old.txt": None, "never.txt": None, "new/one.txt": "new"})
    assert not (root / "old.txt").exists() and not (root / "never.txt").exists()
    assert (root / "new/one.txt").read_text(encoding="utf-8") == "new"


def test_a_replacement_that_fails_leaves_everything(root: Path) -> None:
    """A target that is a file where a folder is needed stops it, and what was replaced before is put back."""
    (root / "a.txt").write_text("a", encoding="utf-8")
    (root / "file").write_text("f", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        replace_all(root, {"a.txt": "b", "none.txt": None, "file/below.txt": "c"})
    assert (root / "a.txt").read_text(encoding="utf-8") == "a"


def test_sources_that_cannot_be_read(root: Path) -> None:
    """A file that gives an error, and an address that is not encrypted."""
    with pytest.raises(SpecError, match="cannot be read"):
        read_source("/proc/self/mem", root)
    with pytest.raises(SpecError, match="must be https"):
        read_source("http://example.com/swagger.json", root)


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
    edited(root, "things.yaml", page, page + header)
    parameters = updated(root)["paths"]["/v3/things"]["get"]["parameters"]
    assert "X-Trace" in [parameter.get("name") for parameter in parameters]


def test_data_that_is_only_ever_null(root: Path) -> None:
    """It is no data."""
    envelope = {"type": "object", "properties": {"success": {"type": "boolean"}, "data": {"nullable": True}}}
    after = updated(root, respond(envelope))
    schema_of_response = after["paths"]["/v3/things/{thingId}"]["get"]["responses"]["200"]["content"]
    assert "Thing" not in json.dumps(schema_of_response)


def test_a_document_that_is_too_large(root: Path, served: str) -> None:
    """It is refused before it is read to its end."""
    with (root / "served/large.json").open("wb") as large:
        large.truncate(64 * 2**20 + 1)
    with pytest.raises(SpecError, match="is larger than"):
        read_source(f"{served}/large.json", root)


def test_null_is_written_in_words(root: Path) -> None:
    """An empty value would read like something that was forgotten."""
    edited(
        root,
        "things.yaml",
        "        name: {type: [string, 'null'],",
        "        name: {example: null, type: [string, 'null'],",
    )
    found = prepare(root, vendor(root, put("ThingResponse.size", {"type": "integer"})))
    text = found.files["openapi/things.yaml"]
    assert text is not None
    assert "example: null" in text
