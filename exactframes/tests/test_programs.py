"""Worker processes of whole programs: they end with them, whatever else these do."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from exactframes.tests.ended import has_ended
from fixtures.testing.corpus import make_video
from fixtures.testing.suite_runner import ROOT

pytestmark = pytest.mark.long  # interpreters are started, which load torch


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("programs") / "video.mp4", "-c:v", "libx264", "-g", "5")


@contextmanager
def running(script: str, *arguments: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """A program in a session of its own, of which nothing is left in the end."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, stdout=pipe, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def output_of(script: str, *arguments: str | Path, seconds: float = 60) -> str:
    """What a program prints that ends well, and in time."""
    with running(script, *arguments) as process:
        told, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, told
    return told


WORKING = """
import itertools, os, sys, threading, time
from exactframes import processes
from exactframes.excerpt import excerpts
from exactframes.output import shared_output
from exactframes.source import open_source
from exactframes.workers import on_processes

def tell():
    while sum(worker.is_busy for worker in processes._started) < 2:
        time.sleep(0.01)
    pids = [worker.pid for worker in processes._started]
    if sys.argv[2] == "forked unnoticed":
        processes._started.clear()  # as if C had forked: the child holds the sockets open
    if "forked" in sys.argv[2] and os.fork() == 0:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(1, 2)
        time.sleep(40)
        os._exit(0)
    print(*pids, flush=True)

threading.Thread(target=tell, daemon=True).start()
source = open_source(sys.argv[1], "exact")
shape = source.shape(75)
with excerpts(source, range(75), 2) as cut, shared_output(shape) as (_, path):
    on_processes(itertools.cycle(cut), shape, path, 2, 1)
"""


@pytest.mark.parametrize(
    ("end", "how"),
    [
        (signal.SIGTERM, "alone"),
        (signal.SIGKILL, "alone"),
        (signal.SIGINT, "alone"),
        (signal.SIGKILL, "forked"),
        (signal.SIGKILL, "forked unnoticed"),
    ],
)
def test_workers_end_with_their_parent(end: signal.Signals, how: str, video: Path) -> None:
    """It is at work. They hold its standard error, here its output too: that must come to an end."""
    shared = set(os.listdir("/dev/shm")) if sys.platform == "linux" else set()  # noqa: PTH208, S108
    with running(WORKING, video, how) as process:
        assert process.stdout is not None
        workers = [int(pid) for pid in process.stdout.readline().split()]
        assert len(workers) == 2
        process.send_signal(end)
        reading = threading.Thread(target=process.stdout.read, daemon=True)
        reading.start()
        reading.join(10)
        assert not reading.is_alive()
        assert all(has_ended(pid) for pid in workers)
    assert not shared or set(os.listdir("/dev/shm")) == shared  # noqa: PTH208, S108


IN_A_LOADER = """
import os, sys
import torch
from torch.utils.data import DataLoader, Dataset
from exactframes import decode_frames

class Frames(Dataset):
    def __len__(self):
        return 3
    def __getitem__(self, item):
        return decode_frames(sys.argv[1], range(item, 60), workers=2, processes=True)

before = os.listdir("/dev/shm") if sys.platform == "linux" else []
expected = decode_frames(sys.argv[1], range(60))
for item, frames in enumerate(DataLoader(Frames(), None, num_workers=1, multiprocessing_context="fork")):
    assert torch.equal(frames, expected[item:])
del frames
assert not before or os.listdir("/dev/shm") == before
print("done")
"""


def test_in_a_worker_of_a_data_loader(video: Path) -> None:
    """A daemon, which may have no daemons of its own; and torch hands frames on by shared memory."""
    assert output_of(IN_A_LOADER, video).endswith("done\n")


IN_A_POOL = """
import sys, multiprocessing
from concurrent.futures import ProcessPoolExecutor
from exactframes import decode_frames, processes

def shape(first):
    return decode_frames(sys.argv[1], range(first, 60), workers=2, processes=True).shape[0]

if sys.argv[2] == "after use":
    assert shape(0) == 60
    mine = [worker.pid for worker in processes._started]
with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
    assert list(pool.map(shape, [1, 2])) == [59, 58]
if sys.argv[2] == "after use":
    assert shape(3) == 57
    assert sorted(mine) == sorted(worker.pid for worker in processes._started)
print("done")
"""


@pytest.mark.parametrize("when", ["at first", "after use"])
def test_in_a_child_that_is_no_daemon(when: str, video: Path) -> None:
    """It ends when it is done; a fork of a process that has workers starts its own and harms none."""
    assert output_of(IN_A_POOL, video, when).endswith("done\n")


FEW_FILES = """
import os, resource, sys
from exactframes import decode_frames, processes

held = len(os.listdir("/dev/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (held + int(sys.argv[2]),) * 2)
frames = decode_frames(sys.argv[1], range(75), workers=20, processes=True)
print(frames.shape[0], len(processes._started))
"""


@pytest.mark.parametrize("spare", [4, 8, 14])
def test_few_descriptors_are_few_workers(spare: int, video: Path) -> None:
    """The file, its output, and what a start takes leave room for some workers, or for none."""
    frames, workers = map(int, output_of(FEW_FILES, video, str(spare)).split())
    assert frames == 75
    assert (workers == 0) if spare == 4 else (1 <= workers < 10)


UNGUARDED = """
import sys, threading
from exactframes import decode_frames

def decode(workers):
    for _ in range(3):
        counts.append(decode_frames(sys.argv[1], range(60), workers=workers, processes=True).shape[0])

counts = []
threads = [threading.Thread(target=decode, args=(workers,)) for workers in map(int, sys.argv[2:])]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert counts == [60] * 3 * len(threads), counts
"""


@pytest.mark.parametrize(
    "workers",
    ["2", "2 2", "2 3 4 2"],
)
def test_threads_call_at_once(workers: str, video: Path) -> None:
    """From a script without a guard, of which nothing is told."""
    assert not output_of(UNGUARDED, video, *workers.split())
