"""The video as TorchCodec sees it, and TorchCodec's own way of decoding it."""

import math
import stat
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor
from torchcodec.decoders import VideoDecoder
from torchcodec.transforms import DecoderTransform, Resize

from exactframes.arguments import checked_indices, whole_size
from exactframes.boxes import Boxes, look_at
from exactframes.media import apart, path_of

LOOK = (
    "codec", "width", "height", "pixel_format", "color_primaries", "color_space",
    "color_transfer_characteristic", "rotation",
)  # fmt: skip
SeekMode = Literal["exact", "approximate"]
Size = int | tuple[int, int]  # of frames that are given: the shorter side, or (height, width)
Stamp = tuple[int, int]  # of a file: its size, and when it was last changed
KINDS = {
    stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe (FIFO)", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A video file, how it is read, and what its header says."""

    path: Path  # or a name for it, if it is not a file
    seek_mode: SeekMode
    stream_index: int
    width: int
    height: int
    fps: float | None  # average frames a second: approximate seek mode finds frames by this rate
    frames: int  # as many as the header states or implies; counted if it states nothing
    look: tuple[Any, ...]  # what decides how a decoded frame is converted: see look_of
    stamp: Stamp | None = None  # the file's, when its header was read
    size: tuple[int, int] | None = None  # (height, width) that decoders resize frames to; None: as they are
    boxes: Boxes = field(default_factory=Boxes)  # of an MP4 or MOV file
    given: Any = None  # what TorchCodec takes, if that is not the path
    never_seeks: bool = False  # frames are to be as if decoded from the first packet

    @property
    def video(self) -> Any:
        """What TorchCodec takes."""
        return self.path if self.given is None else self.given

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame as it is given."""
        return math.prod(self.shape(1))

    def shape(self, frames: int) -> tuple[int, int, int, int]:
        """The shape of so many frames as they are given: [frames, height, width, 3]."""
        height, width = self.size or (self.height, self.width)
        return (frames, height, width, 3)

    def checked(self, indices: Iterable[int]) -> list[int]:
        """Check the indices, and return them as plain numbers, none negative.

        Raises:
            TypeError, ValueError, IndexError: as checked_indices does.
        """
        return checked_indices(indices, self._count, self.path.name, self.frames)

    def _count(self) -> int:
        """The number of frames that TorchCodec's decoder has."""
        return count_frames(self) if self.seek_mode == "exact" else self.frames


def open_source(video: Any, seek_mode: SeekMode, size: Size | None = None) -> Source:
    """Read a video's header.

    Args:
        video: what TorchCodec takes: a path, a URL, bytes, a tensor, a file-like object.
        seek_mode: TorchCodec's.
        size: to which decoders resize frames.

    Raises:
        FileNotFoundError: if there is no such file.
        TypeError: if it cannot hold a video; TorchCodec's own.
        OSError: if it is not a file (the message says what it is), or cannot be accessed.
        ValueError: if the seek mode is not one of TorchCodec's, or the size is not valid.
        RuntimeError: if FFmpeg cannot read it as a video; TorchCodec's own message.
    """
    # Absolute: FFmpeg takes what stands before a colon for a protocol; and the working directory may change.
    path = path_of(video)
    stamp = None if path is None else _file_stamp(Path(video))
    given = video if path is None else path
    if seek_mode not in ("exact", "approximate"):
        raise ValueError(f"seek_mode {seek_mode!r}: give 'exact' or 'approximate'")
    try:  # approximate mode reads only the header: a longer file takes no longer here
        decoder = VideoDecoder(apart(given), seek_mode="approximate")
    except (RuntimeError, ValueError, AssertionError):
        decoder = VideoDecoder(apart(given), seek_mode=seek_mode)
    path = path or Path("the video")
    metadata = decoder.metadata
    if metadata.width is None or metadata.height is None:
        raise RuntimeError(f"{path.name}: its header tells no frame size")
    height, width = metadata.height, metadata.width
    return Source(
        path=path,
        seek_mode=seek_mode,
        stream_index=decoder.stream_index,
        width=width,
        height=height,
        size=None if size is None else target_size(size, height, width),
        fps=metadata.average_fps_from_header,
        frames=len(decoder),
        look=look_of(decoder),
        boxes=look_at(given),
        stamp=stamp,
        given=given,
    )


def _file_stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{path}: no such file; give the path of a video") from None
    if not stat.S_ISREG(found.st_mode):
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "no regular file")
        error = IsADirectoryError if stat.S_ISDIR(found.st_mode) else OSError
        raise error(f"{path} is {kind}: give the path of a video")
    return (found.st_size, found.st_mtime_ns)


def while_unchanged(source: Source, made: Iterable[T]) -> Generator[T, None, None]:
    """Give what is made of a file as long as the file stays as it was opened.

    Raises:
        RuntimeError: once the file has been written to, replaced or removed, in place of any other error.
    """
    items = iter(made)
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except Exception:
            _require_unchanged(source)
            raise
        _require_unchanged(source)
        yield item
        del item  # a batch is large, and the next may take long to make


def _require_unchanged(source: Source) -> None:
    if source.stamp is None:
        return
    try:
        stamp = _file_stamp(source.path)
    except OSError:
        stamp = None
    if source.stamp != stamp:
        raise RuntimeError(f"{source.path.name} has changed while its frames were read: open it again")


def target_size(size: Size, height: int, width: int) -> tuple[int, int]:
    """The (height, width) that frames get; for one number as torchvision's Resize computes it.

    Raises:
        ValueError: if the size is not one whole number of 1 or more, or two.
    """
    wanted = whole_size(size)
    if not isinstance(wanted, int):
        return wanted
    longer = int(wanted * max(height, width) / min(height, width))
    return (wanted, longer) if height <= width else (longer, wanted)


def resizing(size: tuple[int, int] | None) -> list[DecoderTransform]:
    """The transforms of a decoder that gives frames of this (height, width); none if they keep theirs."""
    return [] if size is None else [Resize(size)]


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
        return torch.empty(source.shape(0), dtype=torch.uint8).permute(0, 3, 1, 2)
    return open_decoder(source, ffmpeg_threads).get_frames_at(list(indices)).data


def open_decoder(source: Source, ffmpeg_threads: int) -> VideoDecoder:
    """A decoder of the whole file."""
    return VideoDecoder(
        apart(source.video),
        seek_mode=source.seek_mode,
        num_ffmpeg_threads=ffmpeg_threads,
        transforms=resizing(source.size),
    )


def count_frames(source: Source) -> int:
    """How many frames TorchCodec counts in exact seek mode; it scans the file."""
    return len(VideoDecoder(apart(source.video), seek_mode="exact"))
