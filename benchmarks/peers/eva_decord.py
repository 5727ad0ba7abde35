"""decord, in its maintained build eva-decord: `get_batch` of the wanted indices, as it documents."""

from torch import Tensor

from benchmarks.peers.frames import Frames, as_tensor, empty, in_chunks
from benchmarks.strategies.shared import Indices
from fixtures.workload import Workload

OWN_THREADS = 0  # "auto", decord's default


def default(workload: Workload, workers: int) -> Tensor:  # noqa: ARG001  every peer has this shape
    """Decord's own threading."""
    return as_tensor(_read(workload, workload.indices, OWN_THREADS))


def on_workers(workload: Workload, workers: int) -> Tensor:
    """`workers` codec threads."""
    return as_tensor(_read(workload, workload.indices, workers))


def chunks(workload: Workload, workers: int) -> Tensor:
    """A reader and a single-threaded codec for each chunk."""
    return in_chunks(_read, workload, workers)


def _read(workload: Workload, indices: Indices, threads: int) -> Frames:
    import decord

    if not indices:
        return empty(workload, indices)
    height, width = workload.size or (-1, -1)  # decord's default: as they are
    reader = decord.VideoReader(
        str(workload.video.path), ctx=decord.cpu(0), width=width, height=height, num_threads=threads
    )
    frames: Frames = reader.get_batch(list(indices)).asnumpy()
    return frames
