"""The statistics of two groups of runs, and of pairs, in the standard library alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist, fmean, median


@dataclass(frozen=True, kw_only=True)
class Shift:
    """How much slower the second group is than the first, on a log scale: log(1.1) is 10 % slower."""

    estimate: float
    low: float  # of the interval that holds the shift in all but 2 * alpha of the cases
    high: float
    is_later: bool  # at alpha, one-sided
    is_earlier: bool


def shift(first: Sequence[float], second: Sequence[float], alpha: float) -> Shift:
    """The Hodges-Lehmann estimate of the shift between two groups, its exact interval, and the rank test.

    Mann and Whitney (1947): under no shift every order of the pooled values is equally likely, so the count
    of pairs with second > first has a known distribution. Hodges and Lehmann (1963): the median of all
    pairwise differences estimates the shift, and order statistics of them bound it.

    Args:
        first, second: logarithms of the runs' values.
        alpha: chance of calling a shift in one direction although there is none.
    """
    differences = sorted(b - a for a in first for b in second)
    pairs = len(differences)
    later = sum((d > 0) + (d == 0) / 2 for d in differences)
    critical = _critical(len(first), len(second), alpha)
    if critical is None:  # too few runs for this alpha: nothing can be called, nothing is bounded
        return Shift(
            estimate=median(differences), low=-math.inf, high=math.inf, is_later=False, is_earlier=False
        )
    return Shift(
        estimate=median(differences),
        low=differences[critical],
        high=differences[pairs - 1 - critical],
        is_later=pairs - later <= critical,
        is_earlier=later <= critical,
    )


@dataclass(frozen=True, kw_only=True)
class Location:
    """The centre of values that come in groups, and its standard error."""

    estimate: float
    error: float  # standard error
    groups: int

    def shift(self, alpha: float) -> Shift:
        """The interval by Student's t (1908), groups - 1 degrees of freedom, and the test whether it is 0."""
        reach = student_quantile(alpha, self.groups - 1) * self.error if self.groups > 1 else math.inf
        return Shift(
            estimate=self.estimate,
            low=self.estimate - reach,
            high=self.estimate + reach,
            is_later=self.estimate > reach,
            is_earlier=-self.estimate > reach,
        )


CLIP = 1.0  # standard deviations; a value that lies farther out counts as if it lay here
LEAST_SCALE = 1e-6


def location(groups: Sequence[Sequence[float]]) -> Location:
    """Huber's (1964) estimate of the centre of all values, and its standard error over whole groups.

    A value counts by its distance from the centre, but by no more than CLIP standard deviations (1.48 times
    the median distance from the median): the estimate is a mean of near values, and like a median for far
    ones. Values of a group are not independent, so the error is taken from the groups' sums (the sandwich
    estimator of Liang and Zeger 1986, with the correction G / (G - 1) for few groups).
    """
    values = [value for group in groups for value in group]
    centre = median(values)
    reach = CLIP * max(LEAST_SCALE, median(abs(value - centre) for value in values) / 0.6745)
    for _ in range(100):
        moved = fmean(_clipped(value - centre, reach) for value in values)
        within = sum(abs(value - centre) <= reach for value in values)
        centre += moved * len(values) / max(1, within)
        if abs(moved) < 1e-12:
            break
    within = sum(abs(value - centre) <= reach for value in values)
    pulls = [sum(_clipped(value - centre, reach) for value in group) for group in groups]
    few = len(groups) / (len(groups) - 1) if len(groups) > 1 else math.inf
    error = (
        math.sqrt(sum(pull * pull for pull in pulls) * few) / max(1, within) if len(groups) > 1 else math.inf
    )
    return Location(estimate=centre, error=error, groups=len(groups))


def _clipped(distance: float, reach: float) -> float:
    return max(-reach, min(reach, distance))


@cache
def student_quantile(alpha: float, freedom: int) -> float:
    """The value that Student's t with so many degrees of freedom exceeds with probability alpha < 1/2."""
    low, high = 0.0, 1.0
    while _student_tail(high, freedom) > alpha:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_tail(middle, freedom) > alpha else (low, middle)
    return high


def _student_tail(t: float, freedom: int) -> float:
    """P(T > t) for t >= 0: the finite series of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    angle = math.atan2(t, math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    term = cosine if freedom % 2 else 1.0
    total = term if freedom > 1 else 0.0
    for n in range(3 if freedom % 2 else 2, freedom - 1, 2):
        term *= cosine * cosine * (n - 1) / n
        total += term
    within = 2 / math.pi * (angle + sine * total) if freedom % 2 else sine * total
    return (1 - within) / 2


def spread(values: Sequence[float]) -> float:
    """The standard deviation of one value, from the median of the distances between all pairs.

    For normal values that median is 0.954 standard deviations (Rousseeuw and Croux 1993, before their
    quantile); a few wild values do not change it much.
    """
    distances = [abs(b - a) for n, a in enumerate(values) for b in values[n + 1 :]]
    return median(distances) / 0.954 if distances else math.inf


def _critical(first: int, second: int, alpha: float) -> int | None:
    """The largest count of contrary pairs that is still significant; None if none is.

    Above 1,000 pairs it uses the count's normal approximation, which is then near enough.
    """
    if first * second > 1000:
        deviation = math.sqrt(first * second * (first + second + 1) / 12)
        far = math.floor(first * second / 2 + NormalDist().inv_cdf(alpha) * deviation)
        return far if far >= 0 else None
    counts = _counts(first, second)
    total, below = math.comb(first + second, first), 0
    critical: int | None = None
    for contrary, count in enumerate(counts):
        below += count
        if below > alpha * total:
            break
        critical = contrary
    return critical


@cache
def _counts(first: int, second: int) -> tuple[int, ...]:
    """The number of orders of the pooled values that have 0, 1, 2 .. pairs with second > first.

    They are the Gaussian binomial's coefficients: product of (1 - x^(second + i)) / (1 - x^i), i = 1..first.
    """
    size = first * second + 1
    counts = [1] + [0] * (size - 1)
    for i in range(1, first + 1):
        for n in range(size - 1, second + i - 1, -1):
            counts[n] -= counts[n - second - i]
        for n in range(i, size):
            counts[n] += counts[n - i]
    return tuple(counts)
