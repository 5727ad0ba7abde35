import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.loads.latencies import STEP, Distribution, bucket_of, percentile

latencies = st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=300)
percents = st.floats(0.1, 100)


@given(latencies, percents)
def test_a_percentile_was_observed_and_is_the_smallest_that_covers(
    found: list[float], percent: float
) -> None:
    value = percentile(found, percent)
    needed = len(found) * percent / 100 - 1e-9
    assert value in found
    assert sum(one <= value for one in found) >= needed
    smaller = [one for one in found if one < value]
    assert not smaller or sum(one <= max(smaller) for one in found) < needed


@given(latencies)
def test_percentiles_rise_up_to_the_largest(found: list[float]) -> None:
    values = [percentile(found, percent) for percent in (1, 50, 90, 95, 99, 100)]
    assert values == sorted(values)
    assert values[-1] == max(found)


def test_percentiles_of_a_hundred() -> None:
    found = [float(number) for number in range(1, 101)]
    assert [percentile(found[::-1], percent) for percent in (50, 90, 95, 99, 100)] == [50, 90, 95, 99, 100]
    assert percentile([3.0], 1) == 3.0


@given(latencies, percents)
def test_a_distribution_tells_percentiles_within_a_step(found: list[float], percent: float) -> None:
    exact, told = percentile(found, percent), Distribution.of(found).percentile(percent)
    assert exact <= told * (1 + 1e-6)
    assert told <= exact * STEP * (1 + 1e-6)


@given(latencies, latencies)
def test_distributions_add_up(one: list[float], other: list[float]) -> None:
    assert Distribution.of(one) + Distribution.of(other) == Distribution.of(one + other)
    assert Distribution.of(one).total == len(one)


@given(st.floats(0, 1e6))
def test_a_latency_lies_in_its_bucket(latency: float) -> None:
    bucket = bucket_of(latency)
    assert STEP**bucket <= max(1e-9, latency) * (1 + 1e-6)
    assert max(1e-9, latency) < STEP ** (bucket + 1) * (1 + 1e-6)


def test_a_distribution_of_nothing() -> None:
    assert Distribution.of([]).total == 0
    with pytest.raises(ValueError, match="has no percentile"):
        Distribution.of([]).percentile(50)
    assert math.isfinite(Distribution.of([0.0]).percentile(50))
