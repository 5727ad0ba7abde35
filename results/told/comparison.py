"""A comparison as a table, as Markdown, and as JSON."""

import math
import textwrap
from dataclasses import asdict
from typing import Any

from results.gate.verdicts import WORDS, Comparison, Verdict, percent
from results.told.tables import Row, markdown_table, text_table

COLUMNS = ("benchmark", "verdict", "change", "interval", "floor", "own", "CPU", "runs")
LEFT = (0, 1)  # columns of words
WIDTH = 100
LEGEND = (
    "change: of the time; interval: of the change; floor: what unchanged runs differ by; own: change",
    "against all strategies together in the same run; CPU: change of CPU seconds; runs: on each side.",
)


def render(comparison: Comparison, *, markdown: bool = False) -> list[str]:
    """The table, the remarks and the summary, as lines."""
    worst_first = sorted(comparison.verdicts, key=lambda verdict: WORDS.index(verdict.word))
    rows = [COLUMNS, *map(_row, worst_first)]
    software = comparison.software or ["nothing differs: the same software on both sides"]
    if markdown:
        items, remarks = ([f"- {line}" for line in lines] for lines in (software, comparison.remarks))
        table = markdown_table(rows, left=LEFT)
        return [f"**{summary(comparison)}**", "", *items, "", *table, "", *remarks]
    remarks = [line for remark in comparison.remarks for line in textwrap.wrap(remark, WIDTH)]
    return [*software, *text_table(rows, left=LEFT), *LEGEND, *remarks, summary(comparison)]


def _row(verdict: Verdict) -> Row:
    interval = f"{percent(verdict.low)} to {percent(verdict.high)}"
    return (
        verdict.name,
        verdict.word,
        percent(verdict.change),
        interval if interval != "- to -" else "-",
        percent(verdict.floor).removeprefix("+"),
        percent(verdict.own),
        percent(verdict.cpu),
        f"{verdict.runs[0]}, {verdict.runs[1]}",
    )


def summary(comparison: Comparison) -> str:
    """The verdict on everything, in one sentence."""
    named = {
        word: [v.name for v in comparison.verdicts if v.word == word and v.kind != "limit"] for word in WORDS
    }
    if comparison.exit_status == 1:
        bad = [f"{', '.join(named[word])} {word}" for word in ("slower", "missing") if named[word]]
        return f"Verdict: REGRESSION: {'; '.join(bad)}."
    if comparison.exit_status == 2:
        return "Verdict: NOT COMPARABLE."
    if comparison.exit_status == 3:
        return f"Verdict: INCONCLUSIVE on {', '.join(named['inconclusive'])}: {comparison.what_more} needed."
    faster = f"; faster: {', '.join(named['faster'])}" if named["faster"] else ""
    return f"Verdict: no regression{faster}."


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison in plain JSON; a bound that is infinite is null."""
    return {
        "exit_status": comparison.exit_status,
        "summary": summary(comparison),
        "software": comparison.software,
        "remarks": comparison.remarks,
        "verdicts": [
            {name: _finite(value) for name, value in asdict(verdict).items()}
            for verdict in comparison.verdicts
        ],
    }


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
