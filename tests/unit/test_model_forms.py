"""Models as dicts, as JSON and as text, and in pydantic and FastAPI."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import aiohttp
import msgspec
import pytest
from fastapi import Body, FastAPI
from pydantic import TypeAdapter, ValidationError
from yarl import URL

from sent_async import Page, models
from sent_async.models import CampaignData, MessageSend, MessageTemplate, Profile, TemplateDefinition, VoiceToken
from sent_async.structs import Model
from tests.support.deliveries import uvicorn_server
from tests.support.payloads import profile

ALL: list[Any] = [kind for kind in vars(models).values() if isinstance(kind, type) and issubclass(kind, Model)]


def customers() -> Profile:
    return msgspec.convert(profile(), Profile)


def test_a_model_as_a_dict() -> None:
    """Names are those of Python, nested models are dicts, enum members texts, dates datetimes."""
    found = customers().to_dict()
    assert found["short_name"] == "MKT"
    assert found["status"] == "approved" and type(found["status"]) is str
    assert found["created_at"] == datetime(2025, 12, 31, 15, 21, 52, 166087, UTC)
    assert found["brand"]["contact"]["business_name"] == profile()["brand"]["contact"]["business_name"]
    assert json.loads(json.dumps(found, default=str))["name"] == "Marketing Team"


def test_lists_and_maps_are_plain_too() -> None:
    """Models in lists and maps are dicts, too."""
    message = models.SentMessage(recipients=[models.MessageRecipient(message_id="m1")])
    assert message.to_dict()["recipients"][0]["message_id"] == "m1"
    template = MessageTemplate(name="hello", parameters={"name": "Jo"})
    assert template.to_dict() == {"name": "hello", "parameters": {"name": "Jo"}}


def test_a_model_as_json() -> None:
    """Names are those of the API, and the JSON can be read again."""
    whole = customers()
    assert json.loads(whole.to_json())["short_name"] == "MKT"
    assert msgspec.json.decode(whole.to_json(), type=Profile) == whole
    assert "messageFlow" in json.loads(CampaignData(**_campaign()).to_json())


def _campaign() -> dict[str, Any]:
    return {
        "name": "n",
        "description": "d",
        "type": "App",
        "use_cases": [],
        "message_flow": "m",
    }


def test_absent_members_are_left_out_and_nulls_are_not() -> None:
    """A dict and JSON have nulls, and not what was left out."""
    send = MessageSend(to=["+14155551234"], channel=None, template=MessageTemplate(name="hello"))
    assert send.to_dict() == {"to": ["+14155551234"], "channel": None, "template": {"name": "hello"}}
    assert json.loads(send.to_json()) == send.to_dict()
    shown = "MessageSend(to='***', channel=None, template=MessageTemplate(name='hello'))"
    assert repr(send) == shown


def test_a_response_shows_members_with_a_value() -> None:
    """The repr leaves out members without a value and masks secrets. The dict has both."""
    whole = msgspec.convert(profile(description=None), Profile)
    assert "short_name='MKT'" in repr(whole) and "description" not in repr(whole)
    token = VoiceToken(token="s3cret", identity="ann")
    assert repr(token) == "VoiceToken(token='***', identity='ann')"
    assert token.to_dict()["token"] == "s3cret"


def test_pydantic_is_not_imported() -> None:
    """``import sent_async`` does not import pydantic."""
    code = "import sent_async, sent_async.models, sys; sys.exit('pydantic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pydantic_reads_and_writes_a_model() -> None:
    """A ``TypeAdapter`` reads and writes what the model itself does."""
    adapter = TypeAdapter(Profile)
    assert adapter.validate_python(customers()) == customers()
    assert adapter.validate_json(customers().to_json()) == customers()
    assert json.loads(adapter.dump_json(customers())) == json.loads(customers().to_json())
    assert adapter.dump_python(customers()) == customers()
    with pytest.raises(ValidationError, match="missing required field `id`"):
        adapter.validate_python({})


def service() -> FastAPI:
    """A service whose handlers return models and take one."""
    app = FastAPI()

    @app.get("/one")
    async def one() -> Profile:
        return customers()

    @app.get("/many")
    async def many() -> list[Profile]:
        return cast("list[Profile]", Page([customers()]))

    @app.post("/echo")
    async def echo(body: Annotated[TemplateDefinition, Body()]) -> TemplateDefinition:
        return body

    return app


def test_fastapi_shows_a_model() -> None:
    """The OpenAPI page of a service has the members of its models."""
    document = service().openapi()
    schemas = document["components"]["schemas"]
    shown = document["paths"]["/one"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    members = (schemas[shown["$ref"].rpartition("/")[2]] if "$ref" in shown else shown)["properties"]
    assert {"id", "short_name", "brand", "created_at"} <= set(members)
    assert "/many" in document["paths"]


async def test_fastapi_serves_models() -> None:
    """A handler responds with a model, a list of them or a page, and takes a request model as its body."""
    definition = TemplateDefinition.text("Hello").to_json()
    is_json = {"Content-Type": "application/json"}
    async with uvicorn_server(service()) as url, aiohttp.ClientSession(URL(url).origin(), headers=is_json) as session:
        async with session.get("/one") as response:
            assert (response.status, await response.text()) == (200, customers().to_json())
        async with session.get("/many") as response:
            assert (response.status, await response.text()) == (200, f"[{customers().to_json()}]")
        async with session.post("/echo", data=definition) as response:
            assert (response.status, await response.text()) == (200, definition)
        async with session.post("/echo", data='{"body": 5}') as response:
            assert response.status == 422
            assert "Expected `object`, got `int` - at `$.body`" in await response.text()


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_model_has_a_json_schema(kind: Any) -> None:
    """This holds for models that contain themselves. The members have the names of the API."""
    schema = TypeAdapter(kind).json_schema()
    whole = json.dumps(schema)
    for member in msgspec.structs.fields(kind):
        assert f'"{member.encode_name}"' in whole
