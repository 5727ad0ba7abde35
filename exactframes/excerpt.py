"""Excerpts: self-contained pieces of a video, in memory, that hold only the packets some frames need."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol

import av
from av.container import InputContainer
from av.video.stream import VideoStream
from torch import Tensor
from torchcodec.decoders import VideoDecoder

from exactframes.errors import DeclinedError, WrongFrameError
from exactframes.fidelity import parameters, require_same
from exactframes.media import open_container
from exactframes.output import write_rows
from exactframes.packets import Reader
from exactframes.plan import Run, Sharing, plan_runs
from exactframes.source import Source, look_of, resizing
from exactframes.support import Codec

BATCH_BYTES = 4_000_000
BATCH_FRAMES = 4  # decoded at a time: frames that are copied soon stay in the processor's caches
TICK = Fraction(1, 25)  # an excerpt has times of its own: it shows one frame a tick


@dataclass(frozen=True)
class Excerpt:
    """A small video in memory. It can be decoded anywhere, with no access to the file."""

    data: bytes
    mapping: str  # TorchCodec's custom_frame_mappings: all frames, the first as a keyframe; or ""
    frames: tuple[int, ...]  # rising indices in that mapping
    shown: tuple[int, ...]  # the tick at which each of them is shown
    rows: tuple[int, ...]  # where each frame goes in the output
    look: tuple[Any, ...]  # the look of the source, which its frames must have
    packets: int  # how many it holds
    size: tuple[int, int] | None = None  # (height, width) to which its frames are resized
    expected: dict[str, Any] | None = None  # what it must keep of its source, if that is to be checked


@contextmanager
def excerpts(
    source: Source, indices: Sequence[int], workers: int, most_frames: int | None = None
) -> Iterator[Iterator[Excerpt]]:
    """Read the file once, and cut excerpts out of it as they are asked for.

    Args:
        source: the video.
        indices: frames, none negative.
        workers: how many will decode excerpts at once.
        most_frames: how many frames are asked of an excerpt, unless a single GOP has more.

    Raises:
        DeclinedError: at once, or while excerpts are taken, if it is not certain which packets the frames
            need, or if PyAV cannot cut them.
    """
    with _telling_reasons(), open_container(source.video) as container:
        yield _cut_all(container, source, indices, workers, most_frames or len(indices))


def _cut_all(
    container: InputContainer, source: Source, indices: Sequence[int], workers: int, most_frames: int
) -> Iterator[Excerpt]:
    with _telling_reasons():
        reader = Reader(container, source, indices)
        expected: dict[str, Any] | None = parameters(reader.stream)
        sharing = Sharing(requests=len(indices), workers=workers, most_frames=most_frames)
        runs = plan_runs(reader.asked(), sharing, prunes=reader.codec.prunes)
        for run in runs:
            yield replace(cut(reader.stream, reader.codec, run, source), expected=expected)
            expected = None  # all others are made in the same way


@contextmanager
def _telling_reasons() -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, ValueError) as error:
        raise DeclinedError(str(error)) from error


class Task(Protocol):
    """Something that writes some rows of an output."""

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows that it writes."""

    @property
    def is_done(self) -> bool:
        """Whether all of them are written."""

    def write(self, output: Tensor, first_row: int, stop_row: int) -> int:
        """Write rows, and return how many: see Decoding."""


def tasks(excerpts: Iterable[Excerpt], ffmpeg_threads: int = 1) -> Iterator[Task]:
    """What to do with excerpts, as they are cut; the first is checked while it is decoded."""
    for excerpt in excerpts:
        if excerpt.expected is not None:
            yield Check(excerpt.expected, excerpt.data)
        yield Decoding(excerpt, ffmpeg_threads)


@dataclass(frozen=True)
class Check:
    """A comparison of an excerpt with its source; it writes nothing."""

    expected: dict[str, Any]
    data: bytes
    rows: tuple[int, ...] = ()
    is_done: bool = True

    def write(self, _output: Tensor, _first_row: int, _stop_row: int) -> int:
        """Compare.

        Raises:
            DeclinedError: if the excerpt does not keep what it must.
        """
        require_same(self.expected, self.data)
        return 0


