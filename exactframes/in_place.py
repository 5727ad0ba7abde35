"""Drops packets between TorchCodec's demuxer and decoder, which stay open: its low-level API, since 0.17."""

from typing import Any

from torch import Tensor
from torchcodec import decoders

from exactframes.errors import WrongFrameError
from exactframes.index import Index
from exactframes.media import apart
from exactframes.output import Batch
from exactframes.plan import Run
from exactframes.source import Source

HAS_STAGES = all(hasattr(decoders, name) for name in ("Demuxer", "VideoPacketDecoder", "ColorConverter"))


class InPlace:
    """The three stages of one video, one run after the other."""

    def __init__(self, source: Source, index: Index, ffmpeg_threads: int) -> None:
        """Open the file.

        Raises:
            RuntimeError, ValueError: TorchCodec's own.
        """
        stages: Any = decoders  # older versions lack them
        self._demuxer = stages.Demuxer(apart(source.video), streams=index.stream_index)
        self._decoder = self._demuxer.streams[0].make_decoder(device="cpu", num_ffmpeg_threads=ffmpeg_threads)
        self._converter = stages.ColorConverter(device="cpu")
        self._index = index

    def write(self, run: Run, batch: Batch) -> None:
        """Decode a run's packets, and put its frames where they go.

        That the demuxer was where the index says is seen in the times of all frames that come out: a packet
        that is not the run's would bring another one, and the run's first packet must have been decoded.

        Raises:
            WrongFrameError: if a frame comes that was not planned, or one does not come that was.
        """
        before = batch.written
        try:
            self._decode(run, batch, 0)
        except WrongFrameError:
            if batch.written != before:
                raise
            self._decode(run, batch, 1)  # edit lists may be rounded: FFmpeg seeks a tick too far back

    def _decode(self, run: Run, batch: Batch, ticks_later: int) -> None:
        time = (run.packets[0].pts + ticks_later) * float(self._index.base)
        try:
            self._demuxer.seek(time)
            self._decoder.reset()
            _Taking(run, self._index, batch).take_all(self._frames(run), self._converter.convert)
        except (RuntimeError, ValueError) as error:
            raise WrongFrameError(str(error)) from error

    def _frames(self, run: Run) -> Any:
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


class _Taking:
    """What is expected of a run's frames."""

    def __init__(self, run: Run, index: Index, batch: Batch) -> None:
        self._batch = batch
        times = index.seconds(index.pts[[packet.data.number for packet in run.packets]]).tolist()
        self._first, self._planned = times[0], set(times)
        self._rows: dict[float, list[int]] = {}
        shown = dict(zip((packet.pts for packet in run.packets), times, strict=True))
        for request in run.requests:
            self._rows.setdefault(shown[request.pts], []).append(request.row)

    def take_all(self, frames: Any, convert: Any) -> None:
        has_begun = False
        for frame in frames:
            time = frame.pts_seconds
            if time not in self._planned:
                raise WrongFrameError("a frame is not shown at its planned time")
            self._planned.remove(time)
            has_begun |= time == self._first
            rows = self._rows.pop(time, None)
            if rows is not None:
                converted: Tensor = convert(frame).data
                self._batch.put(rows, converted.permute(1, 2, 0)[None], time, frame.duration_seconds)
            if not self._rows and has_begun:
                return
        raise WrongFrameError("a planned frame was not decoded")
