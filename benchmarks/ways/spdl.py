"""SPDL: demux the packets of the time between a request's first frame and its last, decode the wanted ones.

So its documentation samples a video: `demux_video` with a window, then `sample_decode_video`; a filter graph,
as in peers/spdl.py, converts only what is wanted. The codec runs on the thread of the caller alone.
"""

from bisect import bisect_left
from typing import Any

import numpy as np
from torch import Tensor

from benchmarks.peers.frames import as_tensor, wanted
from benchmarks.ways.given import Given, Memory
from fixtures.requests import Request


class Spdl:
    """An open demuxer, and what converts frames."""

    def __init__(self, given: Given, memory: Memory) -> None:  # noqa: ARG002  every way has this shape
        """Open it."""
        import spdl.io

        self._given, self._io = given, spdl.io
        self._demuxer: Any = spdl.io.Demuxer(str(given.video.path) if given.data is None else given.data)
        height, width = given.frame_size
        scale = "" if given.size is None else f",scale={width}:{height}:flags=bilinear"
        source = spdl.io.get_buffer_desc(self._demuxer.video_codec)
        self._converter: Any = spdl.io.FilterGraph(f"{source}{scale},format=pix_fmts=rgb24,buffersink")

    def frames(self, request: Request) -> Tensor:
        """By numbers, which the times of packets tell."""
        numbers, (height, width), fps = (
            self._given.numbers(request),
            self._given.frame_size,
            self._given.video.fps,
        )
        output, rows = np.empty((len(numbers), height, width, 3), dtype=np.uint8), wanted(numbers)
        packets = self._demuxer.demux_video(((min(rows) - 0.5) / fps, (max(rows) + 0.5) / fps))
        times = packets.get_timestamps()
        places = [bisect_left(times, (number - 0.5) / fps) for number in rows]
        decoded = self._io.sample_decode_video(packets, places, filter_desc=None)
        for frame, here in zip(decoded, rows.values(), strict=True):
            self._converter.add_frames(frame)
            output[here] = self._io.to_numpy(self._io.convert_frames(self._converter.get_frames()))
        return as_tensor(output)

    def close(self) -> None:
        """Let go of the file."""
        self._demuxer.__exit__(None, None, None)
