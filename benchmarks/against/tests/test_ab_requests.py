"""Requests in lockstep: throughput and p95 of real sides, each judged; what the options choose."""

import math
from pathlib import Path
from statistics import median

import pytest

from benchmarks.against import ab
from benchmarks.against.ab import with_defaults
from benchmarks.against.lockstep import names_benchmarks, take_pair
from benchmarks.against.sides import SideError, this_side
from benchmarks.against.tests.fake_side import processes_of
from results.gate.rule_for_pairs import compare_pairs
from results.saved.pairs import read_pairs

SMALL = [ab.REQUESTS, "--loops=1", "--requests-a-pass=4"]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ([ab.REQUESTS], [*ab.CHOSEN_OF_REQUESTS, ab.REQUESTS]),
        ([ab.REQUESTS, "-k", "vlm"], [ab.REQUESTS, "-k", "vlm"]),
        ([ab.REQUESTS, "--loops=1"], [*ab.CHOSEN_OF_REQUESTS, ab.REQUESTS, "--loops=1"]),
    ],
)
def test_a_few_ways_unless_others_are_named(given: list[str], used: list[str]) -> None:
    assert with_defaults(given) == used


def test_options_may_name_the_benchmarks() -> None:
    assert names_benchmarks(["--loops=1", "benchmarks/test_requests.py"])
    assert names_benchmarks(["benchmarks/test_requests.py::test_answer"])
    assert not names_benchmarks(["-k", "threads", "--video=a.py", "--loops=1"])


@pytest.mark.long
def test_throughput_and_p95_of_requests_are_judged_each(tmp_path: Path) -> None:
    """Three times its time is planted in B's `kept`: both its figures show it, the other way's do not."""
    sides, options = (this_side("A"), this_side("B", "kept:300")), [*SMALL, *ab.CHOSEN_OF_REQUESTS]
    for _ in range(2):
        take_pair(sides, tmp_path, 2, options)
    pairs = read_pairs(tmp_path)
    names = [f"{way} on clips-closed-1{what}" for way in ("kept", "exactframes") for what in ("", ", p95")]
    for run in (run for pair in pairs for run in pair):
        assert list(run.benchmarks) == names
        assert all(len(sample.rounds) == 2 and sample.is_proven for sample in run.benchmarks.values())
    moved = {
        name: median(
            math.log(theirs / ours)
            for a, b in pairs
            for ours, theirs in zip(a.benchmarks[name].rounds, b.benchmarks[name].rounds, strict=True)
        )
        for name in names
    }
    assert all(moved[name] > math.log(2) for name in names[:2]), moved
    assert all(moved[name] < math.log(2) for name in names[2:]), moved
    comparison = compare_pairs(pairs)
    assert [verdict.name for verdict in comparison.verdicts] == names
    assert all(verdict.cpu is not None for verdict in comparison.verdicts)
    told = " ".join(comparison.remarks)
    assert "Such changes are found here in 9 of 10 times: kept on clips-closed-1 " in told
    assert not processes_of(tmp_path)


@pytest.mark.long
def test_an_open_load_needs_the_same_arrivals_on_both_sides(tmp_path: Path) -> None:
    sides, options = (this_side("A"), this_side("B")), [*SMALL, "-k", "[keyframes-open-80-kept]"]
    with pytest.raises(SideError, match="under an open load: give --arrivals, that both are asked as often"):
        take_pair(sides, tmp_path, 2, options)
    take_pair(sides, tmp_path, 2, [*options, "--arrivals=200"])
    comparison = compare_pairs(read_pairs(tmp_path))
    (verdict,) = comparison.verdicts
    assert (verdict.name, verdict.word) == ("kept on keyframes-open-80, p95", "inconclusive")
    assert not comparison.software
