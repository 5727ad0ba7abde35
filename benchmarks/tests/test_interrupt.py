"""An interrupted run: what was finished is told, nothing is saved, nothing is left behind."""

import contextlib
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from re import MULTILINE

import psutil
import pytest

from fixtures.testing.suite_runner import ROOT, interruptible, saved, suite_command

SPEED = "benchmarks/test_speed.py"


@contextlib.contextmanager
def running_suite(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A run in its own process group, whose output is read while it runs."""
    with interruptible():
        process = subprocess.Popen(
            suite_command(*arguments),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie has ended and only waits for its adoptive parent to notice."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("strategy", "end", "order"),
    [
        pytest.param("processes", signal.SIGINT, [], marks=pytest.mark.long),
        ("pruned-processes", signal.SIGTERM, ["--interleave"]),
    ],
)
def test_interrupt_in_the_middle_of_a_round(
    strategy: str, end: signal.Signals, order: list[str], tmp_path: Path
) -> None:
    """Only the main process gets the signal, as from a CI runner: its workers must go all the same."""
    arguments = [
        *order,
        "-k",
        f"[{strategy}]",
        "--loops=2",
        "--rounds=50",
        "--workers=2",
        f"--basetemp={tmp_path / 'base'}",
    ]
    with running_suite(
        SPEED, *arguments, "--benchmark-autosave", f"--benchmark-storage={tmp_path}"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if re.match(rf"{strategy} +(in turns, )?round 3", line):
                break
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 2
        process.send_signal(end)
        rest = process.stdout.read()
        assert process.wait(30) == 2, rest
        if order:  # two rounds are finished
            assert re.search(r"= decoding, INTERRUPTED: what was finished, saved nowhere =", rest)
            assert re.search(rf"^{strategy} +\d+\.\d{{3}} ± \d.* exact$", rest, MULTILINE)
    _, left = psutil.wait_procs(family, timeout=5)
    assert not [process for process in left if is_alive(process)]
    assert not saved(tmp_path)
    assert not list((tmp_path / "base").rglob("long_video.*"))
    held = [path for path in Path("/dev/shm").glob("*") if str(process.pid) in re.split(r"[-_]", path.name)]  # noqa: S108
    assert not held  # joblib and loky put the process id into their names
