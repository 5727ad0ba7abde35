"""The gate, run as its users do: what it calls, what it refuses, and its exit status."""

import json
import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.testing.suite_runner import ROOT
from results.gate.rule_for_runs import compare, runs_floor
from results.saved.history import SavedRun, read_run
from results.tests.made_runs import STRATEGIES, made_run, noisy_runs, write_run


def gate(baseline: list[str], candidate: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "results.verdict", *baseline, "--against", *candidate, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def words(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {verdict["name"]: verdict["word"] for verdict in json.loads(done.stdout)["verdicts"]}


def test_unchanged_runs_are_the_same(tmp_path: Path) -> None:
    done = gate(noisy_runs(tmp_path, "a"), noisy_runs(tmp_path, "b"))
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "Verdict: no regression."
    assert "nothing differs: the same software on both sides" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 110


def test_one_strategy_that_got_slower_is_told_from_the_rest(tmp_path: Path) -> None:
    sides = noisy_runs(tmp_path, "a"), noisy_runs(tmp_path, "b", threads=1.2)
    done = gate(*sides)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "Verdict: REGRESSION: threads slower."
    assert "Slower: threads; all strategies together moved by +" in done.stdout
    assert words(gate(*sides, "--json")) == {
        "sequential": "same",
        "threads": "slower",
        "pruned-threads": "same",
        "limit-all-frames": "same",
        "all strategies": "slower",
    } or words(gate(*sides, "--json"))["all strategies"] in {"same", "inconclusive"}
    assert gate(sides[1], sides[0]).returncode == 0
    assert "Verdict: no regression; faster: threads" in gate(sides[1], sides[0]).stdout


def test_everything_slower_together_is_the_shared_path(tmp_path: Path) -> None:
    done = gate(noisy_runs(tmp_path, "a"), noisy_runs(tmp_path, "b", every=1.2))
    assert done.returncode == 1
    assert "Everything got slower together (+" in done.stdout
    assert "the shared decode path" in done.stdout


def test_a_slower_machine_is_no_regression(tmp_path: Path) -> None:
    done = gate(noisy_runs(tmp_path, "a"), noisy_runs(tmp_path, "b", machine=1.3))
    assert done.returncode == 0, done.stdout
    assert "The machine moved by +" in done.stdout


def test_limits_that_moved_with_ffmpeg_tell_nothing_of_the_machine(tmp_path: Path) -> None:
    slow = noisy_runs(tmp_path, "b", machine=1.3)
    for path in slow:
        Path(path).write_text(Path(path).read_text().replace('"libavcodec": "59"', '"libavcodec": "60"'))
    done = gate(noisy_runs(tmp_path, "a"), slow)
    assert done.returncode == 1
    assert "software.ffmpeg.libavcodec: 59 in the baseline, 60 in the candidate" in done.stdout


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("work__video_sha256", "zz", "work.video_sha256: aa in the baseline, zz in the candidate"),
        ("work__indices_digest", "zz", "work.indices_digest: bb in the baseline, zz in the candidate"),
        ("work__seek_mode", "exact", "work.seek_mode: approximate in the baseline, exact in the candidate"),
        ("machine__cpu_model", "B", "machine.cpu_model: A in the baseline, B in the candidate"),
        ("machine__usable_cpus", 16, "machine.usable_cpus: 2 in the baseline, 16 in the candidate"),
    ],
)
def test_other_work_is_not_comparable(field: str, value: Any, told: str, tmp_path: Path) -> None:
    other = write_run(tmp_path / "other.json", made_run(dict.fromkeys(STRATEGIES, 1.0), **{field: value}))
    done = gate(noisy_runs(tmp_path, "a"), [other])
    assert done.returncode == 2
    assert told in done.stdout
    assert done.stdout.splitlines()[-1] == "Verdict: NOT COMPARABLE."


def test_a_file_of_another_name_with_the_same_bytes_is_comparable(tmp_path: Path) -> None:
    runs = [made_run(dict.fromkeys(STRATEGIES, 1.0), work__video="b.mp4") for _ in range(8)]
    done = gate(
        noisy_runs(tmp_path, "a"), [write_run(tmp_path / f"b{n}.json", run) for n, run in enumerate(runs)]
    )
    assert done.returncode == 0


def test_missing_and_new_benchmarks_are_listed(tmp_path: Path) -> None:
    less = [write_run(tmp_path / f"l{n}.json", made_run({"sequential": 1.0}, n)) for n in range(6)]
    more = [
        write_run(tmp_path / f"m{n}.json", made_run({"sequential": 1.0, "novel": 1.0}, n)) for n in range(6)
    ]
    missing, new = gate(more, less), gate(less, more)
    assert missing.returncode == 1
    assert missing.stdout.splitlines()[-1] == "Verdict: REGRESSION: novel missing."
    assert new.returncode == 0
    assert words(gate(less, more, "--json"))["novel"] == "new"


def test_what_may_have_been_renamed_is_told(tmp_path: Path) -> None:
    old, new = (
        [
            write_run(tmp_path / f"{name}{n}.json", made_run({"sequential": 1.0, name: 1.0}, n))
            for n in range(6)
        ]
        for name in ("threads", "chunks")
    )
    done = gate(old, new)
    assert done.returncode == 1
    assert "Missing: threads; new: chunks: if that is a new name of the same thing" in done.stdout


