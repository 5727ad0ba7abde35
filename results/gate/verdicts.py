"""The words of a verdict, and what a comparison of two sides ends in; both rules use them."""

import math
from dataclasses import dataclass

from results.gate.statistics import Shift

ALPHA = 0.005  # chance of calling something slower that is not, one-sided
LEAST_FLOOR = math.log(1.02)
TOGETHER = "all strategies"
WORDS = ("slower", "missing", "not comparable", "inconclusive", "faster", "same", "new")  # worst first


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on one benchmark. Changes are in the logarithm of the time."""

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

    @property
    def is_judged_strategy(self) -> bool:
        """Whether it counts for the verdict on all strategies together."""
        return self.kind in {"strategy", "across"} and self.change is not None

    @property
    def is_under_test(self) -> bool:
        """Whether it is on a strategy, or on a way to answer requests, and has a change."""
        return self.is_judged_strategy or (self.kind == "request" and self.change is not None)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All verdicts, with remarks."""

    verdicts: list[Verdict]
    software: list[str]  # what differs on purpose
    remarks: list[str]
    what_more: str = "more runs are"  # needed, if it is inconclusive

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
    """A change of the logarithm in per cent, as in +12.3%."""
    return f"{100 * math.expm1(change):+.1f}%" if change is not None and math.isfinite(change) else "-"


def word_for(moved: Shift, floor: float, resolution: float) -> str:
    """Slower or faster, if that is sure and above the floor; same, if a slowdown so large is excluded."""
    if moved.is_later and moved.estimate > floor:
        return "slower"
    if moved.is_earlier and -moved.estimate > floor:
        return "faster"
    return "same" if moved.high < resolution else "inconclusive"


def verdict_on(  # noqa: PLR0913, PLR0917
    name: str, kind: str, moved: Shift, floor: float, resolution: float, runs: tuple[int, int]
) -> Verdict:
    """The verdict on a benchmark that moved so far, above this floor."""
    return Verdict(
        name=name,
        kind=kind,
        word=word_for(moved, floor, resolution),
        change=moved.estimate,
        low=moved.low,
        high=moved.high,
        floor=floor,
        runs=runs,
    )
