"""Decode frames of a long video, exactly as TorchCodec does and sooner: decode_frames and iter_frames."""

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import joblib
import torch
from torch import Tensor

from exactframes.ahead import Ahead, Made
from exactframes.arguments import require_fit, whole
from exactframes.errors import (
    DeclinedError,
    FallbackWarning,
    RestDeclinedError,
    SeekDeclinedError,
    VerificationError,
    WrongFrameError,
)
from exactframes.excerpt import Excerpt, Task, excerpts, tasks
from exactframes.helpers import Stop
from exactframes.media import FileLike
from exactframes.output import own_output, shared_output
from exactframes.source import SeekMode, Size, Source, open_decoder, open_source, sequential, while_unchanged
from exactframes.workers import on_processes, on_threads, threads

EVERY = 32  # frames at a time, when all are decoded
NOT_BY_TORCHCODEC = "TorchCodec cannot give these frames; they are those of decoding from the first packet"

if TYPE_CHECKING:
    from distributed import Client

Video = str | os.PathLike[str] | bytes | Tensor | FileLike  # or a URL: what TorchCodec takes


def decode_frames(
    video: Video,
    indices: Iterable[int],
    *,
    workers: int | None = None,
    seek_mode: SeekMode = "exact",
    ffmpeg_threads: int = 1,
    processes: bool = False,
    client: "Client | None" = None,
    size: Size | None = None,
    out: Tensor | None = None,
    verify: int = 0,
) -> Tensor:
    """Decode frames of a video, like `VideoDecoder(video, seek_mode=...).get_frames_at(indices).data`.

    Only the packets that these frames need are decoded. They are cut into small in-memory videos, which
    workers decode as they get free. If it is not certain which packets are needed, TorchCodec decodes all by
    itself, and a FallbackWarning says why. If a file's bytes are damaged within a picture, nothing here
    notices it, and FFmpeg's frames may depend on the packets that it has seen: `verify` checks samples.
    Near the end of files with open GOPs, TorchCodec raises an error for some frames, because it gives them
    only after decoding all before them. Here they may be given. So are frames of a sound file in which
    TorchCodec seeks too far and raises, such as an MPEG-TS with B-frames: a second FallbackWarning says so.

    Args:
        video: a path, a URL, bytes, a tensor or a file-like object, as TorchCodec takes it.
        indices: frame numbers in any order, repeats allowed; negative ones count from the end.
        workers: how many workers decode at once; by default as many as there are usable CPUs.
        seek_mode: TorchCodec's: "exact" counts the file's frames, "approximate" trusts its header.
        ffmpeg_threads: FFmpeg's own threads for each worker.
        processes: whether workers are processes (kept for later calls, for five minutes) or threads.
        client: a distributed.Client of a Dask cluster, whose workers decode: excerpts go there, frames
            come back. Its scheduler and workers need this library, in this process's versions.
        size: (height, width) to which torchcodec.transforms.Resize resizes frames; or the shorter side alone,
            which keeps the aspect. By default frames keep their size.
        out: where to write the frames, uint8 [N, C, H, W] on the CPU, of any strides; else a new tensor.
        verify: so many of the frames, evenly spread, are also decoded sequentially, and compared.

    Returns:
        uint8 [N, C, H, W], RGB, in the order asked for; `out` where it was given.

    Raises:
        FileNotFoundError: if there is no such file.
        IndexError: if the video has no such frame; TorchCodec's own.
        ValueError: if an argument is out of its range, or `out` does not fit.
        RuntimeError: if FFmpeg cannot read or decode the video; TorchCodec's own.
        WorkerError: if a worker process is killed, or cannot start because of its environment.
        ClusterError: if the client's cluster is lost, not fit, or too small for an excerpt.
        VerificationError: if a verified frame differs; it names the first.
    """
    source = open_source(video, seek_mode, size)
    wanted = source.checked(indices)
    team = _team(workers, ffmpeg_threads)
    verify = whole("verify", verify, 0)
    if client is not None and (processes or workers is not None):
        raise ValueError("client: leave out workers and processes; its cluster says how many there are")
    if out is not None:
        require_fit(out, source.shape(len(wanted)))
    certain = Certain()
    try:
        if client is not None:
            frames = _on_cluster(source, wanted, certain, client, ffmpeg_threads=ffmpeg_threads, out=out)
        else:
            pruned = _on_processes if processes else _on_threads
            frames = pruned(source, wanted, certain, team, out)
        if certain.reason is not None:
            warnings.warn(FallbackWarning(str(certain.reason)), stacklevel=2)
            _add_rest(source, wanted, frames, certain, ffmpeg_threads)
    except DeclinedError as reason:
        warnings.warn(FallbackWarning(str(reason)), stacklevel=2)
        try:
            frames = _filled(out, sequential(source, wanted, ffmpeg_threads))
        except RuntimeError as error:
            # Without TorchCodec's frames there is nothing to compare ours with.
            if seek_mode != "exact" or not isinstance(reason, SeekDeclinedError) or verify:
                raise
            try:
                frames = _from_first_packet(source, wanted, team, out)
            except DeclinedError:
                raise error from None
            warnings.warn(FallbackWarning(f"{NOT_BY_TORCHCODEC} ({error})"), stacklevel=2)
            return frames
    _verify(source, wanted, frames, verify)
    return frames


