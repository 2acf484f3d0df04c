"""What the API does otherwise than one would think, and than its own pages say: each with a request on a socket.

Found by reading the vendor's pages, packages and changelog side by side with what third parties report of the live API.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sent_async import (
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    SentAPIError,
    SentClient,
    SentError,
    ServerError,
    UnprocessableEntityError,
    operations,
)
from sent_async.models import MessageStatus, MessageTemplate, SenderProfileNotifications, WebhookDeliveryStatus
from tests.support.payloads import envelope, payload, problem
from tests.support.servers import MakeClient, Server, make_response

ID = "8ba7b830-9dad-11d1-80b4-00c04fd430c8"

Call = Callable[[SentClient], Awaitable[Any]]


def says(server: Server, data: object, status: int = 200, **members: object) -> None:
    server.responses = [make_response(envelope(data, **members), status)]


def body(server: Server) -> Any:
    return json.loads(server.last.body)


# Sending


async def test_an_accepted_message_proves_nothing(client: MakeClient, server: Server) -> None:
    """Balance, approval and consent are checked after the 202.

    The result is in the status and reason of the message.
    """
    says(server, {"status": "QUEUED", "recipients": [{"message_id": "m1", "to": "+14155551234"}]}, 202)
    sent = await client().messages.send(to=["+14155551234"], text="Hi")
    assert sent.status is MessageStatus.QUEUED
    says(server, {"id": "m1", "status": "BLOCKED", "reason_code": "BUSINESS_003", "reason": "No balance"})
    message = await client().messages.retrieve("m1")
    assert (message.status, message.reason_code) == (MessageStatus.BLOCKED, "BUSINESS_003")


async def test_the_channel_is_a_list_and_a_template_has_both_names(client: MakeClient, server: Server) -> None:
    """The vendor's text writes one channel, its examples an id and a name. Both are accepted."""
    says(server, json.loads(payload("messages-send-202.docs"))["data"], 202)
    template = MessageTemplate(id=ID, name="order_confirmation", parameters={"name": "Jo"})
    await client().messages.send(to=["+14155551234"], channel=["sms", "whatsapp"], template=template)
    assert body(server)["channel"] == ["sms", "whatsapp"]
    assert body(server)["template"] == {"id": ID, "name": "order_confirmation", "parameters": {"name": "Jo"}}


async def test_a_scheduled_message_says_when(client: MakeClient, server: Server) -> None:
    """With the offset on the wire; the member is absent from the response to an immediate send."""
    recipients = [{"message_id": "m1", "to": "+14155551234", "channel": None, "body": None}]
    says(server, {"status": "QUEUED", "recipients": recipients, "scheduled_at": "2026-12-01T09:00:00+00:00"}, 202)
    moment = datetime(2026, 12, 1, 9, tzinfo=UTC)
    later = await client().messages.send(to=["+14155551234"], text="Hi", scheduled_at=moment)
    assert body(server)["scheduled_at"] in ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00+00:00")
    assert later.scheduled_at == moment
    says(server, {"status": "QUEUED", "recipients": recipients}, 202)
    assert (await client().messages.send(to=["+14155551234"], text="Hi")).scheduled_at is None


async def test_a_resent_message_may_have_another_id(client: MakeClient, server: Server) -> None:
    """Sources disagree about the id, so the one in the response counts."""
    says(server, {"status": "QUEUED", "recipients": [{"message_id": "m2", "to": "+1"}, {"to": "+2"}]}, 202)
    again = await client().messages.resend("m1")
    assert again.recipients is not None
    assert [recipient.message_id for recipient in again.recipients] == ["m2", None]


async def test_prices_are_numbers_and_strings(client: MakeClient, server: Server) -> None:
    """A price is a number on a message and a string on an activity; both decode either way."""
    for written, read in ((0.0055, 0.0055), ("0.0055", "0.0055"), (None, None)):
        says(server, {"id": "m1", "price": written, "active_contact_price": written})
        message = await client().messages.retrieve("m1")
        assert (message.price, message.active_contact_price) == (read, read)
        says(server, {"message_id": "m1", "activities": [{"price": written}], "pagination": None})
        [activity] = await client().messages.list_activities("m1")
        assert activity.price == read
        says(server, {"id": "c1", "price": written})
        assert (await client().voice.calls.retrieve("c1")).price == read


