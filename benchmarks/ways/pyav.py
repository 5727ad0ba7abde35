"""PyAV: seek to the keyframe before the first frame of a request, decode on, convert the wanted ones.

Its documentation seeks so (container.seek). The codec runs on the caller's thread alone, as in other ways.
"""

from contextlib import suppress

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from torch import Tensor

from benchmarks.peers.frames import PeerError, as_tensor, wanted
from benchmarks.ways.given import Given, Memory
from fixtures.requests import Request


class PyAv:
    """An open container."""

    def __init__(self, given: Given, memory: Memory) -> None:  # noqa: ARG002  every way has this shape
        """Open it."""
        self._given = given
        self._container = av.open(given.file, "r")
        stream = self._container.streams[given.video.stream_index]
        assert isinstance(stream, av.VideoStream)
        stream.codec_context.thread_count = 1
        self._stream, self._converter = stream, VideoReformatter()
        self._start, self._base = stream.start_time or 0, float(stream.time_base or 1)

    def frames(self, request: Request) -> Tensor:
        """By numbers; the first frame that comes tells its own by its time."""
        fps, (height, width) = self._given.video.fps, self._given.frame_size
        numbers = self._given.numbers(request)
        output, rows = np.empty((len(numbers), height, width, 3), dtype=np.uint8), wanted(numbers)
        first = self._start + round(min(rows) / fps / self._base)
        self._container.seek(first, stream=self._stream)
        for frame in self._container.decode(self._stream):
            number = round(((frame.pts or 0) - self._start) * self._base * fps)
            if number in rows:
                picture = self._converter.reformat(frame, width, height, format="rgb24")
                output[rows.pop(number)] = picture.to_ndarray()
                if not rows:
                    return as_tensor(output)
        raise PeerError(f"PyAV gave no frame {next(iter(rows))}")

    def close(self) -> None:
        """Close the container."""
        with suppress(av.FFmpegError):
            self._container.close()
