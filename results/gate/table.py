"""What a comparison found, and how it is told: as a table, as Markdown, as JSON."""

import math
import textwrap
from dataclasses import asdict, dataclass
from typing import Any

WORDS = ("slower", "missing", "not comparable", "inconclusive", "faster", "same", "new")  # worst first
COLUMNS = ("benchmark", "verdict", "change", "interval", "floor", "own", "CPU", "runs")
WIDTH = 100
LEGEND = (
    "change: of the time; interval: of the change; floor: what unchanged runs differ by; own: change",
    "against all strategies together in the same run; CPU: change of CPU seconds; runs: on each side.",
)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one benchmark. Changes are of the logarithm of the time."""

    name: str
    kind: str
    word: str
    change: float | None = None
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    own: float | None = None
    cpu: float | None = None
    runs: tuple[int, int] = (0, 0)
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All verdicts, and what they are verdicts on."""

    verdicts: list[Verdict]
    software: list[str]  # what differs on purpose
    remarks: list[str]
    what_more: str = "more runs are"  # needed, where it is inconclusive

    @property
    def exit_status(self) -> int:
        """0 no regression, 1 regression, 2 not comparable, 3 inconclusive."""
        words = {verdict.word for verdict in self.verdicts if verdict.kind != "limit"}
        if words & {"slower", "missing"}:
            return 1
        if "not comparable" in words or not words - {"new"}:
            return 2
        return 3 if "inconclusive" in words else 0


def percent(change: float | None) -> str:
    """A change of the logarithm, as in +12.3%."""
    return f"{100 * math.expm1(change):+.1f}%" if change is not None and math.isfinite(change) else "-"


def _row(verdict: Verdict) -> tuple[str, ...]:
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


def render(comparison: Comparison, *, markdown: bool = False) -> list[str]:
    """The table and what there is to say of it."""
    rows = [COLUMNS, *map(_row, sorted(comparison.verdicts, key=lambda v: WORDS.index(v.word)))]
    software = comparison.software or ["nothing differs: the same software on both sides"]
    if markdown:
        ruler = ("---", "---", *["---:"] * (len(COLUMNS) - 2))
        lines = ["| " + " | ".join(row) + " |" for row in (rows[0], ruler, *rows[1:])]
        remarks = [f"- {line}" for line in comparison.remarks]
        return [
            f"**{summary(comparison)}**",
            "",
            *(f"- {line}" for line in software),
            "",
            *lines,
            "",
            *remarks,
        ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    table = [
        "  ".join(
            cell.ljust(w) if n < 2 else cell.rjust(w)
            for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    remarks = [line for remark in comparison.remarks for line in textwrap.wrap(remark, WIDTH)]
    return [*software, *table, *LEGEND, *remarks, summary(comparison)]


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
    """The comparison in plain JSON; a bound that does not exist is null."""
    verdicts = [
        {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in asdict(verdict).items()
        }
        for verdict in comparison.verdicts
    ]
    return {
        "exit_status": comparison.exit_status,
        "summary": summary(comparison),
        "software": comparison.software,
        "remarks": comparison.remarks,
        "verdicts": verdicts,
    }
