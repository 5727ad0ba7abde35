"""decord, in its maintained build decord2: `get_batch` of a reader, as it documents."""

from typing import Any

from torch import Tensor

from benchmarks.peers.frames import as_tensor
from benchmarks.ways.given import Given, Memory
from fixtures.requests import Request


class Decord:
    """An open reader; the codec runs on one thread, as in other ways."""

    def __init__(self, given: Given, memory: Memory) -> None:  # noqa: ARG002  every way has this shape
        """Open it."""
        import decord

        self._given = given
        height, width = given.size or (-1, -1)  # decord's default: as they are
        self._reader: Any = decord.VideoReader(
            given.file, ctx=decord.cpu(0), width=width, height=height, num_threads=1
        )

    def frames(self, request: Request) -> Tensor:
        """By numbers."""
        return as_tensor(self._reader.get_batch(list(self._given.numbers(request))).asnumpy())

    def close(self) -> None:
        """Nothing: it is closed when nothing refers to it any more."""
