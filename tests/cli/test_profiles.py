"""``sent-async profiles``."""

from __future__ import annotations

import json
from pathlib import Path

from sent_async.testing import FakeSent
from tests.support.processes import Cli

MISSING = "00000000-0000-4000-8000-000000000000"


async def test_list_is_a_table_for_people(fake_sent: FakeSent, cli: Cli) -> None:
    """A header, and a line for each profile with its id in full."""
    sales = fake_sent.add_profile(name="Sales", short_name="SALES")
    ended = await cli("profiles", "list")
    header, *rows = ended.out.splitlines()
    assert header.split() == ["id", "name", "short_name", "status", "created_at"]
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


async def test_get_of_an_unknown_id_says_what_to_do(cli: Cli) -> None:
    """The message with its request id and a hint on stderr; nothing on stdout; exit code 1."""
    ended = await cli("profiles", "get", MISSING)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: 404 RESOURCE_014: Profile not found (request_id=req_")
    assert "next:  check the id" in ended.err


async def test_names_cannot_command_the_terminal(fake_sent: FakeSent, cli: Cli) -> None:
    """Neither markup nor escape sequences in what others wrote take effect."""
    fake_sent.add_profile(name="[red]Sales[/red]\x1b]0;owned\x07", short_name=None)
    ended = await cli("profiles", "list")
    assert "[red]Sales[/red]" in ended.out
    assert "\x1b" not in ended.out
    assert "\x07" not in ended.out


async def test_acting_for_a_profile(fake_sent: FakeSent, cli: Cli) -> None:
    """``--profile-id`` goes along with every request."""
    [profile_id] = fake_sent.profiles
    await cli("--profile-id", profile_id, "profiles", "get", profile_id)
    assert fake_sent.requests[-1].headers["x-profile-id"] == profile_id


async def test_retrieve_many_prints_what_it_found_and_reports_the_rest(fake_sent: FakeSent, cli: Cli) -> None:
    """One bad id stops nothing; it decides the exit code, and its hint comes once."""
    [profile_id] = fake_sent.profiles
    ended = await cli("profiles", "retrieve-many", profile_id, MISSING, MISSING.replace("4", "5"))
    assert ended.code == 1
    assert profile_id in ended.out
    assert f"error: {MISSING}: 404 RESOURCE_014" in ended.err
    assert ended.err.count("next:") == 1


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
