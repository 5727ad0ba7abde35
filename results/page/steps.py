"""Finds where a series of runs moved, by the rule of results.verdict over windows of runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from results.gate.rule_for_runs import RUNS_RESOLUTION, runs_floor
from results.gate.statistics import shift
from results.gate.verdicts import ALPHA, word_for

WINDOW = 12  # how many runs before and after a place are compared
LEAST = 6  # runs on either side; with fewer, no rank test over so many places can be significant


@dataclass(frozen=True, kw_only=True)
class Step:
    """A run from which on all runs are slower, or faster. Changes are in the logarithm of the time."""

    place: int  # index of the first run that is slower, or faster
    estimate: float
    low: float
    high: float


def find_steps(values: Sequence[float]) -> list[Step]:
    """The steps in a series of comparable runs.

    At every place the runs before it are compared with those after it by the rule of
    results/gate/rule_for_runs.py, with alpha divided by the number of places (Bonferroni): a series that
    never moved shows a step in at most 1 of 100 cases, however long it is. Neighbouring places with the same
    verdict are one step. Its place is where the median before and the median after leave the least absolute
    deviation.

    Args:
        values: logarithms of the runs' values, in order of time.
    """
    places = range(LEAST, len(values) - LEAST + 1)
    called: list[tuple[int, bool]] = []
    for place in places:
        before, after = _around(values, place)
        moved = shift(before, after, ALPHA / len(places))
        if not (moved.is_later or moved.is_earlier):
            continue  # computing the floor takes as long, and is not needed
        word = word_for(moved, runs_floor(before, after), RUNS_RESOLUTION)
        if word in {"slower", "faster"}:
            called.append((place, word == "slower"))
    return [_step(values, group, len(places)) for group in _grouped(called)]


def _around(values: Sequence[float], place: int) -> tuple[list[float], list[float]]:
    return list(values[max(0, place - WINDOW) : place]), list(values[place : place + WINDOW])


def _grouped(called: Sequence[tuple[int, bool]]) -> list[list[int]]:
    groups: list[list[int]] = []
    last: tuple[int, bool] | None = None
    for place, is_slower in called:
        if last and is_slower == last[1] and place - last[0] <= WINDOW // 2:
            groups[-1].append(place)
        else:
            groups.append([place])
        last = (place, is_slower)
    return groups


def _step(values: Sequence[float], group: Sequence[int], places: int) -> Step:
    first, last = max(0, group[0] - WINDOW), group[-1] + WINDOW
    place = min(group, key=lambda p: _deviation(values[first:p]) + _deviation(values[p:last]))
    moved = shift(*_around(values, place), ALPHA / places)
    return Step(place=place, estimate=moved.estimate, low=moved.low, high=moved.high)


def _deviation(values: Sequence[float]) -> float:
    middle = median(values)
    return sum(abs(value - middle) for value in values)