async def test_the_body_of_a_message_is_in_camel_case(client: MakeClient, server: Server) -> None:
    """Inside a response that is otherwise in snake_case."""
    inside = {
        "header": None,
        "headerMedia": {"type": "image", "url": "https://s.dm/x"},
        "content": "Welcome!",
        "buttons": [{"type": "quick_reply", "value": "yes", "postbackData": "p"}],
        "media": [{"url": "https://s.dm/y", "mediaType": "image", "mimeType": "image/png", "sizeBytes": 5}],
    }
    says(server, {"id": "m1", "message_body": inside, "events": None})
    message = await client().messages.retrieve("m1")
    assert message.message_body is not None and message.message_body.header_media is not None
    assert message.message_body.header_media.url == "https://s.dm/x"
    assert message.message_body.buttons is not None and message.message_body.buttons[0].postback_data == "p"
    assert message.message_body.media is not None and message.message_body.media[0].size_bytes == 5
    assert message.events is None


# Codes and statuses


@pytest.mark.parametrize(("status", "kind"), [(409, ConflictError), (422, UnprocessableEntityError)])
async def test_a_message_that_cannot_be_cancelled(
    client: MakeClient, server: Server, status: int, kind: type[SentAPIError]
) -> None:
    """The catalogue says 422, the endpoint 409. Neither is retried."""
    server.responses = [make_response(problem("BUSINESS_006"), status)]
    with pytest.raises(kind) as caught:
        await client().messages.cancel("m1")
    assert caught.value.code == "BUSINESS_006"
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", ["RESOURCE_007", "CONFLICT_005", None])
async def test_only_one_conflict_is_sent_again(client: MakeClient, server: Server, code: str | None) -> None:
    """The vendor's packages retry every 409. Only that of a key in flight is retried here."""
    server.responses = [make_response(problem(code), 409)]
    with pytest.raises(ConflictError):
        await client().users.invite(email="a@example.com", name="A", role="developer")
    assert len(server.requests) == 1
    server.responses = [make_response(problem("CONFLICT_001"), 409)]
    with pytest.raises(ConflictError):
        await client().users.invite(email="a@example.com", name="A", role="developer")
    assert len(server.requests) == 1 + 3


async def test_a_429_has_three_meanings(client: MakeClient, server: Server) -> None:
    """A spent rate limit is waited for. A spent quota of scheduled messages is not."""
    says_later = datetime(2026, 12, 1, tzinfo=UTC)
    server.responses = [make_response(problem("LIMIT_001"), 429, Retry_After="1")]
    with pytest.raises(RateLimitError) as caught:
        await client().messages.send(to=["+14155551234"], text="Hi", scheduled_at=says_later)
    assert (caught.value.attempts, len(server.requests)) == (1, 1)
    server.responses = [make_response(problem("BUSINESS_002"), 429, Retry_After="1")]
    with pytest.raises(RateLimitError) as caught:
        await client().me.retrieve()
    assert caught.value.attempts == 3


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "BUSINESS_014", PermissionDeniedError),
        (404, "NOT_FOUND", NotFoundError),
        (501, "SERVICE_001", ServerError),
        (402, "BUSINESS_003", SentAPIError),
    ],
)
async def test_codes_and_statuses_beside_the_catalogue(
    client: MakeClient, server: Server, status: int, code: str, kind: type[SentAPIError]
) -> None:
    """The class is that of the status. The code is kept, known or not. None is retried."""
    server.responses = [make_response(problem(code), status)]
    with pytest.raises(kind) as caught:
        await client().compliance.retrieve_requirements(country="US", type="LOCAL", channel="rcs")
    assert type(caught.value) is kind and caught.value.code == code
    assert len(server.requests) == 1


async def test_the_key_goes_in_its_own_header_alone(client: MakeClient, server: Server) -> None:
    """One page offers a bearer token too; the live API refused it."""
    says(server, {"id": "a1", "type": "organization"})
    await client().me.retrieve()
    assert "x-api-key" in server.last.headers and "Authorization" not in server.last.headers


# Reads and lists


async def test_conversations_always_name_their_page(client: MakeClient, server: Server) -> None:
    """Without both parameters the live API responds with 400."""
    says(server, {"messages": [], "pagination": None})
    conversations = client().conversations
    for call in (conversations.list(), conversations.list_messages("c1")):
        await call
        assert parse_qs(urlsplit(server.last.path_qs).query) == {"page": ["1"], "page_size": ["100"]}


