"""Peers: the same job done by the other libraries that people use.

A peer has a strategy's shape, `(workload, workers) -> uint8 [N, C, H, W]`, and is used the way its own
documentation recommends for many frames of one file. Each comes with its native threading, with threads =
workers, and over worker threads with an equal share of the frames each ("-chunks"). To add one, write the
function and one line below. How near its frames come to the baseline's is measured: see likeness.py.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from benchmarks.peers import eva_decord, ffmpeg_pipe, opencv, pyav, video_reader_rs
from fixtures.workload import Workload


class Peer(NamedTuple):
    """Another library's way of decoding a workload."""

    decode: Callable[[Workload, int], Tensor]
    module: str | None  # what Python imports; None if FFmpeg's command does it


INSTALL = "`pip install -c constraints.txt '.[peers]'`"

PEERS: dict[str, Peer] = {
    "pyav": Peer(pyav.default, "av"),
    "pyav-auto": Peer(pyav.auto, "av"),
    "pyav-chunks": Peer(pyav.chunks, "av"),
    "opencv": Peer(opencv.default, "cv2"),
    "opencv-workers": Peer(opencv.on_workers, "cv2"),
    "opencv-chunks": Peer(opencv.chunks, "cv2"),
    "decord": Peer(eva_decord.default, "decord"),
    "decord-workers": Peer(eva_decord.on_workers, "decord"),
    "decord-chunks": Peer(eva_decord.chunks, "decord"),
    "video-reader": Peer(video_reader_rs.default, "video_reader"),
    "video-reader-workers": Peer(video_reader_rs.on_workers, "video_reader"),
    "video-reader-chunks": Peer(video_reader_rs.chunks, "video_reader"),
    "ffmpeg-pipe": Peer(ffmpeg_pipe.default, None),
    "ffmpeg-pipe-workers": Peer(ffmpeg_pipe.on_workers, None),
    "ffmpeg-pipe-chunks": Peer(ffmpeg_pipe.chunks, None),
}
