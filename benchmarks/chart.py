"""The chart for the README. Its colours are readable on light and dark backgrounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .shared import NAIVE, OURS, Row, peer

_PANELS = (
    ("requests/s, concurrency 50", "requests a second, 50 at once", "more is better"),
    ("instructions per request", "million instructions a request", "less is better"),
    ("decode 100 profiles", "µs to decode 100 profiles", "less is better"),
    ("50 ms of server latency, concurrency 100", "requests a second, server takes 50 ms", "more is better"),
)
_TEXT, _OURS, _OTHERS, _BASE = "#7d8590", "#2f81f7", "#9aa4b2", "#6e7f99"


def draw(rows: Sequence[Row], target: Path) -> None:
    """Write the chart as SVG."""
    mpl = peer("matplotlib")
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "sent-async"
    pyplot = peer("matplotlib.pyplot")

    by_work = {row.work: row for row in rows}
    panels = [panel for panel in _PANELS if panel[0] in by_work]
    figure, axes = pyplot.subplots((len(panels) + 1) // 2, 2, figsize=(10.5, 2.4 * ((len(panels) + 1) // 2)))
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_visible(False)
    for axis, (work, title, better) in zip(axes.flat, panels, strict=False):
        figures = dict(sorted(by_work[work].figures.items(), key=lambda item: item[1], reverse="more" in better))
        names = list(figures)
        colours = [_OURS if name.startswith(OURS) else _BASE if name == NAIVE else _OTHERS for name in names]
        bars = axis.barh(names, list(figures.values()), color=colours, height=0.68)
        labels = [f"{value:,.0f}" if value >= 100 else f"{value:.2g}" for value in figures.values()]
        axis.bar_label(bars, labels, padding=4, color=_TEXT, fontsize=8)
        axis.set_title(f"{title} ({better})", color=_TEXT, fontsize=9, loc="left")
        axis.invert_yaxis()
        axis.set_xlim(0, max(figures.values()) * 1.18)
        axis.tick_params(colors=_TEXT, length=0, labelsize=8)
        axis.xaxis.set_visible(False)
        for side in axis.spines.values():
            side.set_visible(False)
        axis.patch.set_alpha(0)
    figure.tight_layout()
    figure.savefig(target, transparent=True, metadata={"Date": None})
    pyplot.close(figure)
