"""Excerpts: self-contained pieces of a video, in memory, that hold only the packets some frames need."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import av
import torch
from av.video.stream import VideoStream
from torch import Tensor
from torchcodec.decoders import VideoDecoder

from benchmarks.pruning.packets import CannotCutError, open_stream
from benchmarks.pruning.plan import Plan, Run
from fixtures.workload import Workload

VideoPacket: TypeAlias = "av.Packet[VideoStream]"


BATCH_FRAMES = 8


class WrongFrameError(Exception):
    """Decoding an excerpt gave other frames than were planned."""


@dataclass(frozen=True)
class Excerpt:
    """A small MP4 (or MOV) in memory; can be decoded anywhere, with no access to the file."""

    data: bytes
    frames: tuple[int, ...]  # rising indices within the excerpt, in exact seek mode
    seconds: tuple[float, ...]  # when each of them is shown, within the excerpt
    rows: tuple[int, ...]  # where each goes in the output


def cut(workload: Workload, plan: Plan) -> Iterator[Excerpt]:
    """Cut the plan's runs out of the file, in one pass over it, one after the other.

    Raises:
        CannotCutError: if PyAV cannot write the codec into MP4.
    """
    try:
        with av.open(str(workload.video.path)) as container:
            stream = open_stream(container, workload.video)
            packets = (packet for packet in container.demux(stream) if packet.size)
            window: dict[int, VideoPacket] = {}
            read = 0
            for run in plan.runs:
                window = {p: packet for p, packet in window.items() if p >= run.positions[0]}
                while read <= run.positions[-1]:
                    window[read] = next(packets)
                    read += 1
                yield _excerpt(stream, [window[p] for p in run.positions], run, plan)
    except (av.FFmpegError, ValueError) as error:
        raise CannotCutError(f"PyAV cannot cut it: {error}") from error


def decode_excerpt(excerpt: Excerpt, ffmpeg_threads: int = 1) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    """Decode the excerpt's frames, a few at a time: what is copied on soon stays in the processor's caches.

    Yields:
        The rows of the output that these frames are for, and the frames: uint8 [n, C, H, W].

    Raises:
        WrongFrameError: if a frame is not shown at the planned time, or cannot be decoded.
    """
    try:
        decoder = VideoDecoder(excerpt.data, seek_mode="exact", num_ffmpeg_threads=ffmpeg_threads)
        for start in range(0, len(excerpt.frames), BATCH_FRAMES):
            some = slice(start, start + BATCH_FRAMES)
            batch = decoder.get_frames_at(list(excerpt.frames[some]))
            planned = torch.tensor(excerpt.seconds[some], dtype=torch.float64)
            if not torch.allclose(batch.pts_seconds, planned, rtol=0, atol=1e-6):
                raise WrongFrameError("a frame is not shown at its planned time")
            yield excerpt.rows[some], batch.data
    except (RuntimeError, IndexError) as error:
        raise WrongFrameError(str(error)) from error


def _excerpt(stream: VideoStream, packets: list[VideoPacket], run: Run, plan: Plan) -> Excerpt:
    times = [plan.packets[position].pts for position in run.positions]
    shown, stored = _timestamps(times)
    order = {time: frame for frame, time in enumerate(sorted(times))}
    requests = sorted((plan.packets[position].pts, row) for position, row in run.requests)
    ticks = dict(zip(times, shown, strict=True))
    return Excerpt(
        data=_write(stream, packets, shown, stored),
        frames=tuple(order[time] for time, _ in requests),
        seconds=tuple(ticks[time] * plan.seconds_per_tick for time, _ in requests),
        rows=tuple(row for _, row in requests),
    )


def _timestamps(times: list[int]) -> tuple[list[int], list[int]]:
    """New pts and dts from pts in decoding order: dts rise from 0, and none is later than its pts."""
    rising = sorted(times)
    delay = max(dts - pts for dts, pts in zip(rising, times, strict=True))
    base = rising[0] - delay
    return [pts - base for pts in times], [dts - delay - base for dts in rising]


def _write(stream: VideoStream, packets: list[VideoPacket], shown: list[int], stored: list[int]) -> bytes:
    """Mux packets into an MP4 in memory; without an edit list, so that times are as written."""
    file = io.BytesIO()
    # MP4 takes no ProRes and its like, QuickTime's own format does.
    container = "mov" if stream.codec_context.codec.intra_only else "mp4"
    with av.open(file, "w", format=container, options={"use_editlist": "0"}) as output:
        target = output.add_stream_from_template(stream)
        for packet, pts, dts in zip(packets, shown, stored, strict=True):
            packet.stream, packet.time_base = target, Fraction(stream.time_base or 1)
            packet.pts, packet.dts = pts, dts
            output.mux(packet)
    return file.getvalue()
