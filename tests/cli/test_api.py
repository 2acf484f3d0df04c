"""``sent-async api`` and ``sent-async me``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
from multidict import MultiMapping

from sent_async.testing import FakeSent
from tests.support.fake_data import SEEDED, TEMPLATE
from tests.support.payloads import envelope
from tests.support.processes import Cli, InTerminal

BODY = {"definition": {"body": {"multiChannel": {"type": "text", "template": "Hello!"}}}, "category": "MARKETING"}


async def test_get_prints_the_data_of_the_response(cli: Cli) -> None:
    """As one line of JSON in a pipe."""
    ended = await cli("api", "get", f"/v3/profiles/{SEEDED}")
    [line] = ended.out.splitlines()
    assert json.loads(line)["id"] == SEEDED
    assert (ended.code, ended.err) == (0, "")


async def test_a_terminal_gets_json_to_read(terminal: InTerminal) -> None:
    """With a member on each line."""
    shown = terminal("api", "GET", f"/v3/profiles/{SEEDED}")
    assert await shown.end() == 0
    assert shown.lines[:2] == ["{", f'  "id": "{SEEDED}",']


async def test_data_that_is_a_list(fake_sent: FakeSent, cli: Cli) -> None:
    """Some endpoints respond with one."""
    fake_sent.answer_next(200, envelope([{"id": 1}, {"id": 2.50}]))
    assert (await cli("api", "GET", "v3/channels/sms")).out == '[{"id":1},{"id":2.5}]\n'


async def test_the_query_out_of_options_and_path(fake_sent: FakeSent, cli: Cli) -> None:
    """Both together, names several times, values of any kind."""
    await cli(
        "api", "GET", "/v3/templates?page=1&search=", "-q", "status=APPROVED", "--query", "tag=a b", "-q", "tag=ü=&"
    )
    query = cast("MultiMapping[str]", fake_sent.requests[-1].query)
    assert (query["page"], query["search"], query["status"]) == ("1", "", "APPROVED")
    assert query.getall("tag") == ["a b", "ü=&"]


async def test_the_path_is_encoded_once(fake_sent: FakeSent, cli: Cli) -> None:
    """What is encoded already stays as it is, and no line break gets into a request."""
    await cli("api", "GET", "/v3/numbers/lookup/%2B1 2\r\nX: y")
    assert fake_sent.requests[-1].path == "/v3/numbers/lookup/%2B1%202%0D%0AX:%20y"


@pytest.mark.parametrize("source", ["text", "file", "stdin", "-"])
async def test_a_body_from_wherever(fake_sent: FakeSent, cli: Cli, tmp_path: Path, source: str) -> None:
    """The argument itself, a file, or stdin; writes carry an idempotency key."""
    text = json.dumps(BODY)
    file = tmp_path / "body.json"
    file.write_text(text)
    data = {"text": text, "file": f"@{file}", "stdin": "@-", "-": "-"}[source]
    ended = await cli("api", "POST", "/v3/templates", "-d", data, "--idempotency-key", "k-1", stdin=text)
    assert json.loads(ended.out)["id"] in fake_sent.templates
    assert fake_sent.requests[-1].json == BODY
    assert fake_sent.requests[-1].headers["idempotency-key"] == "k-1"


async def test_a_response_without_data_prints_nothing(fake_sent: FakeSent, cli: Cli) -> None:
    """As that of a deletion."""
    ended = await cli("api", "DELETE", f"/v3/templates/{TEMPLATE}")
    assert (ended.code, ended.out, len(fake_sent.templates)) == (0, "", 0)


async def test_status_and_headers_on_demand(cli: Cli) -> None:
    """Before the data, with an empty line between."""
    ended = await cli("api", "GET", f"/v3/profiles/{SEEDED}", "--include")
    head, _, data = ended.out.partition("\n\n")
    status, *headers = head.splitlines()
    assert status == "HTTP 200"
    assert any(line.lower().startswith("x-request-id: req_") for line in headers)
    assert json.loads(data)["id"] == SEEDED


async def test_an_error_is_that_of_all_commands(cli: Cli) -> None:
    """On stderr, with exit code 1; the head is there on demand."""
    command = ("api", "GET", "/v3/profiles/00000000-0000-4000-8000-000000000000")
    ended = await cli(*command)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: 404 RESOURCE_014: Profile not found (request_id=req_")
    assert (await cli(*command, "-i")).out.startswith("HTTP 404\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["/v3/profiles/{id}"], "put an id in the place"),
        (["/v3/me", "-d", "{"], "not JSON"),
        (["/v3/me", "-d", "@missing.json"], "cannot read missing.json: No such file"),
        (["/v3/me", "-q", "page"], "'page' is not of the form name=value"),
    ],
)
async def test_what_cannot_be_sent(fake_sent: FakeSent, cli: Cli, arguments: list[str], complaint: str) -> None:
    """A usage error, and no request."""
    ended = await cli("api", "POST", *arguments)
    assert ended.code == 2
    assert complaint in ended.err
    assert fake_sent.requests == []


async def test_me(fake_sent: FakeSent, cli: Cli) -> None:
    """The account of the key; a profile of it is one line."""
    account = {"id": "a-1", "type": "organization", "name": "Acme", "profiles": [{"id": "p-1", "name": "Sales"}]}
    fake_sent.answer_next(200, envelope(account), times=2)
    ended = await cli("me")
    assert "profiles[0]  id p-1, name Sales" in ended.out.splitlines()
    assert json.loads((await cli("me", "--json")).out)["name"] == "Acme"
