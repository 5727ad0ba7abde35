"""A way that decodes nothing: for tests of what surrounds it."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.ways import Way
from benchmarks.ways.given import Given, Memory
from fixtures.long_video import Video
from fixtures.requests import Request, RequestStream


def stream_of(requests: int, videos: int = 1, room: int = 16) -> RequestStream:
    """Requests of one frame each, frame n of video n, in turns over all videos."""
    made = tuple(
        Video(
            path=Path("made-up.mp4"), name=f"made up {n}", sha256=str(n), codec="h264", width=2, height=1,
            fps=25.0, seconds=1e6, frames=10**6, stream_index=0,
        )
        for n in range(videos)
    )  # fmt: skip
    asked = tuple(Request(video=n % videos, indices=(n,)) for n in range(requests))
    return RequestStream(name="made up", videos=made, requests=asked, room=room)


@dataclass(frozen=True)
class Numbered:
    """Answers at once, with the frame's number as its values; memory counts how often it was opened."""

    given: Given
    memory: Memory

    def frames(self, request: Request) -> Tensor:
        """uint8 [1, 3, 1, 2]."""
        return torch.full((len(request), 3, 1, 2), request.indices[0] % 251, dtype=torch.uint8)

    def close(self) -> None:
        """Remember that it was closed."""
        self.memory["closed"] = self.memory.get("closed", 0) + 1


class Dying(Numbered):
    """Kills its process at the sixth request."""

    def frames(self, request: Request) -> Tensor:
        """Too late."""
        if request.indices[0] == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().frames(request)


class Failing(Numbered):
    """Raises at the sixth request."""

    def frames(self, request: Request) -> Tensor:
        """Too late."""
        if request.indices[0] == 5:
            raise RuntimeError("the sixth request cannot be answered")
        return super().frames(request)


class Busy(Numbered):
    """Takes a millisecond, in which other threads may run."""

    def frames(self, request: Request) -> Tensor:
        """As late as that."""
        time.sleep(0.001)
        return super().frames(request)


NUMBERED, DYING, FAILING, BUSY = (Way(open=kind) for kind in (Numbered, Dying, Failing, Busy))


class MadeUpTime:
    """A clock that only moves when somebody sleeps or works."""

    def __init__(self) -> None:
        """Begin at 100 s."""
        self.seconds = 100.0

    def now(self) -> float:
        """What it shows."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


class Stalling(Numbered):
    """Takes a second of made-up time for one request, and none for all others."""

    time = MadeUpTime()

    def frames(self, request: Request) -> Tensor:
        """Stall at request number 1000."""
        if request.indices[0] == 1000:
            self.time.sleep(1.0)
        return super().frames(request)


STALLING = Way(open=Stalling)
