"""Every Python block of the README and the guide runs.

The blocks of a page run in order and share their names, as if they stood in one ``async def main()``. Each finds
``sent``, a client, and ``fake``, its server; a page begins with ``profile_id``, ``template_id`` and ``ids`` too. The
environment names the server and a webhook secret. Beside that:

* a block with ``title="name.py"`` is saved under this name, and one that calls ``asyncio.run`` is run by itself;
* files called ``test_...`` are run by pytest when the page has ended, in the folder with all other saved blocks;
* a comment ``<!-- setup: ... -->`` holds code that readers do not see;
* a block that only includes an example is left to the tests of the examples.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import re
import sys
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sent_async.testing import FakeSent

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs/index.md", *sorted((ROOT / "docs/guide").glob("*.md"))]

_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?: +title=\"(?P<title>[^\"]+)\")?\n(?P<code>.*?)^(?P=indent)```$"
    r"|<!-- setup: (?P<setup>.*?) -->",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A piece of a page that runs or is saved."""

    line: int
    code: str
    title: str | None
    runs: bool


def blocks(page: Path) -> Iterator[Block]:
    """What a page wants run or saved, in its order."""
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 2
        if found["setup"]:
            yield Block(line - 1, found["setup"], None, runs=True)
            continue
        code = textwrap.dedent(found["code"])
        runs = found["language"] == "python" and not code.startswith("--8<--")
        if runs or found["title"]:
            yield Block(line, code, found["title"], runs)


async def python(*arguments: str | Path, folder: Path) -> str:
    """Run Python there; what it printed. Fails with it when it fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments), cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


async def execute(page: Path, block: Block, names: dict[str, Any]) -> None:
    """As part of a coroutine, with the line numbers of the page."""
    code = "\n" * (block.line - 1) + block.code
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | __import__("__future__").annotations.compiler_flag
    compiled = compile(code, page, "exec", flags=flags, dont_inherit=True)
    if compiled.co_flags & inspect.CO_COROUTINE:
        await types.FunctionType(compiled, names)()
    else:
        exec(compiled, names)


def test_the_pages_are_there() -> None:
    """A guide that moved would otherwise pass by not being looked at."""
    assert {"first-call.md", "errors.md", "retries.md", "testing-your-service.md"} <= {page.name for page in PAGES}


def test_absolute_links_lead_to_what_is_there() -> None:
    """The README is read on the package index too, so its links are absolute, and mkdocs does not check them."""
    links = re.findall(r"\]\((.*?)\)", (ROOT / "README.md").read_text(), re.DOTALL)
    assert not [link for link in links if not link.startswith("https://")]
    site, repository = "https://sent-async.github.io/sent-async/", "https://github.com/sent-async/sent-async/blob/main/"
    pages = [link.removeprefix(site).rstrip("/") for link in links if link.startswith(site)]
    files = [link.removeprefix(repository) for link in links if link.startswith(repository)]
    assert len(pages) > 10
    assert not [page for page in pages if not list((ROOT / "docs").glob(f"{page}*"))]
    assert not [file for file in files if not (ROOT / file).is_file()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_every_block_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a server of its own, as printed."""
    monkeypatch.chdir(tmp_path)  # what a block writes belongs here
    async with FakeSent() as fake, fake.client() as sent:
        monkeypatch.setenv("SENT_BASE_URL", fake.url)
        monkeypatch.setenv("SENT_DM_API_KEY", fake.api_key)
        monkeypatch.setenv("SENT_WEBHOOK_SECRET", "whsec_c2VjcmV0")
        [profile_id], [template_id] = fake.profiles, fake.templates
        names: dict[str, Any] = {
            "__builtins__": builtins,
            "profile_id": profile_id,
            "template_id": template_id,
            "ids": [profile_id] * 20,
        }
        found = list(blocks(page))
        for block in found:
            names.update(fake=fake, sent=sent)
            if block.title:
                (tmp_path / block.title).write_text(block.code)
            if block.runs and "asyncio.run(" in block.code:
                program = tmp_path / (block.title or "program.py")
                program.write_text(block.code)
                await python(program, folder=tmp_path)
            elif block.runs and not block.title:
                await execute(page, block, names)
        if any((block.title or "").startswith("test_") for block in found):
            await python("-m", "pytest", "-q", "-W", "error", folder=tmp_path)