def iter_frames(
    video: Video,
    indices: Iterable[int],
    *,
    batch_frames: int = 32,
    workers: int | None = None,
    seek_mode: SeekMode = "exact",
    ffmpeg_threads: int = 1,
    size: Size | None = None,
) -> Iterator[tuple[range, Tensor]]:
    """Decode frames of a video a batch at a time, in the order asked for, in bounded memory.

    While the caller works on a batch, all workers together decode the next one, and none beyond it, however
    slow the caller is. Memory holds the caller's batch, the next one, and for each worker a few frames and
    one small excerpt. Rising indices are decoded in one pass over the file; else each batch is a pass of its
    own. One worker decodes the frames of one GOP: if a batch lies within a GOP, more workers gain nothing,
    but larger batches do. If nothing can be pruned, a FallbackWarning says so, and TorchCodec's get_frames_at
    decodes each batch alone. In some files (MPEG-TS, edit lists) its frames depend on where the decoder
    comes from: there they may differ from those of one call for all.

    Args:
        video: a path, a URL, bytes, a tensor or a file-like object, as TorchCodec takes it.
        indices: frame numbers in any order, repeats allowed; negative ones count from the end.
        batch_frames: frames in a batch; the last one may have fewer.
        workers: how many threads decode at once; by default as many as there are usable CPUs.
        seek_mode: TorchCodec's: "exact" counts the file's frames, "approximate" trusts its header.
        ffmpeg_threads: FFmpeg's own threads for each worker.
        size: as in decode_frames.

    Yields:
        The range of positions in `indices` that a batch holds, and its frames, uint8 [n, C, H, W].

    Raises:
        FileNotFoundError, IndexError, ValueError, RuntimeError: as decode_frames does; some only when the
            batch is reached. Leaving the loop early, or an error in it, ends the threads.
    """
    source = open_source(video, seek_mode, size)
    wanted = source.checked(indices)
    team = _team(workers, ffmpeg_threads)
    batch = whole("batch_frames", batch_frames, 1)
    is_rising = all(a <= b for a, b in pairwise(wanted))
    pass_size = len(wanted) if is_rising else batch
    stop = Stop()
    passes = (
        _pass(source, wanted[first : first + pass_size], first, batch, team, stop=stop)
        for first in range(0, len(wanted), max(1, pass_size))
    )
    return Ahead(while_unchanged(source, chain.from_iterable(passes)), stop)


