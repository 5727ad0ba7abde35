"""Calibration counts verdicts of `make ab`, on measurements resampled from kept pairs of processes."""

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Any

from results.gate.rule_for_pairs import (
    ALPHA_OF_A_LOOK,
    LEAST_PAIRS,
    LOOKS,
    MINUTES,
    Ratios,
    judge_values,
    log_ratios,
    together,
)
from results.gate.rule_for_runs import RUNS_RESOLUTION, runs_floor
from results.gate.statistics import location, shift, spread
from results.gate.verdicts import ALPHA, TOGETHER, percent, word_for
from results.schema import P95

DRAWS = 1000
MEASURED_MINUTES = (2, 5, 10)
PLANTS = (3, 5, 8, 10, 15, 25)  # per cent

Values = dict[str, Ratios]  # of one pair, by benchmark


def values_of(kept: dict[str, Any]) -> list[Values]:
    """Each pair's ratios."""
    return [
        {name: log_ratios(pair["A"][name], pair["B"][name]) for name in pair["A"]} for pair in kept["pairs"]
    ]


def series_of(pairs: Sequence[Values]) -> dict[str, list[Ratios]]:
    """The ratios of each benchmark, and of all strategies together, pair by pair."""
    series = {name: [pair[name] for pair in pairs] for name in pairs[0]}
    return series if _are_of_requests(series) else {**series, TOGETHER: together(list(series.values()))}


def _are_of_requests(names: Iterable[str]) -> bool:
    """Whether benchmarks are ways to answer requests: these have a p95, and no verdict together."""
    return any(name.endswith(P95) for name in names)


def words(pairs: Sequence[Values], alpha: float) -> dict[str, str]:
    """The verdict on each benchmark, and on all strategies together."""
    verdicts = {n: judge_values(n, "strategy", values, alpha) for n, values in series_of(pairs).items()}
    return {name: verdict.word for name, verdict in verdicts.items()}


def measured(pairs: Sequence[Values]) -> tuple[dict[str, str], int]:
    """The verdicts of `make ab` on pairs in this order, and the number of pairs after which it decides."""
    for share in LOOKS:
        seen = max(LEAST_PAIRS, math.ceil(share * len(pairs)))
        found = words(pairs[:seen], ALPHA_OF_A_LOOK)
        if "inconclusive" not in found.values():
            break
    return found, seen


def resampled(pairs: Sequence[Any], count: int, seed: str) -> Iterator[list[Any]]:
    """Measurements of so many pairs, drawn from these."""
    chance = random.Random(seed)  # noqa: S311
    for _ in range(DRAWS):
        yield chance.choices(pairs, k=count)


def planted(pairs: Sequence[Values], name: str, percent_: float) -> list[Values]:
    """The same pairs with B slower in this benchmark, or in all."""
    more = math.log1p(percent_ / 100)
    return [{n: _moved(x, more) if name in (n, TOGETHER) else x for n, x in pair.items()} for pair in pairs]


def _moved(ratios: Ratios, more: float) -> Ratios:
    return [ratio + more for ratio in ratios]


def false_alarms(pairs: Sequence[Values], count: int) -> tuple[int, int, float]:
    """Verdicts "slower" on unchanged code, of how many, and the share of the time that was used."""
    slower = judged = used = 0
    for drawn in resampled(pairs, count, f"alarms {count}"):
        found, seen = measured(drawn)
        slower += sum(word == "slower" for word in found.values())
        judged += len(found)
        used += seen
    return slower, judged, used / (DRAWS * count)


def power(pairs: Sequence[Values], name: str, percent_: float, count: int) -> float:
    """How often work of this size, planted in this benchmark, is called slower."""
    drawn = resampled(planted(pairs, name, percent_), count, f"{name} {percent_} {count}")
    return sum(measured(pairs)[0][name] == "slower" for pairs in drawn) / DRAWS


def contradictions(kept: dict[str, Any], percent_: float, count: int) -> tuple[int, int]:
    """How often the rule for saved runs gives the opposite word, or a disjoint interval, on the same data."""
    against = judged = 0
    for drawn in resampled(kept["pairs"], count, f"both {percent_}"):
        for name in drawn[0]["A"]:
            more = math.log1p(percent_ / 100)
            a, b = ([math.log(median(pair[side][name])) for pair in drawn] for side in "AB")
            b = [x + more for x in b]
            runs = shift(a, b, ALPHA)
            paired = [_moved(log_ratios(pair["A"][name], pair["B"][name]), more) for pair in drawn]
            verdict = judge_values(name, "strategy", paired, ALPHA)
            assert verdict.low is not None
            assert verdict.high is not None
            opposite = {verdict.word, word_for(runs, runs_floor(a, b), RUNS_RESOLUTION)} == {
                "slower",
                "faster",
            }
            against += opposite or verdict.low > runs.high or verdict.high < runs.low
            judged += 1
    return against, judged


def report(kept: dict[str, Any]) -> list[str]:
    """The figures of one set of unchanged pairs."""
    pairs, each = values_of(kept), median(pair["seconds"] for pair in kept["pairs"])
    names = list(series_of(pairs))
    spreads = ", ".join(f"{name} {_scatter(pairs, name):.1%}" for name in pairs[0])
    lines = [
        f"{kept['set']}: {len(pairs)} pairs of the same code, {each:.0f} s each; {DRAWS} resampled",
        f"  spread of a round's ratio: {spreads}",
    ]
    for minutes in MEASURED_MINUTES:
        count = max(LEAST_PAIRS, round(60 * minutes / each))
        slower, judged, used = false_alarms(pairs, count)
        alarms = f"{slower} of {judged} verdicts are false alarms; decided after {used:.0%} of it"
        lines.append(f"  {minutes} min ({count} pairs): {alarms}")
        for plant in PLANTS:
            found = ", ".join(f"{power(pairs, name, plant, count):.1%} in {name}" for name in names)
            lines.append(f"    +{plant}% found: {found}")
    count = round(60 * MINUTES / each)
    for plant in (0, 8):
        against, judged = contradictions(kept, plant, count)
        lines.append(f"  +{plant}%, the rule over runs says the contrary: {against} of {judged}")
    return lines


def report_planted(kept: dict[str, Any], same: dict[str, Any] | None) -> list[str]:
    """The change that really planted work makes, its verdict, and the scatter of its ratios.

    Args:
        kept: pairs with planted work.
        same: pairs without, under the same conditions; None if there are none.
    """
    pairs, unchanged = values_of(kept), values_of(same) if same else []
    lines = [f"{kept['set']}: {len(pairs)} pairs, planted {kept['planted']}"]
    verdicts, _ = measured(pairs)
    for name in pairs[0]:
        found = location([pair[name] for pair in pairs])
        spreads = f"spread {_scatter(pairs, name):.1%}"
        spreads += f" (unchanged {_scatter(unchanged, name):.1%})" if unchanged else ""
        lines.append(f"  {name}: {verdicts[name]}, {percent(found.estimate)} +- {found.error:.1%}, {spreads}")
    return lines


def _scatter(pairs: Sequence[Values], name: str) -> float:
    return spread([ratio for pair in pairs for ratio in pair[name]])
