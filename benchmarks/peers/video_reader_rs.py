"""video-reader-rs: `get_batch` of the wanted indices; by itself it chooses between seeking and reading on."""

from benchmarks.peers.frames import Frames, empty
from benchmarks.strategies.shared import Indices
from fixtures.workload import Workload


def read(workload: Workload, indices: Indices, threads: int | None) -> Frames:
    """Read with a reader of its own."""
    from video_reader import PyVideoReader

    if not indices:
        return empty(workload, indices)
    height, width = workload.size or (None, None)
    reader = PyVideoReader(
        str(workload.video.path), threads=threads, target_width=width, target_height=height
    )
    frames: Frames = reader.get_batch(list(indices))
    return frames
