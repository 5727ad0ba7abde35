"""Whether `approximate` and `exact` seek mode give the same frames of a file, and what opening it costs."""

import time
from statistics import median

from torchcodec.decoders import VideoDecoder

from exactframes.digests import frame_digests
from fixtures.settings import SeekMode
from fixtures.workload import Workload

BATCH_BYTES = 200_000_000  # of frames held at a time


def compare_seek_modes(workload: Workload) -> str:
    """One sentence for the header; decodes the workload once in each mode, a batch at a time."""
    approximate, exact = (_digests(workload, mode) for mode in ("approximate", "exact"))
    differing = sum(ours != theirs for ours, theirs in zip(approximate, exact, strict=True))
    costs = " and ".join(f"{1000 * _opening(workload, mode):.0f} ms" for mode in ("approximate", "exact"))
    if not differing:
        return f"approximate and exact give the same {len(exact)} frames; opening takes {costs}"
    return (
        f"DIFFER on {differing} of {len(exact)} frames: approximate, the suite's default, is unsafe on this "
        f"file, use --seek-mode exact; opening takes {costs}"
    )


def _digests(workload: Workload, mode: SeekMode) -> list[bytes | None]:
    """A digest of each frame, None if the mode cannot give it."""
    decoder = VideoDecoder(workload.video.path, seek_mode=mode)
    at_once = max(1, BATCH_BYTES // (3 * workload.video.width * workload.video.height))
    digests: list[bytes | None] = []
    for start in range(0, len(workload.indices), at_once):
        digests += _batch(decoder, list(workload.indices[start : start + at_once]))
    return digests


def _batch(decoder: VideoDecoder, indices: list[int]) -> list[bytes | None]:
    try:
        return list(frame_digests(decoder.get_frames_at(indices).data))
    except (RuntimeError, IndexError):
        if len(indices) == 1:
            return [None]
        return [digest for index in indices for digest in _batch(decoder, [index])]


def _opening(workload: Workload, mode: SeekMode) -> float:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        VideoDecoder(workload.video.path, seek_mode=mode)
        seconds.append(time.perf_counter() - start)
    return median(seconds)