@pytest.mark.parametrize(
    ("call", "data"),
    [
        (lambda sent: sent.users.list(), {"users": [{"id": "u1"}]}),
        (lambda sent: sent.users.list(), {"users": [{"id": "u1"}], "pagination": None}),
        (lambda sent: sent.webhooks.list_event_types(), {"event_types": [{"name": "message"}], "pagination": None}),
        (lambda sent: sent.messages.list_activities("m1"), {"message_id": "m1", "activities": [{"status": "SENT"}]}),
        (lambda sent: sent.channels.sms.list(), [{"country": "US"}]),
        (lambda sent: sent.channels.voice.list(), [{"number": "+14155550101"}]),
        (lambda sent: sent.voice.calls.participants.list("c1"), [{"id": "p1"}]),
    ],
)
async def test_lists_without_pages(client: MakeClient, server: Server, call: Any, data: object) -> None:
    """When ``pagination`` is null or missing, or the list is bare, one request has every item."""
    says(server, data)
    assert len([item async for item in call(client())]) == 1
    assert len(server.requests) == 1


async def test_a_test_event_that_failed_is_no_error(client: MakeClient, server: Server) -> None:
    """``data.success`` is the verdict on the delivery, the envelope's ``success`` that on the call."""
    says(server, {"success": False, "message": "Endpoint answered 500"})
    result = await client().webhooks.test(ID, event_type="message.sent")
    assert result.success is False


async def test_a_delivery_status_in_any_case(client: MakeClient, server: Server) -> None:
    """The vendor writes it in upper case, a fixture in lower case. An unknown value does no harm."""
    says(server, {"events": [{"id": "e1", "delivery_status": "delivered"}, {"id": "e2", "delivery_status": "FAILED"}]})
    first, second = await client().webhooks.list_events(ID)
    assert first.delivery_status is not None and first.delivery_status.upper() == WebhookDeliveryStatus.DELIVERED
    assert second.delivery_status is WebhookDeliveryStatus.FAILED


async def test_a_secret_may_be_shown_or_not(client: MakeClient, server: Server) -> None:
    """Sources disagree about where the secret is shown, and toggling leaves out most members: all of it decodes."""
    says(server, {"webhooks": [{"id": "w1", "signing_secret": "whsec_h1dden"}, {"id": "w2"}], "pagination": None})
    first, second = await client().webhooks.list()
    assert (first.signing_secret, second.signing_secret) == ("whsec_h1dden", None)
    assert "h1dden" not in repr(first)
    says(server, {"id": "w1", "is_active": True})
    assert (await client().webhooks.toggle_status("w1", is_active=True)).is_active is True


async def test_the_sender_of_a_market_moved(client: MakeClient, server: Server) -> None:
    """``sender_value`` left the responses in November 2026; ``numbers`` has it. Both forms read."""
    old = {"country": "US", "status": "PENDING", "sender_value": "+14155550101"}
    new = {"country": "US", "status": "ACTIVE", "numbers": [{"sender_value": "+14155550101"}]}
    says(server, [old, new])
    first, second = await client().channels.sms.list()
    assert first.sender_value == "+14155550101" and first.status == "PENDING"
    assert second.sender_value is None and second.numbers is not None
    assert second.numbers[0].sender_value == "+14155550101"


# Paths and parameters


async def test_a_plus_sign_in_a_path_is_encoded(client: MakeClient, server: Server) -> None:
    """The vendor's text about voice numbers asks for it."""
    says(server, {"phone_number": "+12025551234"})
    await client().numbers.lookup("+12025551234")
    assert server.last.path_qs == "/v3/numbers/lookup/%2B12025551234"
    says(server, {"number": "+14155550101"})
    await client().channels.voice.retrieve("+14155550101")
    assert server.last.path_qs == "/v3/channels/voice/%2B14155550101"


