"""Drops packets between TorchCodec's demuxer and decoder, which stay open: its low-level API, since 0.17."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor
from torchcodec import decoders

from exactframes.errors import WrongFrameError
from exactframes.gops import Asked, Gop, Packet
from exactframes.index import Place, in_seconds
from exactframes.media import apart
from exactframes.output import Batch
from exactframes.plan import Run, Sharing, plan_runs
from exactframes.source import Source

STAGES_SINCE = "torchcodec 0.17"
HAS_STAGES = all(hasattr(decoders, name) for name in ("Demuxer", "VideoPacketDecoder", "ColorConverter"))


class Decoded(NamedTuple):
    """A frame that is asked for."""

    rows: list[int]  # where it goes
    frame: Any  # TorchCodec's RawFrame, unconverted


class InPlace:
    """The three stages of one video, one run after the other."""

    def __init__(self, source: Source, base: Fraction, ffmpeg_threads: int) -> None:
        """Open the file.

        Args:
            source: the video.
            base: seconds a tick of its packets' times.
            ffmpeg_threads: of the decoder.

        Raises:
            RuntimeError, ValueError: TorchCodec's own.
        """
        stages: Any = decoders  # older versions lack them
        self._demuxer = stages.Demuxer(apart(source.video), streams=source.stream_index)
        self._decoder = self._demuxer.streams[0].make_decoder(device="cpu", num_ffmpeg_threads=ffmpeg_threads)
        self._converter = stages.ColorConverter(device="cpu")
        self._base = base

    def write(self, run: Run, batch: Batch) -> None:
        """Decode a run's packets, and put its frames where they go.

        Raises:
            WrongFrameError: as `decoded` and `convert` do.
        """
        for rows, frame in self.decoded(run):
            batch.put(rows, self.convert(frame), frame.pts_seconds, frame.duration_seconds)

    def convert(self, frame: Any) -> Tensor:
        """A decoded frame in colours: uint8 [1, H, W, C].

        Raises:
            WrongFrameError: if it cannot be converted.
        """
        try:
            converted: Tensor = self._converter.convert(frame).data
        except (RuntimeError, ValueError) as error:
            raise WrongFrameError(str(error)) from error
        return converted.permute(1, 2, 0)[None]

    def decoded(self, run: Run) -> Iterator[Decoded]:
        """Decode a run's packets, and give the frames that are asked for as they come.

        Its packets are known by their numbers (Packet.data.number), which count on from the first one's.

        That the demuxer was where the plan says is seen in the times of all frames that come out: a packet
        that is not the run's would bring another one, and the run's first packet must have been decoded.

        Raises:
            WrongFrameError: if a frame comes that was not planned, or one does not come that was.
        """
        has_given = False
        try:
            for found in self._sought(run, 0):
                has_given = True
                yield found
        except WrongFrameError:
            if has_given:
                raise
            yield from self._sought(run, 1)  # edit lists may be rounded: FFmpeg seeks a tick too far back

    def _sought(self, run: Run, ticks_later: int) -> Iterator[Decoded]:
        try:
            self._demuxer.seek((run.packets[0].pts + ticks_later) * float(self._base))
            self._decoder.reset()
            yield from self._taken(run)
        except (RuntimeError, ValueError) as error:
            raise WrongFrameError(str(error)) from error

    def _taken(self, run: Run) -> Iterator[Decoded]:
        times = in_seconds(np.array([packet.pts for packet in run.packets]), self._base).tolist()
        first, planned = times[0], set(times)
        shown = dict(zip((packet.pts for packet in run.packets), times, strict=True))
        rows: dict[float, list[int]] = {}
        for request in run.requests:
            rows.setdefault(shown[request.pts], []).append(request.row)
        has_begun = False
        for frame in self._frames(run):
            time = frame.pts_seconds
            if time not in planned:
                raise WrongFrameError("a frame is not shown at its planned time")
            planned.remove(time)
            has_begun |= time == first
            if time in rows:
                yield Decoded(rows.pop(time), frame)
            if not rows and has_begun:
                return
        raise WrongFrameError("a planned frame was not decoded")

    def _frames(self, run: Run) -> Iterator[Any]:
        """Decoded frames, unconverted, in the order in which they are shown."""
        chosen = [packet.data.number for packet in run.packets]
        place, demuxer, decode = chosen[0], self._demuxer, self._decoder.decode
        for number in chosen:
            while place < number:
                next(demuxer, None)
                place += 1
            packet = next(demuxer, None)
            place += 1
            if packet is None:
                raise WrongFrameError("the file ends before a planned packet")
            yield from decode(packet)
        yield from self._decoder.drain()


def plan_in_place(asked: Iterable[Asked], sharing: Sharing, *, prunes: bool) -> Iterator[Run]:
    """As plan_runs, of packets that are known by their numbers and not held; see InPlace.decoded.

    Where the reader has skipped part of the file, nobody knows how many packets that has: no run goes on
    over it.
    """
    stretches = _Stretches(iter(asked))
    while stretches.has_more:
        yield from plan_runs(stretches.take(), sharing, prunes=prunes)


class _Stretches:
    """What is asked of GOPs, to be taken up to where the reader has skipped some."""

    def __init__(self, asked: Iterator[Asked]) -> None:
        self._asked = asked
        self._coming = next(asked, None)

    @property
    def has_more(self) -> bool:
        return self._coming is not None

    def take(self) -> Iterator[Asked]:
        """Each GOP with numbers instead of packets, up to the next gap."""
        number, following = 0, None
        while (window := self._coming) is not None and (following is None or window.gop is following):
            following = window.following
            gop = _numbered(window.gop, number)
            number += len(gop.packets)
            goes_on = following is not None and following.is_open  # else nothing is asked of it here
            after = _numbered(following, number) if following is not None and goes_on else None
            self._coming = next(self._asked, None)
            yield Asked(gop, after, window.requests, window.leading)


def _numbered(gop: Gop, first: int) -> Gop:
    packets = [
        Packet(packet.pts, packet.role, Place(number, packet.data.size))
        for number, packet in enumerate(gop.packets, first)
    ]
    return Gop(packets, gop.is_open)
