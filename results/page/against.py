"""The view of A against B: the verdict on each benchmark, and the pairs behind it."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import altair as alt

from results.gate.rule_for_pairs import ALPHA_OF_A_LOOK, compare_pairs, log_ratios
from results.gate.verdicts import Comparison
from results.page.look import PALETTE, Lines, Rows, chart_of, layered, once
from results.saved.history import HistoryError
from results.saved.pairs import SIDES, read_pairs
from results.told.comparison import summary

VERDICTS = ("folder", "name", "word", "change", "low", "high", "floor", "pairs")
VERDICT_COLUMNS = {
    "name": "benchmark",
    "word": "verdict",
    "change": "change of the time, %",
    "low": "interval from, %",
    "high": "interval to, %",
    "floor": "noise floor, %",
    "pairs": "pairs",
}
AXIS = "time of B against A, %"


def compare_folder(folder: Path) -> tuple[Comparison, list[dict[str, Any]], list[dict[str, Any]]]:
    """The comparison of the pairs that `make ab` keeps in a folder, its verdicts as rows, its pairs as rows.

    Raises:
        HistoryError: if it holds no pair, or one is damaged.
    """
    pairs = read_pairs(folder)
    if not pairs:
        raise HistoryError(f"{folder} holds no finished pair: give a folder that make ab has left in .ab/")
    comparison = compare_pairs(pairs, ALPHA_OF_A_LOOK)
    named = name_of(folder)
    verdicts = [
        {
            "folder": named,
            "name": v.name,
            "word": v.word,
            "change": _percent(v.change),
            "low": _percent(v.low),
            "high": _percent(v.high),
            "floor": _percent(v.floor),
            "pairs": v.runs[0],
        }
        for v in comparison.verdicts
    ]
    single = [
        {"folder": named, "name": name, "pair": number, "change": _percent(median(log_ratios(*rounds)))}
        for number, (a, b) in enumerate(pairs, 1)
        for name in a.benchmarks
        if name in b.benchmarks
        and len(set(map(len, rounds := (a.benchmarks[name].rounds, b.benchmarks[name].rounds)))) == 1
    ]
    return comparison, verdicts, single


def name_of(folder: Path) -> str:
    """A comparison's name, such as "torchcodec==0.12.0 against torchcodec==0.13.0, pairs-1a2b"."""
    try:
        sides = json.loads((folder / SIDES).read_text(encoding="utf-8"))
        return f"{sides['A']} against {sides['B']}, {folder.name}"
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name


def told(folder: Path, comparison: Comparison) -> list[str]:
    """The comparison in sentences."""
    return [f"{name_of(folder)}: {summary(comparison)}", *comparison.software, *comparison.remarks]


def _percent(change: float | None) -> float | None:
    return round(100 * math.expm1(change), 3) if change is not None and math.isfinite(change) else None


def changes(rows: Rows) -> alt.LayerChart:
    """Each benchmark's change with its interval, on the band of its noise floor, and its verdict."""
    tooltip: Sequence[alt.Tooltip] = [
        alt.Tooltip("name:N", title="benchmark"),
        alt.Tooltip("word:N", title="verdict"),
        *[
            alt.Tooltip(f"{f}:Q", title=VERDICT_COLUMNS[f], format="+.2f")
            for f in ("change", "low", "high", "floor")
        ],
        alt.Tooltip("pairs:Q"),
    ]
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False))
    base = chart_of(rows).transform_filter("datum.change !== null").encode(y=y)
    x = alt.X("change:Q", title=AXIS)
    floors = (
        base.transform_calculate(below="-datum.floor")
        .mark_bar(height=16, color=PALETTE[7], opacity=0.3)
        .encode(x=alt.X("below:Q", title=AXIS), x2="floor:Q")
    )
    zero = once(chart_of(rows)).mark_rule(strokeWidth=0.5).encode(x=alt.datum(0))
    intervals = base.mark_rule(strokeWidth=2, color=PALETTE[0]).encode(
        x="low:Q", x2="high:Q", tooltip=list(tooltip)
    )
    dots = base.mark_point(filled=True, size=70, color=PALETTE[0], opacity=1).encode(
        x=x, tooltip=list(tooltip)
    )
    words = base.mark_text(align="center", dy=-11, fontSize=11).encode(x="change:Q", text="word:N")
    return layered(
        floors,
        zero,
        intervals,
        dots,
        words,
        rows=rows,
        height=Lines(height=38, needs="change"),
        description="Change of each benchmark from A to B",
    )
