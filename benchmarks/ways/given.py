"""What a way is given to open: a video, as a request brings it."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.long_video import Video
from fixtures.requests import Request

Memory = dict[str, Any]  # what a way remembers of a video while it is closed


@dataclass(frozen=True, kw_only=True)
class Given:
    """A video, as a request brings it."""

    video: Video
    data: bytes | None = None  # its bytes, where a request brings them
    size: tuple[int, int] | None = None  # (height, width) that frames are resized to; None: as they are

    @property
    def source(self) -> Path | bytes:
        """Its bytes, or its path: what TorchCodec takes."""
        return self.video.path if self.data is None else self.data

    @property
    def file(self) -> str | io.BytesIO:
        """Its path, or a file in memory: what others take."""
        return str(self.video.path) if self.data is None else io.BytesIO(self.data)

    @property
    def frame_size(self) -> tuple[int, int]:
        """(height, width) of the frames that are returned."""
        return self.size or (self.video.height, self.video.width)

    def numbers(self, request: Request) -> tuple[int, ...]:
        """The frames that are asked for; times are turned into numbers by the average frame rate."""
        return request.indices or tuple(int(second * self.video.fps + 1e-6) for second in request.seconds)
