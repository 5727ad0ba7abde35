"""The rule over pairs, on made-up pairs: each word, each bound, and what cannot be compared."""

import math
import random
from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest

from results.gate.rule_for_pairs import compare_pairs, findable, judge_values, log_ratios, together
from results.gate.verdicts import TOGETHER, Comparison
from results.saved.history import SavedRun, read_run
from results.saved.pairs import Pair
from results.schema import Times
from results.tests.made_runs import made_run
from results.told.comparison import render

ALPHA = 0.005


def values(mean: float, scatter: float, pairs: int) -> list[list[float]]:
    """Pairs of one round, half above the mean and half below: the standard error is scatter/sqrt(P-1)."""
    return [[mean + scatter * (-1) ** number] for number in range(pairs)]


@pytest.mark.parametrize(
    ("series", "word"),
    [
        (values(0.08, 0.01, 10), "slower"),
        (values(-0.08, 0.01, 10), "faster"),
        (values(0.0, 0.01, 10), "same"),
        (values(0.015, 0.001, 10), "same"),  # as sure as can be, but under 2 %
        (values(-0.015, 0.001, 10), "same"),
        (values(0.021, 0.001, 10), "slower"),  # log(1.02) is 0.0198
        (values(-0.021, 0.001, 10), "faster"),
        (values(0.045, 0.1, 10), "inconclusive"),
        (values(0.0, 0.05, 10), "inconclusive"),  # it may be slower by 5.4 %
        (values(0.0, 0.04, 10), "same"),
        ([[0.3]], "inconclusive"),
        (values(0.3, 0.01, 2), "inconclusive"),
    ],
)
def test_words(series: list[list[float]], word: str) -> None:
    assert judge_values("threads", "strategy", series, ALPHA).word == word


def test_a_change_under_the_floor_of_its_own_noise_is_not_called() -> None:
    """At a lax alpha the test alone would call it: the floor, twice the standard error, does not."""
    assert judge_values("threads", "strategy", values(0.059, 0.09, 10), 0.06).word != "slower"  # floor 0.06
    assert judge_values("threads", "strategy", values(0.061, 0.09, 10), 0.06).word == "slower"


def test_the_floor_and_the_interval_are_as_stated() -> None:
    verdict = judge_values("threads", "strategy", values(0.1, 0.2, 4), 0.025)
    error = 0.2 / math.sqrt(3)
    assert verdict.change == pytest.approx(0.1)
    assert verdict.floor == pytest.approx(2 * error)
    reach = 3.182446 * error
    assert (verdict.low, verdict.high) == pytest.approx((0.1 - reach, 0.1 + reach), rel=1e-5)
    assert judge_values("x", "strategy", values(0.1, 0.001, 4), 0.025).floor == pytest.approx(math.log(1.02))


def test_rounds_are_compared_each_with_its_own() -> None:
    assert log_ratios([1, 2], [1.1, 2.4]) == pytest.approx([math.log(1.1), math.log(1.2)])
    with pytest.raises(ValueError, match="zip"):
        log_ratios([1, 1], [1])


def test_what_can_be_found_is_as_stated() -> None:
    """The quantile of t for that many pairs, and 1.2816 more for nine in ten; from the floor on."""
    error = 0.2 / math.sqrt(3)
    assert findable(values(0.1, 0.2, 4), 0.025, 4) == pytest.approx((3.182446 + 1.281552) * error, rel=1e-5)
    half = error / 2  # with four times as many pairs
    assert findable(values(0.1, 0.2, 4), 0.025, 16) == pytest.approx((2.131450 + 1.281552) * half, rel=1e-5)
    small = 0.001 / math.sqrt(3)
    assert findable(values(0, 0.001, 4), 0.025, 4) == pytest.approx(math.log(1.02) + 1.281552 * small)


def test_what_can_be_found() -> None:
    """Nine of ten measurements of that size are called; a quarter smaller, clearly fewer."""
    chance = random.Random(3)

    def noise(size: float) -> list[list[float]]:
        return [[chance.gauss(size, 0.05) for _ in range(4)] for _ in range(12)]

    least = fmean(findable(noise(0), ALPHA, 12) for _ in range(100))

    def called(size: float) -> float:
        return sum(judge_values("x", "s", noise(size), ALPHA).word == "slower" for _ in range(500)) / 500

    assert 0.8 < called(least) < 0.97
    assert called(0.75 * least) < 0.8
    assert findable(noise(0), ALPHA, 48) < 0.8 * least
    assert [math.isfinite(findable(noise(0), ALPHA, pairs)) for pairs in (1, 2)] == [False, True]
    assert findable([[0.1]], ALPHA, 12) == math.inf


def test_noise_alone_is_rarely_called_slower() -> None:
    """Pairs with their own luck, rounds with more of it, and a wild round now and then."""
    chance, called = random.Random(4), 0
    for _ in range(1000):
        series = []
        for _ in range(8):
            luck = chance.gauss(0, 0.01)
            rounds = (chance.gauss(0, 0.05 if chance.random() < 0.9 else 0.5) for _ in range(4))
            series.append([luck + x for x in rounds])
        called += judge_values("x", "strategy", series, ALPHA).word == "slower"
    assert called <= 0.01 * 1000


