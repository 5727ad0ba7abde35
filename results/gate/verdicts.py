"""What both rules share: the words of a verdict, what cannot be compared, and what moved together."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from results.gate.statistics import Shift
from results.saved.history import SavedRun
from results.saved.identity import changed, clashes, in_a_sentence, values_of
from results.schema import Record

ALPHA = 0.005  # chance of calling something slower that is not, one-sided
LEAST_FLOOR = math.log(1.02)
TOGETHER = "all strategies"
WORDS = ("slower", "missing", "not comparable", "inconclusive", "faster", "same", "new")  # worst first


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

    @property
    def is_judged_strategy(self) -> bool:
        """Whether it has a part in what is said of all strategies together."""
        return self.kind in {"strategy", "across"} and self.change is not None

    @property
    def is_under_test(self) -> bool:
        """Whether it is a strategy's, or a way's to answer requests, and was judged."""
        return self.is_judged_strategy or (self.kind == "request" and self.change is not None)


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


def unfit(name: str, ours: Sequence[Record], theirs: Sequence[Record]) -> Verdict | None:
    """The verdict on what cannot be compared: missing, new or not comparable; None if it can be."""
    kind, runs = (ours or theirs)[0].kind, (len(ours), len(theirs))
    if not theirs:
        return Verdict(name=name, kind=kind, word="missing", runs=runs, reason="it is not in the candidate")
    if not ours:
        return Verdict(name=name, kind=kind, word="new", runs=runs)
    unproven = [record for record in (*ours, *theirs) if not record.is_proven]
    reasons = clashes(ours, theirs)
    if unproven or reasons:
        reason = "a run has no proof that its frames were right" if unproven else "; ".join(reasons)
        return Verdict(name=name, kind=kind, word="not comparable", runs=runs, reason=reason)
    return None


def in_runs(runs: Iterable[SavedRun], name: str) -> list[Record]:
    """This benchmark in the runs that have it."""
    return [run.benchmarks[name] for run in runs if name in run.benchmarks]


def names_of(runs: Iterable[SavedRun]) -> list[str]:
    """The benchmarks of these runs, each once."""
    return list(dict.fromkeys(name for run in runs for name in run.benchmarks))


def software_between(baseline: Sequence[SavedRun], candidate: Sequence[SavedRun]) -> list[str]:
    """What differs on purpose, a sentence for each field."""
    found = []
    for here, there in (
        (_records(baseline), _records(candidate)),
        ({"software.suite": _commits(baseline)}, {"software.suite": _commits(candidate)}),
    ):
        found += [in_a_sentence(change) for change in changed(here, there) if change.is_of_software]
    return found


def _records(runs: Sequence[SavedRun]) -> dict[str, set[str]]:
    return values_of(record for run in runs for record in run.benchmarks.values())


def _commits(runs: Sequence[SavedRun]) -> set[str]:
    return {str(run.commit) for run in runs}


def cpu_change(ours: Sequence[Record], theirs: Sequence[Record]) -> float | None:
    """The change of the CPU seconds' median; None where a side does not have them."""
    sides = [[record.cpu_seconds for record in side if record.cpu_seconds] for side in (ours, theirs)]
    return math.log(median(sides[1]) / median(sides[0])) if all(sides) else None


def remarks_on(together: Verdict | None, verdicts: Sequence[Verdict]) -> list[str]:
    """Sentences on what moved together, what may have a new name, and why something cannot be compared."""
    judged = [verdict for verdict in verdicts if verdict.is_judged_strategy]
    lines = [_all_strategies(together, judged)] if together else []
    missing, new = ([v.name for v in verdicts if v.word == word] for word in ("missing", "new"))
    if missing and new:
        lines.append(
            f"Missing: {', '.join(missing)}; new: {', '.join(new)}: if that is a new name of the same thing, "
            "promote a baseline that has it."
        )
    return [*lines, *(f"{verdict.name}: {verdict.reason}" for verdict in verdicts if verdict.reason)]


def _all_strategies(together: Verdict, judged: Sequence[Verdict]) -> str:
    slower = [verdict.name for verdict in judged if verdict.word == "slower"]
    if together.word == "slower" and len(slower) > len(judged) / 2:
        return f"Everything got slower together ({percent(together.change)}): the shared decode path."
    if slower:
        return f"Slower: {', '.join(slower)}; all strategies together moved by {percent(together.change)}."
    return f"All strategies together moved by {percent(together.change)}: {together.word}."
