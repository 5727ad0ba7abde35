"""Peers: the same job done by the other libraries that people use.

A peer has a strategy's shape, `(workload, workers) -> uint8 [N, C, H, W]`, and is used the way its own
documentation recommends for many frames of one file. Each comes with its native threading, with threads =
workers, and over worker threads with an equal share of the frames each ("-chunks"). To add one, write the
function and one line below. How much its frames differ from the baseline's is measured (harness/likeness.py).
"""

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import Tensor

from benchmarks.peers import decord2, ffmpeg_pipe, opencv, pyav, spdl, video_reader_rs
from benchmarks.peers.frames import chunks, own_threads, worker_threads
from fixtures.workload import Workload


class Peer(NamedTuple):
    """Another library's way of decoding a workload."""

    decode: Callable[[Workload, int], Tensor]
    module: str | None  # what Python imports; None if FFmpeg's command does it
    prepare: Callable[[], None] | None = None  # called once it is imported, on the main thread

    @property
    def is_installed(self) -> bool:
        """Whether Python finds it."""
        try:
            return self.module is None or importlib.util.find_spec(self.module) is not None
        except ModuleNotFoundError:  # of the package that it is in
            return False


INSTALL = "`pip install -c constraints.txt '.[peers]'`"

PEERS: dict[str, Peer] = {
    "pyav": Peer(partial(own_threads, pyav.read), "av"),
    "pyav-auto": Peer(partial(worker_threads, pyav.read), "av"),
    "pyav-chunks": Peer(partial(chunks, pyav.read), "av"),
    "opencv": Peer(partial(own_threads, opencv.read), "cv2"),
    "opencv-workers": Peer(partial(worker_threads, opencv.read), "cv2"),
    "opencv-chunks": Peer(partial(chunks, opencv.read), "cv2"),
    "spdl": Peer(partial(own_threads, spdl.read), "spdl.io", spdl.prepare),
    "spdl-workers": Peer(partial(worker_threads, spdl.read), "spdl.io", spdl.prepare),
    "spdl-chunks": Peer(partial(chunks, spdl.read), "spdl.io", spdl.prepare),
    "decord2": Peer(partial(own_threads, decord2.read), "decord"),
    "decord2-workers": Peer(partial(worker_threads, decord2.read), "decord"),
    "decord2-chunks": Peer(partial(chunks, decord2.read), "decord"),
    "video-reader": Peer(partial(own_threads, video_reader_rs.read), "video_reader"),
    "video-reader-workers": Peer(partial(worker_threads, video_reader_rs.read), "video_reader"),
    "video-reader-chunks": Peer(partial(chunks, video_reader_rs.read), "video_reader"),
    "ffmpeg-pipe": Peer(partial(own_threads, ffmpeg_pipe.read), None),
    "ffmpeg-pipe-workers": Peer(partial(worker_threads, ffmpeg_pipe.read), None),
    "ffmpeg-pipe-chunks": Peer(partial(chunks, ffmpeg_pipe.read), None),
}
