"""Files that are made up packet by packet, and a Reader of one, for tests."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from av.video.stream import VideoStream

from exactframes.boxes import Boxes
from exactframes.errors import DeclinedError
from exactframes.gops import Asked, Gop
from exactframes.packets import Reader
from exactframes.source import SeekMode, Source
from exactframes.tests.made_h264 import I, avcc, picture, recovery_point, sei, sequence
from exactframes.tests.made_nal import sized

IDR = 5
# Of pictures whose order has 16 bits; frame_num has 4, and nothing else takes a bit of a slice's header.
SEQUENCE = sequence(order_bits=16)
# A packet is written as its kind, its pts, its dts where that matters, and signs for what else the container
# says of it: "I0 P2 b1", "I2/0 P4/1 b3/2", "I0 P1!". Its picture's order is its pts.
UNITS: dict[str, Callable[[int], list[bytes]]] = {
    "I": lambda pts: [picture(pts, IDR)],
    "R": lambda pts: [sei(recovery_point()), picture(pts, slice_type=I)],  # an entry, frames may lead
    "S": lambda pts: [SEQUENCE, picture(pts, IDR)],
    "s": lambda pts: [SEQUENCE, picture(pts)],
    "K": lambda pts: [picture(pts)],  # flagged as a keyframe, though it is none
    "E": lambda pts: [picture(pts, IDR)],  # not flagged, though it is one
    "P": lambda pts: [picture(pts)],
    "b": lambda pts: [picture(pts, ref_idc=0)],
}
SIGNS = {"!": "is_corrupt", "-": "is_discard", "+": "has_new_parameters", "?": "has_no_time"}


class Made(bytes):
    """Like PyAV's packet, as far as it is read here: those cannot be made up in all their states."""

    pts: int | None = None
    dts: int | None = None
    is_keyframe = is_corrupt = is_discard = has_new_parameters = has_no_time = False

    @property
    def size(self) -> int:
        """How many bytes."""
        return len(self)

    def has_sidedata(self, kind: str) -> bool:
        """Whether there are new parameters, which is all that is asked here."""
        return kind == "new_extradata" and self.has_new_parameters


def made(name: str) -> Made:
    """A packet, as it is written above."""
    pts, *dts = name[1:].rstrip("".join(SIGNS)).split("/")
    packet = Made(sized(*UNITS[name[0]](int(pts or 0))))
    packet.is_keyframe = name[0] in "IRSK"
    for sign in set(name) & set(SIGNS):
        setattr(packet, SIGNS[sign], True)
    packet.pts = None if packet.has_no_time else int(pts)
    packet.dts = int(dts[0]) if dts else None
    return packet


@dataclass
class Tape:
    """A file and its container, of H.264 unless told otherwise."""

    text: str
    base: Fraction = Fraction(1, 25)
    format: str = "mov,mp4,m4a"
    codec: str = "h264"
    extradata: bytes | None = field(default_factory=lambda: avcc([SEQUENCE], []))
    has_b_frames: bool = False
    leads: dict[int, int] = field(default_factory=dict)  # where seeking to a time leads to another one
    sought: list[int] = field(default_factory=list)
    read: list[int | None] = field(default_factory=list)
    _place: int = 0

    def __post_init__(self) -> None:
        """Make the packets."""
        self.packets = [*map(made, self.text.split()), Made()]  # the last one flushes a decoder

    def demux(self, _stream: VideoStream) -> Iterator[Made]:
        """As PyAV's container does."""
        while self._place < len(self.packets):
            packet = self.packets[self._place]
            self._place += 1
            self.read.append(packet.pts)
            yield packet

    def seek(self, time: int, *, stream: VideoStream) -> None:
        """To the last keyframe shown at or before a time; behind all where that is told to lead to -1."""
        assert stream.time_base == self.base
        self.sought.append(time)
        time = self.leads.get(time, time)
        places = [
            n for n, p in enumerate(self.packets) if p.is_keyframe and p.pts is not None and p.pts <= time
        ]
        self._place = places[-1] if places else len(self.packets)


def reader(tape: Tape, indices: Sequence[int], seek_mode: SeekMode = "exact", **header: Any) -> Reader:
    """A reader of a file whose header tells this."""
    codec = SimpleNamespace(canonical_name=tape.codec)
    context = SimpleNamespace(codec=codec, extradata=tape.extradata, has_b_frames=tape.has_b_frames)
    stream = Mock(spec=VideoStream, time_base=tape.base, codec_context=context)
    source = Source(
        path=Path("film.mp4"),
        seek_mode=seek_mode,
        stream_index=1,
        width=96,
        height=64,
        fps=25,
        frames=len(tape.packets) - 1,
        look=(),
        boxes=Boxes(edit_lists=(True, True)),
        stamp=(0, 0),
    )
    container = SimpleNamespace(
        streams=[None, stream], format=SimpleNamespace(name=tape.format), demux=tape.demux, seek=tape.seek
    )
    return Reader(cast("Any", container), replace(source, **header), indices)


def exact(text: str, indices: Sequence[int]) -> list[Asked]:
    """What is asked of a file in exact mode."""
    return list(reader(Tape(text), indices, fps=None).asked())


def approximate(tape: Tape, indices: Sequence[int], **header: Any) -> list[Asked]:
    """What is asked of a file in approximate mode."""
    return list(reader(tape, indices, "approximate", **header).asked())


def shown(asked: Sequence[Asked]) -> list[list[int]]:
    """When the requested frames of each GOP are shown; those of the next one's leading ones come last."""
    return [[request.pts for request in (*window.requests, *window.leading)] for window in asked]


def times(gop: Gop | None) -> list[int]:
    """When the packets of a GOP are shown."""
    return [packet.pts for packet in gop.packets] if gop is not None else []


def declined(tape: Tape, indices: Sequence[int] = (0,), mode: SeekMode = "exact", **header: Any) -> str:
    """Why a file is declined."""
    with pytest.raises(DeclinedError) as told:
        list(reader(tape, indices, mode, **header).asked())
    return str(told.value)