def test_few_or_noisy_runs_are_inconclusive(tmp_path: Path) -> None:
    done = gate(noisy_runs(tmp_path, "a", runs=3), noisy_runs(tmp_path, "b", runs=3, threads=1.5))
    assert done.returncode == 3
    assert "more runs are needed" in done.stdout
    assert gate(noisy_runs(tmp_path, "c", noise=0.3), noisy_runs(tmp_path, "d", noise=0.3)).returncode == 3


def test_an_unproven_run_is_not_comparable(tmp_path: Path) -> None:
    run = made_run({"sequential": 1.0, "threads": 1.0})
    run["benchmarks"][1]["extra_info"]["proof"] = None
    done = gate([write_run(tmp_path / "a.json", run)], [write_run(tmp_path / "b.json", run)])
    assert done.returncode == 2
    assert "threads: a run has no proof that its frames were right" in done.stdout


def sides(before: float, after: float, scatter: float = 0.0005) -> tuple[list[SavedRun], list[SavedRun]]:
    """Six runs a side whose threads took about so long: by ranks, the slightest difference is sure."""

    def runs(seconds: float) -> list[SavedRun]:
        made = (made_run({"threads": seconds * (1 + scatter * n)}, n) for n in range(6))
        return [read_run(run, "") for run in made]

    return runs(before), runs(after)


@pytest.mark.parametrize(
    ("after", "word"),
    [(1.015, "same"), (1.025, "slower"), (0.985, "same"), (0.975, "faster"), (1.1, "slower")],
)
def test_a_sure_change_under_the_floor_is_not_called(after: float, word: str) -> None:
    (verdict,) = compare(*sides(1.0, after)).verdicts
    assert verdict.word == word
    assert verdict.floor == pytest.approx(math.log(1.02))


def test_the_floor_grows_with_the_noise_of_the_runs() -> None:
    """Twice the standard error: here the spread is 0.2 / 0.954 on either side, whatever the rest does."""
    runs = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    expected = 2 * 0.2 / 0.954 * math.sqrt(1 / 6 + 1 / 6)
    assert runs_floor(runs, runs) == pytest.approx(expected)
    assert runs_floor(runs, [x + 9 for x in runs]) == pytest.approx(expected)
    assert runs_floor([0.0], runs) == pytest.approx(2 * 0.2 / 0.954 * math.sqrt(1 + 1 / 6))
    assert runs_floor([0.0], [0.0]) == math.inf


@pytest.mark.parametrize(("scatter", "word"), [(0.02, "same"), (0.05, "inconclusive")])
def test_unchanged_runs_are_the_same_only_if_they_cannot_be_much_slower(scatter: float, word: str) -> None:
    (verdict,) = compare(*sides(1.0, 1.0, scatter)).verdicts
    assert verdict.word == word
    assert verdict.high is not None
    assert (verdict.high < math.log(1.15)) == (word == "same")


def test_damaged_files_are_named_and_left_out(tmp_path: Path) -> None:
    good = noisy_runs(tmp_path, "a")
    for name, text in {"cut": '{"benchmarks": [', "empty": "", "list": "[]", "other": '{"a": 1}'}.items():
        (tmp_path / f"{name}.json").write_text(text)
        good.append(str(tmp_path / f"{name}.json"))
    done = gate(good, noisy_runs(tmp_path, "b"))
    assert done.returncode == 0
    for name in ("cut", "empty", "list", "other"):
        assert f"{name}.json is left out: it is damaged, or no history of this suite" in done.stderr
    alone = gate([str(tmp_path / "cut.json")], good)
    assert alone.returncode == 2
    assert "none of the files could be read" in alone.stderr
    assert gate(["nothing-here"], good).returncode == 2
    assert "Traceback" not in done.stderr + alone.stderr


def test_markdown_and_json(tmp_path: Path) -> None:
    sides = noisy_runs(tmp_path, "a"), noisy_runs(tmp_path, "b", threads=1.25)
    lines = gate(*sides, "--markdown").stdout.splitlines()
    assert lines[0].startswith("**Verdict: REGRESSION: threads")
    rows = [line for line in lines if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1
    content = json.loads(gate(*sides, "--json").stdout)
    threads = next(verdict for verdict in content["verdicts"] if verdict["name"] == "threads")
    assert content["exit_status"] == 1
    assert threads["low"] < 0.223 < threads["high"]  # log(1.25)
    assert threads["floor"] >= 0.019
    assert threads["own"] > 0.05
    assert threads["cpu"] == pytest.approx(threads["change"], abs=0.05)


def test_noise_alone_is_rarely_called_slower() -> None:
    """1,600 verdicts on groups of 6 runs that differ by chance, drift within the run included."""
    chance = random.Random(11)
    called = judged = 0
    for _ in range(400):
        sides = [
            [
                read_run(made_run({name: luck * chance.lognormvariate(0, 0.1) for name in STRATEGIES}), "")
                for luck in (chance.lognormvariate(0, 0.05) for _ in range(6))
            ]
            for _ in range(2)
        ]
        verdicts = compare(sides[0], sides[1]).verdicts
        judged += len(verdicts)
        called += sum(verdict.word == "slower" for verdict in verdicts)
    assert judged == 2000
    assert called <= 0.01 * judged
