"""The indices in contiguous chunks, one a worker: `processes`, `shared-processes`, `threads`, by joblib."""

import contextlib
from collections.abc import Iterator, Sequence

import psutil
import torch
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from torch import Tensor

from benchmarks.strategies.shared import frames_at, split
from exactframes.output import Shape, open_output, shared_output, write_rows
from fixtures.workload import Workload


def processes(workload: Workload, workers: int) -> Tensor:
    """A loky process for each chunk; its frames come back pickled."""
    return _decode_chunks(workload, workers, "loky")


def threads(workload: Workload, workers: int, ffmpeg_threads: int = 1) -> Tensor:
    """A thread for each chunk; TorchCodec releases the GIL while it decodes."""
    return _decode_chunks(workload, workers, "threading", ffmpeg_threads)


def shared_processes(workload: Workload, workers: int) -> Tensor:
    """As `processes`, with the output in shared memory: nothing is pickled, nothing concatenated."""
    run = Parallel(n_jobs=workers, backend="loky")
    chunks = split(range(len(workload.indices)), workers)
    with shared_output(_shape(workload)) as (output, path):
        run(delayed(_decode_rows)(workload, rows, path) for rows in chunks)
        return output.permute(0, 3, 1, 2)


def _decode_rows(workload: Workload, rows: Sequence[int], path: str) -> None:
    frames = frames_at(workload, tuple(workload.indices[row] for row in rows))
    write_rows(open_output(_shape(workload), path), rows, frames)


def _shape(workload: Workload) -> Shape:
    return (len(workload.indices), *workload.frame_size, 3)


def stop_processes() -> None:
    """End loky's worker processes, also where an interrupt has killed the thread that manages them."""
    workers = list(_loky_processes())
    if not workers:
        return
    for worker in workers:  # first: an executor that still has work would wait for it
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.kill()
    get_reusable_executor(reuse=True, kill_workers=True).shutdown(wait=True, kill_workers=True)


def _loky_processes() -> Iterator[psutil.Process]:
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "LokyProcess" in " ".join(child.cmdline()):
                yield child


def _decode_chunks(workload: Workload, workers: int, backend: str, ffmpeg_threads: int = 1) -> Tensor:
    run = Parallel(n_jobs=workers, backend=backend)
    chunks = split(workload.indices, workers)
    return torch.cat(run(delayed(frames_at)(workload, chunk, ffmpeg_threads) for chunk in chunks))
