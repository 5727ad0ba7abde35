"""Decode only the packets that the requested frames need: the library exactframes, on one thread or several.

The file is planned and cut as part of the work, and its time is the strategy's. Where that declines,
TorchCodec decodes sequentially, and a FallbackWarning gives the reason.
"""

from functools import partial

from torch import Tensor

from exactframes import decode_frames
from fixtures.workload import Workload


def pruned(workload: Workload, workers: int) -> Tensor:  # noqa: ARG001  every strategy has this shape
    """Excerpts one after the other, on one thread."""
    return _decode(workload, workers=1)


def pruned_threads(workload: Workload, workers: int, ffmpeg_threads: int = 1) -> Tensor:
    """Threads take excerpts as they get free; each writes into its rows of one output."""
    return _decode(workload, workers=workers, ffmpeg_threads=ffmpeg_threads)


def pruned_processes(workload: Workload, workers: int) -> Tensor:
    """Excerpts handed to worker processes, which write into one output in shared memory."""
    return _decode(workload, workers=workers, processes=True)


def _decode(workload: Workload, *, workers: int, ffmpeg_threads: int = 1, processes: bool = False) -> Tensor:
    decode = partial(decode_frames, seek_mode=workload.seek_mode, processes=processes, size=workload.size)
    return decode(workload.video.path, workload.indices, workers=workers, ffmpeg_threads=ffmpeg_threads)
