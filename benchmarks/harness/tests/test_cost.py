import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from benchmarks.harness.cost import CostMeter
from benchmarks.limits import LIMITS, needed_frames
from benchmarks.limits.shares import decode_shares, prepare_shares
from benchmarks.strategies.joblib_workers import shared_processes, stop_processes
from exactframes import survey
from exactframes.output import open_output, shared_output
from fixtures.testing.corpus import make_video
from fixtures.workload import read_workload

BUSY = "import time\nwhile time.process_time() < 0.5: pass"
HUNGRY = "x = bytearray(300_000_000)\nimport time\ntime.sleep(0.6)"


def run_python(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True)


def test_cpu_time_of_children_counts() -> None:
    with CostMeter() as meter:
        run_python(BUSY)
        with meter.cpu_uncounted():
            run_python(BUSY)
    assert 0.5 <= meter.cost.cpu_seconds < 1.0


def test_memory_of_this_process_and_its_children_counts() -> None:
    with CostMeter() as meter:
        run_python(HUNGRY)
    assert 0.3e9 <= meter.cost.extra_bytes < 0.4e9
    with CostMeter() as meter:
        torch.ones(200_000_000, dtype=torch.uint8)
        ours = torch.ones(200_000_000, dtype=torch.uint8)
    assert 0.19e9 <= meter.cost.extra_bytes < 0.45e9
    assert meter.cost.peak_bytes >= meter.cost.extra_bytes
    assert ours.numel()


def test_the_limit_decodes_what_the_plan_needs(tmp_path: Path) -> None:
    video = make_video(tmp_path / "video.mp4", "-c:v", "libx264", "-g", "10")
    workload = read_workload(video, (3, 30, 31, 70), "exact")
    kept = survey(video, workload.indices, "exact").kept
    for limit, packets in ((LIMITS["limit-all-frames"], 75), (needed_frames, kept)):
        folder = tmp_path / limit.__name__
        folder.mkdir()
        shares = prepare_shares(limit(workload), 2, folder)
        assert 1 <= len(shares) <= 2
        count = ("-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0")
        command = ["ffprobe", "-v", "error", "-f", "concat", "-safe", "0", *count]
        counted = [
            int(subprocess.run([*command, str(share)], capture_output=True, check=True).stdout.split()[0])
            for share in shares
        ]
        assert sum(counted) == packets
        decode_shares(shares)


def test_a_limit_that_cannot_decode_says_so(tmp_path: Path) -> None:
    (tmp_path / "share.txt").write_text("file 'missing.mp4'\n")
    with pytest.raises(RuntimeError, match="on a share"):
        decode_shares([tmp_path / "share.txt"])


SHAPE = (75, 64, 96, 3)


def write_and_die(path: str) -> None:
    open_output(SHAPE, path).fill_(1)
    os.kill(os.getpid(), signal.SIGKILL)


def names_in_shared_memory() -> set[str]:
    names = {path.name for path in Path("/dev/shm").glob("*")}  # noqa: S108
    return {name for name in names if not name.startswith("sem.loky-")}  # loky frees these when Python ends


def test_an_error_in_a_worker_leaves_no_shared_memory(tmp_path: Path) -> None:
    video = make_video(tmp_path / "video.mp4", "-c:v", "libx264")
    workload = read_workload(video, tuple(range(75)))
    stop_processes()
    before = names_in_shared_memory()
    video.unlink()
    with pytest.raises(RuntimeError, match="No such file"):
        shared_processes(workload, 2)
    stop_processes()
    assert names_in_shared_memory() <= before


def test_a_killed_worker_leaves_no_shared_memory() -> None:
    stop_processes()
    before = names_in_shared_memory()
    with shared_output(SHAPE) as (_, path), pytest.raises(TerminatedWorkerError):
        Parallel(n_jobs=2, backend="loky")(delayed(write_and_die)(path) for _ in range(2))
    stop_processes()
    assert names_in_shared_memory() <= before


def test_a_shared_output_has_no_name_and_outlives_its_context() -> None:
    before = names_in_shared_memory()
    with shared_output(SHAPE) as (output, path):
        open_output(SHAPE, path)[1].fill_(7)
        if sys.platform == "linux":
            assert names_in_shared_memory() == before
    assert tuple(output.shape) == SHAPE
    assert bool((output[1] == 7).all())
    with pytest.raises(RuntimeError):
        open_output(SHAPE, path)
