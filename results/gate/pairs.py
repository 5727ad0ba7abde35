"""The rule for pairs that were measured in lockstep; its statement stands in results/verdict.py."""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist, fmean

from results.gate.runs import (
    ALPHA,
    LEAST_FLOOR,
    TOGETHER,
    all_strategies,
    cpu_change,
    renamed,
    samples_of,
    software_between,
    unfit,
    verdict_on,
)
from results.gate.statistics import Location, location, student_quantile
from results.gate.table import Comparison, Verdict, percent
from results.saved.history import Run

RESOLUTION = math.log(1.05)
POWER = 0.9  # how surely a change that "could be found" is found

Pair = tuple[Run, Run]  # A's and B's, round n of one beside round n of the other
Ratios = list[float]  # log(B / A) of the rounds of one pair, in order


def compare_pairs(pairs: Sequence[Pair], alpha: float = ALPHA) -> Comparison:
    """Judge every benchmark by the pairs of processes that were measured in lockstep."""
    baseline, candidate = [a for a, _ in pairs], [b for _, b in pairs]
    names = list(dict.fromkeys(name for run in (*baseline, *candidate) for name in run.samples))
    values = {name: _values(pairs, name) for name in names}
    verdicts = {name: _judge(name, pairs, values[name], alpha) for name in names}
    judged = [v.name for v in verdicts.values() if v.kind == "strategy" and v.change is not None]
    remarks = []
    if len(judged) > 1:
        common = together([values[name] for name in judged])
        for name in judged:
            verdicts[name] = replace(verdicts[name], own=location(_less(values[name], common)).estimate)
        everything = judge_values(TOGETHER, "together", common, alpha)
        remarks.append(all_strategies(everything, [verdicts[name] for name in judged]))
        verdicts[TOGETHER] = everything
    remarks += renamed(list(verdicts.values()))
    remarks += [f"{v.name}: {v.reason}" for v in verdicts.values() if v.reason]
    if judged:
        found = [f"{name} {percent(findable(values[name], alpha, len(pairs)))}" for name in judged]
        remarks.append(f"Such changes are found here in 9 of 10 times: {', '.join(found)}.")
    return Comparison(
        verdicts=list(verdicts.values()),
        software=software_between(baseline, candidate),
        remarks=remarks,
        what_more="more minutes are",
    )


def log_ratios(ours: Sequence[float], theirs: Sequence[float]) -> Ratios:
    """log(B / A) of each round of a pair."""
    return [math.log(b / a) for a, b in zip(ours, theirs, strict=True)]


def together(strategies: Sequence[Sequence[Ratios]]) -> list[Ratios]:
    """The ratios of the strategy that moved as the middle one of all: half of them moved at least as far.

    Of an even number, the mean of the two in the middle. One that moved alone is never the middle; a median
    over the strategies round by round would follow it where the others are noisy.
    """
    ranked = sorted(strategies, key=lambda values: location(values).estimate)
    middle = ranked[(len(ranked) - 1) // 2 : len(ranked) // 2 + 1]
    return [[fmean(turn) for turn in zip(*pair, strict=True)] for pair in zip(*middle, strict=True)]


def _less(values: Sequence[Ratios], common: Sequence[Ratios]) -> list[Ratios]:
    return [[x - y for x, y in zip(*pair, strict=True)] for pair in zip(values, common, strict=True)]


def judge_values(name: str, kind: str, values: Sequence[Ratios], alpha: float) -> Verdict:
    """Judge one benchmark by its pairs' ratios."""
    found, runs = location(values), (len(values), len(values))
    return verdict_on(name, kind, found.shift(alpha), noise_floor(found), RESOLUTION, runs)


def noise_floor(found: Location) -> float:
    """What unchanged pairs differ by: twice the standard error, and 2 % at the least."""
    return max(LEAST_FLOOR, 2 * found.error)


def findable(values: Sequence[Ratios], alpha: float, pairs: int) -> float:
    """The least change that so many pairs, as noisy as these, call in 9 of 10 cases."""
    if pairs < 2:
        return math.inf
    error = location(values).error * math.sqrt(len(values) / pairs)
    needed = max(LEAST_FLOOR, student_quantile(alpha, pairs - 1) * error)
    return needed + NormalDist().inv_cdf(POWER) * error


def _judge(name: str, pairs: Sequence[Pair], values: list[Ratios], alpha: float) -> Verdict:
    ours, theirs = (samples_of([pair[side] for pair in pairs], name) for side in (0, 1))
    verdict = unfit(name, ours, theirs)
    if verdict is not None:
        return verdict
    if len(values) < len(pairs):
        reason = "not every pair has it, round for round, on both sides"
        runs = (len(ours), len(theirs))
        return Verdict(name=name, kind=ours[0].kind, word="not comparable", runs=runs, reason=reason)
    verdict = judge_values(name, ours[0].kind, values, alpha)
    return replace(verdict, cpu=cpu_change(ours, theirs))


def _values(pairs: Sequence[Pair], name: str) -> list[Ratios]:
    both = [(a.samples[name], b.samples[name]) for a, b in pairs if name in a.samples and name in b.samples]
    return [log_ratios(a.rounds, b.rounds) for a, b in both if len(a.rounds) == len(b.rounds)]
