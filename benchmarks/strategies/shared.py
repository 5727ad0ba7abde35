"""What strategies share: the one way in which they ask TorchCodec for frames, and contiguous chunks."""

from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor
from torchcodec.decoders import VideoDecoder
from torchcodec.transforms import Resize

from fixtures.workload import Workload

Indices = tuple[int, ...]
T = TypeVar("T", Indices, range)


def frames_at(workload: Workload, indices: Indices, ffmpeg_threads: int = 1) -> Tensor:
    """Decode the frames at these indices with a decoder of their own.

    TorchCodec sorts and deduplicates the indices itself, and gives the frames in the order asked for.

    Returns:
        uint8 [len(indices), C, H, W].
    """
    if not indices:  # get_frames_at refuses an empty list
        return torch.empty((0, 3, *workload.frame_size), dtype=torch.uint8)
    decoder = VideoDecoder(
        workload.video.path,
        seek_mode=workload.seek_mode,
        num_ffmpeg_threads=ffmpeg_threads,
        transforms=[] if workload.size is None else [Resize(workload.size)],
    )
    return decoder.get_frames_at(list(indices)).data


def split(indices: T, parts: int) -> list[T]:
    """Split into at most `parts` contiguous chunks, none empty unless there are no indices at all.

    Sizes differ by one at most. No indices give one empty chunk, so that there is always a result.
    """
    parts = max(1, min(parts, len(indices)))
    bounds = [len(indices) * part // parts for part in range(parts + 1)]
    return [indices[start:stop] for start, stop in pairwise(bounds)]
