"""The cost of single settings in the naive loop: one change at a time, processor time in paired bursts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from . import shared
from .peers import CLIENTS, Naive
from .shared import NAIVE

Change = Callable[[Naive], None]
"""Changes an opened naive client in place."""


def _session(**options: Any) -> Change:
    def change(client: Naive) -> None:
        aiohttp = shared.peer("aiohttp")
        made = {name: value(aiohttp) for name, value in options.items()}
        connector = client.session.connector
        client.session.detach()
        client.session = aiohttp.ClientSession(connector=connector, headers={"x-api-key": "key"}, **made)

    return change


def _encoded_url(client: Naive) -> None:
    url, base, session = shared.peer("yarl").URL, client.base, cast("Any", client.session)
    get, client.base = session.get, ""
    session.get = lambda profile_id: get(url(base + profile_id, encoded=True))


def _no_context_manager(client: Naive) -> None:
    async def fetch(profile_id: str) -> Any:
        response = await client.session.get(client.base + profile_id)
        body = await response.read()
        if response.status != 200:
            raise RuntimeError(response.status)
        return client.decode(body).data

    client.fetch = fetch  # type: ignore[method-assign]  # a variant of it is what is measured


def _wrapped(wrap: Callable[[Any], Any]) -> Change:
    def change(client: Naive) -> None:
        client.fetch = wrap(client.fetch)  # type: ignore[method-assign]  # here too

    return change


def _semaphore(fetch: Any) -> Any:
    gate = asyncio.Semaphore(1000)

    async def gated(profile_id: str) -> Any:
        async with gate:
            return await fetch(profile_id)

    return gated


def _backoff(fetch: Any) -> Any:
    backoff = shared.peer("backoff")
    return backoff.on_exception(backoff.expo, OSError, max_tries=3, logger=None)(fetch)


def _backoff_each_call(fetch: Any) -> Any:
    async def call(profile_id: str) -> Any:
        return await _backoff(fetch)(profile_id)

    return call


def _task(fetch: Any) -> Any:
    async def call(profile_id: str) -> Any:
        return await asyncio.create_task(fetch(profile_id))

    return call


def _time_limit(fetch: Any) -> Any:
    async def call(profile_id: str) -> Any:
        async with asyncio.timeout(30):
            return await fetch(profile_id)

    return call


CHANGES: dict[str, Change] = {
    "nothing (noise)": lambda _: None,
    "no aiohttp timeout": _session(timeout=lambda aiohttp: aiohttp.ClientTimeout(total=None, sock_connect=None)),
    "a dummy cookie jar": _session(cookie_jar=lambda aiohttp: aiohttp.DummyCookieJar()),
    "auto_decompress=False": _session(auto_decompress=lambda _: False),
    "a TraceConfig without hooks": _session(trace_configs=lambda aiohttp: [aiohttp.TraceConfig()]),
    "trust_env=True": _session(trust_env=lambda _: True),
    "a URL that is encoded already": _encoded_url,
    "await instead of async with": _no_context_manager,
    "asyncio.timeout round each call": _wrapped(_time_limit),
    "a semaphore round each call": _wrapped(_semaphore),
    "a task for each call": _wrapped(_task),
    "backoff's decorator": _wrapped(_backoff),
    "backoff's decorator, made for each call": _wrapped(_backoff_each_call),
}


class _Changed(Naive):
    change: Change

    async def open(self, url: str, concurrency: int) -> None:
        await super().open(url, concurrency)
        self.change(self)


def register() -> None:
    """Let ``benchmarks.load`` find them by name."""
    for name, change in CHANGES.items():
        CLIENTS[name] = type("Changed", (_Changed,), {"change": staticmethod(change)})


def settings(quick: bool) -> list[dict[str, float | str]]:
    """Each change compared with the unchanged loop, at concurrency 10."""
    table: list[dict[str, float | str]] = []
    with shared.serving() as url:
        for name in CHANGES:
            rounds = 5 if quick else 41
            options = ("--concurrency", 10, "--requests", 200, "--rounds", rounds)
            found = shared.child("load", name, url, *options)
            table.append({"change": name, f"CPU x {NAIVE}": found["cpu_ratio"]})
    return table
