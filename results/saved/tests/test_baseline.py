"""Baselines: promoted on purpose, never overwritten silently, never from what is unproven."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.testing.suite_runner import ROOT
from results.tests.made_runs import STRATEGIES, made_run, noisy_runs, write_run


def run(storage: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "results.baseline", "--storage", str(storage), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_promote_list_show(tmp_path: Path) -> None:
    runs = noisy_runs(tmp_path / "Linux", "0001_good", runs=5)
    assert run(tmp_path, "list").stdout.startswith("no baselines yet")
    assert run(tmp_path, "promote", "main", *runs).stdout == "baseline main: 5 runs\n"
    assert run(tmp_path, "list").stdout == "main\n"
    shown = run(tmp_path, "show", "main").stdout
    assert shown.startswith("main: 5 runs, 2026-01-01T00:00:00 to 2026-01-01T00:00:04")
    assert all(f"  {strategy} " in shown for strategy in STRATEGIES)


def test_a_name_that_is_taken_is_not_overwritten(tmp_path: Path) -> None:
    old, new = noisy_runs(tmp_path, "old", runs=5), noisy_runs(tmp_path, "new", runs=6)
    assert run(tmp_path, "promote", "main", *old).returncode == 0
    before = (tmp_path / "baselines" / "main.json").read_bytes()
    refused = run(tmp_path, "promote", "main", *new)
    assert refused.returncode == 2
    assert "there is a baseline main already: give another name, or --replace" in refused.stderr
    assert (tmp_path / "baselines" / "main.json").read_bytes() == before
    assert run(tmp_path, "promote", "main", *new, "--replace").returncode == 0
    assert len(json.loads((tmp_path / "baselines" / "main.json").read_text())["runs"]) == 6


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda run: run["benchmarks"][1]["extra_info"].update(proof=None), "threads has no proof"),
        (lambda run: run.update(benchmarks=[]), "it has no benchmarks"),
        (lambda run: run.pop("benchmarks"), "is damaged, or no history of this suite"),
        (
            lambda run: run["benchmarks"][1]["extra_info"].update(work={"seek_mode": "exact"}),
            "the runs are not of one kind: threads, work.",
        ),
        (
            lambda run: run["benchmarks"][1]["extra_info"].update(software={"torch": "9"}),
            "the runs are not of one kind: threads, software.",
        ),
    ],
)
def test_what_cannot_be_a_baseline(spoil: object, sentence: str, tmp_path: Path) -> None:
    runs = noisy_runs(tmp_path, "good", runs=2)
    bad = made_run(dict.fromkeys(STRATEGIES, 1.0))
    assert callable(spoil)
    spoil(bad)
    done = run(tmp_path, "promote", "main", *runs, write_run(tmp_path / "bad.json", bad))
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("baselines/*"))


def test_bad_names_and_nothing_to_promote(tmp_path: Path) -> None:
    runs = noisy_runs(tmp_path, "good", runs=2)
    assert "a baseline's name begins with a letter" in run(tmp_path, "promote", "../x", *runs).stderr
    assert "no such history" in run(tmp_path, "promote", "main", "0009").stderr
    assert "no such history" in run(tmp_path, "show", "main").stderr
    few = run(tmp_path, "promote", "few", *runs)
    assert "fewer than 5 runs can never decide that something is slower" in few.stdout
