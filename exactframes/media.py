"""Reads with PyAV what TorchCodec takes as a video: a path, a URL, bytes, a tensor, a file-like object."""

import hashlib
import io
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import av
from av.container import InputContainer
from torch import Tensor

ONE_CONNECTION = {"multiple_requests": "1"}  # without it PyAV's FFmpeg loses packets when it seeks
HEADER_ONLY = {"codec_whitelist": "none", "probesize": "32"}  # no decoder has this name; 32 is the least
SAMPLES = 16  # blocks that are read between a file's first one and its last
BLOCK = 1 << 10  # bytes
SETTLED_NS = 2_000_000_000  # so long after a change, the next one has another time: no clock is coarser


class FileLike(Protocol):
    """What TorchCodec needs of a file-like object."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, or fewer at the end."""

    def seek(self, offset: int, whence: int, /) -> int:
        """Go to a position, and return it."""


def is_url(video: Any) -> bool:
    """Whether FFmpeg reads the video by a protocol of its own."""
    return isinstance(video, str) and "://" in video


def is_file(video: Any) -> bool:
    """Whether the video is given by a path."""
    return isinstance(video, (str, os.PathLike)) and not is_url(video)


def path_of(video: Any) -> Path | None:
    """The path of a file; None if the video is something else."""
    return Path(video).absolute() if is_file(video) else None


def apart(video: Any) -> Any:
    """The video for one more decoder: with a position of its own in a caller's file-like object."""
    return _Aside(video) if hasattr(video, "read") else video


def open_container(video: Any, *, decodes: bool = True) -> InputContainer:
    """Open the video once more, beside other readers.

    Args:
        video: what TorchCodec takes.
        decodes: whether FFmpeg may decode the first frames, to find what the header does not say. It takes
            milliseconds: most of opening a file.

    Raises:
        av.FFmpegError, OSError: if it cannot be read.
    """
    options = {} if decodes else HEADER_ONLY
    if is_url(video):
        return av.open(str(video), options={**ONE_CONNECTION, **options})
    path = path_of(video)  # absolute: FFmpeg takes what stands before a colon for a protocol
    opened: InputContainer = av.open(str(path) if path is not None else _beside(video), options=options)
    return opened


def opened(video: Any) -> Any:
    """A context with read and seek, which have a position of their own in the video.

    Raises:
        OSError: if there is no such file, or the video is a URL.
    """
    if is_url(video):
        raise OSError("what is behind a URL is read by FFmpeg")
    path = path_of(video)
    return path.open("rb") if path is not None else _beside(video)


def _beside(video: Any) -> Any:
    if isinstance(video, bytes):
        return io.BytesIO(video)  # shares the bytes
    if isinstance(video, Tensor):
        return io.BytesIO(video.numpy().tobytes())
    return _Aside(video)


class _Aside:
    """Reads a caller's file-like object, and leaves it at the position where it was."""

    def __init__(self, file: Any) -> None:
        self._file, self._place = file, 0

    def read(self, size: int) -> bytes:
        """Read from our own position on."""
        before = self._file.seek(0, os.SEEK_CUR)
        try:
            self._file.seek(self._place, os.SEEK_SET)
            data: bytes = self._file.read(size)
        finally:
            self._file.seek(before, os.SEEK_SET)
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move our own position."""
        if whence == os.SEEK_CUR:
            offset, whence = self._place + offset, os.SEEK_SET
        before = self._file.seek(0, os.SEEK_CUR)
        try:
            self._place = self._file.seek(offset, whence)
        finally:
            self._file.seek(before, os.SEEK_SET)
        return self._place

    def tell(self) -> int:
        """Our own position."""
        return self._place

    def __enter__(self) -> "_Aside":
        """Open nothing: the file is the caller's."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close nothing."""


@dataclass(frozen=True)
class Identity:
    """Facts by which an index recognises the video that it was made of."""

    size: int  # bytes; -1 where a URL's server does not say
    mtime_ns: int | None  # of a file
    digest: str  # of some blocks of its content; "" for a URL
    stamp: str = ""  # of a file on this machine, see _stamp; "" if it was changed just before

    def is_untouched(self, video: Any) -> bool:
        """Whether it is the same file, and the system tells no change of it: then its content is the same."""
        if not (self.stamp and is_file(video)):
            return False
        status = os.stat(video)  # noqa: PTH116  a Path costs more than this, when caches are cold
        now = (status.st_size, status.st_mtime_ns, _stamp(status))
        return now == (self.size, self.mtime_ns, self.stamp)

    def difference(self, now: "Identity") -> str | None:
        """What has changed since; None if nothing has."""
        if now.size != self.size:
            return f"it has {now.size:,} bytes now and had {self.size:,}"
        if now.mtime_ns != self.mtime_ns:
            return "it was written at another time"
        return None if now.digest == self.digest else "its content is another"


def identify(video: Any) -> Identity:
    """Read a video's size, time and content: at most SAMPLES + 2 blocks of it.

    Raises:
        OSError: if it cannot be read.
    """
    if is_file(video):
        now = time.time_ns()
        with Path(video).open("rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            digest = _digest(file, status.st_size)
        is_settled = now - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED_NS
        stamp = _stamp(status) if is_settled else ""
        return Identity(status.st_size, status.st_mtime_ns, digest, stamp)
    if is_url(video):
        with open_container(video) as container:
            return Identity(container.size, None, "")
    with opened(video) as file:
        size = file.seek(0, os.SEEK_END)
        return Identity(size, None, _digest(file, size))


def _stamp(status: os.stat_result) -> str:
    """Which file it is, and when it was last changed: nobody can set that time, as they can mtime."""
    return f"{status.st_dev}-{status.st_ino}-{status.st_ctime_ns}"


def _digest(file: Any, size: int) -> str:
    last, blocks = max(0, size - BLOCK), []
    for number in range(SAMPLES + 2):
        file.seek(last * number // (SAMPLES + 1), os.SEEK_SET)
        blocks.append(file.read(BLOCK))
    return hashlib.sha256(b"".join(blocks)).hexdigest()
