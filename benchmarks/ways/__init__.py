"""The ways to answer requests, with what each keeps between them.

A way is a function `(Given, Memory) -> Decoder` that opens a video, and a line below. It is then proven,
timed, compared and reported. answering.py decides how many decoders are kept open, and which is closed.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from benchmarks.peers.spdl import prepare as prepare_spdl
from benchmarks.ways import decord2, opencv, ours, pyav, spdl, stages, theirs
from benchmarks.ways.given import Given, Memory
from fixtures.requests import Request, RequestStream


class Decoder(Protocol):
    """An open video."""

    def frames(self, request: Request) -> Tensor:
        """The frames of a request, uint8 [N, C, H, W], in the order asked for."""

    def close(self) -> None:
        """Let go of it; what is worth keeping goes into the memory that it was opened with."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to answer requests."""

    open: Callable[[Given, Memory], Decoder]
    keeps: bool = True  # whether decoders stay open for the next request
    takes_bytes: bool = True
    takes_seconds: bool = True
    resizes: bool = True
    is_peer: bool = False  # another library: its frames may be alike instead of equal
    is_main: bool = False  # whether it is measured under all loads, not only under one
    module: str | None = None  # what must be installed
    missing: Callable[[], str | None] | None = None  # tells what else is missing
    prepare: Callable[[], None] | None = None  # called before the first request, on the main thread

    def declines(self, stream: RequestStream) -> str | None:
        """Why it cannot answer this stream; None where it can."""
        if self.module is not None and importlib.util.find_spec(self.module) is None:
            return f"{self.module} is not installed: `pip install -c constraints.txt '.[peers]'`"
        if self.missing is not None and (reason := self.missing()):
            return reason
        if stream.is_bytes and not self.takes_bytes:
            return "it reads files, no bytes" if self.is_peer else "bytes come anew with each request"
        if stream.size is not None and not self.resizes:
            return "it does not resize"
        if not self.takes_seconds and any(request.seconds for request in stream.requests):
            return "it is asked by frame numbers, not by times"
        return None


def _peer(open_video: Callable[[Given, Memory], Decoder], module: str, **more: Any) -> Way:
    return Way(open=open_video, module=module, is_peer=True, **more)


WAYS: dict[str, Way] = {
    "fresh": Way(open=theirs.exact, keeps=False, is_main=True),
    "fresh-approximate": Way(open=theirs.approximate, keeps=False),
    "kept": Way(open=theirs.exact, takes_bytes=False, is_main=True),
    "kept-approximate": Way(open=theirs.approximate, takes_bytes=False, is_main=True),
    "kept-mappings": Way(open=theirs.mapped, takes_bytes=False),
    "ffmpeg-threads": Way(open=theirs.with_ffmpeg_threads),
    "stages": Way(open=stages.Stages, missing=stages.missing, takes_bytes=False, resizes=False),
    "exactframes": Way(open=ours.Kept, is_main=True),
    "decode-frames": Way(open=ours.AtOnce, keeps=False, takes_seconds=False),
    "pyav": _peer(pyav.PyAv, "av"),
    "opencv": _peer(opencv.OpenCv, "cv2", takes_bytes=False),
    # A reader that stays open keeps a processor busy while others are measured.
    "decord2": _peer(decord2.Decord, "decord", keeps=False),
    "spdl": _peer(spdl.Spdl, "spdl", prepare=prepare_spdl),
}
THEIRS = tuple(
    name for name, way in WAYS.items() if way.open.__module__ in (theirs.__name__, stages.__name__)
)
