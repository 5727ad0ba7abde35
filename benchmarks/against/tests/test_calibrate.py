"""Calibration: what it counts, on made-up pairs, and that what is shipped can be counted again."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.against import calibrate
from benchmarks.against.ab import ROUNDS
from benchmarks.against.calibrate import SETS, STORAGE, gather, take
from benchmarks.against.neighbour import ROLES, schedule
from benchmarks.against.tests.fake_side import fake_side
from results.gate import resampling
from results.gate.resampling import contradictions, false_alarms, power, report, report_planted, values_of


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "DRAWS", 100)


STRATEGIES, REQUESTS = ("sequential", "threads"), ("threads", "threads, p95")


def made_set(
    scatter: float, *, slower: float = 1.0, pairs: int = 40, names: Sequence[str] = STRATEGIES
) -> dict[str, Any]:
    """Pairs of 20 s whose rounds scatter so much, B's threads slower."""
    chance, taken = random.Random(8), []
    for _ in range(pairs):
        sides = {
            side: {
                name: [(slower if side + name == "Bthreads" else 1) * chance.lognormvariate(0, scatter)] * 3
                for name in names
            }
            for side in "AB"
        }
        taken.append({"seconds": 20.0, **sides})
    return {"set": "made", "planted": "", "pairs": taken}


def test_quiet_pairs_find_small_changes_and_raise_no_alarm() -> None:
    pairs = values_of(made_set(0.01))
    slower, judged, used = false_alarms(pairs, 30)
    assert judged == 300
    assert slower <= 3
    assert used < 0.4  # decided at the first look
    assert power(pairs, "threads", 5, 30) > 0.9
    assert power(pairs, "threads", 1, 30) < 0.2  # under the floor
    assert power(pairs, "all strategies", 8, 30) > 0.9


def test_noisy_pairs_find_less_and_raise_no_more_alarms() -> None:
    pairs = values_of(made_set(0.1, pairs=400))  # so many that their own mean is near 0
    slower, judged, _ = false_alarms(pairs, 30)
    assert slower <= 0.02 * judged
    assert power(pairs, "threads", 3, 30) < 0.5
    assert power(pairs, "threads", 25, 30) > 0.9


def test_both_rules_agree_on_the_same_pairs() -> None:
    against, judged = contradictions(made_set(0.03), 8, 30)
    assert judged == 200
    assert against <= 0.01 * judged


def test_what_is_reported() -> None:
    lines = report(made_set(0.01))
    assert lines[0] == "made: 40 pairs of the same code, 20 s each; 100 resampled"
    assert lines[2].startswith("  2 min (6 pairs): ")
    assert sum("+25% found: 100.0% in sequential" in line for line in lines) == 3
    planted = report_planted({**made_set(0.01, slower=1.08), "planted": "threads:8"}, made_set(0.01))
    assert planted[2].startswith("  threads: slower, +8.")
    assert "unchanged" in planted[2]
    assert "unchanged" not in report_planted({**made_set(0.01), "planted": "threads:8"}, None)[2]


def test_requests_are_not_judged_together() -> None:
    lines = report(made_set(0.01, names=REQUESTS))
    assert any("threads, p95" in line for line in lines)
    assert not any("all strategies" in line for line in lines)
    assert false_alarms(values_of(made_set(0.01, names=REQUESTS)), 30)[1] == 200


def test_sets_are_taken_and_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "this_side", lambda letter, _="": fake_side(tmp_path, letter))
    chosen = calibrate.Set(name="quiet", pairs=2)
    take(chosen, tmp_path / "kept")
    take(chosen, tmp_path / "kept")  # goes on, and there is nothing left to take
    kept = gather(chosen, tmp_path / "kept")
    assert len(kept["pairs"]) == 2
    assert [len(kept["pairs"][0][side]["threads"]) for side in "AB"] == [ROUNDS] * 2
    assert json.loads(json.dumps(kept)) == kept


def test_what_is_shipped_can_be_counted_again() -> None:
    for chosen in SETS:
        kept = json.loads((STORAGE / f"{chosen.name}.json").read_text())
        assert len(kept["pairs"]) >= chosen.pairs
        assert values_of(kept)


def test_the_neighbour_is_busy_half_of_the_time_with_one_core_then_two() -> None:
    first, second, memory = ([*zip(range(400), schedule(1, role), strict=False)] for role in ROLES)
    for series in (first, memory):
        pauses, bursts = (sum(pair[n] for _, pair in series) for n in (0, 1))
        assert 0.4 < bursts / (pauses + bursts) < 0.6
    assert [burst > 0 for _, (_, burst) in second[:4]] == [False, True, False, True]
    assert sum(map(sum, (pair for _, pair in first))) == pytest.approx(sum(map(sum, (p for _, p in second))))
