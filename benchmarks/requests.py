"""Requests over loopback: throughput, tail latency and instructions per request."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from . import shared
from .shared import NAIVE, OURS, ROOT, SENTDM, SENTDM_AIOHTTP, Row, row

SLOW = (SENTDM, SENTDM_AIOHTTP, "httpx")
PEERS = (SENTDM, SENTDM_AIOHTTP, "httpx", "floor")


def pair(name: str, url: str, concurrency: int, *, quick: bool, requests: int = 500, rounds: int = 21) -> Any:
    """A client and the naive loop in one process, in alternating bursts."""
    if name in SLOW:
        requests, rounds = min(requests, 300), 3
    if quick:
        rounds = 3
    return shared.child("load", name, url, "--concurrency", concurrency, "--requests", requests, "--rounds", rounds)


def throughput(quick: bool) -> list[Row]:
    """Requests per second at concurrency 50 and 100, with the 99th percentile at 100."""
    rows: list[Row] = []
    with shared.serving() as url:
        for concurrency, bound in ((50, 1.7), (100, 1.5)):
            ours = pair(OURS, url, concurrency, quick=quick, rounds=41)
            found = {name: pair(name, url, concurrency, quick=quick, rounds=5) for name in PEERS}
            uvloop = pair(f"{OURS} on uvloop", url, concurrency, quick=quick, rounds=5)
            # By the paired ratios: the medians of the two sides alone may have the opposite order.
            rates = {OURS: ours["naive_rate"] * ours["rate_ratio"], NAIVE: ours["naive_rate"]}
            rates[f"{OURS} on uvloop"] = ours["naive_rate"] * uvloop["rate_ratio"]
            rates |= {name: ours["naive_rate"] * one["rate_ratio"] for name, one in found.items()}
            what = f"requests/s, concurrency {concurrency}"
            rows.append(row(what, "requests/s", rates, ours["rate_ratio"], "≥", bound, NAIVE))
            if concurrency == 50:
                cpu = {OURS: ours["cpu"] * 1e6, NAIVE: ours["naive_cpu"] * 1e6}
                rows.append(row("CPU per request, concurrency 50", "µs", cpu, ours["cpu_ratio"], "≤", 0.6, NAIVE))
            if concurrency == 100:
                late = {OURS: ours["p99"] * 1000, NAIVE: ours["naive_p99"] * 1000}
                late |= {name: one["p99"] * 1000 for name, one in found.items()}
                rows.append(row("p99 at concurrency 100", "ms", late, ours["p99_ratio"], "≤", 1.0, NAIVE))
    return rows


def latency(quick: bool) -> list[Row]:
    """A server that takes 50 ms for each response."""
    figures: dict[str, float] = {}
    with shared.serving("--delay", "0.05") as url:
        ours = pair(OURS, url, 100, quick=quick, requests=1000, rounds=7)
        figures = {OURS: ours["naive_rate"] * ours["rate_ratio"], NAIVE: ours["naive_rate"]}
        for name in PEERS:
            figures[name] = pair(name, url, 100, quick=quick, requests=1000, rounds=3)["rate"]
    what = "50 ms of server latency, concurrency 100"
    return [row(what, "requests/s", figures, ours["rate_ratio"], "≥", 0.98, NAIVE)]


def instructions(quick: bool) -> list[Row]:
    """Instructions per request, which no other process can disturb: the difference of a long run and a short one."""
    tool = shutil.which("valgrind")
    if tool is None:
        print("instructions per request: skipped, valgrind is not installed", file=sys.stderr)
        return []

    def count(name: str, url: str, requests: int) -> int:
        command = [tool, "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-m", "benchmarks.load"]
        command += [name, url, "--alone", "--concurrency", "1", "--requests", str(requests)]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True
        )
        found = re.search(r"Collected : (\d+)", done.stderr)
        assert found is not None, done.stderr[-2000:]
        return int(found[1])

    figures: dict[str, float] = {}
    with shared.serving() as url, ThreadPoolExecutor(2) as pool:
        for name in (OURS, NAIVE) if quick else (OURS, NAIVE, "floor", SENTDM_AIOHTTP, SENTDM):
            few, many = (50, 120) if name in SLOW else (100, 500)
            # In parallel: counting is slow, and other processes do not affect it.
            long, short = pool.map(partial(count, name, url), (many, few))
            figures[name] = (long - short) / (many - few) / 1e6
    value = figures[OURS] / figures[NAIVE]
    return [row("instructions per request, concurrency 1", "million", figures, value, "≤", 0.55, NAIVE)]
