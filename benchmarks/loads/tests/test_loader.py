"""A DataLoader answers every request once; when a worker dies, one sentence tells, and nothing is left."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from torch import Tensor

from benchmarks.loads.loader import Loader
from benchmarks.loads.records import LoadError, nothing
from benchmarks.loads.tests.made_up import DYING, FAILING, NUMBERED, stream_of
from fixtures.testing.suite_runner import ROOT


def value(_number: int, frames: Tensor) -> int:
    return int(frames[0, 0, 0, 0])


OTHERS: set[psutil.Process] = set()


def workers() -> list[psutil.Process]:
    """Child processes, but for the resource tracker, which lives on by design."""
    found = set(psutil.Process().children(recursive=True)) - OTHERS
    return [child for child in found if "resource_tracker" not in " ".join(child.cmdline())]


@pytest.fixture(autouse=True)
def _others() -> None:
    """Remember the processes that other tests keep."""
    OTHERS.update(psutil.Process().children(recursive=True))


def shared_memory() -> set[str]:
    folder = Path("/dev/shm")  # noqa: S108
    return {path.name for path in folder.glob("torch_*")} if folder.is_dir() else set()


def require_nothing_left(before: set[str]) -> None:
    deadline = time.monotonic() + 10
    while (workers() or shared_memory() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not workers()
    assert not shared_memory() - before


@pytest.mark.parametrize(("context", "count"), [(None, 0), ("fork", 1), ("fork", 2), ("spawn", 2)])
def test_every_request_is_answered_once_in_all_passes_by_the_same_workers(
    context: str | None, count: int
) -> None:
    before = shared_memory()
    load = Loader(NUMBERED, stream_of(20, videos=3), count, context)
    passes = [load.take(value) for _ in range(2)]
    for found in passes:
        assert [one.number for one in found] == [one.kept for one in found] == list(range(20))
        assert all(one.due == one.started <= one.ended for one in found)
    callers = [{one.caller for one in found} for found in passes]
    assert callers[0] == callers[1]
    assert len(callers[0]) == max(1, count)
    assert [sum(one.is_first for one in found) for found in passes] == [max(1, count), 0]
    load.close()
    require_nothing_left(before)


def take_from_the_dying(context: str, count: int) -> None:
    """Print the sentence that tells of the death; leave nothing behind."""
    before = shared_memory()
    load = Loader(DYING, stream_of(100), count, context)
    with pytest.raises(LoadError) as told:
        load.take(nothing)
    sys.stdout.write(f"{told.value}\n")
    load.close()
    del told
    require_nothing_left(before)


@pytest.mark.parametrize(
    ("context", "count"),
    [
        ("fork", 2),
        pytest.param("fork", 1, marks=pytest.mark.long),
        pytest.param("spawn", 2, marks=pytest.mark.long),
    ],
)
def test_a_worker_that_is_killed_ends_the_pass_in_one_sentence(context: str, count: int) -> None:
    # PyTorch's handler of SIGCHLD raises wherever Python stands, in destructors too. In a process
    # of its own it does not reach pytest, which would take it for the failure of whatever test runs.
    program = f"from {__name__} import take_from_the_dying; take_from_the_dying({context!r}, {count})"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("a DataLoader worker ended in the midst of a pass: it ")
    assert done.stdout.count("\n") == 1


def test_an_error_in_a_worker_is_told() -> None:
    load = Loader(FAILING, stream_of(100), 1, "fork")
    with pytest.raises(RuntimeError, match="the sixth request cannot be answered"):
        load.take(nothing)
    require_nothing_left(shared_memory())
