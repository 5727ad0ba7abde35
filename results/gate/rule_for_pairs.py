"""The rule for pairs that were measured in lockstep: whether B is slower than A.

Round n of A and round n of B stood side by side, so each gives y = log(B / A). The change is estimated as m,
the centre of all y by Huber (1964): near the centre a mean, far out a median, so that a round in which a
neighbour began to work has little weight. The unit is the pair of processes, because what changes from start
to start is common to its rounds: m's standard error e is taken from the pairs' sums (Liang and Zeger 1986).
With P pairs,

    slower        the t test of Student (1908) with P - 1 degrees of freedom calls m above 0, and m > floor
    faster        the same the other way round
    same          neither, and the upper end of m's interval is under 5 %: a larger slowdown is excluded
    inconclusive  else: more minutes are needed

    alpha = 0.005, one-sided, over all looks (Bonferroni): three looks, after 1/4, 1/2 and all of the time
    floor = max(2 %, 2 e); interval: m -+ t(alpha, P - 1) e

"all strategies" is judged by the ratios of the strategy whose change is the middle one of all. Pairs are
assumed to be independent of each other. How the estimator was chosen, and what it finds in quiet and noise:
docs/lockstep.md. The rule cannot see a change under the floor, nor one that appears only at another size of
the workload, or only without the other side (both are in memory, though one sleeps).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist, fmean

from results.gate.sides import judge_if_fit, remarks_on, sides_of, software_between
from results.gate.statistics import Location, location, student_quantile
from results.gate.verdicts import ALPHA, LEAST_FLOOR, TOGETHER, Comparison, Verdict, percent, verdict_on
from results.saved.pairs import Pair
from results.schema import Record

PAIRS_RESOLUTION = math.log(1.05)  # "same" excludes a slowdown of this size
LOOKS = (0.25, 0.5, 1.0)  # shares of the time after which all is judged; each look has a share of alpha
ALPHA_OF_A_LOOK = ALPHA / len(LOOKS)
MINUTES = 10.0  # of measuring at the most, unless the user says otherwise
LEAST_PAIRS = 3  # before the first look
POWER = 0.9  # how surely a change that "could be found" is found

Ratios = list[float]  # log(B / A) of the rounds of one pair, in order


def compare_pairs(pairs: Sequence[Pair], alpha: float = ALPHA) -> Comparison:
    """Judge every benchmark by the pairs of processes that were measured in lockstep."""
    baseline, candidate = [a for a, _ in pairs], [b for _, b in pairs]
    sides = sides_of(baseline, candidate)
    values = {name: _values(pairs, name) for name in sides}
    verdicts = {n: _judge(n, *side, values[n], len(pairs), alpha) for n, side in sides.items()}
    judged = [verdict.name for verdict in verdicts.values() if verdict.is_judged_strategy]
    everything = None
    if len(judged) > 1:
        common = together([values[name] for name in judged])
        for name in judged:
            verdicts[name] = replace(verdicts[name], own=location(_less(values[name], common)).estimate)
        everything = judge_values(TOGETHER, "together", common, alpha)
    remarks = remarks_on(everything, list(verdicts.values()))
    under_test = [verdict.name for verdict in verdicts.values() if verdict.is_under_test]
    if under_test:
        found = [f"{name} {percent(findable(values[name], alpha, len(pairs)))}" for name in under_test]
        remarks.append(f"Such changes are found here in 9 of 10 times: {', '.join(found)}.")
    return Comparison(
        verdicts=[*verdicts.values(), *([everything] if everything else [])],
        software=software_between(baseline, candidate),
        remarks=remarks,
        what_more="more minutes are",
    )


def log_ratios(ours: Sequence[float], theirs: Sequence[float]) -> Ratios:
    """log(B / A) of each round of a pair."""
    return [math.log(b / a) for a, b in zip(ours, theirs, strict=True)]


def together(strategies: Sequence[Sequence[Ratios]]) -> list[Ratios]:
    """The ratios of the strategy whose change is the middle one of all: half of them moved at least as far.

    For an even number, it is the mean of the two in the middle. One that moved alone is never the middle; a
    median over the strategies round by round would follow it if the others are noisy.
    """
    ranked = sorted(strategies, key=lambda values: location(values).estimate)
    middle = ranked[(len(ranked) - 1) // 2 : len(ranked) // 2 + 1]
    return [[fmean(turn) for turn in zip(*pair, strict=True)] for pair in zip(*middle, strict=True)]


def _less(values: Sequence[Ratios], common: Sequence[Ratios]) -> list[Ratios]:
    return [[x - y for x, y in zip(*pair, strict=True)] for pair in zip(values, common, strict=True)]


def judge_values(name: str, kind: str, values: Sequence[Ratios], alpha: float) -> Verdict:
    """Judge one benchmark by its pairs' ratios."""
    found, runs = location(values), (len(values), len(values))
    return verdict_on(name, kind, found.shift(alpha), pairs_floor(found), PAIRS_RESOLUTION, runs)


def pairs_floor(found: Location) -> float:
    """How much unchanged pairs may differ: twice the standard error, at least 2 %."""
    return max(LEAST_FLOOR, 2 * found.error)


def findable(values: Sequence[Ratios], alpha: float, pairs: int) -> float:
    """The smallest change that so many pairs, as noisy as these, find in 9 of 10 cases."""
    if pairs < 2:
        return math.inf
    error = location(values).error * math.sqrt(len(values) / pairs)
    needed = max(LEAST_FLOOR, student_quantile(alpha, pairs - 1) * error)
    return needed + NormalDist().inv_cdf(POWER) * error


def _judge(  # noqa: PLR0913, PLR0917
    name: str, ours: list[Record], theirs: list[Record], values: list[Ratios], pairs: int, alpha: float
) -> Verdict:
    def judge() -> Verdict:
        if len(values) == pairs:
            return judge_values(name, ours[0].kind, values, alpha)
        reason = "not every pair has it, round for round, on both sides"
        runs = (len(ours), len(theirs))
        return Verdict(name=name, kind=ours[0].kind, word="not comparable", runs=runs, reason=reason)

    return judge_if_fit(name, ours, theirs, judge)


def _values(pairs: Sequence[Pair], name: str) -> list[Ratios]:
    both = [(a.benchmarks.get(name), b.benchmarks.get(name)) for a, b in pairs]
    found = [(ours.rounds, theirs.rounds) for ours, theirs in both if ours and theirs]
    return [log_ratios(a, b) for a, b in found if len(a) == len(b)]
