"""VideoDecoder: TorchCodec's, except that it leaves out packets if that is cheaper and changes no frame."""

import io
import math
import numbers
import operator
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torchcodec import Frame, FrameBatch
from torchcodec.transforms import DecoderTransform, Resize

from exactframes.header import Theirs
from exactframes.index import Index, round_half_away
from exactframes.media import FileLike, path_of
from exactframes.opened import Asked, Opened

Answer = TypeVar("Answer")
_INHERITED: list[Opened] = []  # kept in a forked child, which must not close what its parent uses


class VideoDecoder:
    """A drop-in for torchcodec.decoders.VideoDecoder: the same arguments, methods, results and errors.

    It keeps one decoder of TorchCodec. Once that has worked, or would work for a large request, as long as
    reading the file's packets takes, they are read, once. From then on each request is answered in the
    cheaper way: by that decoder, or without the packets that the requested frames do not need. Both give the
    same frames, pts and durations, bit for bit. If that is not certain, TorchCodec's decoder answers all
    requests, in their order.

    One request is answered at a time, whichever threads they come from. A forked child opens the video
    again. Pickling keeps the source and the index, and no open file.

    Attributes:
        metadata: TorchCodec's VideoStreamMetadata.
        stream_index: of the stream that is decoded.
        All other attributes of TorchCodec's decoder exist, too.
    """

    def __init__(
        self,
        source: "str | Path | io.IOBase | bytes | Tensor | FileLike",
        *,
        stream_index: int | None = None,
        dimension_order: Literal["NCHW", "NHWC"] = "NCHW",
        num_ffmpeg_threads: int = 1,
        device: str | torch.device | None = None,
        seek_mode: Literal["exact", "approximate"] = "exact",
        transforms: Sequence[DecoderTransform | nn.Module] | None = None,
        custom_frame_mappings: "str | bytes | io.IOBase | None" = None,
        index: "Index | str | os.PathLike[str] | None" = None,
        **newer: Any,
    ) -> None:
        """Open a video.

        Args:
            source: as TorchCodec takes it. All arguments but `index` are TorchCodec's.
            stream_index: of the video stream; by default the best one.
            dimension_order: of the frames.
            num_ffmpeg_threads: FFmpeg's own threads, 0 to let it choose. As many threads of this library
                share a large request.
            device: where frames are decoded; packets are left out only on the CPU.
            seek_mode: "exact" counts the file's frames; packets are left out only in this mode.
            transforms: what the decoder applies; packets are left out only with none, or with one Resize.
            custom_frame_mappings: a list of the file's frames; with it no packets are left out.
            index: an index of this very video, or the path where its `save` wrote one. With it only the
                header is read here.
            newer: arguments of later versions of TorchCodec, such as output_dtype.

        Raises:
            StaleIndexError: if the index is not of this video as it is now.
            Exception: whatever TorchCodec's decoder raises.
        """
        read = getattr(custom_frame_mappings, "read", None)
        if read is not None:  # read it once: the video may be opened again
            custom_frame_mappings = read()
        self._video = source
        self._arguments: dict[str, Any] = {
            "stream_index": stream_index,
            "dimension_order": dimension_order,
            "num_ffmpeg_threads": num_ffmpeg_threads,
            "device": device,
            "seek_mode": seek_mode,
            "transforms": transforms,
            "custom_frame_mappings": custom_frame_mappings,
            **newer,
        }
        self._opened: Opened | None = None
        self._open(Index.load(index) if isinstance(index, (str, os.PathLike)) else index, None)

    def _open(self, index: Index | None, why: str | None) -> Opened:
        if index is not None:  # also an index from another process, or from before a fork
            index.require_fresh(self._video)
        ruled_out = why or _ruled_out(self._arguments)
        opened = Opened(self._video, self._arguments, None if ruled_out else index, ruled_out)
        self._opened, self.stream_index, self.metadata = opened, opened.stream_index, opened.metadata
        return opened

    def _here(self) -> Opened:
        """What is open in this process; opens it if need be."""
        opened = self._opened
        if opened is not None and opened.process == os.getpid():
            return opened
        if opened is None:
            return self._open(self._index_taken, self._why_taken)
        _INHERITED.append(opened)
        if path_of(self._video) is None and not isinstance(self._video, (str, bytes, Tensor, io.BytesIO)):
            raise RuntimeError(
                "a decoder of a file-like object was made before a fork, and the processes would share its "
                "place in the file: make a decoder in each of them"
            )
        return self._open(opened.index, opened.why)

    # --- what it knows ---

    @property
    def index(self) -> Index | None:
        """The file's packets, to be saved and given again; read now. None: see why_unpruned."""
        opened = self._here()
        with opened.lock:
            opened.read_index()
        return opened.index

    @property
    def why_unpruned(self) -> str | None:
        """Why no packets are left out, as far as is known yet; None if they may be."""
        return self._here().why

    @property
    def cpu_fallback(self) -> Any:
        """TorchCodec's attribute of this name."""
        return self._here().exact.cpu_fallback

    def __getattr__(self, name: str) -> Any:
        """Any other attribute of TorchCodec's decoder."""
        if name.startswith("__") or "_opened" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        opened = self._here()
        if name in ("metadata", "stream_index"):  # of a decoder that was unpickled, and opens only now
            return self.__dict__[name]
        return getattr(opened.exact, name)

    def __len__(self) -> int:
        """The number of frames."""
        return int(self.metadata.num_frames)

    def __getstate__(self) -> dict[str, Any]:
        """The source, and the index, which is read for this; no open file."""
        if path_of(self._video) is None and not isinstance(self._video, (str, bytes, Tensor)):
            raise TypeError(
                "a decoder of a file-like object cannot be pickled: make it from a path, a URL or bytes"
            )
        video = path_of(self._video) or self._video  # absolute: another process may work elsewhere
        index = self.index
        return {"video": video, "arguments": self._arguments, "index": index, "why": self.why_unpruned}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state, and open nothing yet."""
        self._video, self._arguments = state["video"], state["arguments"]
        self._index_taken, self._why_taken = state["index"], state["why"]
        self._opened = None

    # --- requests ---

    def __getitem__(self, key: Any) -> Tensor:
        """A frame by its index, uint8 [C, H, W], or those of a slice, [N, C, H, W]."""
        if isinstance(key, slice):
            frames = _rising(range(*key.indices(len(self))))
            return self._answer(lambda _: frames, lambda theirs: theirs[key], lambda ours: ours.data)
        is_number = isinstance(key, numbers.Integral)
        return self._answer(
            lambda _: self._numbers([key]) if is_number else None,
            lambda theirs: theirs[key],
            lambda ours: ours.data[0],
        )

    def get_frame_at(self, index: int) -> Frame:
        """The frame at an index."""
        return self._answer(
            lambda _: self._numbers([index]), lambda theirs: theirs.get_frame_at(index), _only_frame
        )

    def get_frames_at(self, indices: Tensor | list[int]) -> FrameBatch:
        """The frames at indices in any order; repeats are allowed."""
        return self._answer(
            lambda _: self._numbers(indices), lambda theirs: theirs.get_frames_at(indices), _batch
        )

    def get_frames_in_range(self, start: int, stop: int, step: int = 1) -> FrameBatch:
        """The frames from start up to but not including stop."""

        def frames_of(_: Index | None) -> Sequence[int] | None:
            return _rising(range(*slice(start, stop, step).indices(len(self))))

        return self._answer(frames_of, lambda theirs: theirs.get_frames_in_range(start, stop, step), _batch)

    def get_frame_played_at(self, seconds: float) -> Frame:
        """The frame that is shown at a time, in seconds."""

        def frames_of(index: Index | None) -> Sequence[int] | None:
            is_number = isinstance(seconds, numbers.Real)
            if index is None or not (is_number and index.tells_durations and self._is_within(seconds)):
                return None
            frame = index.shown_from(seconds)
            return None if frame is None else [frame]

        return self._answer(
            frames_of, lambda theirs: theirs.get_frame_played_at(seconds), _only_frame, seconds
        )

    def get_frames_played_at(self, seconds: Tensor | list[float]) -> FrameBatch:
        """The frames that are shown at these times, in seconds."""

        def frames_of(index: Index | None) -> Sequence[int] | None:
            if index is None:
                return None
            with suppress(Exception):  # TorchCodec reports what is wrong with them
                times = torch.as_tensor(seconds, dtype=torch.float64)
                if times.dim() == 1 and all(map(self._is_within, times.tolist())):
                    return list(index.shown_at(times.numpy()))
            return None

        return self._answer(frames_of, lambda theirs: theirs.get_frames_played_at(seconds), _batch)

    def get_frames_played_in_range(
        self, start_seconds: float, stop_seconds: float, fps: float | None = None
    ) -> FrameBatch:
        """The frames that are shown between two times; with fps, resampled to so many a second."""
        if fps is not None:
            return self._resampled(start_seconds, stop_seconds, fps)

        def frames_of(index: Index | None) -> Sequence[int] | None:
            if index is None or not self._is_range(start_seconds, stop_seconds):
                return None
            first = index.shown_at(np.array([start_seconds]))[0]
            return range(int(first), int(np.searchsorted(index.times, stop_seconds)))

        return self._answer(
            frames_of,
            lambda theirs: theirs.get_frames_played_in_range(start_seconds, stop_seconds),
            _batch,
        )

    def get_all_frames(self, fps: float | None = None) -> FrameBatch:
        """All frames; with fps, resampled to so many a second."""
        begin, end = self.metadata.begin_stream_seconds, self.metadata.end_stream_seconds
        return self.get_frames_played_in_range(begin, end, fps)

    def _resampled(self, start: float, stop: float, fps: float) -> FrameBatch:
        def targets() -> list[float]:
            count = round_half_away((stop - start) * fps)
            return [start + number * (1.0 / fps) for number in range(count)]

        def frames_of(index: Index | None) -> Sequence[int] | None:
            is_sound = isinstance(fps, numbers.Real) and fps > 0 and self._is_range(start, stop)
            if index is None or not is_sound:
                return None
            return list(index.shown_at(np.array(targets())))

        def ours(batch: FrameBatch) -> FrameBatch:
            pts = torch.tensor(targets(), dtype=torch.float64)
            return FrameBatch(batch.data, pts, torch.full_like(pts, 1.0 / fps))

        def theirs(decoder: Theirs) -> FrameBatch:
            return decoder.get_frames_played_in_range(start, stop, fps)

        return self._answer(frames_of, theirs, ours)

    def _answer(
        self,
        frames_of: Asked,
        theirs: Callable[[Theirs], Answer],
        ours: Callable[[FrameBatch], Answer],
        seconds: Any = None,
    ) -> Answer:
        opened = self._here()
        with opened.lock:
            return opened.answer(frames_of, theirs, ours, seconds)

    def _numbers(self, indices: Tensor | Iterable[int]) -> list[int] | None:
        """Frames as whole numbers, none negative; None if TorchCodec shall report what is wrong."""
        if isinstance(indices, Tensor):
            if indices.dim() != 1 or indices.is_floating_point():
                return None
            indices = indices.tolist()
        elif not isinstance(indices, (list, Sequence, np.ndarray)):  # TorchCodec takes no other
            return None
        count = len(self)
        try:
            listed = list(indices)
            found = list(map(operator.index, listed))
        except TypeError:
            return None
        if bool in map(type, listed) or (found and not -count <= min(found) <= max(found) < count):
            return None
        return [number if number >= 0 else number + count for number in found]

    def _is_within(self, seconds: float) -> bool:
        return bool(self.metadata.begin_stream_seconds <= seconds < self.metadata.end_stream_seconds)

    def _is_range(self, start: float, stop: float) -> bool:
        end = self.metadata.end_stream_seconds
        return self._is_within(start) and start < stop <= end and math.isfinite(stop)


def _rising(frames: range) -> range | None:
    """The range, if it rises: TorchCodec takes no other."""
    return frames if frames.step > 0 else None


def _batch(ours: FrameBatch) -> FrameBatch:
    return ours


def _only_frame(ours: FrameBatch) -> Frame:
    return Frame(ours.data[0], float(ours.pts_seconds[0]), float(ours.duration_seconds[0]))


def _ruled_out(arguments: dict[str, Any]) -> str | None:
    """Why no packets are left out with these arguments; None if they may be."""
    device = arguments["device"]
    if torch.device(torch.get_default_device() if device is None else device).type != "cpu":
        return "packets are left out on the CPU only"
    if arguments["custom_frame_mappings"] is not None:
        return "custom_frame_mappings tell other frames than the file may have"
    if arguments["seek_mode"] != "exact":
        return "packets are left out in seek mode exact only"
    if arguments.get("output_dtype", torch.uint8) != torch.uint8:
        return "packets are left out of uint8 frames only"
    transforms = arguments["transforms"] or ()
    if len(transforms) > 1 or any(type(transform) is not Resize for transform in transforms):
        return "packets are left out with one Resize, and no other transform"
    return None
