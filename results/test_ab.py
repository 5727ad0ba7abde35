"""A against B: the order of the runs, going on after an interrupt, and sides that fail."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from results import ab
from results.ab import Side, main
from results.made_runs import STRATEGIES, made_run

# Stands in for the interpreter of an environment: notes each run, and writes its history.
FAKE_PYTHON = """#!{python}
import json, os, re, sys
from pathlib import Path
here = Path({here!r})
with (here / "order").open("a") as order:
    order.write({letter!r})
runs = (here / "order").read_text()
(target,) = [a.partition("=")[2] for a in sys.argv if a.startswith("--benchmark-json=")]
if (here / ("fail" + {letter!r})).exists():
    print("ERROR: TorchCodec does not load")
    sys.exit(4)
if (here / "interrupt").exists() and len(runs) == 5:
    os.kill(os.getppid(), 2)
    import time; time.sleep(5)
content = json.loads((here / "run.json").read_text())
for benchmark in content["benchmarks"]:
    benchmark["extra_info"]["software"]["torchcodec"] = {letter!r}
    benchmark["stats"]["data"] = [{seconds} * (1 + len(runs) / 1000)]
Path(target).write_text(json.dumps(content))
"""


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two environments that are built already: B takes a quarter longer."""
    monkeypatch.setattr(ab, "KEPT", tmp_path)
    monkeypatch.setattr(ab, "ROOT", ab.ROOT)
    (tmp_path / "run.json").write_text(json.dumps(made_run(dict.fromkeys(STRATEGIES, 1.0))))
    for letter, seconds in {"A": 1.0, "B": 1.25}.items():
        side = Side(letter, f"torchcodec=={letter}")
        side.python.parent.mkdir(parents=True)
        script = {"python": sys.executable, "here": str(tmp_path), "letter": letter, "seconds": seconds}
        side.python.write_text(FAKE_PYTHON.format(**script))
        side.python.chmod(0o755)
        (side.home / "ready").touch()
    return tmp_path


def run(*options: str) -> int:
    return main(["-a", "torchcodec==A", "-b", "torchcodec==B", *options])


def test_runs_are_taken_in_turns_and_judged(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = sides / "summary.md"
    status = run("--runs=5", f"--markdown={summary}", "--", "--loops=1")
    told = capsys.readouterr()
    assert (sides / "order").read_text() == "ABBAABBAAB"
    assert status == 1 or "machine moved" in told.out
    assert "software.torchcodec: A in the baseline, B in the candidate" in told.out
    assert "run 3 of 10: B-002 (torchcodec==B), about" in told.err
    assert summary.read_text().startswith("**Verdict:")


def test_finished_runs_are_kept_after_an_interrupt(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sides / "interrupt").touch()
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal
    assert run("--runs=5") == 130
    signal.signal(signal.SIGINT, ignored)
    assert "the finished runs are kept" in capsys.readouterr().err
    (sides / "interrupt").unlink()
    run("--runs=5")
    assert (sides / "order").read_text() == "ABBAA" + "ABBAAB"  # the fifth was interrupted


def test_a_failing_side_is_named(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sides / "failB").touch()
    assert run("--runs=5") == 2
    told = capsys.readouterr().err
    assert "error: a run of B (torchcodec==B) failed: ERROR: TorchCodec does not load" in told
    assert "Traceback" not in told


def test_an_environment_that_cannot_be_built_is_named(
    sides: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-a", "torchcodec==A", "-b", "torchcodec==not!a!version"]) == 2
    assert "error: B (torchcodec==not!a!version) could not be built: ERROR" in capsys.readouterr().err
    assert main(["-a", "rev:no-such-branch", "-b", "torchcodec==B"]) == 2
    assert "error: A: git knows no revision 'no-such-branch'" in capsys.readouterr().err
    assert not (sides / "order").exists()


def test_too_few_runs_are_refused() -> None:
    command = [sys.executable, "-m", "results.ab", "-a", "x", "-b", "y", "--runs", "4"]
    done = subprocess.run(command, cwd=ab.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "fewer than 5 can never decide" in done.stderr
