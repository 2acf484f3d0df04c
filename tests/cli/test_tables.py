"""Tables in terminals of all widths, long lists, and pipes."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async.cli.table import fit
from sent_async.testing import Delay, Fail, FakeSent, RecordedRequest
from tests.support.processes import Cli, InTerminal, StartCli

LONG = "Order confirmation with a tracking link for the parcel, and the invoice"


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (60, ["id", "name"]),
        (80, ["id", "name", "status", "category"]),
        (200, ["id", "name", "status", "category", "language", "channels", "created_at"]),
    ],
)
async def test_a_narrow_terminal_costs_columns_and_no_letters(
    fake_sent: FakeSent, terminal: InTerminal, columns: int, shown: list[str]
) -> None:
    """Ids stay in one piece, a long name goes on below, no line is too long, and what is missing is named."""
    template = fake_sent.add_template(name=LONG)
    table = terminal("templates", "list", columns=columns, NO_COLOR="1", TERM="dumb")
    assert await table.end() == 0
    header, *lines = table.lines
    assert header.split() == shown
    assert max(map(len, [header, *(line for line in lines if not line.startswith("not shown"))])) <= columns
    assert sum(line.startswith(template.id) for line in lines) == 1
    name_at, after = header.index("name"), header.find("status")
    below = [line[name_at : after if after >= 0 else None].strip() for line in lines]
    assert LONG in " ".join(below)
    assert ("not shown: " in table.seen) == (columns < 200)


async def test_a_long_value_goes_on_below_its_beginning(fake_sent: FakeSent, terminal: InTerminal) -> None:
    """Words and ids stay whole. Empty lines of a text are kept."""
    profile = fake_sent.add_profile(description=f"{LONG}\n\nThe end")
    shown = terminal("profiles", "get", profile.id, columns=60, NO_COLOR="1", TERM="dumb")
    assert await shown.end() == 0
    text = shown.seen.partition("\r\ndescription ")[2]
    value = re.split(r"\r\n(?! |\r)", text)[0].replace("\r", "").split("\n")
    assert [line.split() for line in value].count([]) == 1
    assert " ".join(" ".join(value).split()) == f"{LONG} The end"
    assert max(map(len, value)) <= 60
    assert any(line.split() == ["id", profile.id] for line in shown.lines)


@pytest.mark.parametrize("columns", [60, 80, 200])
async def test_objects_in_lists_go_by_their_path(terminal: InTerminal, columns: int) -> None:
    """Paths and ids stay whole, and no line is too long but for a URL. What does not fit beside a path begins below."""
    shown = terminal("me", columns=columns, NO_COLOR="1", TERM="dumb")
    assert await shown.end() == 0
    assert max(len(line) for line in shown.lines if "https://" not in line) <= columns
    assert [line.split() for line in shown.lines if "inherit_tcr_brand" in line or line.startswith("id ")] == [
        ["id", "550e8400-e29b-41d4-a716-446655440000"],
        ["profiles[0].settings.inherit_tcr_brand", "no"],
    ]
    text = " ".join(" ".join(shown.lines).split())
    assert "profiles[0].description Marketing department sender profile profiles[0].short_name MKT" in text


async def test_a_value_that_does_not_fit_beside_its_path_begins_below(
    fake_sent: FakeSent, terminal: InTerminal
) -> None:
    """The path has a line of its own, and the value begins in the column of the other values."""
    fake_sent.add_profile(description=LONG)
    shown = terminal("me", columns=60, NO_COLOR="1", TERM="dumb")
    assert await shown.end() == 0
    path = next(index for index, line in enumerate(shown.lines) if re.fullmatch(r"profiles\[\d\]\.description", line))
    assert shown.lines[path + 1].startswith(f"{'':24}Order confirmation")


async def test_wide_characters_keep_columns_straight(fake_sent: FakeSent, cli: Cli) -> None:
    """A Chinese character takes two cells."""
    fake_sent.add_template(name="欢迎", language="zh_CN")
    lines = (await cli("templates", "list")).out.splitlines()
    assert lines[0].index("status") == lines[2].index("APPROVED") + len("欢迎")


async def test_names_cannot_command_the_terminal(fake_sent: FakeSent, cli: Cli) -> None:
    """Neither markup nor escape sequences in what others wrote take effect. Line breaks become spaces."""
    fake_sent.add_profile(name="[red]Sales[/red]\x1b]0;owned\x07\nand\u00a0more", short_name=None)
    ended = await cli("profiles", "list")
    assert "[red]Sales[/red]\N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER} and more" in ended.out


async def test_emoji_of_several_characters_stay_whole(fake_sent: FakeSent, cli: Cli) -> None:
    """The joiner between them is not a control character that could do harm."""
    fake_sent.add_profile(name="\U0001f469\u200d\U0001f680")
    assert "\U0001f469\u200d\U0001f680" in (await cli("profiles", "list")).out


@pytest.mark.parametrize("colour", [{}, {"NO_COLOR": "1"}])
async def test_only_a_terminal_gets_escape_sequences(cli: Cli, terminal: InTerminal, colour: dict[str, str]) -> None:
    """A bold header in a terminal, none in a pipe."""
    table = terminal("templates", "list", **colour)
    assert await table.end() == 0
    assert "\x1b[1m" in table.seen
    assert "\x1b" not in (await cli("templates", "list", **colour)).out


async def test_a_pipe_gets_every_column_and_whole_lines(fake_sent: FakeSent, cli: Cli) -> None:
    """However narrow the terminal is in which the pipe was started."""
    fake_sent.add_template(name=LONG * 3)
    ended = await cli("templates", "list", COLUMNS="40")
    header, *rows = ended.out.splitlines()
    assert header.split()[-1] == "created_at"
    assert len(rows) == 2
    assert LONG * 3 in rows[1]
    assert ended.err == ""


async def test_an_empty_list_is_no_table(fake_sent: FakeSent, cli: Cli) -> None:
    """Nothing on stdout, so that a script counts no lines, and a word on stderr."""
    ended = await cli("templates", "list", "--search", "no such template")
    assert (ended.code, ended.out, ended.err) == (0, "", "nothing found\n")


@pytest.mark.parametrize("form", [[], ["--json"]])
async def test_an_interrupted_list_keeps_what_was_fetched(
    fake_sent: FakeSent, start: StartCli, form: list[str]
) -> None:
    """Rows are printed page by page. Ctrl-C says how far it got, and leaves no traceback."""
    for number in range(250):
        fake_sent.add_template(name=f"Template {number}")
    third = asyncio.Event()

    def stall(request: RecordedRequest) -> Delay | None:
        if request.query["page"] != "3":
            return None
        third.set()
        return Delay(seconds=60)

    fake_sent.fault(stall)
    process = await start("templates", "list", *form)
    await third.wait()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    rows = [line for line in out.decode().splitlines() if "Template" in line or "Welcome" in line]
    assert len(rows) == 200
    assert (process.returncode, err) == (130, b"stopped after 200 of 251\n")


async def test_a_list_that_fails_in_the_middle_says_how_far_it_got(fake_sent: FakeSent, cli: Cli) -> None:
    """What came before the error is printed."""
    for number in range(150):
        fake_sent.add_template(name=f"Template {number}")
    fake_sent.fault(lambda request: Fail(status=403) if request.query["page"] == "2" else None)
    ended = await cli("templates", "list", "--json")
    assert (ended.code, len(ended.out.splitlines())) == (1, 100)
    stopped, error = ended.err.splitlines()
    assert stopped == "stopped after 100 of 151"
    assert error.startswith("error: 403 ")


@pytest.mark.parametrize("form", ["", "--json"])
async def test_a_reader_that_has_enough_ends_the_list_quietly(
    fake_sent: FakeSent, environment: dict[str, str], form: str
) -> None:
    """As ``head`` does. Nothing failed, so the exit code is 0, and the pages after that are not requested."""
    for number in range(2000):
        fake_sent.add_template(name=f"Template {number} {LONG}")
    pipeline = f"{shlex.quote(sys.executable)} -m sent_async templates list {form} | head -n 2; echo ${{PIPESTATUS[0]}}"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("bash", "-c", pipeline, env=environment, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    assert out.decode().splitlines()[2:] == ["0"]
    assert err == b""
    assert len(fake_sent.requests) < 20


async def test_json_is_utf_8_and_tables_degrade_where_the_terminal_knows_less(fake_sent: FakeSent, cli: Cli) -> None:
    """An encoding without a character never costs the output."""
    fake_sent.add_profile(name="Grüße 歓迎")
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    assert "Gr??e ??" in (await cli("profiles", "list", **ascii_only)).out
    lines = (await cli("profiles", "list", "--json", **ascii_only)).out.splitlines()
    assert json.loads(lines[-1])["name"] == "Grüße 歓迎"


@given(
    natural=st.dictionaries(st.sampled_from(["id", "name", "user_id", "status", "url", "note"]), st.integers(1, 90)),
    room=st.integers(1, 250),
)
def test_fitted_columns(natural: dict[str, int], room: int) -> None:
    """They stay within the terminal or are the first one alone; ids keep their width; texts get the room there is."""
    widths = fit(natural, room)
    used = sum(widths.values()) + 2 * (len(widths) - 1)
    assert list(widths)[:1] == list(natural)[:1]
    assert used <= room or len(widths) <= 1
    for name, width in widths.items():
        assert min(natural[name], 20) <= width <= natural[name]
        assert width == natural[name] or not name.endswith("id")
        assert width == natural[name] or used >= room or len(widths) == 1
    assert fit(natural, None) == natural
