"""Answers requests by one way: keeps decoders open, and closes the one that was not asked for longest."""

from collections import OrderedDict

from torch import Tensor

from benchmarks.ways import Decoder, Way
from benchmarks.ways.given import Given, Memory
from fixtures.requests import Request, RequestStream


class Answerer:
    """What one caller has: decoders of its own, and what it remembers of closed ones.

    One request is answered at a time. A worker process makes its own.
    """

    def __init__(self, way: Way, stream: RequestStream, room: int) -> None:
        """Open nothing yet.

        Args:
            way: that opens videos.
            stream: whose requests will come.
            room: so many decoders are kept open at most; where requests bring bytes, none is.
        """
        self._way, self._stream = way, stream
        self._room = max(1, room) if way.keeps and not stream.is_bytes else 0
        self._open: OrderedDict[int, Decoder] = OrderedDict()  # by video, the one asked for last at the end
        self._memories: dict[int, Memory] = {}
        self._given: dict[int, Given] = {}
        self.answered = 0

    @property
    def decoders_open(self) -> int:
        """How many are kept open now."""
        return len(self._open)

    def answer(self, request: Request) -> Tensor:
        """The frames of a request, uint8 [N, C, H, W]."""
        decoder = self._decoder(request.video)
        frames = decoder.frames(request)
        if not self._room:
            decoder.close()
        self.answered += 1
        return frames

    def close(self) -> None:
        """Close all decoders."""
        while self._open:
            self._open.popitem()[1].close()

    def _decoder(self, video: int) -> Decoder:
        if video in self._open:
            self._open.move_to_end(video)
            return self._open[video]
        while len(self._open) >= max(1, self._room):
            self._open.popitem(last=False)[1].close()
        decoder = self._way.open(self._give(video), self._remembered(video))
        if self._room:
            self._open[video] = decoder
        return decoder

    def _remembered(self, video: int) -> Memory:
        return self._memories.setdefault(video, {}) if self._room else {}

    def _give(self, video: int) -> Given:
        """The video as requests bring it; a server has its bytes in memory already."""
        if video not in self._given:
            stream = self._stream
            read = stream.videos[video]
            data = read.path.read_bytes() if stream.is_bytes else None
            self._given[video] = Given(video=read, data=data, size=stream.size)
        return self._given[video]
