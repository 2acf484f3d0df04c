"""A cold process: import, client and first response."""

from __future__ import annotations

import os
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Final

from . import payloads, shared
from .shared import OURS, SENTDM, SENTDM_AIOHTTP, Row, row

BARE: Final = "aiohttp + msgspec + backoff"
_ID: Final = payloads.profile_id(1)
_END: Final = "asyncio.run(main())\nimport sys; print(len(sys.modules))"
_VENDOR: Final = """
import warnings; warnings.simplefilter("ignore")
import asyncio, sent_dm
async def main():
    client = sent_dm.AsyncSent(api_key="key", base_url=URL, http_client={transport})
    assert (await client.profiles.retrieve(ID)).data.id == ID
    await client.close()
"""
_PROGRAMS: Final = {
    OURS: """
import asyncio
from sent_async import SentClient
async def main():
    async with SentClient("key", base_url=URL) as sent:
        assert (await sent.profiles.retrieve(ID)).id == ID
""",
    BARE: """
import asyncio, aiohttp, backoff, msgspec
async def main():
    async with aiohttp.ClientSession(headers={"x-api-key": "key"}) as session:
        async with session.get(f"{URL}/v3/profiles/{ID}") as response:
            assert msgspec.json.decode(await response.read())["data"]["id"] == ID
""",
    SENTDM: _VENDOR.format(transport="None"),
    SENTDM_AIOHTTP: _VENDOR.format(transport="sent_dm.DefaultAioHttpClient()"),
}


def _run(name: str, url: str, cache: str) -> tuple[float, int]:
    """Milliseconds of processor time, and modules loaded at the end."""
    code = f"URL, ID = {url!r}, {_ID!r}\n{_PROGRAMS[name]}\n{_END}"
    command = [sys.executable, "-c", code]
    # Compiled once, as an installed package is, whatever the environment says of writing bytecode.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen(command, cwd=shared.ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    modules = int(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise RuntimeError(f"{name} failed")
    return (usage.ru_utime + usage.ru_stime) * 1000, modules


def cold_start(quick: bool) -> list[Row]:
    """Processor time and modules of whole processes, run in turns."""
    times: dict[str, list[float]] = {name: [] for name in _PROGRAMS}
    modules: dict[str, float] = {}
    with shared.serving() as url, TemporaryDirectory() as cache:
        for turn in range(-1, 5 if quick else 11):
            for name in shared.rotated(list(_PROGRAMS), turn):
                spent, loaded = _run(name, url, cache)
                modules[name] = loaded
                if turn >= 0:  # the first round fills the caches
                    times[name].append(spent)
    above = shared.median([ours - bare for ours, bare in zip(times[OURS], times[BARE], strict=True)])
    spent_all = {name: shared.median(values) for name, values in times.items()}
    return [
        row("cold process to first response, CPU above the three libraries", "ms", spent_all, above, "≤", 25),
        row("modules above the three libraries", "modules", modules, modules[OURS] - modules[BARE], "≤", 40),
    ]
