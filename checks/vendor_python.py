"""The vendor's Python package against the fake server, unchanged: every resource that both have.

Run by ``checks.outside``. Each function is one resource; ``control`` posts to the control API of the fake.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sent_dm
from aiohttp import web
from aiohttp.test_utils import TestServer

from sent_async.webhooks import WebhookReceiver, WebhookSignatureError

Control = Callable[..., Awaitable[Any]]


async def failure(call: Awaitable[object], code: str) -> dict[str, Any]:
    """Check that a call fails with an error code. Returns the error of the response."""
    try:
        await call
    except sent_dm.APIStatusError as failed:
        error: dict[str, Any] = failed.body["error"]
        assert error["code"] == code
        return error
    raise AssertionError(f"a call succeeded where {code} was expected")


async def templates(client: sent_dm.AsyncSent, _: Control) -> None:
    """Created, listed page after page, renamed, deleted, and gone."""
    created = [
        await client.templates.create(definition={"body": {"multi_channel": {"template": f"Sale number {number}"}}})
        for number in range(5)
    ]
    ids = {response.data.id for response in created}
    listed = {template.id async for template in client.templates.list(page=1, page_size=2)}
    assert ids <= listed, "paging misses templates"
    first = created[0].data.id
    await client.templates.update(first, name="Renamed")
    assert (await client.templates.retrieve(first)).data.name == "Renamed"
    for template_id in ids:
        await client.templates.delete(template_id)
    await failure(client.templates.retrieve(first), "RESOURCE_002")


async def profiles(client: sent_dm.AsyncSent, _: Control) -> None:
    """Created, listed, changed, completed and deleted."""
    profile = (await client.profiles.create(name="Sales", short_name="SALES", inherit_tcr_brand=True)).data
    assert profile.id in {one.id for one in (await client.profiles.list()).data.profiles}
    await client.profiles.update(profile.id, description="Field sales")
    assert (await client.profiles.retrieve(profile.id)).data.description == "Field sales"
    await client.profiles.complete(profile.id, web_hook_url="http://127.0.0.1:9/done")
    await client.profiles.delete(profile.id)


async def messages(client: sent_dm.AsyncSent, control: Control) -> None:
    """Sent as free text and from a template, delivered, followed, and refused."""
    template = await control(
        "/templates", name="order", definition={"body": {"sms": {"template": "Your order is here"}}}
    )
    sent = (
        await client.messages.send(to=["+14155550100", "+442071234567"], channel=["sms", "whatsapp"], text="Hi")
    ).data
    assert [(one.to, one.channel, one.body) for one in sent.recipients][:2] == [
        ("+14155550100", "sms", "Hi"),
        ("+14155550100", "whatsapp", "Hi"),
    ]
    from_template = (await client.messages.send(to=["+14155550100"], template={"id": template["id"]})).data
    assert (from_template.status, from_template.template_name) == ("QUEUED", "order")
    tonight = datetime.now(UTC) + timedelta(hours=5)
    held = (await client.messages.send(to=["+14155550100"], text="Tonight", scheduled_at=tonight)).data
    await control("/time/advance", seconds=60)
    assert (await client.messages.retrieve_status(held.recipients[0].message_id)).data.status == "SCHEDULED"
    message = (await client.messages.retrieve_status(from_template.recipients[0].message_id)).data
    assert (message.status, message.channel, message.message_body.content) == ("DELIVERED", "sms", "Your order is here")
    assert [event.status for event in message.events] == ["QUEUED", "ROUTED", "SENT", "DELIVERED"]
    activities = (await client.messages.retrieve_activities(message.id)).data.activities
    assert [one.status for one in activities] == ["DELIVERED", "SENT", "ROUTED", "QUEUED"]
    assert activities[0].price == "0.0055"
    for call in (client.messages.retrieve_status, client.messages.retrieve_activities):
        await failure(call("00000000-0000-4000-8000-000000000000"), "RESOURCE_003")
    error = await failure(client.messages.send(to=[], text="Hi"), "VALIDATION_001")
    assert list(error["details"]) == ["to"]


async def contacts(client: sent_dm.AsyncSent, control: Control) -> None:
    """Created, found, changed, summed up and deleted; opted out by what they write."""
    contact = (await client.contacts.create(phone_number="+61412345678")).data
    assert (contact.region_code, contact.country_code, contact.default_channel) == ("AU", "61", "sms")
    assert contact.id in {one.id async for one in client.contacts.list(page=1, page_size=1)}
    assert [one.id async for one in client.contacts.list(page=1, page_size=10, phone="+61412345678")] == [contact.id]
    changed = (await client.contacts.update(contact.id, default_channel="whatsapp")).data
    assert (changed.default_channel, changed.opt_out) == ("whatsapp", False)
    await control("/messages/receive", from_number="+61412345678", text="STOP")
    assert (await client.contacts.retrieve(contact.id)).data.opt_out is True
    sent = (await client.messages.send(to=["+61412345678"], text="Sale!")).data
    await control("/time/advance", seconds=60)
    stopped = (await client.messages.retrieve_status(sent.recipients[0].message_id)).data
    assert (stopped.status, stopped.reason_code) == ("FILTERED", "BUSINESS_004")
    summary = (await client.contacts.retrieve_message_summary(contact.id)).data
    assert (summary.message_count, summary.channels_used) == (2, ["sms"])
    await client.contacts.delete(contact.id)
    await failure(client.contacts.retrieve(contact.id), "RESOURCE_001")


async def conversations(client: sent_dm.AsyncSent, control: Control) -> None:
    """All messages and those of one contact, page after page, the latest first."""
    received = await control("/messages/receive", from_number="+4930123456", text="Is it ready?")
    sent = (await client.messages.send(to=["+4930123456"], text="Yes")).data
    both = [sent.recipients[0].message_id, received["id"]]
    everything = [message.id async for message in client.conversations.list(page=1, page_size=1)]
    assert everything[:2] == both
    conversation = await control(f"/contacts/{received['contact_id']}/conversation-id", method="GET")
    listed = [one async for one in client.conversations.list_messages(conversation, page=1, page_size=1)]
    assert [one.id for one in listed] == both
    assert [one.direction for one in listed] == ["OUTBOUND", "INBOUND"]


async def webhooks(client: sent_dm.AsyncSent, control: Control) -> None:
    """Created, replaced, tested, delivered to, turned off and on, given another secret, deleted."""
    await control("/time/advance", seconds=60)  # the messages of others are at their end
    came: list[str] = []

    async def receive(request: web.Request) -> web.Response:
        try:
            event = WebhookReceiver(secrets).unwrap(await request.read(), request.headers)
        except WebhookSignatureError:
            raise web.HTTPUnauthorized from None
        came.append(event.name)
        return web.Response()

    secrets: list[str] = []
    app = web.Application()
    app.router.add_post("/hook", receive)
    async with TestServer(app) as server:
        settings: dict[str, Any] = {"display_name": "Orders", "endpoint_url": str(server.make_url("/hook"))}
        created = (await client.webhooks.create(**settings, event_types=["message"], retry_count=5)).data
        secrets.append(created.signing_secret)
        assert (await client.webhooks.test(created.id, event_type="message.sent")).data.success is True
        await client.messages.send(to=["+14155550177"], text="Hi")
        await control("/time/advance", seconds=60)
        await control("/settle")
        assert came == ["message.sent", "message.queued", "message.routed", "message.sent", "message.delivered"]
        events = [event async for event in client.webhooks.list_events(created.id, page=1, page_size=2)]
        assert [event.event_type for event in events] == came
        assert {event.delivery_status for event in events} == {"DELIVERED"}
        rotated = (await client.webhooks.rotate_secret(created.id)).data.signing_secret
        assert rotated != created.signing_secret
        assert (await client.webhooks.test(created.id, event_type="templates")).data.success is False
    replaced = (await client.webhooks.update(created.id, **settings, event_types=["templates"])).data
    assert (replaced.event_types, replaced.retry_count) == (["templates"], 3)
    off = (await client.webhooks.toggle_status(created.id, is_active=False)).data
    assert off.is_active is False
    assert [one.id async for one in client.webhooks.list(page=1, page_size=10, is_active=False)] == [created.id]
    types = (await client.webhooks.list_event_types()).data.event_types
    assert {"message", "templates"} <= {one.name for one in types}
    await client.webhooks.delete(created.id)
    await failure(client.webhooks.retrieve(created.id), "RESOURCE_008")
    await failure(client.webhooks.create(**settings, event_types=["message"], retry_count=9), "VALIDATION_005")


async def users(client: sent_dm.AsyncSent, _: Control) -> None:
    """Invited, listed, given another role, removed; the last admin stays."""
    (admin,) = (await client.users.list()).data.users
    invited = (await client.users.invite(email="jo@example.com", name="Jo", role="developer")).data
    assert invited.status == "invited"
    assert (await client.users.update_role(invited.id, role="billing")).data.role == "billing"
    assert (await client.users.retrieve(invited.id)).data.email == "jo@example.com"
    await client.users.remove(invited.id)
    assert [user.id for user in (await client.users.list()).data.users] == [admin.id]
    await failure(client.users.remove(admin.id), "VALIDATION_001")


async def account(client: sent_dm.AsyncSent, control: Control) -> None:
    """The account of the key, and the lookup of a number."""
    me = (await client.me.retrieve()).data
    assert (me.type, me.channels.sms.configured) == ("organization", False)
    await control("/lookups/%2B14155550100", method="PUT", carrier_name="Acme Mobile")
    assert (await client.numbers.lookup("+14155550100")).data.carrier_name == "Acme Mobile"
    await failure(client.numbers.lookup("nobody"), "VALIDATION_002")


async def voice_numbers(client: sent_dm.AsyncSent, _: Control) -> None:
    """Bought, turned off, tested, given another secret."""
    voice = client.channels.voice
    first = (await voice.create(callback_url="http://127.0.0.1:9/voice", area_code="415")).data
    assert (first.default_for_app_calls, first.callback_secret[:6]) == (True, "whsec_")
    await voice.create(callback_url="http://127.0.0.1:9/voice", number="+12125550100")
    assert [one.number for one in (await voice.list()).data] == [first.number, "+12125550100"]
    assert (await voice.update("+12125550100", status="INACTIVE")).data.status == "INACTIVE"
    assert (await voice.retrieve(first.number)).data.status == "ACTIVE"
    assert (await voice.rotate_secret(first.number)).data.callback_secret != first.callback_secret
    assert (await voice.test(first.number)).data.outcome == "connection_failed"


RESOURCES = (templates, profiles, messages, contacts, conversations, webhooks, users, account, voice_numbers)