NAMES = ("sequential", "threads", "pruned-threads")


def made_pairs(
    count: int = 8, *, names: tuple[str, ...] = NAMES, b: dict[str, Any] | None = None, **slower: float
) -> list[Pair]:
    """Pairs in which some of B's strategies are slower; `b` replaces fields of B's identity."""
    chance = random.Random(5)
    pairs = []
    for number in range(count):
        runs = []
        for side in "AB":
            factors = {n: slower.get(n.replace("-", "_"), 1.0) if side == "B" else 1.0 for n in names}
            seconds = {name: factors[name] * chance.lognormvariate(0, 0.01) for name in names}
            run = made_run(seconds, number, **(b or {} if side == "B" else {}))
            runs.append(read_run(run, f"{side}-{number}"))
        pairs.append((runs[0], runs[1]))
    return pairs


def words(comparison: Comparison) -> dict[str, str]:
    return {verdict.name: verdict.word for verdict in comparison.verdicts}


def test_one_strategy_that_got_slower_is_told_from_the_rest() -> None:
    comparison = compare_pairs(made_pairs(threads=1.08))
    same = dict.fromkeys(("sequential", "pruned-threads", TOGETHER), "same")
    assert words(comparison) == {**same, "threads": "slower"}
    assert comparison.exit_status == 1
    threads = next(v for v in comparison.verdicts if v.name == "threads")
    assert threads.own == pytest.approx(math.log(1.08), abs=0.02)
    assert threads.cpu == pytest.approx(math.log(1.08), abs=0.02)
    assert threads.runs == (8, 8)
    assert any(
        line.startswith("Such changes are found here in 9 of 10 times: ") for line in comparison.remarks
    )


@pytest.mark.parametrize(
    ("changes", "middle"), [((0.1, 0.9, 0.2), 0.2), ((0.4, 0.1, 0.9, 0.2), 0.3), ((0.1, 0.5), 0.3)]
)
def test_together_is_how_the_middle_strategy_moved(changes: tuple[float, ...], middle: float) -> None:
    series = [values(change, 0.01, 4) for change in changes]
    assert together(series) == [pytest.approx(pair) for pair in values(middle, 0.01, 4)]


def test_everything_slower_together() -> None:
    comparison = compare_pairs(made_pairs(sequential=1.1, threads=1.2, pruned_threads=1.1))
    threads = next(v for v in comparison.verdicts if v.name == "threads")
    assert threads.own == pytest.approx(math.log(1.2 / 1.1), abs=0.02)
    assert words(comparison)[TOGETHER] == "slower"
    assert any("Everything got slower together (+" in line for line in comparison.remarks)


@pytest.mark.parametrize(
    ("names", "has_all"),
    [(("threads",), False), (("threads", "sequential"), True), (("threads", "limit-all-frames"), False)],
)
def test_two_strategies_are_the_least_that_move_together(names: tuple[str, ...], has_all: bool) -> None:
    comparison = compare_pairs(made_pairs(names=names))
    assert words(comparison) == dict.fromkeys((*names, TOGETHER) if has_all else names, "same")
    assert (comparison.verdicts[0].own is not None) == has_all
    assert not any(remark.endswith(": ") for remark in comparison.remarks)


def test_noise_asks_for_minutes() -> None:
    comparison = compare_pairs(made_pairs(2))
    assert comparison.exit_status == 3
    assert render(comparison)[-1].endswith("more minutes are needed.")


def test_other_work_is_not_comparable() -> None:
    comparison = compare_pairs(made_pairs(b={"work__video_sha256": "zz"}))
    assert comparison.exit_status == 2
    assert any("work.video_sha256: aa in the baseline, zz" in line for line in comparison.remarks)


def test_rounds_that_do_not_pair_are_not_comparable() -> None:
    pairs = made_pairs()
    a, b = pairs[3]
    threads = b.benchmarks["threads"]
    shorter = replace(threads, times=Times(rounds=threads.rounds[:-1]))
    pairs[3] = a, replace(b, benchmarks={**b.benchmarks, "threads": shorter})
    comparison = compare_pairs(pairs)
    assert words(comparison)["threads"] == "not comparable"
    assert any("not every pair has it, round for round" in line for line in comparison.remarks)
    assert words(comparison)["sequential"] == "same"


def without(run: SavedRun, name: str) -> SavedRun:
    return replace(run, benchmarks={n: record for n, record in run.benchmarks.items() if n != name})


def test_missing_and_new() -> None:
    pairs = [(without(a, "sequential"), without(b, "threads")) for a, b in made_pairs()]
    comparison = compare_pairs(pairs)
    assert words(comparison)["threads"] == "missing"
    assert words(comparison)["sequential"] == "new"
    assert any(line.startswith("Missing: threads; new: sequential") for line in comparison.remarks)
