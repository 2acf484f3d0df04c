"""``sent-async webhooks listen``."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import socket
import sys
from contextlib import suppress
from itertools import count
from typing import Any

import aiohttp
import pytest

from sent_async.testing import FakeSent
from tests.support.deliveries import ENDPOINT, SECRET, event_body, signed, status_body
from tests.support.processes import Cli, StartCli

MESSAGE = "8ba7b830-9dad-11d1-80b4-00c04fd430c8"
PHONE = "+14155551234"
RECEIVED = event_body(
    "message",
    "message.received",
    {"message_id": MESSAGE, "inbound_number": PHONE, "channel": "sms", "text": 'Hello "you"\n\x1b[2J'},
    timestamp="2026-11-24T12:00:05Z",
)


class Listening:
    """The command while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None and process.stderr is not None
        self.process = process
        self.out = process.stdout
        self.err = process.stderr
        self.url = ""

    async def ready(self) -> Listening:
        said = (await self.err.readline()).decode()
        assert said.startswith("listening on http://")
        self.url = said.split()[2].rstrip(";")
        return self

    async def deliver(self, body: bytes, *, secret: str = SECRET, path: str = "") -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, data=body, headers=signed(body, secret=secret)) as response,
        ):
            return response.status

    async def line(self) -> str:
        return (await self.out.readline()).decode().rstrip("\n")

    async def end(self) -> tuple[bytes, bytes, int | None]:
        self.process.send_signal(signal.SIGINT)
        out, err = await self.process.communicate()
        return out, err, self.process.returncode


@pytest.fixture
def listen(start: StartCli) -> Any:
    """Starts the command; gives it when it listens."""

    async def begin(*arguments: str, **variables: str) -> Listening:
        variables = {"SENT_WEBHOOK_SECRET": SECRET, "SENT_DM_API_KEY": "", **variables}
        return await Listening(await start("webhooks", "listen", "--port", "0", *arguments, **variables)).ready()

    return begin


async def test_each_verified_event_is_a_line(listen: Any) -> None:
    """Whatever the path, and once for an event that comes twice. No API key is needed. Ctrl-C ends it."""
    listening = await listen()
    for path in ("", "any/path"):
        assert await listening.deliver(status_body(MESSAGE, "DELIVERED", channel="sms"), path=path) == 204
    assert await listening.line() == f"- message.delivered message_id={MESSAGE} message_status=DELIVERED channel=sms"
    assert await listening.end() == (b"", b"", 130)


async def test_sent_delivers_a_test_event(fake_sent: FakeSent, cli: Cli, listen: Any) -> None:
    """``webhooks test`` in one terminal, ``webhooks listen`` in another."""
    listening = await listen()
    webhook = fake_sent.add_webhook(endpoint_url=listening.url, signing_secret=SECRET)
    ended = await cli("webhooks", "test", webhook.id, "contact.opt_out")
    assert (ended.code, ended.out.splitlines()[0]) == (0, "success  yes")
    assert " contact.opt_out opt_out=true " in await listening.line()
    await listening.end()


async def test_numbers_and_texts_are_masked(listen: Any) -> None:
    """In lines and in JSON lines, because terminals are shared and recorded."""
    masked = await listen()
    await masked.deliver(RECEIVED)
    line = await masked.line()
    assert line == f"2026-11-24T12:00:05Z message.received message_id={MESSAGE} inbound_number=*** channel=sms text=***"
    await masked.end()
    as_json = await listen("--json")
    await as_json.deliver(RECEIVED)
    event = json.loads(await as_json.line())
    assert (event["name"], event["endpoint_id"]) == ("message.received", ENDPOINT)
    assert event["payload"] == {"message_id": MESSAGE, "inbound_number": "***", "channel": "sms", "text": "***"}
    await as_json.end()


async def test_numbers_and_texts_are_shown_on_demand(listen: Any) -> None:
    """On one line, and without effect on the terminal."""
    listening = await listen("--show-content")
    await listening.deliver(RECEIVED)
    line = await listening.line()
    assert line.endswith(rf'inbound_number={PHONE} channel=sms text="Hello \"you\"\n\u001b[2J"')
    await listening.end()


