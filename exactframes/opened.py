"""What a VideoDecoder keeps open in one process: TorchCodec's decoder, and the executor of its own runs."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import av
import joblib
from torchcodec import FrameBatch

from exactframes.choice import CUTTING, IN_PLACE, READ_AFTER, Rates, Reckoner, expected_seconds, is_large
from exactframes.cutting import Cutting
from exactframes.errors import DeclinedError
from exactframes.executors import Executors
from exactframes.header import Header, Theirs, known_header, remember
from exactframes.in_place import HAS_STAGES, InPlace
from exactframes.index import Index
from exactframes.kept import Kept
from exactframes.media import apart, is_file, is_url
from exactframes.output import Batch
from exactframes.plan import Sharing, plan_runs
from exactframes.reading import read_index
from exactframes.source import Source

Answer = TypeVar("Answer")
Asked = Callable[[Index | None], Sequence[int] | None]
CHANGED = "the file has changed since it was opened"
DURATIONS = "what frames last varies, and is known with torchcodec 0.17 only"


class Opened:
    """One video, open in this process; used by one thread at a time."""

    def __init__(self, video: Any, arguments: dict[str, Any], index: Index | None, why: str | None) -> None:
        """Open it as TorchCodec does; with an index, read no more than the header.

        Args:
            video: what TorchCodec takes.
            arguments: those of TorchCodec's decoder.
            index: of the video, if it is known.
            why: the reason why no packets are left out; None if they may be.
        """
        self.process, self.lock = os.getpid(), threading.RLock()
        self.index, self.why = index, why
        self._video, self._arguments = video, arguments
        self._first = video if index is None else apart(video)  # what the exact decoder is opened on
        self._exact: Kept | None = None
        self._numbered: Kept | None = None  # finds the index's frames by their numbers, and scans nothing
        self._open_numbered: Callable[[Opened], Theirs | None] | None = None  # how; None: there is none
        self._position: int | None = None  # the last frame that TorchCodec's decoder gave
        self._seconds = 0.0  # how long it has worked
        self._last: Any = None  # its last answer
        self._executors: Executors | None = None
        self._reckons: Reckoner | None = None
        self._state = _state(video)
        header = Header.of(self.exact) if index is None else self._header_with(index)
        self.stream_index: int = header.stream_index
        self.metadata: Any = header.metadata if index is None else header.completed(index)
        self._header = header
        if self.metadata.codec == "theora" and arguments["num_ffmpeg_threads"] != 1:
            self._open_with_one_thread()

    def _open_with_one_thread(self) -> None:
        """Open it so from now on: with more, FFmpeg's Theora decoder gives damaged frames after a seek."""
        self._arguments = {**self._arguments, "num_ffmpeg_threads": 1}
        self._exact, self._numbered, self._first = None, None, apart(self._video)

    def _header_with(self, index: Index) -> Header:
        """The header, which is read if it was not read before with this index and these arguments."""
        decoder: Theirs | None = None
        header = known_header(index, self._arguments)
        if header is None:
            try:
                decoder = self._open_regular()
            except (RuntimeError, ValueError, AssertionError):
                return Header.of(self.exact)  # the header says too little
            header = Header.of(decoder)
            remember(index, self._arguments, header)
        if header.finds_frames_of(index):
            self._open_numbered = Opened._open_regular
            self._numbered = None if decoder is None else Kept(decoder)
        elif index.tells_durations:
            self._open_numbered = Opened._open_mapped
        return header

    def _open_regular(self) -> Theirs:
        return Theirs(apart(self._video), **{**self._arguments, "seek_mode": "approximate"})

    def _open_mapped(self) -> Theirs | None:
        """Tell it the index's frames. None if it counts others: it takes the header's number."""
        if self.index is None:
            return None
        told = {"custom_frame_mappings": self.index.mapping()}
        decoder = Theirs(apart(self._video), **{**self._arguments, **told})
        return decoder if len(decoder) == len(self.index) else None

    @property
    def exact(self) -> Theirs:
        """TorchCodec's decoder with these arguments, which scans the file; once open, it gives all frames."""
        return self._kept.decoder

    @property
    def _kept(self) -> Kept:
        if self._exact is None:
            self._exact = Kept(Theirs(self._first, **self._arguments))
            self._open_numbered, self._numbered, self._position = None, None, None
        return self._exact

    @cached_property
    def _source(self) -> Source:
        return self._header.source(self._video, self._arguments["transforms"], len(self))

    def __len__(self) -> int:
        """The number of frames."""
        return int(self.metadata.num_frames)

    def answer(
        self,
        frames_of: Asked,
        theirs: Callable[[Theirs], Answer],
        ours: Callable[[FrameBatch], Answer],
        seconds: Any = None,
    ) -> Answer:
        """Answer a request in the cheaper way.

        Args:
            frames_of: returns the requested frames, none negative; None or none if TorchCodec must answer, or
                if they cannot be known without an index.
            theirs: has TorchCodec answer the request.
            ours: makes the answer out of these frames.
            seconds: the time, if one frame is asked for by time.
        """
        numbers = frames_of(None)
        index = self._known_index(numbers or ())
        if index is None or not (self._open_numbered or self._reckoner(index).may_save()):
            return self._ask(theirs, numbers, None, seconds)
        frames = frames_of(index) if numbers is None else numbers
        if not frames:
            return self._ask(theirs, numbers, None, seconds)
        if not index.asks_for_a_start(frames) and self._reckoner(index).saves(frames, self._position):
            try:
                return ours(self._pruned(index, frames))
            except (DeclinedError, RuntimeError, av.FFmpegError, OSError, ValueError) as reason:
                self._decline(str(reason))
        last = max(frames)
        if self._open_numbered and numbers is None:  # asked for by time, which only exact mode knows
            return ours(self._ask(lambda decoder: decoder.get_frames_at(list(frames)), frames, last))
        return self._ask(theirs, numbers, last, seconds)

    def _ask(
        self,
        theirs: Callable[[Theirs], Answer],
        numbers: Sequence[int] | None,
        position: int | None,
        seconds: Any = None,
    ) -> Answer:
        """Have TorchCodec answer a request, whose last frame has this position."""
        kept = self._kept if position is None else self._decoder_of_frames()
        may_be_astray = self.why not in (None, DURATIONS) and self._arguments["seek_mode"] == "exact"
        began = time.perf_counter()
        try:
            answer = kept.ask(theirs, numbers, seconds, seeks_astray=may_be_astray)
            if self.index is None:  # the index will be checked by it; then it goes, as it may be large
                self._last = answer
            self._position = position
            return answer
        finally:
            self._seconds += time.perf_counter() - began

    def _decoder_of_frames(self) -> Kept:
        """The decoder for frames whose numbers are known."""
        if self._numbered is None and self._open_numbered is not None:
            if _state(self._video) == self._state:
                decoder = self._open_numbered(self)
                self._numbered = None if decoder is None else Kept(decoder)
            else:
                self._decline(CHANGED)
        return self._kept if self._numbered is None else self._numbered

    def _decline(self, reason: str) -> None:
        self.why, self.index, self._executors = reason, None, None
        self._open_numbered, self._numbered = None, None

    # --- the index ---

    def _known_index(self, numbers: Sequence[int]) -> Index | None:
        if self.index is None and self.why is None:
            seconds = self._seconds + expected_seconds(numbers, self._rates)
            if seconds > READ_AFTER * len(self):
                self.read_index()
        return self.index

    def read_index(self) -> None:
        """Read the file's packets now, unless they are read or ruled out."""
        if self.index is not None or self.why is not None:
            return
        try:
            index = read_index(self._source).checked(self.metadata, self._last)
            self._require_unchanged()
            if not self._is_in_place and not index.tells_durations:
                raise DeclinedError(DURATIONS)
        except DeclinedError as reason:
            self._decline(str(reason))
            return
        self.index, self._last = index, None

    def _require_unchanged(self) -> None:
        if _state(self._video) != self._state:
            raise DeclinedError(CHANGED)

    # --- fewer packets ---

    @property
    def _is_in_place(self) -> bool:
        return HAS_STAGES and not self._arguments["transforms"]  # ColorConverter does not resize

    @cached_property
    def _rates(self) -> Rates:
        pixels = (self.metadata.width or 0) * (self.metadata.height or 0)
        return Rates.of(IN_PLACE if self._is_in_place else CUTTING, pixels)

    def _reckoner(self, index: Index) -> Reckoner:
        if self._reckons is None:
            self._reckons = Reckoner(index, self._rates)
        return self._reckons

    def _pruned(self, index: Index, frames: Sequence[int]) -> FrameBatch:
        in_place, workers = self._is_in_place, self._workers(index, frames)
        if self._executors is None:
            self._require_unchanged()
            if in_place:
                self._executors = Executors(lambda threads: InPlace(self._source, index.base, threads))
            else:
                self._executors = Executors(lambda threads: Cutting(self._source, index, threads))
        sharing = Sharing(requests=len(frames), workers=workers, most_frames=1 if in_place else len(frames))
        batch = Batch(self._source.shape(len(frames)))
        runs = plan_runs(index.asked(frames), sharing, prunes=index.prunes)
        self._executors.write_all(runs, batch, workers, self._arguments["num_ffmpeg_threads"])
        if batch.written != len(frames):
            raise DeclinedError(f"the plan covered {batch.written} of {len(frames)} frames")
        return batch.given(channels_first=self._arguments["dimension_order"] == "NCHW")

    def _workers(self, index: Index, frames: Sequence[int]) -> int:
        """How many threads decode a request: as many as FFmpeg may have, if it is large.

        FFmpeg's own threads gain less than decoders side by side. A file-like object has one position at a
        time, and a server may mind many connections.
        """
        is_shared = hasattr(self._video, "read") or is_url(self._video)
        if is_shared or not is_large(index, frames, self._rates):
            return 1
        return int(self._arguments["num_ffmpeg_threads"] or joblib.cpu_count())


def _state(video: Any) -> Any:
    """Facts by which a replaced or rewritten file is recognised."""
    try:
        status = os.stat(video) if is_file(video) else None  # noqa: PTH116  a Path costs more than this
    except OSError:
        return None
    return status and (status.st_size, status.st_mtime_ns, status.st_ino)
