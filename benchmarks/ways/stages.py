"""TorchCodec's low-level API, since 0.17: seek, decode, and convert only the frames that are asked for."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torchcodec import decoders

from benchmarks.ways.given import Given, Memory
from exactframes.in_place import HAS_STAGES, STAGES_SINCE
from fixtures.requests import Request

NEAR = 16  # to a frame so few ahead, decoding on is no slower than a seek


def missing() -> str | None:
    """What is missing; None where nothing is."""
    return None if HAS_STAGES else f"its low-level API comes with {STAGES_SINCE}"


class Stages:
    """A demuxer, a decoder of its packets and a converter of its frames; one thread each."""

    def __init__(self, given: Given, memory: Memory) -> None:
        """Open the video; its frames are listed once, and remembered while it is closed."""
        stages: Any = decoders  # older versions lack them
        self._demuxer = stages.Demuxer(given.source, streams=given.video.stream_index)
        stream = self._demuxer.streams[0]
        if "frames" not in memory:
            memory["frames"] = stream.scan()
        self._index = memory["frames"]
        self._decoder = stream.make_decoder(device="cpu", num_ffmpeg_threads=1)
        self._converter = stages.ColorConverter(device="cpu")
        self._coming: Iterator[Any] = iter(())  # decoded frames, in the order in which they are shown
        self._last: int | None = None  # the frame that came last; None: it must seek

    def frames(self, request: Request) -> Tensor:
        """By numbers or by times."""
        numbers = request.indices or [self._index.index_at(second) for second in request.seconds]
        rows: dict[int, list[int]] = {}
        for row, number in enumerate(numbers):
            rows.setdefault(int(number), []).append(row)
        frames: list[Tensor] = [torch.empty(0)] * len(numbers)
        for number in sorted(rows):
            frame = self._frame(number)
            for row in rows[number]:
                frames[row] = frame
        return torch.stack(frames)

    def _frame(self, number: int) -> Tensor:
        time = float(self._index.pts_seconds[number])
        if self._last is None or not 0 < number - self._last <= NEAR:
            self._demuxer.seek(float(self._index.key_frame_seconds_for(time)))
            self._decoder.reset()
            self._coming = self._decoded()
        self._last = None
        for frame in self._coming:
            if frame.pts_seconds == time:
                self._last = number
                converted: Tensor = self._converter.convert(frame).data
                return converted
        raise RuntimeError(f"no frame is shown at {time:g} s")

    def _decoded(self) -> Iterator[Any]:
        for packet in self._demuxer:
            yield from self._decoder.decode(packet)
        yield from self._decoder.drain()

    def close(self) -> None:
        """Nothing else is remembered."""
