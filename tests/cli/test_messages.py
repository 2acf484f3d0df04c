"""``sent-async messages``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sent_async.testing import FakeSent
from tests.support.fake_data import TEMPLATE
from tests.support.payloads import envelope, payload
from tests.support.processes import Cli

PHONE = "+14155551234"
EVENT = "status QUEUED, timestamp 2026-09-11 12:57, description Message queued for sending"
MESSAGE: dict[str, Any] = json.loads(payload("messages-retrieve-200.third-party"))["data"]


def message(**changes: object) -> bytes:
    """The response for one message."""
    return envelope({**MESSAGE, **changes})


async def test_send_a_text(fake_sent: FakeSent, cli: Cli) -> None:
    """To several numbers on several channels; the id of each message is shown."""
    fake_sent.answer_next(202, payload("messages-send-202.docs"))
    ended = await cli("messages", "send", PHONE, "+14155555678", "--text", "Hi", "--channel", "sms", "--channel", "rcs")
    assert fake_sent.requests[-1].json == {"to": [PHONE, "+14155555678"], "text": "Hi", "channel": ["sms", "rcs"]}
    header, row = ended.out.splitlines()
    assert header.split() == ["message_id", "to", "channel"]
    assert row.split() == ["8ba7b830-9dad-11d1-80b4-00c04fd430c8", PHONE, "sms"]
    assert (ended.code, ended.err) == (0, "")


async def test_send_a_text_from_stdin(fake_sent: FakeSent, cli: Cli) -> None:
    """Which keeps it out of the list of processes, and may have several lines."""
    await cli("messages", "send", PHONE, "--text", "-", stdin="Hello\nJo")
    assert fake_sent.requests[-1].json == {"to": [PHONE], "text": "Hello\nJo"}


@pytest.mark.parametrize(("given", "member"), [("order_ready", "name"), (TEMPLATE, "id")])
async def test_send_a_template(fake_sent: FakeSent, cli: Cli, given: str, member: str) -> None:
    """By name or by id, with the values of its variables, which may contain an equals sign."""
    await cli("messages", "send", PHONE, "--template", given, "-p", "name=Jo", "--parameter", "sum=1+1=2")
    template = {member: given, "parameters": {"name": "Jo", "sum": "1+1=2"}}
    assert fake_sent.requests[-1].json == {"to": [PHONE], "template": template}


async def test_send_a_template_without_variables(fake_sent: FakeSent, cli: Cli) -> None:
    """Nothing is sent that was not given."""
    await cli("messages", "send", PHONE, "--template", "order_ready", "--sandbox")
    assert fake_sent.requests[-1].json == {"to": [PHONE], "template": {"name": "order_ready"}, "sandbox": True}


async def test_send_later(fake_sent: FakeSent, cli: Cli) -> None:
    """The time keeps its offset; as JSON, the response is one line."""
    ended = await cli("messages", "send", PHONE, "--text", "Hi", "--at", "2099-12-01T10:00:00+02:00", "--json")
    assert fake_sent.requests[-1].json["scheduled_at"] == "2099-12-01T10:00:00+02:00"
    assert json.loads(ended.out)["recipients"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--text", "Hi", "--template", "a"], "either --text or --template"),
        ([], "either --text or --template"),
        (["--text", "Hi", "-p", "a=b"], "no parameters"),
        (["--template", "a", "-p", "name"], "'name' is not of the form name=value"),
        (["--text", "Hi", "--at", "2026-12-01T10:00:00"], "no offset"),
        (["--text", "Hi", "--at", "tomorrow"], "'tomorrow' is not a time"),
    ],
)
async def test_send_refuses_what_cannot_be_meant(
    fake_sent: FakeSent, cli: Cli, arguments: list[str], complaint: str
) -> None:
    """Nothing is sent."""
    ended = await cli("messages", "send", PHONE, *arguments)
    assert ended.code == 2
    assert complaint in ended.err
    assert fake_sent.requests == []


async def test_send_repeated_with_its_key_happens_once(fake_sent: FakeSent, cli: Cli) -> None:
    """A lost response names the key to go on with."""
    fake_sent.drop_next(3, after_commit=True)
    command = ("messages", "send", PHONE, "--text", "Hi")
    ended = await cli(*command)
    assert ended.code == 3
    key = ended.err.split("--idempotency-key ")[1].split(",")[0]
    again = await cli(*command, "--idempotency-key", key)
    assert again.code == 0
    assert fake_sent.requests[-1].headers["idempotency-key"] == key


async def test_get_shows_the_way_of_a_message(fake_sent: FakeSent, cli: Cli) -> None:
    """Every member that has a value; an event is one line; lines of a text stay lines."""
    fake_sent.answer_next(200, message(message_body={"content": "Hello\nJo"}))
    ended = await cli("messages", "get", "msg-1")
    lines = [tuple(line.split(maxsplit=1)) for line in ended.out.splitlines()]
    assert ("status", "DELIVERED") in lines
    assert ("created_at", "2026-09-11 12:57") in lines
    assert lines[lines.index(("message_body.content", "Hello")) + 1] == ("Jo",)
    assert ("events[0]", EVENT) in lines
    assert not any(name == "scheduled_at" for name, *_ in lines)


async def test_get_as_json(fake_sent: FakeSent, cli: Cli) -> None:
    """One line, with the names of the API."""
    fake_sent.answer_next(200, message(message_body={"headerMedia": {"type": "image", "url": "https://a.example"}}))
    ended = await cli("messages", "get", "msg-1", "--json")
    assert json.loads(ended.out)["message_body"]["headerMedia"]["type"] == "image"


async def test_wait_asks_until_the_message_is_delivered(fake_sent: FakeSent, cli: Cli) -> None:
    """And shows it."""
    fake_sent.answer_next(200, message(status="QUEUED"))
    fake_sent.answer_next(200, message(status="DELIVERED"))
    ended = await cli("messages", "wait", "msg-1", "--json")
    assert (ended.code, json.loads(ended.out)["status"]) == (0, "DELIVERED")
    assert [request.path for request in fake_sent.requests] == ["/v3/messages/msg-1"] * 2


async def test_wait_for_another_status(fake_sent: FakeSent, cli: Cli) -> None:
    """Of several, the first that comes ends the wait."""
    fake_sent.answer_next(200, message(status="BLOCKED"))
    ended = await cli("messages", "wait", "msg-1", "--until", "READ", "--until", "BLOCKED")
    assert ended.code == 0


@pytest.mark.parametrize("status", ["BLOCKED", "FILTERED", "CANCELLED"])
async def test_wait_for_a_message_that_is_lost(fake_sent: FakeSent, cli: Cli, status: str) -> None:
    """It is shown, with the exit code of a failure."""
    fake_sent.answer_next(200, message(status=status, reason_code="BUSINESS_005"))
    ended = await cli("messages", "wait", "msg-1")
    assert ended.code == 1
    assert "BUSINESS_005" in ended.out


async def test_wait_gives_up(fake_sent: FakeSent, cli: Cli) -> None:
    """The exit code 3 means that nothing is decided yet."""
    fake_sent.answer_next(200, message(status="SENT"), times=9)
    ended = await cli("messages", "wait", "msg-1", "--timeout", "0.1")
    assert (ended.code, ended.out) == (3, "")
    assert "still SENT after 0.1 s" in ended.err


async def test_cancel(fake_sent: FakeSent, cli: Cli) -> None:
    """The cancelled message is shown."""
    fake_sent.answer_next(200, message(status="CANCELLED"))
    ended = await cli("messages", "cancel", "msg-1", "--json")
    assert (ended.code, json.loads(ended.out)["status"]) == (0, "CANCELLED")
    assert (fake_sent.requests[-1].method, fake_sent.requests[-1].path) == ("POST", "/v3/messages/msg-1/cancel")
