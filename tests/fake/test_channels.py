"""Channels: SMS markets and their compliance, WhatsApp, RCS, and numbers for phone calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web

from sent_async import BadRequestError, ConflictError, NotFoundError, SentAPIError, SentClient
from sent_async.models import SmsNumberData, SmsNumberType, VoiceNumberStatus
from sent_async.testing import FakeSent
from sent_async.webhooks import ChannelEvent, WebhookReceiver, WebhookSignatureError
from tests.support.deliveries import SECRET, aiohttp_server
from tests.support.fake_data import SEEDED
from tests.support.payloads import payload
from tests.support.raw_client import Wire
from tests.support.service import Service

NUMBER = "+12125550100"
CALLBACK = "https://example.com/voice"


async def test_requirements(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """They are those of an SMS market. For other channels the response is 501."""
    demanded = await sent.compliance.retrieve_requirements(country="us", type="TEN_DLC")
    assert (demanded.country, demanded.channel, demanded.required) == ("US", "sms", True)
    assert demanded.requirements is not None
    assert "brand.legal_name" in [one["field"] for one in demanded.requirements]
    free = await sent.compliance.retrieve_requirements(country="DE", type="MOBILE", channel="sms")
    assert (free.required, free.requirements) == (False, [])
    with pytest.raises(SentAPIError) as undeclared:
        await sent.with_options(max_retries=0).compliance.retrieve_requirements(
            country="US", type="TEN_DLC", channel="rcs"
        )
    assert undeclared.value.status == 501
    for query, member in (("type=X", "country"), ("country=US", "type"), ("country=US&type=X&channel=fax", "channel")):
        response = await wire(fake_sent, "GET", f"/v3/compliance/requirements?{query}")
        assert (response.status, list(response.json["error"]["details"])) == (400, [member])


async def test_a_market_from_its_creation_to_its_activation(
    fake_sent: FakeSent, sent: SentClient, service: Service
) -> None:
    """First requirements are open, then none, then it is active, which is an event."""
    fake_sent.add_webhook(endpoint_url=service.url, signing_secret=SECRET)
    created = await sent.channels.sms.create(
        country="us", number_type="TEN_DLC", numbers=[SmsNumberData(area_code="212", quantity=1)]
    )
    assert (created.country, created.status, created.reason_code) == ("US", "ACTION_NEEDED", "CHANNEL_001")
    assert created.compliance == {"requirements": ["brand.legal_name", "campaign.message_flow"]}
    changed = await sent.channels.sms.update("US", "TEN_DLC", compliance={"brand": {"legal_name": "Acme", "ein": "1"}})
    assert changed.compliance == {
        "brand": {"legal_name": "Acme", "ein": "1"},
        "requirements": ["campaign.message_flow"],
    }
    changed = await sent.channels.sms.update(
        "us", SmsNumberType("ten_dlc"), compliance={"brand": {"ein": None}, "campaign": None}
    )
    assert changed.compliance == {"brand": {"legal_name": "Acme"}, "campaign": {"inherit": True}}
    assert (changed.status, changed.reason_code) == ("PROVISIONING", None)
    active = fake_sent.activate_market("US", "TEN_DLC")
    assert (active.status, await sent.channels.sms.retrieve("US", "TEN_DLC")) == ("ACTIVE", active)
    await fake_sent.settle()
    (event,) = service.events
    assert isinstance(event, ChannelEvent)
    assert (event.name, event.payload.country, event.payload.status) == ("channel.activated", "US", "ACTIVE")
    with pytest.raises(KeyError):
        fake_sent.activate_market("DE", "MOBILE")


async def test_markets(fake_sent: FakeSent, sent: SentClient) -> None:
    """There is one for each country and kind of sender, by owner, and it keeps its sender id."""
    named = await sent.channels.sms.create(country="DE", number_type="ALPHANUMERIC", sender_value="ACME")
    assert named.numbers is not None
    assert [number.sender_value for number in named.numbers] == ["ACME"]
    assert (await sent.channels.retrieve()).sms == [named]
    with pytest.raises(ConflictError):
        await sent.channels.sms.create(country="DE", number_type="ALPHANUMERIC")
    profile = sent.with_options(profile_id=SEEDED)
    assert not await profile.channels.sms.list()
    with pytest.raises(NotFoundError) as missing:
        await profile.channels.sms.retrieve("DE", "ALPHANUMERIC")
    assert missing.value.code == "RESOURCE_004"
    await sent.channels.sms.create(country="FR", number_type="MOBILE", sandbox=True)
    assert len(await sent.channels.sms.list()) == 1


async def test_a_market_with_documents(fake_sent: FakeSent, sent: SentClient) -> None:
    """The names of the members in a form are understood, in the sandbox too."""
    letter: dict[str, Any] = {"letter": b"%PDF"}
    tried = await sent.channels.sms.create(country="DE", number_type="MOBILE", sandbox=True, documents=letter)
    assert tried.country == "DE"
    assert not await sent.channels.sms.list()
    created = await sent.channels.sms.create(
        country="DE", number_type="ALPHANUMERIC", sender_value="ACME", documents=letter
    )
    assert created.compliance is not None
    assert [one["key"] for one in created.compliance["documents"]] == ["letter"]
    assert created.numbers is not None and created.numbers[0].sender_value == "ACME"


@pytest.mark.parametrize(
    ("method", "path", "body", "members"),
    [
        ("POST", "/sms", {"country": "USA", "number_type": "TEN_DLC"}, ["country"]),
        ("POST", "/sms", {"country": "1é", "number_type": "FAX"}, ["country", "number_type"]),
        ("POST", "/sms", {}, ["country", "number_type"]),
        ("PATCH", "/sms/US/TOLL_FREE", {}, ["compliance"]),
        ("PATCH", "/sms/US/TOLL_FREE", {"compliance": {}}, ["compliance"]),
        ("PATCH", "/sms/US/TOLL_FREE", {"compliance": None}, ["compliance"]),
        ("PATCH", "/sms/US/TOLL_FREE", {"compliance": {"a": 1}, "country": "US"}, ["country"]),
        ("POST", "/whatsapp", {"waba_id": " "}, ["waba_id"]),
        ("POST", "/whatsapp", {"waba_id": "w", "access_token": "t"}, ["access_token"]),
        ("POST", "/voice", {"callback_url": "nowhere"}, ["callback_url"]),
        ("POST", "/voice", {"callback_url": CALLBACK, "number": ""}, ["number"]),
        ("POST", "/voice", {"callback_url": CALLBACK, "number": NUMBER, "area_code": "212"}, ["area_code"]),
        ("PATCH", f"/voice/{NUMBER}", {}, ["body"]),
        ("PATCH", f"/voice/{NUMBER}", {"status": "SLEEPING"}, ["status"]),
        ("PATCH", f"/voice/{NUMBER}", {"default_for_app_calls": False}, ["default_for_app_calls"]),
        ("PATCH", f"/voice/{NUMBER}", {"callback_url": "x"}, ["callback_url"]),
        (
            "PATCH",
            f"/voice/{NUMBER}",
            {"status": "inactive", "default_for_app_calls": True},
            ["default_for_app_calls"],
        ),
    ],
)
async def test_what_is_refused(
    fake_sent: FakeSent, sent: SentClient, wire: Wire, method: str, path: str, body: object, members: list[str]
) -> None:
    """The error names the members."""
    await sent.channels.sms.create(country="US", number_type="TOLL_FREE")
    await sent.channels.voice.create(number=NUMBER, callback_url=CALLBACK)
    response = await wire(fake_sent, method, "/v3/channels" + path, body)
    assert (response.status, sorted(response.json["error"]["details"])) == (400, sorted(members))


async def test_whatsapp_and_rcs(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """After they were connected or requested they are in the overview."""
    account = await sent.channels.whatsapp.create(waba_id="waba-1", phone_number_id="phone-1")
    assert (account.waba_id, account.phone_number_id, account.status) == ("waba-1", "phone-1", "PROVISIONING")
    request = payload("channels_rcs-create-request.reconstructed")
    response = await wire(fake_sent, "POST", "/v3/channels/rcs", content=request)
    assert (response.status, response.json["data"]["status"]) == (201, "PENDING_REVIEW")
    overview = await sent.channels.retrieve()
    assert overview.whatsapp == account
    assert overview.rcs is not None and overview.rcs.display_name == "Acme"
    form = msgspec.json.decode(request)
    for change, members in (
        ({"agent_use_case": "SPAM", "website_url": "acme"}, ["agent_use_case", "website_url"]),
        ({"hosting_region": "US"}, ["hosting_region"]),
    ):
        response = await wire(fake_sent, "POST", "/v3/channels/rcs", {**form, **change})
        assert (response.status, list(response.json["error"]["details"])) == (400, members)
    response = await wire(fake_sent, "POST", "/v3/channels/rcs", {"display_name": "Acme"})
    assert len(response.json["error"]["details"]) == 23


async def test_voice_numbers(fake_sent: FakeSent, sent: SentClient) -> None:
    """The first is the default line, which cannot be turned off while there is another. The secret is shown once."""
    first = await sent.channels.voice.create(number=NUMBER, callback_url=CALLBACK)
    bought = await sent.channels.voice.create(area_code="415", callback_url=CALLBACK)
    assert (first.number, first.default_for_app_calls, bought.default_for_app_calls) == (NUMBER, True, False)
    assert first.callback_secret is not None and bought.number.startswith("+1415")
    assert [one.number for one in await sent.channels.voice.list()] == [NUMBER, bought.number]
    with pytest.raises(ConflictError):
        await sent.channels.voice.update(NUMBER, status="INACTIVE")
    changed = await sent.channels.voice.update(bought.number, default_for_app_calls=True)
    assert changed.default_for_app_calls is True
    off = await sent.channels.voice.update(NUMBER, status=VoiceNumberStatus("inactive"))
    assert (off.status, off.default_for_app_calls, off.updated_at is not None) == ("INACTIVE", False, True)
    again = await sent.channels.voice.create(number=NUMBER, callback_url=CALLBACK + "/2", default_for_app_calls=True)
    assert (again.status, again.callback_secret, again.callback_url) == ("ACTIVE", None, CALLBACK + "/2")
    assert (await sent.channels.voice.retrieve(bought.number)).default_for_app_calls is False
    voice = (await sent.channels.retrieve()).voice
    assert voice is not None
    assert [one.number for one in voice] == [NUMBER, bought.number]
    profile = sent.with_options(profile_id=SEEDED)
    with pytest.raises(BadRequestError):
        await profile.channels.voice.create(number=NUMBER, callback_url=CALLBACK)
    with pytest.raises(NotFoundError):
        await profile.channels.voice.retrieve(NUMBER)
    alone = await profile.channels.voice.create(callback_url=CALLBACK, default_for_app_calls=True)
    assert (await sent.channels.voice.retrieve(NUMBER)).default_for_app_calls is True
    assert (await profile.channels.voice.update(alone.number, status="INACTIVE")).status == "INACTIVE"


async def test_voice_in_the_sandbox(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """The response is 202, and nothing is bought, changed or sent."""
    response = await wire(fake_sent, "POST", "/v3/channels/voice", {"callback_url": CALLBACK, "sandbox": True})
    assert response.status == 202
    assert not await sent.channels.voice.list()
    await sent.channels.voice.create(number=NUMBER, callback_url=CALLBACK)
    for action in ("rotate-secret", "test"):
        response = await wire(fake_sent, "POST", f"/v3/channels/voice/{NUMBER}/{action}", {"sandbox": True})
        assert response.status == 202
    assert response.json["data"]["outcome"] == "ok"


class Callback:
    """Responds to callbacks of calls after it verified them."""

    def __init__(self) -> None:
        self.url = ""
        self.secret = ""
        self.status = 200
        self.response: bytes = b'{"action": {"action": "reject", "reason": "busy"}}'
        self.questions: list[Any] = []

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            WebhookReceiver(self.secret).unwrap(body, request.headers)
        except WebhookSignatureError:
            return web.Response(status=401)
        except Exception:  # noqa: BLE001 - a question is signed like an event, and is none
            self.questions.append(msgspec.json.decode(body))
        return web.Response(status=self.status, body=self.response)


@pytest.fixture
async def callback() -> AsyncIterator[Callback]:
    callback = Callback()
    async with aiohttp_server(callback.handle) as url:
        callback.url = url
        yield callback


async def test_the_test_of_a_callback(fake_sent: FakeSent, sent: SentClient, callback: Callback) -> None:
    """The request to the callback is signed with the secret of the number, and the result says what came back."""
    created = await sent.channels.voice.create(number=NUMBER, callback_url=callback.url)
    callback.secret = str(created.callback_secret)
    tested = await sent.channels.voice.test(NUMBER)
    assert (tested.outcome, tested.error) == ("ok", None)
    assert tested.answer == {"action": {"action": "reject", "reason": "busy"}}
    (question,) = callback.questions
    assert (question["type"], question["test"], question["number"]) == ("call.request", True, NUMBER)
    assert tested.request is not None and tested.request.body is not None
    assert msgspec.json.decode(tested.request.body) == question
    faults: list[tuple[int, bytes, str, str]] = [
        (500, b"", "http_error", "http_error"),
        (200, b"{", "invalid_answer", "malformed_json"),
        (200, b"[]", "invalid_answer", "missing_action"),
        (200, b'{"action": {"action": 1}}', "invalid_answer", "missing_action"),
    ]
    for callback.status, callback.response, outcome, reason in faults:
        tested = await sent.channels.voice.test(NUMBER)
        assert tested.error is not None
        assert (tested.outcome, tested.error.reason) == (outcome, reason)
    rotated = await sent.channels.voice.rotate_secret(NUMBER)
    assert rotated.callback_secret != callback.secret
    assert (await sent.channels.voice.test(NUMBER)).outcome == "http_error"


async def test_a_callback_that_cannot_be_reached(fake_sent: FakeSent, sent: SentClient) -> None:
    """The result says that there was no response, or none in time."""

    async def wait(_: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        raise AssertionError

    async with aiohttp_server(wait) as url:
        await sent.channels.voice.create(number=NUMBER, callback_url=url)
        assert (await sent.channels.voice.test(NUMBER)).outcome == "timeout"
    tested = await sent.channels.voice.test(NUMBER)
    assert (tested.outcome, tested.response) == ("connection_failed", None)
