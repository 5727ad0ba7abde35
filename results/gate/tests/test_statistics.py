"""The rank test and its interval: against counting by hand, and on noise."""

import math
import random
from itertools import combinations
from statistics import median, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.gate.statistics import _counts, _critical, location, shift, spread, student_quantile

values = st.lists(st.floats(-5, 5), min_size=1, max_size=12)


@pytest.mark.parametrize(("first", "second"), [(1, 1), (2, 3), (5, 5), (4, 7)])
def test_the_distribution_is_that_of_all_orders(first: int, second: int) -> None:
    counted = [0] * (first * second + 1)
    places = range(first + second)
    for ours in combinations(places, first):
        theirs = [place for place in places if place not in ours]
        counted[sum(a < b for a in ours for b in theirs)] += 1
    assert _counts(first, second) == tuple(counted)


@pytest.mark.parametrize("runs", [(5, 5), (6, 6), (8, 8), (5, 20), (25, 40)])
def test_no_more_orders_are_significant_than_alpha_allows(runs: tuple[int, int]) -> None:
    counts, critical = _counts(*runs), _critical(*runs, 0.005)
    assert critical is not None
    assert sum(counts[: critical + 1]) <= 0.005 * math.comb(sum(runs), runs[0])
    assert sum(counts[: critical + 2]) > 0.005 * math.comb(sum(runs), runs[0])


def test_few_runs_decide_nothing() -> None:
    moved = shift([0.0] * 4, [9.0] * 4, 0.005)
    assert (moved.is_later, moved.low, moved.high) == (False, -math.inf, math.inf)


@given(values, values)
def test_swapping_the_sides_mirrors_everything(ours: list[float], theirs: list[float]) -> None:
    there, back = shift(ours, theirs, 0.005), shift(theirs, ours, 0.005)
    assert there.estimate == pytest.approx(-back.estimate)
    assert (there.is_later, there.is_earlier) == (back.is_earlier, back.is_later)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.low <= there.estimate <= there.high


@given(values)
def test_equal_groups_never_moved(ours: list[float]) -> None:
    moved = shift(ours, ours, 0.005)
    assert not moved.is_later
    assert not moved.is_earlier


def test_large_groups_agree_with_small_ones_in_kind() -> None:
    chance = random.Random(5)
    ours, theirs = ([chance.gauss(mean, 1) for _ in range(60)] for mean in (0.0, 1.5))
    moved = shift(ours, theirs, 0.005)
    assert moved.is_later
    assert 0 < moved.low < moved.estimate < moved.high < 3


def test_the_interval_holds_the_shift() -> None:
    chance = random.Random(6)
    held = 0
    for _ in range(400):
        ours, theirs = ([chance.gauss(mean, 1) for _ in range(8)] for mean in (0.0, 0.7))
        moved = shift(ours, theirs, 0.05)
        held += moved.low <= 0.7 <= moved.high
    assert 0.87 * 400 <= held <= 0.97 * 400


def test_spread_is_the_standard_deviation_of_normal_values() -> None:
    chance = random.Random(7)
    sample = [chance.gauss(0, 3) for _ in range(600)]
    assert spread(sample) == pytest.approx(3, rel=0.1)
    assert spread([*sample, 1e9]) == pytest.approx(3, rel=0.1)
    assert spread([1.0]) == math.inf


@pytest.mark.parametrize(
    ("alpha", "freedom", "printed"),  # in any table of Student's t
    [
        (0.025, 1, 12.706),
        (0.025, 2, 4.303),
        (0.005, 5, 4.032),
        (0.005, 6, 3.707),
        (0.05, 7, 1.895),
        (0.0005, 30, 3.646),
    ],
)
def test_quantiles_of_students_t(alpha: float, freedom: int, printed: float) -> None:
    assert student_quantile(alpha, freedom) == pytest.approx(printed, abs=6e-4)


def test_the_centre_is_the_mean_of_what_lies_near_and_a_wild_value_has_little_say() -> None:
    near = [[0.9], [1.0], [1.1], [1.0], [0.95], [1.05]]
    assert location(near).estimate == pytest.approx(1.0)
    assert location([*near, [50.0]]).estimate == pytest.approx(location([*near, [5.0]]).estimate)
    assert location([*near, [50.0]]).estimate < 1.05


def test_a_far_value_pulls_as_one_at_the_clip_does() -> None:
    """Around their median, 1, these lie 2 away in the middle: the clip is at 2 / 0.6745."""
    values = [[-1.0], [1.0]] * 4 + [[10.0]]
    reach = 2 / 0.6745
    centre = reach / 8
    assert location(values).estimate == pytest.approx(centre)
    squares = 4 * (1 + centre) ** 2 + 4 * (1 - centre) ** 2 + reach**2
    assert location(values).error == pytest.approx(math.sqrt(squares * 9 / 8) / 8)


@pytest.mark.parametrize(("scatter", "luck"), [(1.0, 0.0), (1.0, 2.0), (0.0, 1.0)])
def test_the_error_counts_groups_where_they_share_their_luck(scatter: float, luck: float) -> None:
    chance, estimates, errors = random.Random(9), [], []
    for _ in range(300):
        groups = []
        for _ in range(15):
            shared = chance.gauss(0, luck)
            groups.append([shared + chance.gauss(0, scatter) for _ in range(4)])
        found = location(groups)
        estimates.append(found.estimate)
        errors.append(found.error)
    assert median(errors) == pytest.approx(stdev(estimates), rel=0.15)


def test_one_group_and_equal_values() -> None:
    assert location([[1.0, 2.0]]).shift(0.005).low == -math.inf
    assert location([[1.0], [1.0], [1.0]]).estimate == 1.0
    assert location([[1.0], [1.0], [1.0]]).shift(0.005).is_later
