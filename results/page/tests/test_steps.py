"""Steps: a planted one is found where it is, and runs that never moved have none."""

import math
import random

import pytest

from results.page.steps import find_steps


def series(seed: int, runs: int = 80, step_at: int = 80, factor: float = 1.0) -> list[float]:
    """Logarithms of times with 3 % noise, which take `factor` times as long from one run on."""
    chance = random.Random(seed)
    return [chance.gauss(0, 0.03) + math.log(factor) * (n >= step_at) for n in range(runs)]


@pytest.mark.parametrize("factor", [1.1, 1 / 1.1], ids=["slower", "faster"])
def test_a_planted_step_is_marked_where_it_is(factor: float) -> None:
    right = 0
    for seed in range(40):
        steps = find_steps(series(seed, step_at=40, factor=factor))
        right += len(steps) == 1 and abs(steps[0].place - 40) <= 2
    assert right >= 39


def test_its_size_is_told_with_an_interval() -> None:
    (step,) = find_steps(series(1, step_at=40, factor=1.1))
    assert step.low < math.log(1.1) < step.high
    assert step.estimate == pytest.approx(math.log(1.1), abs=0.03)


def test_runs_that_never_moved_are_marked_nowhere() -> None:
    """Four benchmarks a history: the alpha of each is shared by its places."""
    marked = sum(any(find_steps(series(4 * history + n)) for n in range(4)) for history in range(100))
    assert marked <= 5


def test_two_steps_are_two() -> None:
    up, down = series(3, step_at=30, factor=1.15), series(4, step_at=55, factor=1 / 1.15)
    steps = find_steps([a + b for a, b in zip(up, down, strict=True)])
    assert [step.estimate > 0 for step in steps] == [True, False]
    assert [abs(step.place - at) <= 2 for step, at in zip(steps, (30, 55), strict=True)] == [True, True]


def test_one_wild_run_is_no_step() -> None:
    values = series(5)
    values[40] += 2
    assert find_steps(values) == []


@pytest.mark.parametrize("runs", [0, 1, 5, 12, 13])
def test_few_runs_show_nothing(runs: int) -> None:
    assert find_steps([0.0] * runs) == []
