"""``python -m benchmarks [--quick] [--only NAME ...]``: every measurement, one table, JSON and a chart."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from . import batching, chart, cold_start, decoding, journal, limits, memory, requests, scaling, settings, webhooks
from .shared import OURS, ROOT, Row, versions

MEASUREMENTS: dict[str, Callable[[bool], list[Row]]] = {
    "decode": decoding.decode,
    "encode": decoding.encode,
    "batches": batching.batches,
    "journal": journal.journals,
    "cold": cold_start.cold_start,
    "throughput": requests.throughput,
    "latency": requests.latency,
    "instructions": requests.instructions,
    "limits": limits.limits,
    "memory": memory.memory,
    "webhooks": webhooks.webhooks,
}


def show(rows: Sequence[Row]) -> None:
    """The rows as a Markdown table."""
    print("| Work | unit | sent-async | peers | Reach | measured | |\n| --- | --- | ---: | --- | --- | ---: | --- |")
    for one in rows:
        peers = ", ".join(f"{name} {number(value)}" for name, value in one.figures.items() if name != OURS)
        verdict = "met" if one.met else "**missed**"
        print(
            f"| {one.work} | {one.unit} | {number(one.figures[OURS])} | {peers} | {one.bound} "
            f"| {one.value:.3f} | {verdict} |"
        )


def number(value: float | str) -> str:
    """Three figures that matter."""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: noisier, for a look")
    parser.add_argument(
        "--only", nargs="*", choices=[*MEASUREMENTS, "scaling", "settings"], help="these alone, nothing is written"
    )
    options = parser.parse_args()
    chosen = options.only or [*MEASUREMENTS, "scaling", "settings"]
    print(json.dumps(versions()), flush=True)
    rows: list[Row] = []
    for name, measure in MEASUREMENTS.items():
        if name in chosen:
            began = time.perf_counter()
            rows += measure(options.quick)
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    tables: dict[str, list[Any]] = {}
    if "scaling" in chosen:
        tables |= {f"How cost grows with {name}": one for name, one in scaling.scaling(options.quick).items()}
    if "settings" in chosen:
        tables["What single choices are worth"] = settings.settings(options.quick)
    print()
    show(rows)
    for name, table in tables.items():
        print(f"\n{name}\n\n| {' | '.join(table[0])} |\n|{' ---: |' * len(table[0])}")
        for line in table:
            print(f"| {' | '.join(number(value) for value in line.values())} |")
    missed = [one.work for one in rows if not one.met]
    print(f"\n{len(rows) - len(missed)} of {len(rows)} met" + (f"; missed: {'; '.join(missed)}" if missed else ""))
    if not options.only:
        assets = ROOT / "docs" / "assets"
        assets.mkdir(parents=True, exist_ok=True)
        record = {"versions": versions(), "quick": options.quick, "rows": rows, "tables": tables}
        (assets / "benchmark.json").write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
        chart.draw(rows, assets / "benchmark.svg")


if __name__ == "__main__":
    main()
