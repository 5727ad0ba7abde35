"""What is known of a file's packets, read once: their times and roles, and where decoding may begin."""

import math
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from exactframes.errors import DeclinedError, StaleIndexError
from exactframes.gops import Asked, Gop, Packet, Request
from exactframes.index_file import ARRAYS, read_index_file, write_index_file
from exactframes.media import Identity, identify
from exactframes.rules.roles import Role

SCALARS = ("how", "prunes", "finds_by_time", "end_seconds", "tells_durations", "regular_fps")
Numbers = np.ndarray[Any, np.dtype[Any]]


class Place(NamedTuple):
    """The place of a packet that was not read, but is known; an index puts it into Packet.data."""

    number: int  # in decoding order, among the packets of its stream
    size: int  # bytes


@dataclass(frozen=True, eq=False)
class Index:
    """All packets of a video stream, in decoding order: 22 bytes each, and 9 more once requests are answered.

    Requests by time take 16 more, as long as a decoder lives. An index is complete, and nothing in it was
    declined. GOPs are those of `gops.Gop`.
    """

    identity: Identity  # of the file
    stream_index: int
    base: Fraction  # seconds a tick of its times
    pts: Numbers  # int64 [packets]
    duration: Numbers  # int32, ticks
    size: Numbers  # int32, bytes
    role: Numbers  # uint8, an index into `roles`
    is_keyframe: Numbers  # bool, by the container
    roles: tuple[Role, ...]
    order: (
        Numbers  # int32 [frames]: the number of the packet that holds each frame, as TorchCodec counts them
    )
    starts: Numbers  # int32 [GOPs], the number of each GOP's first packet
    is_open: Numbers  # bool [GOPs]
    how: str  # the rule by which packets are dropped: support.Codec.how
    prunes: bool
    finds_by_time: bool  # whether a seek to any frame's own time leads to where decoding may begin
    end_seconds: float = 0.0  # when the last frame ends, by TorchCodec
    tells_durations: bool = False  # whether TorchCodec states these durations, too
    regular_fps: float | None = None  # the header's, if approximate mode finds each frame by it; else None

    def __len__(self) -> int:
        """The number of frames: of all packets but those that an edit list hides."""
        return len(self.order)

    @cached_property
    def is_kept(self) -> Numbers:
        """Bool [packets]: whether others refer to it."""
        layers = np.array([role.layer for role in self.roles])[self.role]
        needed: Numbers = np.array([role.needed for role in self.roles])[self.role]
        top = np.maximum.reduceat(layers, self.starts)
        return needed | (layers < top[self.gop_of(np.arange(len(layers)))])

    @cached_property
    def longest(self) -> int:
        """The number of packets in the longest GOP."""
        return int(np.diff(self.starts, append=len(self.pts)).max())

    def gop_of(self, numbers: Numbers | int) -> Numbers:
        """The GOPs that hold these packets."""
        gops: Numbers = np.searchsorted(self.starts, numbers, side="right") - 1
        return gops

    def asks_for_a_start(self, frames: Sequence[int]) -> bool:
        """Whether one frame is asked for, and a GOP starts with it: too little is there to be left out."""
        if len(frames) != 1:
            return False
        number, starts = self.order.item(frames[0]), self.starts.data
        place = bisect_left(starts, number)
        return place < len(starts) and starts[place] == number

    @property
    def begin_seconds(self) -> float:
        """When the first frame is shown: `times[0]`, without the others."""
        return float(self.pts[self.order[0]]) * self.base.numerator / self.base.denominator

    def seconds(self, ticks: Numbers) -> Numbers:
        """Times as TorchCodec computes them."""
        return in_seconds(ticks, self.base)

    @cached_property
    def times(self) -> Numbers:
        """float64 [frames]: when each frame is shown, in seconds."""
        return self.seconds(self.pts[self.order])

    @cached_property
    def ends(self) -> Numbers:
        """float64 [frames]: when each frame ends by its own duration, in seconds."""
        return self.seconds(self.pts[self.order] + self.duration[self.order])

    def asked(self, indices: Sequence[int]) -> Iterator[Asked]:
        """The GOPs that hold these frames, in order, with what is asked of each.

        The next GOP is given beside a GOP only if it continues it: else nothing is asked of it.
        """
        numbers = self.order[np.asarray(indices, dtype=np.int64)]
        gops = self.gop_of(numbers)
        is_leading = self.pts[numbers] < self.pts[self.starts[gops]]
        windows = gops - is_leading
        pts = self.pts[numbers].tolist()
        requests: dict[int, tuple[list[Request], list[Request]]] = {}
        for row in np.lexsort((np.arange(len(indices)), self.pts[numbers])).tolist():
            window = requests.setdefault(int(windows[row]), ([], []))
            window[int(is_leading[row])].append(Request(pts[row], row))
        for number in sorted(requests):
            own, leading = requests[number]
            goes_on = number + 1 < len(self.starts) and self.is_open[number + 1]
            yield Asked(self.gop(number), self.gop(number + 1) if goes_on else None, own, leading)

    def gop(self, number: int) -> Gop:
        """A GOP made of packets that were not read."""
        first, stop = self.bounds(number)
        roles = map(self.roles.__getitem__, self.role[first:stop].tolist())
        places = map(Place, range(first, stop), self.size[first:stop].tolist())
        packets = list(map(Packet, self.pts[first:stop].tolist(), roles, places))
        return Gop(packets, bool(self.is_open[number]))

    def bounds(self, number: int) -> tuple[int, int]:
        """The numbers of a GOP's first packet, and of the one after its last."""
        is_last = number + 1 == len(self.starts)
        return int(self.starts[number]), len(self.pts) if is_last else int(self.starts[number + 1])

    @cached_property
    def is_steady(self) -> bool:
        """Whether all frames have one duration, and follow each other by it, apart from rounding.

        If the rate varies, versions of FFmpeg's demuxers state other durations: PyAV's is not TorchCodec's.
        In AVI, frames that follow each other by two ticks may be stated to last one; TorchCodec gives two.
        """
        durations, steps = self.duration[self.order], np.diff(self.pts[self.order])
        first = int(durations[0])
        if first <= 0 or bool((durations != first).any() or (abs(steps - first) > 1).any()):
            return False
        return abs(int(steps.sum()) - first * len(steps)) <= len(steps) / 2 + 1  # rounded to the nearest tick

    def _is_regular(self, fps: float | None) -> bool:
        """Whether TorchCodec's approximate mode finds each frame exactly where exact mode does.

        It looks for frame i at i / fps, rounded to ticks, and seeks there by the container's own index.
        """
        if not fps or not self.finds_by_time or self.is_open.any() or int(self.pts[self.order[0]]):
            return False
        base = self.base
        guessed = np.floor(np.arange(len(self)) / fps * base.denominator / base.numerator + 0.5)
        return bool(np.array_equal(guessed, self.pts[self.order]))

    def shown_from(self, seconds: float) -> int | None:
        """The frame at a time by TorchCodec's get_frame_played_at; None after the last one's duration.

        TorchCodec seeks to the last keyframe at or before the nearest tick. From there on it takes the first
        frame that ends after this time, by its own duration.
        """
        ticks = round_half_away(seconds * self.base.denominator / self.base.numerator)
        keys = self.key_frames
        place = int(np.searchsorted(self.pts[self.order[keys]], ticks, side="right")) - 1
        first = int(keys[max(0, place)])
        stop = int(np.searchsorted(self.times, seconds, side="right")) + 1
        later = np.flatnonzero(np.maximum(self.ends[first:stop], self.times[first:stop]) > seconds)
        return first + int(later[0]) if len(later) else None

    @cached_property
    def key_frames(self) -> Numbers:
        """The frames that the container flags as keyframes; the first frame if it flags none."""
        found = np.flatnonzero(self.is_keyframe[self.order])
        return found if len(found) else np.zeros(1, dtype=np.int64)

    def shown_at(self, seconds: Numbers) -> Numbers:
        """The frame at each time by TorchCodec's get_frames_played_at: shown until the next one is."""
        return np.searchsorted(self.times[1:], seconds, side="right")

    def checked(self, metadata: Any, answer: Any) -> "Index":
        """Return this index if TorchCodec has found the same frames; note whether its durations are the same.

        Args:
            metadata: what TorchCodec found, in exact mode.
            answer: frames that it gave, with their times; or something without times.

        Raises:
            DeclinedError: if it counts more or fewer frames, or shows them at other times.
        """
        begin, end = metadata.begin_stream_seconds_from_content, metadata.end_stream_seconds_from_content
        if len(self) != metadata.num_frames_from_content or not len(self) or begin != self.times[0]:
            raise DeclinedError("TorchCodec does not find the frames that PyAV finds")
        is_told = self.is_steady and bool(end == self.ends.max())
        if hasattr(answer, "pts_seconds"):
            pts = np.atleast_1d(np.asarray(answer.pts_seconds))
            places = np.minimum(np.searchsorted(self.times, pts), len(self) - 1)
            if not np.array_equal(self.times[places], pts):
                raise DeclinedError("TorchCodec shows frames at other times than PyAV")
            theirs = np.atleast_1d(np.asarray(answer.duration_seconds))
            is_told &= np.array_equal(self.seconds(self.duration[self.order[places]]), theirs)
        fps = metadata.average_fps_from_header
        regular_fps = fps if self._is_regular(fps) else None
        return replace(self, end_seconds=end, tells_durations=is_told, regular_fps=regular_fps)

    def mapping(self) -> str:
        """The frames as TorchCodec's custom_frame_mappings; with them it need not scan the file."""
        numbers = self.order
        rows = zip(
            self.pts[numbers].tolist(),
            self.duration[numbers].tolist(),
            self.is_keyframe[numbers].tolist(),
            strict=True,
        )
        frames = (f'{{"pts":{pts},"duration":{ticks},"key_frame":{int(key)}}}' for pts, ticks, key in rows)
        return f'{{"frames":[{",".join(frames)}]}}'

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, completely or not at all."""
        header = {
            "counts": [len(self.pts), len(self.order), len(self.starts)],
            "identity": astuple(self.identity),
            "stream_index": self.stream_index,
            "base": [self.base.numerator, self.base.denominator],
            "roles": [list(role) for role in self.roles],
            **{name: getattr(self, name) for name in SCALARS},
        }
        write_index_file(path, header, [getattr(self, name) for name in ARRAYS])

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Index":
        """Read a saved one.

        Raises:
            FileNotFoundError: if there is none.
            StaleIndexError: if it is not an index, or has another version.
        """
        header, arrays = read_index_file(path)
        return cls(
            identity=Identity(*header["identity"]),
            stream_index=header["stream_index"],
            base=Fraction(*header["base"]),
            roles=tuple(Role(*role) for role in header["roles"]),
            **{name: header[name] for name in SCALARS},
            **arrays,
        )

    def require_fresh(self, video: Any) -> None:
        """Compare it with the video as it is now.

        Raises:
            StaleIndexError: if it was made of another file, or of another state of this one.
        """
        if self.identity.is_untouched(video):
            return
        changed = self.identity.difference(identify(video))
        if changed is not None:
            raise StaleIndexError(f"the index is not of this video: {changed}; make the index again")


def in_seconds(ticks: Numbers, base: Fraction) -> Numbers:
    """Times in seconds as TorchCodec reckons them: float64, multiplied before divided."""
    return ticks.astype(np.float64) * base.numerator / base.denominator


def round_half_away(value: float) -> int:
    """Round to the nearest whole number, as C's round does."""
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)
