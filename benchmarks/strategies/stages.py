"""TorchCodec's low-level API, since 0.17: its demuxer, decoder and converter, on threads of one's own.

Where decoding may begin and end, and which packets the requested frames need, is planned by exactframes, as
part of the work. Where it declines, TorchCodec decodes sequentially, and a FallbackWarning gives the reason.
"""

import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import av
from torch import Tensor

from benchmarks.strategies.one_decoder import sequential
from exactframes import DeclinedError, FallbackWarning
from exactframes.executors import Executors
from exactframes.in_place import Decoded, InPlace, plan_in_place
from exactframes.media import open_container
from exactframes.output import Batch
from exactframes.packets import Reader
from exactframes.plan import Run, Sharing
from exactframes.source import Source, open_source
from fixtures.workload import Workload

AHEAD = 16  # frames that wait for their conversion, each in memory of FFmpeg's


def stages(workload: Workload, workers: int) -> Tensor:  # noqa: ARG001  every strategy has this shape
    """One thread demuxes and decodes whole GOPs, another converts the frames that are asked for."""
    return _or_sequential(workload, 1, _converting_on_another_thread, prunes=False)


def stages_threads(workload: Workload, workers: int) -> Tensor:
    """Threads take ranges of keyframes as they get free, each with all three stages of its own."""
    return _or_sequential(workload, workers, _each_on_its_thread, prunes=False)


def pruned_stages(workload: Workload, workers: int) -> Tensor:
    """The same, and packets that no requested frame needs are dropped after the demuxer."""
    return _or_sequential(workload, workers, _each_on_its_thread, prunes=True)


@dataclass(frozen=True)
class _Work:
    """What is to be decoded."""

    source: Source
    base: Fraction  # seconds a tick
    runs: Iterator[Run]  # planned as they are taken
    workers: int

    def open(self, ffmpeg_threads: int = 1) -> InPlace:
        return InPlace(self.source, self.base, ffmpeg_threads)


def _or_sequential(
    workload: Workload, workers: int, decode: Callable[[_Work, Batch], None], *, prunes: bool
) -> Tensor:
    try:
        if workload.size is not None:
            raise DeclinedError("TorchCodec's low-level API does not resize")
        with _planned(workload, workers, prunes=prunes) as work:
            rows = len(workload.indices)
            batch = Batch(work.source.shape(rows))
            decode(work, batch)
            if batch.written != rows:
                raise DeclinedError(f"the plan covered {batch.written} of {rows} frames")
            return batch.given(channels_first=True).data
    except (DeclinedError, RuntimeError, ValueError, OSError, av.FFmpegError) as reason:
        warnings.warn(FallbackWarning(str(reason)), stacklevel=2)
        return sequential(workload, workers)


@contextmanager
def _planned(workload: Workload, workers: int, *, prunes: bool) -> Iterator[_Work]:
    source = open_source(workload.video.path, workload.seek_mode)
    wanted = source.checked(workload.indices)
    with open_container(source.video) as container:
        reader = Reader(container, source, wanted)
        sharing = Sharing(requests=len(wanted), workers=workers, most_frames=len(wanted))
        runs = plan_in_place(reader.asked(), sharing, prunes=prunes and reader.codec.prunes)
        yield _Work(source, Fraction(reader.stream.time_base or 1), runs, workers)


def _converting_on_another_thread(work: _Work, batch: Batch) -> None:
    opened = work.open()

    def convert(found: Decoded) -> None:
        frame = found.frame
        batch.put(found.rows, opened.convert(frame), frame.pts_seconds, frame.duration_seconds)

    waiting = deque[Future[None]]()
    with ThreadPoolExecutor(1) as pool:
        for run in work.runs:
            for found in opened.decoded(run):
                waiting.append(pool.submit(convert, found))
                if len(waiting) > AHEAD:
                    waiting.popleft().result()
        for future in waiting:
            future.result()


def _each_on_its_thread(work: _Work, batch: Batch) -> None:
    Executors(work.open).write_all(work.runs, batch, work.workers, ffmpeg_threads=1)
