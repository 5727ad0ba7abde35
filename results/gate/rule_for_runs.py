"""The rule for saved runs: whether a benchmark is slower in the candidate's runs than in the baseline's.

A run's value is x = log(median of its rounds, in seconds). The unit is the run: rounds of one run share its
luck, and say little of the next run. With A the baseline's values and B the candidate's, the change is
estimated as d = median of all b - a (Hodges and Lehmann 1963), and the verdict is

    slower        the rank test of Mann and Whitney (1947) calls B later at alpha, and d > floor
    faster        the same the other way round
    same          neither, and the upper end of d's interval is under 15 %: a larger slowdown is excluded
    inconclusive  else: more runs are needed

    alpha = 0.005, one-sided; at least 5 runs on either side can reach it
    floor = max(2 %, 2 s sqrt(1/|A| + 1/|B|)), s the spread between runs that these runs themselves show

Ranks resist noise: one wild run moves a rank, where it would move a mean far. Nothing is assumed of how times
are distributed. The rule cannot see a change under the floor, nor one that comes with a change of machine,
nor drift between the runs of A and those of B, unless they were taken in turns (make ab does that).

"all strategies" shows whether all moved together. Each run has one value for it: the median, over the
strategies, of x less that strategy's median over all runs. "own" is what a strategy moved beyond that. The
limits are FFmpeg's own command, which no software under test takes part in: if they moved, and FFmpeg is
the same, the machine moved, and all times are judged relative to them.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, median

from results.gate.sides import judge_if_fit, remarks_on, sides_of, software_between
from results.gate.statistics import Shift, shift, spread
from results.gate.verdicts import ALPHA, LEAST_FLOOR, TOGETHER, Comparison, Verdict, percent, verdict_on
from results.saved.history import SavedRun
from results.schema import Record

RUNS_RESOLUTION = math.log(1.15)  # "same" excludes a slowdown of this size


def compare(baseline: Sequence[SavedRun], candidate: Sequence[SavedRun], alpha: float = ALPHA) -> Comparison:
    """Judge every benchmark of the candidate's runs against the baseline's."""
    sides = sides_of(baseline, candidate)
    verdicts = {name: _judge_alone(name, *pair, alpha) for name, pair in sides.items()}
    software = software_between(baseline, candidate)
    remarks = []
    machine = _machine(list(verdicts.values()), software)
    if machine:
        verdicts = {name: _relative_to(verdict, machine) for name, verdict in verdicts.items()}
        remarks.append(
            f"The machine moved by {percent(machine)}, as FFmpeg's own command shows: "
            "all is judged relative to that."
        )
    judged = [verdict.name for verdict in verdicts.values() if verdict.is_judged_strategy]
    common, together = _common(baseline, candidate, judged), None
    if common:
        together = _judged(TOGETHER, "together", *common, alpha)
        together = _relative_to(together, machine) if machine else together
        verdicts = {name: _with_own(v, sides[name], common, judged) for name, v in verdicts.items()}
    remarks += remarks_on(together, list(verdicts.values()))
    found = [*verdicts.values(), *([together] if together else [])]
    return Comparison(verdicts=found, software=software, remarks=remarks)


def _judge_alone(name: str, ours: list[Record], theirs: list[Record], alpha: float) -> Verdict:
    return judge_if_fit(
        name, ours, theirs, lambda: _judged(name, ours[0].kind, _logs(ours), _logs(theirs), alpha)
    )


def _judged(name: str, kind: str, ours: list[float], theirs: list[float], alpha: float) -> Verdict:
    moved, runs = shift(ours, theirs, alpha), (len(ours), len(theirs))
    return verdict_on(name, kind, moved, runs_floor(ours, theirs), RUNS_RESOLUTION, runs)


def runs_floor(ours: list[float], theirs: list[float]) -> float:
    """How much two groups of unchanged runs may differ: twice the standard error, at least 2 %."""
    spreads = [spread(values) ** 2 for values in (ours, theirs) if len(values) > 1]
    if not spreads:
        return math.inf
    return max(LEAST_FLOOR, 2 * math.sqrt(fmean(spreads) * (1 / len(ours) + 1 / len(theirs))))


def _machine(verdicts: list[Verdict], software: list[str]) -> float:
    """How far the machine itself moved: the limits' change, if all of them moved the same way."""
    limits = [v for v in verdicts if v.kind == "limit" and v.change is not None]
    moved = {v.word for v in limits}
    if not limits or moved not in ({"slower"}, {"faster"}) or any("ffmpeg" in line for line in software):
        return 0.0
    return median(v.change for v in limits if v.change is not None)


def _relative_to(verdict: Verdict, machine: float) -> Verdict:
    """The same verdict with the machine's own change taken off; limits stay as they are."""
    if verdict.change is None or verdict.kind == "limit":
        return verdict
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.floor is not None
    low, high, change = verdict.low - machine, verdict.high - machine, verdict.change - machine
    moved = Shift(estimate=change, low=low, high=high, is_later=low > 0, is_earlier=high < 0)
    judged = verdict_on(verdict.name, verdict.kind, moved, verdict.floor, RUNS_RESOLUTION, verdict.runs)
    return replace(judged, own=verdict.own, cpu=verdict.cpu)


def _common(
    baseline: Sequence[SavedRun], candidate: Sequence[SavedRun], names: list[str]
) -> tuple[list[float], list[float]] | None:
    """For each run that has all of these benchmarks, one value: how far it lies from their medians.

    The value is a median over the benchmarks, so that one that moved alone changes it little.
    """
    whole = [[run for run in runs if _has(run, names)] for runs in (baseline, candidate)]
    if len(names) < 2 or not all(whole):
        return None
    usual = {name: median(_log(run, name) for run in (*whole[0], *whole[1])) for name in names}
    ours, theirs = ([median(_log(run, n) - usual[n] for n in names) for run in runs] for runs in whole)
    return ours, theirs


def _log(run: SavedRun, name: str) -> float:
    return math.log(run.benchmarks[name].seconds)


def _has(run: SavedRun, names: list[str]) -> bool:
    return all(name in run.benchmarks for name in names)


def _with_own(
    verdict: Verdict,
    sides: tuple[list[Record], list[Record]],
    common: tuple[list[float], list[float]],
    judged: list[str],
) -> Verdict:
    """Add how far the benchmark moved beyond all strategies of the same run."""
    if verdict.name not in judged or any(len(a) != len(b) for a, b in zip(sides, common, strict=True)):
        return verdict
    ours, theirs = (
        [log - mean for log, mean in zip(_logs(records), means, strict=True)]
        for records, means in zip(sides, common, strict=True)
    )
    return replace(verdict, own=shift(ours, theirs, ALPHA).estimate)


def _logs(records: list[Record]) -> list[float]:
    return [math.log(record.seconds) for record in records]
