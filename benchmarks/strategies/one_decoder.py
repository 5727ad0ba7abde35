"""One decoder for all frames: `sequential`, the baseline, and `ffmpeg-threads`."""

from torch import Tensor

from benchmarks.strategies.shared import frames_at
from fixtures.workload import Workload


def sequential(workload: Workload, workers: int) -> Tensor:  # noqa: ARG001  every strategy has this shape
    """One decoder on one thread."""
    return frames_at(workload, workload.indices)


def ffmpeg_threads(workload: Workload, workers: int) -> Tensor:
    """One decoder whose codec runs on `workers` FFmpeg threads."""
    return frames_at(workload, workload.indices, ffmpeg_threads=workers)
