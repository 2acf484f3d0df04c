"""``sent-async profiles``."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from pathlib import Path

import pytest

from sent_async.testing import Delay, FakeSent, RecordedRequest
from tests.support.processes import Cli, StartCli

MISSING = "00000000-0000-4000-8000-000000000000"


async def test_list_is_a_table_for_people(fake_sent: FakeSent, cli: Cli) -> None:
    """A header, and a line for each profile with its id in full."""
    sales = fake_sent.add_profile(name="Sales", short_name="SALES")
    ended = await cli("profiles", "list")
    header, *rows = ended.out.splitlines()
    assert header.split() == ["id", "name", "status", "short_name", "created_at"]
    assert [row.split()[0] for row in rows] == list(fake_sent.profiles)
    assert sales.id in ended.out
    assert (ended.code, ended.err) == (0, "")


async def test_list_as_json_is_one_object_a_line(fake_sent: FakeSent, cli: Cli) -> None:
    """For pipes: the members as the API sends them."""
    fake_sent.add_profile(name="Sales")
    ended = await cli("profiles", "list", "--json")
    assert [json.loads(line)["id"] for line in ended.out.splitlines()] == list(fake_sent.profiles)


async def test_get_shows_every_member_by_its_path(fake_sent: FakeSent, cli: Cli) -> None:
    """Members of the brand are there too, those without a value are not."""
    [profile_id] = fake_sent.profiles
    ended = await cli("profiles", "get", profile_id)
    shown = {name: value.strip() for name, _, value in (line.partition(" ") for line in ended.out.splitlines())}
    assert shown["id"] == profile_id
    assert shown["brand.contact.business_name"] == "Acme Corp"
    assert "waba_id" not in shown


async def test_get_as_json(fake_sent: FakeSent, cli: Cli) -> None:
    """One line, whole."""
    [profile_id] = fake_sent.profiles
    ended = await cli("profiles", "get", profile_id, "--json")
    assert json.loads(ended.out)["brand"]["contact"]["business_name"] == "Acme Corp"


async def test_get_of_an_unknown_id(cli: Cli) -> None:
    """The message with its request id on stderr; nothing on stdout; exit code 1."""
    ended = await cli("profiles", "get", MISSING)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: 404 RESOURCE_014: Profile not found (request_id=req_")


async def test_acting_for_a_profile(fake_sent: FakeSent, cli: Cli) -> None:
    """``--profile-id`` goes along with every request."""
    [profile_id] = fake_sent.profiles
    await cli("--profile-id", profile_id, "profiles", "get", profile_id)
    assert fake_sent.requests[-1].headers["x-profile-id"] == profile_id


async def test_retrieve_many_prints_what_it_found_and_reports_the_rest(fake_sent: FakeSent, cli: Cli) -> None:
    """One bad id stops nothing; it decides the exit code."""
    [profile_id] = fake_sent.profiles
    ended = await cli("profiles", "retrieve-many", profile_id, MISSING, MISSING.replace("4", "5"))
    assert ended.code == 1
    assert profile_id in ended.out
    assert f"error: {MISSING}: 404 RESOURCE_014" in ended.err


async def test_retrieve_many_reads_ids_from_a_file_or_stdin(fake_sent: FakeSent, cli: Cli, tmp_path: Path) -> None:
    """One id a line, empty lines aside."""
    ids = [fake_sent.add_profile(name=f"Branch {number}").id for number in range(20)]
    listed = tmp_path / "ids.txt"
    listed.write_text("\n".join(ids) + "\n\n")
    from_file = await cli("profiles", "retrieve-many", "--from", str(listed), "--json")
    from_stdin = await cli("profiles", "retrieve-many", "--from", "-", "--json", stdin=listed.read_text())
    for ended in (from_file, from_stdin):
        assert ended.code == 0
        assert {json.loads(line)["key"] for line in ended.out.splitlines()} == set(ids)


async def test_retrieve_many_as_json_tells_each_outcome(fake_sent: FakeSent, cli: Cli) -> None:
    """Lines of what was found and of what failed have the same form; a lost connection shows in the exit code."""
    [profile_id] = fake_sent.profiles
    found = json.loads((await cli("profiles", "retrieve-many", profile_id, "--json")).out)
    assert found["ok"]
    assert found["value"]["id"] == profile_id
    fake_sent.drop_next(100)
    ended = await cli("profiles", "retrieve-many", profile_id, "--json")
    failed = json.loads(ended.out)
    assert (failed["key"], failed["ok"]) == (profile_id, False)
    assert failed["error"]["type"] == "SentConnectionError"
    assert failed["error"]["status"] is None
    assert ended.code == 3


async def test_retrieve_many_without_ids_is_a_usage_error(cli: Cli) -> None:
    """Nothing to do is hardly what was meant."""
    ended = await cli("profiles", "retrieve-many")
    assert ended.code == 2
    assert "give ids" in ended.err


@pytest.mark.parametrize("form", [[], ["--json"]])
async def test_retrieve_many_interrupted_keeps_what_it_found(
    fake_sent: FakeSent, start: StartCli, form: list[str]
) -> None:
    """Ctrl-C says how far it got, and each of those was printed: on stdout, or on stderr where it failed."""
    [profile_id] = fake_sent.profiles
    third = asyncio.Event()

    def stall(request: RecordedRequest) -> Delay | None:
        if not request.path.endswith("stalls"):
            return None
        third.set()
        return Delay(seconds=60)

    fake_sent.fault(stall)
    process = await start("profiles", "retrieve-many", profile_id, MISSING, "stalls", "--concurrency", "1", *form)
    await third.wait()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert process.returncode == 130
    [count] = re.findall(r"stopped after (\d) of 3", err.decode())
    assert int(count) == (profile_id in out.decode()) + (MISSING in (out + err).decode()) > 0