class Decoding:
    """An excerpt that is decoded up to some row of the output, and later on from there."""

    def __init__(self, excerpt: Excerpt, ffmpeg_threads: int = 1) -> None:
        """Decode nothing yet."""
        self.rows = excerpt.rows
        self._excerpt, self._threads = excerpt, ffmpeg_threads
        self._done = 0
        self._decoder: VideoDecoder | None = None

    @property
    def is_done(self) -> bool:
        """Whether all its frames are decoded."""
        return self._done == len(self.rows)

    def write(self, output: Tensor, first_row: int, stop_row: int) -> int:
        """Decode the next frames, a few at a time, and write them where they go.

        Args:
            output: uint8 [n, H, W, C] or [n, C, H, W] permuted to it, the rows from first_row on.
            first_row: which row of the whole output its first one is.
            stop_row: rows from here on are left for later; if there are such rows, all must rise.

        Returns:
            How many rows were written.

        Raises:
            WrongFrameError: if a frame is not shown when planned, looks different, or cannot be decoded.
        """
        stop = self._done
        while stop < len(self.rows) and self.rows[stop] < stop_row:
            stop += 1
        before = self._done
        try:
            at_once = max(1, min(BATCH_FRAMES, BATCH_BYTES // output[:1].nbytes))
            for start in range(before, stop, at_once):
                some = slice(start, min(start + at_once, stop))
                write_rows(output, [row - first_row for row in self.rows[some]], self._decode(some))
        except (RuntimeError, IndexError, ValueError) as error:
            raise WrongFrameError(str(error)) from error
        self._done = stop
        if self.is_done:
            self._decoder = None
        return stop - before

    def _decode(self, some: slice) -> Tensor:
        if self._decoder is None:
            self._decoder = VideoDecoder(
                self._excerpt.data,
                custom_frame_mappings=self._excerpt.mapping or None,
                num_ffmpeg_threads=self._threads,
                transforms=resizing(self._excerpt.size),
            )
            if look_of(self._decoder) != self._excerpt.look:
                raise WrongFrameError("an excerpt does not look like the video")
        frames = self._excerpt.frames[some]
        batch = self._decoder.get_frames_at(list(frames))
        planned = [float(tick * TICK) for tick in self._excerpt.shown[some]]
        shown = batch.pts_seconds.tolist()
        if any(abs(ours - theirs) > 1e-6 for ours, theirs in zip(planned, shown, strict=True)):
            raise WrongFrameError("a frame is not shown at its planned time")
        return batch.data


def cut(stream: VideoStream, codec: Codec, run: Run, source: Source) -> Excerpt:
    """Write a run's packets into an excerpt, which shows one a tick, in the order of their pts."""
    order = {pts: frame for frame, pts in enumerate(sorted(packet.pts for packet in run.packets))}
    frames = [order[packet.pts] for packet in run.packets]
    delay = max(position - frame for position, frame in enumerate(frames))
    data, unit = _write(stream, codec, run, [frame + delay for frame in frames])
    requested = [(order[request.pts], request.row) for request in sorted(run.requests)]
    return Excerpt(
        data=data,
        mapping=_mapping(frames[0], len(frames), delay, unit),
        frames=tuple(frame for frame, _ in requested),
        shown=tuple(frame + delay for frame, _ in requested),
        rows=tuple(row for _, row in requested),
        look=source.look,
        packets=len(run.packets),
        size=source.size,
    )


def _mapping(first: int, count: int, delay: int, unit: int) -> str:
    """When each frame is shown, in the excerpt's own time base.

    Only the first packet counts as a keyframe, so that TorchCodec never seeks. All that an excerpt holds is
    needed, and flushing a decoder would lose the frames that it holds back. A frame alone has no mapping:
    TorchCodec would miss its duration in NUT.
    """
    if count == 1:
        return ""
    frames = (
        f'{{"pts":{(frame + delay) * unit},"duration":{unit},"key_frame":{int(frame == first)}}}'
        for frame in range(count)
    )
    return f'{{"frames":[{",".join(frames)}]}}'


def _write(stream: VideoStream, codec: Codec, run: Run, shown: list[int]) -> tuple[bytes, int]:
    """Mux packets without an edit list, so that times stay as written; also return the length of a tick."""
    file = io.BytesIO()
    options = {"use_editlist": "0"} if codec.excerpt in {"mp4", "mov"} else {}
    with av.open(file, "w", format=codec.excerpt, options=options) as output:
        target = output.add_stream_from_template(stream, opaque=True)
        target.time_base = TICK
        if codec.tag_tells:
            target.codec_context.codec_tag = stream.codec_context.codec_tag
        for dts, (packet, pts) in enumerate(zip(run.packets, shown, strict=True)):
            data = packet.data
            data.stream, data.time_base = target, TICK
            data.pts, data.dts, data.duration = pts, dts, 1
            data.is_keyframe = dts == 0
            output.mux_one(data)
        unit = TICK / (target.time_base or TICK)
    return file.getvalue(), int(unit)
