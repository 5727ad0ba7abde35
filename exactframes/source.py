"""The video as TorchCodec sees it, and TorchCodec's own way of decoding it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torchcodec.decoders import VideoDecoder

LOOK = (
    "codec", "width", "height", "pixel_format", "color_primaries", "color_space",
    "color_transfer_characteristic", "rotation",
)  # fmt: skip
SeekMode = Literal["exact", "approximate"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A video file, how it is read, and what its header says."""

    path: Path
    seek_mode: SeekMode
    stream_index: int
    width: int
    height: int
    fps: float | None  # average frames a second: approximate seek mode finds frames by it
    frames: int  # as many as the header tells, or implies; counted where it tells nothing
    look: tuple[Any, ...]  # what decides how a decoded frame is converted: see look_of
    is_fragmented: bool = False  # whether it is an MP4 or MOV file with movie fragments


def open_source(video: str | os.PathLike[str], seek_mode: SeekMode) -> Source:
    """Read a file's header.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the seek mode is none of TorchCodec's.
        RuntimeError: if FFmpeg cannot read it as a video; TorchCodec's own message.
    """
    path = Path(video)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; give the path of a video")
    if seek_mode not in ("exact", "approximate"):
        raise ValueError(f"seek_mode {seek_mode!r}: give 'exact' or 'approximate'")
    try:  # approximate mode reads the header only: nothing here takes longer for a longer file
        decoder = VideoDecoder(path, seek_mode="approximate")
    except (RuntimeError, ValueError, AssertionError):
        decoder = VideoDecoder(path, seek_mode=seek_mode)
    metadata = decoder.metadata
    if metadata.width is None or metadata.height is None:
        raise RuntimeError(f"{path.name}: its header tells no frame size")
    return Source(
        path=path,
        seek_mode=seek_mode,
        stream_index=decoder.stream_index,
        width=metadata.width,
        height=metadata.height,
        fps=metadata.average_fps_from_header,
        frames=len(decoder),
        look=look_of(decoder),
        is_fragmented=_is_fragmented(path),
    )


def look_of(decoder: VideoDecoder) -> tuple[Any, ...]:
    """What TorchCodec's conversion to RGB depends on: size, pixel format, colours, shape of pixels, rotation.

    Fields that a version of TorchCodec lacks are None.
    """
    return tuple(getattr(decoder.metadata, field, None) for field in LOOK)


def sequential(source: Source, indices: Sequence[int], ffmpeg_threads: int = 1) -> Tensor:
    """TorchCodec's own get_frames_at: uint8 [len(indices), C, H, W].

    Raises:
        IndexError, RuntimeError: TorchCodec's own.
    """
    if not indices:  # get_frames_at refuses an empty list
        return torch.empty((0, 3, source.height, source.width), dtype=torch.uint8)
    decoder = VideoDecoder(source.path, seek_mode=source.seek_mode, num_ffmpeg_threads=ffmpeg_threads)
    return decoder.get_frames_at(list(indices)).data


def _is_fragmented(path: Path) -> bool:
    """Whether an MP4 or MOV file has movie fragments: boxes "moof" (ISO/IEC 14496-12, 8.8.4)."""
    with path.open("rb") as file:
        while len(header := file.read(8)) == 8:
            size, kind = int.from_bytes(header[:4], "big"), header[4:]
            if kind == b"moof":
                return True
            if size == 1:  # a 64-bit size follows (4.2)
                size = int.from_bytes(file.read(8), "big") - 8
            if size < 8:  # 0: up to the end of the file
                return False
            file.seek(size - 8, 1)
    return False


def count_frames(source: Source) -> int:
    """How many frames TorchCodec counts in exact seek mode; it scans the file."""
    return len(VideoDecoder(source.path, seek_mode="exact"))
