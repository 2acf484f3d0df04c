"""Requests for messages: accepted, refused, made twice, or made in the sandbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sent_async import BadRequestError, ErrorCode, NotFoundError, SentClient
from sent_async.testing import FakeSent
from tests.support.fake_data import NOWHERE, TEMPLATE
from tests.support.messages import JO, ahead, send
from tests.support.raw_client import Wire


async def test_a_message_that_is_not_there(fake_sent: FakeSent, sent: SentClient) -> None:
    """404 ``RESOURCE_003``, also for the message of another account."""
    async with fake_sent.client(profile_id=next(iter(fake_sent.profiles))) as branch:
        foreign = await send(branch)
    calls: list[Callable[[str], Awaitable[object]]] = [
        sent.messages.retrieve,
        sent.messages.list_activities,
        sent.messages.resend,
        sent.messages.cancel,
    ]
    for message_id in (NOWHERE, "msg-1", foreign):
        for call in calls:
            with pytest.raises(NotFoundError) as caught:
                await call(message_id)
            assert caught.value.code == ErrorCode.MESSAGE_NOT_FOUND


async def test_a_send_is_done_once(fake_sent: FakeSent, sent: SentClient) -> None:
    """After a lost response the message is not sent again, and a repeated key gives the first response."""
    fake_sent.drop_next(after_commit=True)
    first = await sent.messages.send(to=[JO], text="Hi", idempotency_key="sale-1")
    again = await sent.messages.send(to=[JO], text="Hi", idempotency_key="sale-1")
    assert again == first
    assert len(fake_sent.messages) == 1


async def test_a_sandbox_send_leaves_no_trace(fake_sent: FakeSent, sent: SentClient) -> None:
    """It is checked and has a response. No message and no contact is stored."""
    queued = await sent.messages.send(to=[JO], text="Hi", channel=["sms"], sandbox=True)
    assert (queued.recipients[0].channel, queued.recipients[0].body) == ("sms", "Hi")
    fake_sent.advance(60)
    assert (len(fake_sent.messages), len(fake_sent.contacts)) == (0, 0)
    with pytest.raises(BadRequestError):
        await sent.messages.send(to=[], text="Hi", sandbox=True)


def member(name: str, value: object, **others: object) -> dict[str, Any]:
    return {"to": [JO], "text": "Hi", name: value, **others}


BAD_SENDS: list[tuple[dict[str, Any], set[str]]] = [
    ({"text": "Hi"}, {"to"}),
    (member("to", []), {"to"}),
    (member("to", [JO, " "]), {"to[1]"}),
    (member("to", JO), {"to"}),
    ({"to": [JO]}, {"text"}),
    (member("text", None), {"text"}),
    (member("text", " "), {"text"}),
    (member("template", {"id": TEMPLATE}), {"text"}),
    ({"to": [JO], "template": {}}, {"template"}),
    ({"to": [JO], "template": {"name": None, "id": ""}}, {"template"}),
    (member("channel", "sms"), {"channel"}),
    (member("channel", ["sms", "fax"]), {"channel[1]"}),
    (member("channel", ["auto"]), {"channel[0]"}),
    (member("channels", {"sent": [{"from": ["+15551234567"]}]}), {"channels.sent"}),
    (member("channels", {"sms": {"from": []}}), {"channels[...]"}),
    (member("channel", ["mms"]), {"media_urls"}),
    (member("media_urls", ["http://example.com/a.jpg"], channel=["mms"]), {"media_urls[0]"}),
    (
        {"to": [JO], "template": {"id": TEMPLATE, "parameters": {"header_image": "ftp://example.com/a.jpg"}}},
        {"template.parameters.header_image"},
    ),
    (member("scheduled_at", "2027-01-01T10:00:00"), {"scheduled_at"}),
    (member("scheduled_at", "tomorrow"), {"scheduled_at"}),
    (member("scheduled_at", ahead(seconds=30).isoformat()), {"scheduled_at"}),
    (member("scheduled_at", ahead(days=31).isoformat()), {"scheduled_at"}),
    ({"to": [], "channel": ["fax"], "text": " "}, {"to", "channel[0]", "text"}),
]


@pytest.mark.parametrize(("body", "members"), BAD_SENDS)
async def test_requests_that_are_refused(
    fake_sent: FakeSent, wire: Wire, body: dict[str, Any], members: set[str]
) -> None:
    """400 names all wrong members at once, and nothing is sent."""
    refused = await wire(fake_sent, "POST", "/v3/messages", body)
    assert (refused.status, refused.code) == (400, "VALIDATION_001")
    assert set(refused.json["error"]["details"]) == members
    assert len(fake_sent.messages) == 0


async def test_null_is_not_given(fake_sent: FakeSent, wire: Wire) -> None:
    """Every optional member may be null."""
    optional = ("channel", "template", "channels", "media_urls", "subject", "scheduled_at")
    accepted = await wire(fake_sent, "POST", "/v3/messages", {"to": [JO], "text": "Hi", **dict.fromkeys(optional)})
    assert accepted.status == 202


async def test_an_mms(fake_sent: FakeSent, sent: SentClient) -> None:
    """The message has its media with their kinds, and its subject."""
    urls = ["https://example.com/a.jpg", "https://example.com/b"]
    message_id = await send(sent, text="Look", channel=["mms"], media_urls=urls, subject="News")
    fake_sent.advance(60)
    body = fake_sent.messages[message_id].message_body
    assert body is not None and body.media is not None
    assert (body.subject, body.content) == ("News", "Look")
    assert [(one.url, one.mime_type, one.media_type) for one in body.media] == [
        ("https://example.com/a.jpg", "image/jpeg", "image"),
        ("https://example.com/b", None, None),
    ]
