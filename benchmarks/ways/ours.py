"""exactframes: its decoder, kept; and decode_frames, which opens the video for each request."""

from dataclasses import dataclass

from torch import Tensor

from benchmarks.ways.given import Given, Memory
from benchmarks.ways.theirs import ask, options
from exactframes import VideoDecoder, decode_frames
from fixtures.requests import Request


class Kept:
    """exactframes.VideoDecoder; its index is remembered while it is closed."""

    def __init__(self, given: Given, memory: Memory) -> None:
        """Open the video, with its index where that is known."""
        self._given, self._memory = given, memory
        self._decoder = VideoDecoder(given.source, index=memory.get("index"), **options(given))

    def frames(self, request: Request) -> Tensor:
        """By numbers or by times."""
        return ask(self._decoder, request)

    def close(self) -> None:
        """Keep the index, about 30 bytes a packet; there is no use for it where bytes come anew."""
        if self._given.data is None:
            self._memory["index"] = self._decoder.index


@dataclass(frozen=True)
class AtOnce:
    """decode_frames, on the caller's thread."""

    given: Given
    memory: Memory

    def frames(self, request: Request) -> Tensor:
        """By numbers."""
        given = self.given
        return decode_frames(given.source, request.indices, workers=1, size=given.size)

    def close(self) -> None:
        """Nothing is open."""
