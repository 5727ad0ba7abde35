"""Calibration: which runs it takes, and what it makes of them."""

from pathlib import Path

from results.calibrate import PLANTS, SAME, report, schedule
from results.made_runs import noisy_runs


def test_planted_runs_are_spread_among_the_others() -> None:
    kinds = schedule(60, 14)
    assert kinds.count(SAME) == 60
    assert all(kinds.count(plant) == 14 for plant in PLANTS)
    halves = [kinds[: len(kinds) // 2].count(kind) for kind in (SAME, *PLANTS)]
    assert halves == [30, 7, 7, 7, 7]


def test_what_is_reported(tmp_path: Path) -> None:
    for number, path in enumerate(noisy_runs(tmp_path / "raw", "x", 30)):
        Path(path).rename(tmp_path / f"{2 * number:03}-same.json")
    for number, path in enumerate(noisy_runs(tmp_path / "raw", "y", 10, threads=1.3)):
        Path(path).rename(tmp_path / f"{6 * number + 1:03}-threads-25.json")
    lines = report(tmp_path, 6, draws=100)
    assert lines[0] == "30 runs of the same code; comparisons of 6 runs with 6, alpha 0.005"
    assert any(line.startswith("  spread between runs, threads: ") for line in lines)
    (alarms,) = [line for line in lines if line.startswith("false alarms: ")]
    assert int(alarms.split()[2]) <= 0.02 * int(alarms.split()[4])
    assert "planted +25% in threads: found in 100 of 100" in lines
    assert not any("+15%" in line for line in lines)
