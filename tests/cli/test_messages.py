"""``sent-async messages``."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sent_async import SentClient
from sent_async.testing import FakeSent
from tests.support.fake_data import TEMPLATE
from tests.support.payloads import envelope, payload
from tests.support.processes import Cli, StartCli
from tests.support.waiting import until

PHONE = "+14155551234"
EVENT = "status QUEUED, timestamp 2026-09-11 12:57:37, description Message queued for sending"
MESSAGE: dict[str, Any] = json.loads(payload("messages-retrieve-200.third-party"))["data"]


def message(**changes: object) -> bytes:
    """The response for one message."""
    return envelope({**MESSAGE, **changes})


async def test_send_a_text(fake_sent: FakeSent, cli: Cli) -> None:
    """To several numbers on several channels; the id of each message is shown."""
    ended = await cli("messages", "send", PHONE, "+14155555678", "--text", "Hi", "--channel", "sms", "--channel", "rcs")
    assert fake_sent.requests[-1].json == {"to": [PHONE, "+14155555678"], "text": "Hi", "channel": ["sms", "rcs"]}
    header, *rows = ended.out.splitlines()
    assert header.split() == ["message_id", "to", "channel"]
    assert [row.split() for row in rows] == [[id, sent.phone, sent.channel] for id, sent in fake_sent.messages.items()]
    assert (len(rows), ended.code, ended.err) == (4, 0, "")


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


async def test_send_later_and_cancel(fake_sent: FakeSent, cli: Cli) -> None:
    """The time keeps its offset. A message that is held can be cancelled, once it is known by its id."""
    at = datetime.now(timezone(timedelta(hours=2))) + timedelta(hours=1)
    sent = json.loads((await cli("messages", "send", PHONE, "--text", "Hi", "--at", at.isoformat(), "--json")).out)
    assert fake_sent.requests[-1].json["scheduled_at"] == at.isoformat()
    [recipient] = sent["recipients"]
    ended = await cli("messages", "cancel", recipient["message_id"])
    assert ["status", "CANCELLED"] in [line.split() for line in ended.out.splitlines()]
    assert fake_sent.messages[recipient["message_id"]].status == "CANCELLED"


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
    assert (await cli(*command, "--idempotency-key", key)).code == 0
    assert len(fake_sent.messages) == 1


async def test_get_shows_the_way_of_a_message(fake_sent: FakeSent, cli: Cli) -> None:
    """Every member that has a value; an event is one line; lines of a text stay lines."""
    fake_sent.answer_next(200, message(message_body={"content": "Hello\nJo"}))
    ended = await cli("messages", "get", "msg-1")
    lines = [tuple(line.split(maxsplit=1)) for line in ended.out.splitlines()]
    assert ("status", "DELIVERED") in lines
    assert ("created_at", "2026-09-11 12:57:37") in lines
    assert lines[lines.index(("message_body.content", "Hello")) + 1] == ("Jo",)
    assert ("events[0]", EVENT) in lines
    assert not any(name == "scheduled_at" for name, *_ in lines)


async def test_get_as_json(fake_sent: FakeSent, cli: Cli) -> None:
    """One line, with the names of the API."""
    fake_sent.answer_next(200, message(message_body={"headerMedia": {"type": "image", "url": "https://a.example"}}))
    ended = await cli("messages", "get", "msg-1", "--json")
    assert json.loads(ended.out)["message_body"]["headerMedia"]["type"] == "image"


@pytest.fixture
async def message_id(sent: SentClient) -> str:
    """A message that was just sent."""
    return (await sent.messages.send(to=[PHONE], text="Hi")).recipients[0].message_id


@pytest.mark.parametrize("fake_sent_options", [{"auto_deliver": False}])
async def test_wait_asks_until_the_message_is_delivered(fake_sent: FakeSent, start: StartCli, message_id: str) -> None:
    """And shows it."""
    process = await start("messages", "wait", message_id, "--json")
    await until(lambda: fake_sent.requests[-1].method == "GET")
    fake_sent.deliver(message_id)
    out, err = await process.communicate()
    assert (process.returncode, err, json.loads(out)["status"]) == (0, b"", "DELIVERED")


@pytest.mark.parametrize("fake_sent_options", [{"auto_deliver": False}])
async def test_wait_for_a_message_that_is_lost(fake_sent: FakeSent, cli: Cli, message_id: str) -> None:
    """It is shown, with the exit code of a failure, unless that is what was waited for."""
    fake_sent.block(message_id, "BUSINESS_005")
    ended = await cli("messages", "wait", message_id)
    assert ended.code == 1
    assert "BUSINESS_005" in ended.out
    assert (await cli("messages", "wait", message_id, "--until", "READ", "--until", "BLOCKED")).code == 0


@pytest.mark.parametrize("fake_sent_options", [{"auto_deliver": False}])
async def test_wait_gives_up(cli: Cli, message_id: str) -> None:
    """The exit code 3 means that nothing is decided yet."""
    ended = await cli("messages", "wait", message_id, "--timeout", "0.1")
    assert (ended.code, ended.out) == (3, "")
    assert "still QUEUED after 0.1 s" in ended.err
