"""decord, in its maintained build decord2: `get_batch` of the wanted indices, as it documents."""

from benchmarks.peers.frames import Frames, empty
from benchmarks.strategies.shared import Indices
from fixtures.workload import Workload


def read(workload: Workload, indices: Indices, threads: int | None) -> Frames:
    """Read with a reader of its own."""
    import decord

    if not indices:
        return empty(workload, indices)
    height, width = workload.size or (-1, -1)  # decord's default: as they are
    size = {"width": width, "height": height}
    path, own = str(workload.video.path), 0  # "auto", decord's default
    reader = decord.VideoReader(path, ctx=decord.cpu(0), num_threads=threads or own, **size)
    frames: Frames = reader.get_batch(list(indices)).asnumpy()
    return frames