@dataclass(frozen=True)
class _Team:
    """The workers of one call."""

    workers: int
    ffmpeg_threads: int  # of each


def _team(workers: int | None, ffmpeg_threads: int) -> _Team:
    usable = joblib.cpu_count() if workers is None else workers
    return _Team(whole("workers", usable, 1), whole("ffmpeg_threads", ffmpeg_threads, 0))


class Certain:
    """The excerpts up to where the plan of a file is certain: which rows they hold, and why they end."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.rows: set[int] = set()  # rows that the excerpts hold
        self.reason: RestDeclinedError | None = None  # why they end before the last row

    def of(self, cut: Iterable[Excerpt]) -> Iterator[Excerpt]:
        """Give excerpts. If some were given, end without an error when the rest is declined."""
        try:
            for excerpt in cut:
                self.rows.update(excerpt.rows)
                yield excerpt
        except RestDeclinedError as reason:
            if not self.rows:
                raise
            self.reason = reason

    def count(self, rows: int) -> int:
        """How many of so many rows the excerpts must write."""
        return rows if self.reason is None else len(self.rows)


def _on_threads(
    source: Source, indices: list[int], certain: Certain, team: _Team, out: Tensor | None
) -> Tensor:
    shape = source.shape(len(indices))
    output = torch.empty(shape, dtype=torch.uint8) if out is None else out.permute(0, 2, 3, 1)
    span = range(len(indices))
    with excerpts(source, indices, team.workers) as cut, threads(team.workers) as pool:
        all_tasks = tasks(certain.of(cut), team.ffmpeg_threads)
        written = on_threads(all_tasks, output, span, team.workers, pool)
    _require_all(written, certain.count(len(indices)))
    return output.permute(0, 3, 1, 2) if out is None else out


def _from_first_packet(source: Source, indices: list[int], team: _Team, out: Tensor | None) -> Tensor:
    """Decode from the first packet, as TorchCodec would if it never sought: the file may be damaged.

    Raises:
        DeclinedError: if not all frames up to the last one asked for can be decoded.
    """
    height, width = source.shape(1)[1:3]
    frames = torch.empty((len(indices), 3, height, width), dtype=torch.uint8) if out is None else out
    every = list(range(max(indices) + 1))
    for made in _pass(replace(source, never_seeks=True), every, 0, EVERY, team, stop=Stop()):
        if isinstance(made, Warning):
            raise DeclinedError(str(made))
        numbers, batch = made
        for row, index in enumerate(indices):
            if index in numbers:
                frames[row] = batch[index - numbers.start]
    return frames


def _on_processes(
    source: Source, indices: list[int], certain: Certain, team: _Team, out: Tensor | None
) -> Tensor:
    shape = source.shape(len(indices))
    with (
        shared_output(shape) as (_, path),
        excerpts(source, indices, team.workers) as cut,
    ):
        written = on_processes(certain.of(cut), shape, path, team.workers, team.ffmpeg_threads)
        _require_all(written, certain.count(len(indices)))
        return _filled(out, own_output(shape, path).permute(0, 3, 1, 2))


def _on_cluster(
    source: Source,
    indices: list[int],
    certain: Certain,
    client: "Client",
    *,
    ffmpeg_threads: int,
    out: Tensor | None,
) -> Tensor:
    from exactframes.cluster import EXCERPT_FRAME_BYTES, on_cluster
    from exactframes.cluster.connecting import connect

    shape = source.shape(len(indices))
    output = torch.empty(shape, dtype=torch.uint8) if out is None else out.permute(0, 2, 3, 1)
    most_frames = max(1, EXCERPT_FRAME_BYTES // source.frame_bytes)
    with connect(client) as link, excerpts(source, indices, link.threads, most_frames) as cut:
        written = on_cluster(certain.of(cut), output, link, ffmpeg_threads)
    _require_all(written, certain.count(len(indices)))
    return output.permute(0, 3, 1, 2) if out is None else out


class _Feed:
    """Tasks for one batch after another; a task that reaches into the next batch is given again there."""

    def __init__(self, all_tasks: Iterator[Task]) -> None:
        self._tasks, self._rows = all_tasks, 0
        self._last: Task | None = None

    def until(self, stop: int) -> Iterator[Task]:
        """The tasks that hold the rows before this one."""
        if self._last is not None and not self._last.is_done:
            yield self._last
        while self._rows < stop:
            self._last = next(self._tasks, None)
            if self._last is None:
                return
            self._rows += len(self._last.rows)
            yield self._last


def _pass(
    source: Source, indices: list[int], first: int, size: int, team: _Team, *, stop: Stop
) -> Iterator[Made]:
    """The batches of one pass over the file; its first row is the caller's row `first`."""
    done, count, workers = 0, len(indices), team.workers
    most_frames = max(1, size // (2 * workers))
    try:
        # The threads stay for all batches: for each new one the allocator would take more memory.
        with excerpts(source, indices, workers, most_frames) as cut, threads(workers) as pool:
            feed = _Feed(stop.heeded(tasks(cut, team.ffmpeg_threads)))
            while done < count:
                span = range(done, min(done + size, count))
                output = torch.empty(source.shape(len(span)), dtype=torch.uint8)
                written = on_threads(feed.until(span.stop), output, span, workers, pool)
                _require_all(written, len(span))
                yield range(first + span.start, first + span.stop), output.permute(0, 3, 1, 2)
                done = span.stop
                del output
    except DeclinedError as reason:
        yield FallbackWarning(str(reason))  # issued in the caller's thread, at the caller's line
        decoder = open_decoder(source, team.ffmpeg_threads)
        for start in range(done, count, size):
            frames = decoder.get_frames_at(indices[start : start + size]).data
            yield range(first + start, first + start + len(frames)), frames
            del frames


def _require_all(written: int, rows: int) -> None:
    """Check that all rows are written: the output begins uninitialised, and a gap would be silent damage."""
    if written != rows:
        raise WrongFrameError(f"the plan covered {written} of {rows} frames")


def _add_rest(
    source: Source, indices: list[int], frames: Tensor, certain: Certain, ffmpeg_threads: int
) -> None:
    """Let TorchCodec decode the missing rows, all of which are shown after the others.

    It starts with the last frame that is there, which must be the same. So it stands where one call for all
    frames would have brought it: in approximate mode, a frame depends on the one that was given before. If a
    seek leads elsewhere, TorchCodec decodes all rows.
    """
    missing = [row for row in range(len(indices)) if row not in certain.rows]
    first = min(indices[row] for row in missing)
    before = max((row for row in certain.rows if indices[row] <= first), key=indices.__getitem__)
    asked = [indices[before], *(indices[row] for row in missing)]
    with suppress(IndexError, RuntimeError):  # it may seek past the frames, and come to an end before all
        decoded = sequential(source, asked, ffmpeg_threads)
        if torch.equal(decoded[0], frames[before]):
            for row, frame in zip(missing, decoded[1:], strict=True):
                frames[row] = frame
            return
    frames.copy_(sequential(source, indices, ffmpeg_threads))


def _filled(out: Tensor | None, frames: Tensor) -> Tensor:
    return frames if out is None else out.copy_(frames)


def _verify(source: Source, indices: list[int], frames: Tensor, count: int) -> None:
    if not (count and indices):
        return
    rows = sorted({round(n * (len(indices) - 1) / max(1, count - 1)) for n in range(count)})
    expected = sequential(source, [indices[row] for row in rows])
    for row, theirs in zip(rows, expected, strict=True):
        if not torch.equal(frames[row], theirs):
            raise VerificationError(
                f"{source.path.name}: row {row}, frame {indices[row]} of the video, is not what a sequential "
                "decoder gives: the file may be damaged; decode it with TorchCodec alone"
            )
