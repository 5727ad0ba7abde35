"""A against B as its users run it: until it is decided, going on after an interrupt or a kill, and clear errors."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from results import ab
from results.ab import main, with_defaults
from results.gate import sides

COMMAND = (sys.executable, "-m", "results.gate.fake_side")


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Two sides that measure nothing (results/gate/fake_side.py); a pair of them takes about a second."""
    command = [*COMMAND, str(folder), *options]
    return subprocess.run(command, cwd=ab.ROOT, capture_output=True, text=True, timeout=120, check=False)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("kept/pairs-*/pair-*"))


def processes_of(folder: Path) -> list[int]:
    return [p.pid for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]


def test_it_goes_on_until_all_is_decided(tmp_path: Path) -> None:
    (tmp_path / "factor").write_text("1.08")
    summary = tmp_path / "summary.md"
    done = run(tmp_path, f"--markdown={summary}", "--minutes=0.2")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "Verdict: REGRESSION: threads slower."
    assert "software.torchcodec: A in the baseline, B in the candidate" in done.stdout
    assert "3 pairs in 0.0 of at most 0.2 min: sequential " in done.stderr
    assert "4 pairs" not in done.stderr  # decided at the first look
    assert "A change is found here in 9 of 10 times if it is " in done.stdout
    assert max(map(len, done.stdout.splitlines()[:6])) <= 110
    assert summary.read_text().startswith("**Verdict: REGRESSION: threads slower.**")
    again = run(tmp_path, "--minutes=0.2")  # a new measurement, not the old verdict
    assert again.returncode == 1
    assert kept(tmp_path) == ["pair-001", "pair-002", "pair-003"] * 2


def test_finished_pairs_are_kept_after_an_interrupt(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, str(tmp_path), "--minutes=9"], cwd=ab.ROOT, stderr=subprocess.PIPE, text=True
    ) as first:
        while len(kept(tmp_path)) < 2:
            time.sleep(0.05)
        first.send_signal(signal.SIGTERM)  # as Ctrl-C does, which a job in the background cannot see
        assert first.stderr is not None
        assert "interrupted: the finished pairs are kept" in first.stderr.read()
    assert first.returncode == 130
    assert not processes_of(tmp_path)
    assert len(kept(tmp_path)) == 2
    done = run(tmp_path, "--minutes=9")
    assert done.returncode == 0
    assert "3 pairs in " in done.stderr
    assert "2 pairs in " not in done.stderr


def test_kills_lose_no_finished_pair(tmp_path: Path) -> None:
    """SIGKILL of the controller or of a side, at random moments; then the same command ends in a verdict."""
    chance = random.Random(1)
    for kill in ("controller", "A", "B", "controller"):
        before = kept(tmp_path)
        with subprocess.Popen(
            [*COMMAND, str(tmp_path), "--minutes=9"], cwd=ab.ROOT, stderr=subprocess.PIPE, text=True
        ) as first:
            time.sleep(chance.uniform(0.3, 1.2))
            sides_ = [p for p in psutil.Process(first.pid).children() if f"python-{kill}" in " ".join(p.cmdline())]
            for victim in [psutil.Process(first.pid)] if kill == "controller" else sides_:
                victim.kill()
            if not sides_ and kill != "controller":
                first.kill()
            assert first.stderr is not None
            told = first.stderr.read()
        assert first.returncode in ({-9} if kill == "controller" or not sides_ else {2})
        assert first.returncode == -9 or f"{kill} (torchcodec=={kill}) failed: it was ended by SIGKILL" in told
        deadline = time.monotonic() + 5
        while processes_of(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not processes_of(tmp_path)
        assert kept(tmp_path)[: len(before)] == before
    assert run(tmp_path, "--minutes=9").returncode == 0


def test_a_side_that_cannot_be_built_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "KEPT", tmp_path)
    assert main(["-a", "here", "-b", "torchcodec==not!a!version"]) == 2
    assert "error: B (torchcodec==not!a!version) could not be built: ERROR" in capsys.readouterr().err
    assert main(["-a", "rev:no-such-branch", "-b", "here"]) == 2
    assert "error: A: git knows no revision 'no-such-branch'" in capsys.readouterr().err


def test_a_damaged_pair_is_named(tmp_path: Path) -> None:
    run(tmp_path, "--minutes=9")
    (folder,) = tmp_path.glob("kept/pairs-*")
    (folder / "pair-002" / "B.json").write_text("{")
    folder.rename(folder.parent / folder.name[: len("pairs-") + 12])
    done = run(tmp_path, "--minutes=9")
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "pair-002 is damaged" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "told"), [(["--minutes=0"], "give a number above 0"), (["--rounds=3"], "give an even number")]
)
def test_options_out_of_range(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
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
