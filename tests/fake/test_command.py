"""``python -m sent_async.testing``, for programs in any language."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from pathlib import Path

import pytest

import sent_async
from sent_async import SentClient
from sent_async.testing import FakeSent
from sent_async.testing.__main__ import main, serve
from tests.support.fake_data import SEEDED, definition
from tests.support.fake_process import started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_a_signal(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints one line that programs can read, serves, and ends at either signal."""
    serving = asyncio.create_task(serve(FakeSent("sk_command")))
    line = ""
    while not line:
        await asyncio.sleep(0.001)
        line = capsys.readouterr().out
    settings = dict(part.split("=", 1) for part in line.split())
    assert line.count("\n") == 1
    async with SentClient(settings["SENT_DM_API_KEY"], base_url=settings["SENT_BASE_URL"]) as sent:
        assert await sent.profiles.list()
    os.kill(os.getpid(), number)
    await serving


async def test_a_process_of_its_own() -> None:
    """The line is printed before the first request, and SIGTERM ends it with exit code 0 and no output."""
    async with started("--api-key", "sk_own") as (process, _, sent):
        assert await sent.profiles.list()
        process.terminate()
        assert await process.communicate() == (b"", b"")
    assert process.returncode == 0


async def test_it_stops_while_clients_wait() -> None:
    """Idle connections, delayed responses and unfinished requests do not delay its end."""
    serving = FakeSent()
    await serving.start()
    serving.stall_body_next()
    serving.delay_next(3600)
    async with serving.client(limit=3, max_retries=0) as sent:
        held_up = [asyncio.create_task(sent.profiles.retrieve(SEEDED)) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
        writer.write(b"POST /v3/profiles HTTP/1.1\r\nHost: fake\r\nContent-Length: 100\r\n\r\n{")
        await sent.profiles.list()
        await serving.close()
        outcomes = await asyncio.gather(*held_up, return_exceptions=True)
    assert all(isinstance(outcome, sent_async.SentConnectionError) for outcome in outcomes)
    assert await reader.read() == b""
    writer.close()


async def test_a_line_for_each_request() -> None:
    """``--log`` writes time, request, status and duration to stderr, and no key."""
    async with started("--api-key", "sk_secret", "--log") as (process, _, sent):
        await sent.profiles.create(name="Sales")
        process.terminate()
        _, logged = await process.communicate()
    assert re.fullmatch(r"\d\d:\d\d:\d\d POST /v3/profiles 201 \d+ ms createProfile\n", logged.decode())


async def test_a_seed_file_and_reviews_that_end_by_themselves(tmp_path: Path) -> None:
    """``--seed`` starts with the contents of the file only. With ``--auto-approve`` reviews end at once."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"profiles": [{"id": SEEDED, "name": "Bonn"}], "keys": [{"key": "sk_file"}]}))
    async with started("--seed", seed, "--auto-approve", "--callback-hosts", "service", "other") as (_, _, sent):
        sent = sent.with_options(api_key="sk_file")
        assert [profile.name async for profile in sent.profiles.list()] == ["Bonn"]
        assert not await sent.templates.list()
        template = await sent.templates.create(definition=definition(), submit_for_review=True)
        assert template.status == "PENDING"
        assert (await sent.templates.retrieve(template.id)).status == "APPROVED"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[]", "must contain a JSON object"),
        (b"{", "must contain a JSON object"),
        (b'{"\xff": 1}', "must contain a JSON object"),
        (b'{"profile": []}', "seed: Object contains unknown field `profile`"),
        (b'{"profiles": [1]}', "seed: Expected `object`, got `int` - at `$.profiles[0]`"),
        (b'{"profiles": [{}, {"colour": "red"}]}', "seed.profiles[1]: Profile has no member 'colour'"),
        (b'{"profiles": [{"id": "p1"}, {"id": "p1"}]}', "seed.profiles[1]: the id 'p1' is taken"),
        (b'{"profiles": [{"created_at": "today"}]}', "seed.profiles[0]: Invalid RFC3339 encoded datetime"),
        (b'{"templates": [{"profile_id": "p1"}]}', "seed.templates[0]: nothing is stored under 'p1'"),
        (b'{"keys": [{"name": "k"}]}', "seed.keys[0]:"),
        (b'{"numbers": [{"id": "n"}]}', "seed.numbers[0]:"),
        (b'{"contacts": [{"phone_number": "12"}]}', "seed.contacts[0]: the number must be in the E.164 form"),
        (b'{"webhooks": [{"endpoint_url": "nowhere"}]}', "seed.webhooks[0]: endpoint_url must be"),
    ],
)
def test_a_bad_seed_file(tmp_path: Path, content: bytes, problem: str) -> None:
    """It does not start, and says where the file is wrong."""
    file = tmp_path / "seed.json"
    file.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main(["--seed", str(file), "--host", "192.0.2.1"])  # it could not serve for ever
    assert problem in str(ended.value)


def test_when_it_cannot_start(tmp_path: Path) -> None:
    """It says why, and exits with an error."""
    with pytest.raises(SystemExit, match=r"cannot listen on 192\.0\.2\.1:0"):
        main(["--host", "192.0.2.1", "--port", "0"])
    with pytest.raises(SystemExit, match=r"cannot read .*none\.json: No such file"):
        main(["--seed", str(tmp_path / "none.json")])
    with pytest.raises(SystemExit, match="api_key is empty"):
        main(["--api-key", ""])
