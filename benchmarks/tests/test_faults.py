"""Faulty strategies, planted as their authors would add them: caught by name, and saved nowhere."""

import os
import re
from pathlib import Path
from re import MULTILINE

import pytest

from benchmarks.strategies import STRATEGIES
from fixtures.testing.suite_runner import ROOT, run_suite, saved

SPEED = "benchmarks/test_speed.py"
SLOW = [name for name in STRATEGIES if name.endswith("processes")]  # left out
FAULTS = f"""
calls = []

def pytest_configure(config):
    from benchmarks.strategies import STRATEGIES, Strategy
    from benchmarks.strategies.one_decoder import sequential

    def off_by_one(workload, workers):
        return sequential(workload, workers).roll(1, 0)

    def one_pixel(workload, workers):
        frames = sequential(workload, workers)
        frames[1, 0, 0, 0] ^= 1
        return frames

    def drops_one(workload, workers):
        return sequential(workload, workers)[:-1]

    def swaps_two(workload, workers):
        frames = sequential(workload, workers)
        return frames[[0, 2, 1, *range(3, len(frames))]] if len(frames) > 2 else frames

    def wrong_later(workload, workers):
        calls.append(workload)
        return sequential(workload, workers) if len(calls) < 4 else one_pixel(workload, workers)

    for fault in (off_by_one, one_pixel, drops_one, swaps_two, wrong_later):
        STRATEGIES[fault.__name__.replace("_", "-")] = Strategy(fault)
    for slow in {SLOW}:
        del STRATEGIES[slow]
"""


@pytest.mark.parametrize(
    "order",
    [
        pytest.param([], id="one by one", marks=pytest.mark.long),
        pytest.param(["--interleave"], id="in turns"),
    ],
)
def test_faulty_strategies_are_caught_and_leave_no_trace(
    order: list[str], small_video: Path, tmp_path: Path
) -> None:
    (tmp_path / "faults.py").write_text(FAULTS)
    done = run_suite(
        *order, "-p", "faults", SPEED, "-k", "decode", "--video", small_video, "--rounds=2",
        "--warmup-rounds=0", "--benchmark-autosave", f"--benchmark-storage={tmp_path}",
        PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    failures = dict(re.findall(r"^FAILED \S+\[(.*?)\] - (?:Failed: )?(.*)$", done.stdout, MULTILINE))
    assert set(failures) == {"off-by-one", "one-pixel", "drops-one", "swaps-two", "wrong-later"}
    for said in (
        r"off-by-one: sample 0 \(frame 0 of the video\) differs .* it is sequential's sample 6",
        r"one-pixel: sample 1 \(frame 12 of the video\) differs .* 0.00543 % of its values, by 1 at most",
        r"drops-one returned \[6, 3, 64, 96\] of uint8, .* the first difference is at sample 6",
        r"swaps-two: sample 1 \(frame 12 of the video\) differs .* it is sequential's sample 2",
        r"wrong-later(, in its last round,)?: sample 1",
    ):
        assert re.search(said, done.stdout), said
    (history,) = saved(tmp_path)
    assert [b["param"] for b in history["benchmarks"]] == [name for name in STRATEGIES if name not in SLOW]
    assert re.search(r"^one-pixel +not timed .* FAILED$", done.stdout, MULTILINE)


def test_nothing_is_saved_where_nothing_was_proven(small_video: Path, tmp_path: Path) -> None:
    (tmp_path / "faults.py").write_text(FAULTS)
    done = run_suite(
        "-p", "faults", SPEED, "-k", "wrong-later", "--video", small_video, "--rounds=3",
        "--benchmark-autosave", f"--benchmark-storage={tmp_path}",
        f"--benchmark-json={tmp_path / 'out.json'}", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "wrong-later, in its last round,: sample 1" in done.stdout
    assert not saved(tmp_path)
    assert not (tmp_path / "out.json").exists()
