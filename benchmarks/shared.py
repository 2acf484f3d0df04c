"""Shared code of the measurements: rows, medians, processes."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module, metadata
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec

ROOT = Path(__file__).parent.parent

NAIVE = "aiohttp + msgspec"
OURS = "sent-async"
SENTDM = "sentdm"
SENTDM_AIOHTTP = "sentdm[aiohttp]"


class Row(msgspec.Struct, kw_only=True):
    """One line of the table."""

    work: str
    unit: str
    figures: dict[str, float]
    """By client."""
    value: float
    """The value that is compared with the bound: our figure, or its ratio to another client's."""
    bound: str
    """Such as ``>= 1.0 x aiohttp + msgspec``."""
    met: bool
    note: str = ""


def row(work: str, unit: str, figures: Mapping[str, float], value: float, sign: str, bound: float, of: str = "") -> Row:
    """A row that is met when ``value`` is on the right side of ``bound``."""
    met = value <= bound if sign == "≤" else value >= bound
    shown = f"{bound:.2f} x" if of else f"{bound:g}"
    return Row(work=work, unit=unit, figures=dict(figures), value=value, bound=f"{sign} {shown} {of}".strip(), met=met)


def pin(processor: int) -> None:
    """Keep this process on one processor, where that can be done: servers on 0, clients on 1."""
    if hasattr(os, "sched_setaffinity") and processor in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {processor})


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """``uvloop`` where it is installed, else asyncio's own loop."""
    if name == "uvloop":
        try:
            factory: Callable[[], asyncio.AbstractEventLoop] = peer("uvloop").new_event_loop
        except ImportError:
            return None
        return factory
    return None


def peer(module: str) -> Any:
    """A module of a peer, when it is measured. Untyped: types are checked where no peer is installed."""
    return import_module(module)


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """The canned server in a process of its own; gives its URL."""
    command = [sys.executable, "-m", "benchmarks.server", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def counts(url: str) -> dict[str, int]:
    """The number of requests that a server received and refused."""
    with urlopen(f"{url}/counts", timeout=10) as response:
        result: dict[str, int] = json.load(response)
    return result


def child(module: str, *arguments: object) -> Any:
    """Run a measurement in a fresh process and return what its last line says."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} {arguments}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def rotated(names: Sequence[str], turn: int) -> Sequence[str]:
    """The same names, rotated in each round, so that none is always first."""
    turn %= len(names)
    return [*names[turn:], *names[:turn]]


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int, seconds: float) -> dict[str, list[float]]:
    """CPU seconds of each call, one figure per round. The calls run in turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    repeats: dict[str, int] = {}
    for name, call in calls.items():
        call()
        began, count = time.process_time(), 0
        while time.process_time() - began < seconds / 4:
            call()
            count += 1
        repeats[name] = max(1, count * 4)
    for turn in range(rounds):
        for name in rotated(list(calls), turn):
            call, count = calls[name], repeats[name]
            gc.collect()
            began = time.process_time()
            for _ in range(count):
                call()
            times[name].append((time.process_time() - began) / count)
    return times


def ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """The median of the ratios taken round by round: a slow spell of the machine hits both sides alike."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def versions() -> dict[str, str]:
    """The versions of everything that affects the figures."""
    found = {"python": platform.python_version(), "processors": str(os.cpu_count())}
    for name in ("sent-async", "sentdm", "aiohttp", "msgspec", "backoff", "httpx", "pydantic", "httptools", "uvloop"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
