"""A against B as its users run it: until it is decided, going on after a kill, clear errors."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.against import ab, sides
from benchmarks.against.ab import main, with_defaults
from benchmarks.against.sides import ROOT
from benchmarks.against.tests.fake_side import processes_of

COMMAND = (sys.executable, "-m", "benchmarks.against.tests.fake_side")


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Two sides that measure nothing (fake_side.py); a pair of them takes about a second."""
    command = [*COMMAND, str(folder), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("kept/pairs-*/pair-*"))


def test_it_goes_on_until_all_is_decided(tmp_path: Path) -> None:
    (tmp_path / "factor").write_text("1.08")
    summary = tmp_path / "summary.md"
    done = run(tmp_path, f"--markdown={summary}", "--minutes=0.02")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "Verdict: REGRESSION: threads slower."
    assert "software.torchcodec: A in the baseline, B in the candidate" in done.stdout
    assert "3 pairs in 0.0 of at most 0.02 min: sequential " in done.stderr
    assert "Such changes are found here in 9 of 10 times: " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 110
    assert summary.read_text().startswith("**Verdict: REGRESSION: threads slower.**")
    pairs = len(kept(tmp_path))
    (named,) = tmp_path.glob("kept/pairs-*/sides.json")
    assert json.loads(named.read_text()) == {"A": "torchcodec==A", "B": "torchcodec==B"}
    assert run(tmp_path, "--minutes=0.02").returncode == 1
    assert len(kept(tmp_path)) > pairs  # a new measurement, not the old verdict


def started(folder: Path) -> subprocess.Popen[str]:
    """The same, under way for a long time, one pair finished."""
    command = [*COMMAND, str(folder), "--minutes=99"]
    controller = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while not kept(folder):
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.1))
    return controller


def goes_on_from(pairs: list[str], folder: Path) -> bool:
    """Whether the same command ends in a verdict that rests on these pairs too."""
    done = run(folder, "--minutes=0.02")
    return done.returncode == 0 and bool(pairs) and f"\n{len(pairs)} pairs in " not in f"\n{done.stderr}"


def test_finished_pairs_are_kept_after_an_interrupt(tmp_path: Path) -> None:
    with started(tmp_path) as controller:
        controller.send_signal(signal.SIGTERM)  # as Ctrl-C does, which a job in the background cannot see
        assert controller.stderr is not None
        assert "interrupted: the finished pairs are kept" in controller.stderr.read()
    assert controller.returncode == 130
    assert not processes_of(tmp_path)
    assert goes_on_from(kept(tmp_path), tmp_path)


@pytest.mark.parametrize("victim", ["controller", "A", "B"])
def test_kills_lose_no_finished_pair(victim: str, tmp_path: Path) -> None:
    """SIGKILL at a random moment; then the same command ends in a verdict."""
    with started(tmp_path) as controller:
        os.kill(controller.pid if victim == "controller" else side_of(controller, victim), signal.SIGKILL)
        assert controller.stderr is not None
        told = controller.stderr.read()
    assert controller.returncode == (-9 if victim == "controller" else 2)
    assert (
        victim == "controller" or f"{victim} (torchcodec=={victim}) failed: it was ended by SIGKILL" in told
    )
    deadline = time.monotonic() + 5
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_of(tmp_path)
    assert goes_on_from(kept(tmp_path), tmp_path)


def side_of(controller: subprocess.Popen[str], letter: str) -> int:
    """The process of a side, as soon as there is one."""
    while True:
        for child in psutil.Process(controller.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if f"python-{letter}" in " ".join(child.cmdline()):
                    return child.pid


@pytest.mark.long
def test_a_side_that_cannot_be_built_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "KEPT", tmp_path)
    assert main(["-a", "here", "-b", "torchcodec==not!a!version"]) == 2
    assert "error: B (torchcodec==not!a!version) could not be built: ERROR" in capsys.readouterr().err
    assert main(["-a", "rev:no-such-branch", "-b", "here"]) == 2
    assert "error: A: git knows no revision 'no-such-branch'" in capsys.readouterr().err
    assert main(["-a", "", "-b", "here"]) == 2
    assert "error: A is empty: say what to measure, as in " in capsys.readouterr().err


@pytest.mark.long
def test_a_side_has_its_own_torch_whatever_pip_is_told_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What torch itself pins is left to the one that is asked for; all else is as in constraints.txt."""
    monkeypatch.setattr(sides, "KEPT", tmp_path)
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "none.txt"))
    assert main(["-a", "here", "-b", "torch==2.15.0 torchcodec==not!a!version"]) == 2
    assert "could not be built: ERROR: No matching distribution found" in capsys.readouterr().err
    (pins,) = tmp_path.glob("*/constraints.txt")
    names = {line.partition("==")[0] for line in pins.read_text().splitlines()}
    assert {"numpy", "av", "pytest"} <= names
    assert not [name for name in names if name.startswith(("torch", "nvidia-", "cuda-", "triton"))]


def test_a_damaged_pair_is_named(tmp_path: Path) -> None:
    run(tmp_path, "--minutes=0.02")
    (folder,) = tmp_path.glob("kept/pairs-*")
    (folder / "pair-002" / "B.json").write_text("{")
    folder.rename(folder.parent / folder.name[: len("pairs-") + 12])
    done = run(tmp_path, "--minutes=0.02")
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "pair-002 is damaged" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "told"), [(["--minutes=0"], "give a number above 0"), (["--rounds=3"], "give an even number")]
)
def test_options_out_of_range(options: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["-a", "here", "-b", "here", *options])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ([], [*ab.WORKLOAD, *ab.CHOSEN]),
        (["--seek-mode=exact"], [*ab.WORKLOAD, *ab.CHOSEN, "--seek-mode=exact"]),
        (["--video=a.mp4"], [*ab.CHOSEN, "--video=a.mp4"]),
        (["--workload", "av1", "-k", "pruned"], ["--workload", "av1", "-k", "pruned"]),
    ],
)
def test_a_small_workload_unless_another_is_named(given: list[str], used: list[str]) -> None:
    assert with_defaults(given) == used
