"""video-reader-rs: `get_batch` of the wanted indices; by itself it chooses between seeking and reading on."""

from torch import Tensor

from benchmarks.peers.frames import Frames, as_tensor, empty, in_chunks
from benchmarks.strategies.shared import Indices
from fixtures.workload import Workload


def default(workload: Workload, workers: int) -> Tensor:  # noqa: ARG001  every peer has this shape
    """Its own threading."""
    return as_tensor(_read(workload, workload.indices, None))


def on_workers(workload: Workload, workers: int) -> Tensor:
    """`workers` codec threads."""
    return as_tensor(_read(workload, workload.indices, workers))


def chunks(workload: Workload, workers: int) -> Tensor:
    """A reader and a single-threaded codec for each chunk."""
    return in_chunks(_read, workload, workers)


def _read(workload: Workload, indices: Indices, threads: int | None) -> Frames:
    from video_reader import PyVideoReader

    if not indices:
        return empty(workload, indices)
    height, width = workload.size or (None, None)
    reader = PyVideoReader(
        str(workload.video.path), threads=threads, target_width=width, target_height=height
    )
    frames: Frames = reader.get_batch(list(indices))
    return frames
