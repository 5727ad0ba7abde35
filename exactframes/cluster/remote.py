"""What runs on a cluster's workers. They need this library, and nothing else of this project.

Frames go back as one contiguous NumPy array, which distributed sends without copying it (pickle protocol 5,
out of band). An error that would only come again is returned, not raised: distributed would retry.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torchcodec.decoders import VideoDecoder

from exactframes.digests import frame_digests
from exactframes.errors import DeclinedError
from exactframes.excerpt import Excerpt, tasks
from exactframes.output import Planes, Shape
from exactframes.source import SeekMode, Source, resizing, sequential
from exactframes.versions import Versions, versions


@dataclass(frozen=True)
class Answer:
    """A worker's result for a task."""

    value: Any  # frames, uint8 [n, H, W, C]; or digests; or the error that says why there are none
    versions: Versions  # of the worker that did it, which may have joined in the middle of a pass
    cpu_seconds: float  # of the thread that decoded: what a core of its own would have taken


def decode_excerpt(excerpt: Excerpt, shape: Shape, ffmpeg_threads: int) -> Answer:
    """All frames of an excerpt, in the order of its rows: uint8 of this shape, [n, H, W, C]."""

    def decode() -> Planes:
        output = torch.empty(shape, dtype=torch.uint8)
        for task in tasks([excerpt], ffmpeg_threads):
            task.write(output, 0, shape[0])
        return output.numpy()

    return _answer(decode)


def decode_chunk(source: Source, indices: Sequence[int]) -> Answer:
    """Frames of a file that this worker opens by its path: uint8 [n, H, W, C]."""

    def decode() -> Planes:
        _require_seen(source.path)
        return sequential(source, indices).permute(0, 2, 3, 1).contiguous().numpy()

    return _answer(decode)


def digest_video(
    video: str, indices: Sequence[int], seek_mode: SeekMode, size: tuple[int, int] | None, at_once: int
) -> Answer:
    """A digest of each of these frames. The frames stay here, and so many are decoded at a time.

    Args:
        video: the path of a file that this worker sees, or an http(s) URL, which FFmpeg reads by itself.
        indices: which frames.
        seek_mode: TorchCodec's.
        size: (height, width) that frames are resized to; None: as they are.
        at_once: how many frames are in memory at once.
    """

    def decode() -> tuple[bytes, ...]:
        if "://" not in video:
            _require_seen(Path(video))
        digests: list[bytes] = []
        for first in range(0, len(indices), at_once):  # a decoder each, as `sequential` has one for each part
            decoder = VideoDecoder(video, seek_mode=seek_mode, transforms=resizing(size))
            digests += frame_digests(decoder.get_frames_at(list(indices[first : first + at_once])).data)
        return tuple(digests)

    return _answer(decode)


def is_seen(path: str) -> bool:
    """Whether this worker sees such a file."""
    return Path(path).is_file()


def _answer(do: Callable[[], Any]) -> Answer:
    began = time.thread_time()
    try:
        value = do()
    except (DeclinedError, FileNotFoundError) as error:
        value = error
    return Answer(value, _own_versions(), time.thread_time() - began)


_own_versions = lru_cache(versions)


def _require_seen(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file on this worker")