async def test_voice_paths_are_the_later_ones(client: MakeClient, server: Server) -> None:
    """Earlier packages and one sample still use ``/v3/calls`` and ``/v3/channels/voice/tokens``."""
    says(server, {"calls": [], "pagination": None})
    await client().voice.calls.list(from_=datetime(2026, 3, 1, tzinfo=UTC))
    assert server.last.path_qs.startswith("/v3/voice/calls?") and "from=2026-03-01T00%3A00%3A00" in server.last.path_qs
    says(server, {"token": "t"}, 201)
    await client().voice.tokens.create(identity="ann")
    assert server.last.path_qs == "/v3/voice/tokens"


async def test_names_that_are_keywords_of_python(client: MakeClient, server: Server) -> None:
    """``from`` is ``from_``."""
    says(server, {"id": "c1", "from": {"kind": "user", "value": "ann"}, "to": {"kind": "number", "value": "+1"}})
    call = await client().voice.calls.retrieve("c1")
    assert call.from_ is not None and call.from_.value == "ann"


# Writes


@pytest.mark.parametrize(
    "call",
    [
        lambda sent: sent.webhooks.delete(ID),
        lambda sent: sent.sender_profiles.delete(ID),
        lambda sent: sent.contacts.delete(ID),
        lambda sent: sent.users.remove(ID),
        lambda sent: sent.profiles.delete(ID),
        lambda sent: sent.templates.delete(ID),
        lambda sent: sent.voice.calls.participants.remove_all(ID),
    ],
)
async def test_a_delete_always_has_a_body(client: MakeClient, server: Server, call: Call) -> None:
    """The live API failed for an empty body, although the document has none for some operations."""
    server.responses = [make_response(b"", 204)]
    await call(client())
    assert (server.last.method, server.last.body) == ("DELETE", b"{}")
    assert server.last.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_an_action_without_a_body_is_a_success(client: MakeClient, server: Server, status: int) -> None:
    """``complete`` is documented with 202 and an object; live it responded with 204."""
    server.responses = [make_response(b"", status)]
    done = await client().profiles.complete(ID, web_hook_url="https://example.com/done")
    assert (done.status, done.message) == (None, None)


async def test_null_clears_and_absent_does_not(client: MakeClient, server: Server) -> None:
    """This holds for a sender profile and an SMS market, at every depth. A name that is left out is not sent."""
    says(server, {"id": ID})
    await client().sender_profiles.update(ID, description=None, notifications=SenderProfileNotifications.ORGANIZATION)
    assert body(server) == {"description": None, "notifications": "ORGANIZATION"}
    says(server, {"country": "US"})
    await client().channels.sms.update("US", "TEN_DLC", compliance={"brand": {"website": None}})
    assert body(server) == {"compliance": {"brand": {"website": None}}}


async def test_a_webhook_is_replaced_as_a_whole(client: MakeClient, server: Server) -> None:
    """A PUT without ``display_name`` fails live, so the method requires it."""
    says(server, {"id": ID})
    with pytest.raises(TypeError):
        await client().webhooks.update(ID, is_active=False)  # type: ignore[call-arg]  # what the test is about
    assert server.requests == []


@pytest.mark.parametrize(
    ("tier", "names"),
    [
        ("message", {"sendMessage", "resendMessage"}),
        (
            "sensitive",
            {
                "completeProfile",
                "inviteUser",
                "rotateVoiceSecret",
                "rotateWebhookSecret",
                "testVoiceNumber",
                "testWebhook",
            },
        ),
    ],
)
def test_rate_limits_of_their_own(tier: str, names: set[str]) -> None:
    """Numbers are learned from responses, since sources differ between 200 and 10,000 a minute."""
    assert {one.name for one in operations.ALL if one.rate_tier == tier} == names


def test_every_write_has_a_key_of_its_own() -> None:
    """POST, PUT and PATCH have a key by default, a DELETE only one that is given."""
    for one in operations.ALL:
        wanted = {"GET": "none", "DELETE": "explicit"}.get(one.method, "automatic")
        assert one.idempotency == wanted, one.name


async def test_an_error_of_the_envelope_on_a_good_status(client: MakeClient, server: Server) -> None:
    """Its class is that of the status which the catalogue gives for the code."""
    server.responses = [make_response(problem("RESOURCE_003"), 200)]
    with pytest.raises(NotFoundError):
        await client().messages.retrieve("m1")
    server.responses = [make_response(problem("ERR_CONSENT_BLOCKED"), 200)]
    with pytest.raises(SentError) as caught:
        await client().messages.retrieve("m1")
    assert type(caught.value) is SentAPIError