async def test_json_lines_have_the_names_of_the_api(listen: Any) -> None:
    """At every depth; what is content is there on demand."""
    listening = await listen("--json", "--show-content")
    opt_out = event_body("contact", "contact.opt_out", {"opt_out": True, "source": "INBOUND_KEYWORD", "from": PHONE})
    await listening.deliver(opt_out)
    assert json.loads(await listening.line())["payload"]["from"] == PHONE
    documents = [{"key": "utility_bill", "file_name": "bill.pdf"}]
    payload = {"country": "US", "compliance": {"documents": documents}}
    await listening.deliver(event_body("channel", "channel.submitted", payload))
    assert json.loads(await listening.line())["payload"] == payload
    await listening.end()


async def test_an_event_that_nobody_knows_yet(listen: Any) -> None:
    """It is a line too. What it holds cannot be told apart, so all of it is content."""
    body = event_body("poll", "poll.answered", {"choice": "red, blue", "count": 2})
    masked = await listen()
    await masked.deliver(body)
    assert await masked.line() == "- poll.answered payload=***"
    await masked.end()
    whole = await listen("--show-content")
    await whole.deliver(body)
    assert await whole.line() == '- poll.answered choice="red, blue" count=2'
    await whole.end()


async def test_what_is_not_signed_with_the_secret_is_refused(listen: Any) -> None:
    """stderr says why; stdout has verified events only."""
    listening = await listen()
    assert await listening.deliver(RECEIVED, secret="whsec_YW5vdGhlciBrZXk=") == 401
    assert b"bad_signature" in await listening.err.readline()
    out, _, code = await listening.end()
    assert (out, code) == (b"", 130)


async def test_the_secret_as_an_option_wins_over_the_environment(listen: Any) -> None:
    """Several secrets, for the time of a rotation, have spaces between them."""
    listening = await listen("--secret", f"whsec_YW5vdGhlciBrZXk= {SECRET}", SENT_WEBHOOK_SECRET="whsec_YWJj")
    assert await listening.deliver(RECEIVED) == 204
    await listening.end()


async def test_a_reader_that_has_enough_ends_it_quietly(environment: dict[str, str]) -> None:
    """``listen | head -n 1`` comes to its end with an event after the first."""
    command = (
        f"{shlex.quote(sys.executable)} -m sent_async webhooks listen --port 0 | head -n 1; echo ${{PIPESTATUS[0]}}"
    )
    pipe = asyncio.subprocess.PIPE
    environment = {**environment, "SENT_WEBHOOK_SECRET": SECRET}
    shell = await asyncio.create_subprocess_exec("bash", "-c", command, env=environment, stdout=pipe, stderr=pipe)
    listening = await Listening(shell).ready()
    with suppress(aiohttp.ClientError):
        for number in count():
            await listening.deliver(status_body(f"m-{number}", "READ"))
    out, err = await shell.communicate()
    assert out.decode().splitlines() == ["- message.read message_id=m-0 message_status=READ", "0"]
    assert err == b""


async def test_an_ipv6_address_is_in_brackets_in_the_url(listen: Any) -> None:
    """The URL that is printed can be opened."""
    listening = await listen("--host", "::1")
    assert listening.url.startswith("http://[::1]:")
    assert await listening.deliver(RECEIVED) == 204
    await listening.end()


async def test_without_a_secret_it_does_not_start(cli: Cli) -> None:
    """The variable is named."""
    ended = await cli("webhooks", "listen")
    assert ended.code == 2
    assert "SENT_WEBHOOK_SECRET" in ended.err


async def test_a_secret_of_another_form(cli: Cli) -> None:
    """It is not repeated."""
    ended = await cli("webhooks", "listen", SENT_WEBHOOK_SECRET="sk_live_oops")
    assert ended.code == 2
    assert "whsec_" in ended.err
    assert "oops" not in ended.err


async def test_a_port_that_is_taken(cli: Cli) -> None:
    """A usage error that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = await cli("webhooks", "listen", "--port", port, SENT_WEBHOOK_SECRET=SECRET)
    assert ended.code == 2
    assert f"cannot listen on 127.0.0.1:{port}: " in ended.err
