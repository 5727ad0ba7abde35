"""Reading GOPs and matching requests with packets, on files that are made up packet by packet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from av.video.stream import VideoStream

from exactframes import packets
from exactframes.errors import DeclinedError
from exactframes.packets import USE_EXACT, Asked, Gop, Reader, Request, Requests
from exactframes.source import SeekMode, Source
from exactframes.tests.test_h264 import I, avcc, nal, recovery_point, sei, slice_of
from exactframes.tests.test_nal import sized

IDR, SPS = 5, 7
# A packet is written as its kind, its pts, its dts where that matters, and signs for what else the container
# says of it: "I0 P2 b1", "I2/0 P4/1 b3/2", "I0 P1!".
UNITS = {
    "I": [nal(IDR, 1)],
    "R": [sei(recovery_point()), slice_of(I)],  # an entry, frames may be shown before it
    "S": [nal(SPS), nal(IDR, 1)],
    "s": [nal(SPS), nal(1, 1)],
    "K": [nal(1, 1)],  # flagged as a keyframe, though it is none
    "E": [nal(IDR, 1)],  # not flagged, though it is one
    "P": [nal(1, 1)],
    "b": [nal(1)],
}
SIGNS = {"!": "is_corrupt", "-": "is_discard", "+": "has_new_parameters", "?": "has_no_time"}


class Made(bytes):
    """Like PyAV's packet, as far as it is read here: those cannot be made up in all their states."""

    pts: int | None = None
    dts: int | None = None
    is_keyframe = is_corrupt = is_discard = has_new_parameters = has_no_time = False

    @property
    def size(self) -> int:
        return len(self)

    def has_sidedata(self, kind: str) -> bool:
        return kind == "new_extradata" and self.has_new_parameters


def made(name: str) -> Made:
    packet = Made(sized(*UNITS[name[0]]))
    packet.is_keyframe = name[0] in "IRSK"
    for sign in set(name) & set(SIGNS):
        setattr(packet, SIGNS[sign], True)
    pts, *dts = name[1:].rstrip("".join(SIGNS)).split("/")
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
    extradata: bytes | None = field(default_factory=avcc)
    has_b_frames: bool = False
    leads: dict[int, int] = field(default_factory=dict)  # where seeking to a time leads to another one
    sought: list[int] = field(default_factory=list)
    read: list[int | None] = field(default_factory=list)
    _place: int = 0

    def __post_init__(self) -> None:
        self.packets = [*map(made, self.text.split()), Made()]  # the last one flushes a decoder

    def demux(self, _stream: VideoStream) -> Iterator[Made]:
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
    )
    container = SimpleNamespace(
        streams=[None, stream], format=SimpleNamespace(name=tape.format), demux=tape.demux, seek=tape.seek
    )
    return Reader(cast("Any", container), replace(source, **header), indices)


def exact(text: str, indices: Sequence[int]) -> list[Asked]:
    return list(reader(Tape(text), indices, fps=None).asked())


def approximate(tape: Tape, indices: Sequence[int], **header: Any) -> list[Asked]:
    return list(reader(tape, indices, "approximate", **header).asked())


def shown(asked: Sequence[Asked]) -> list[list[int]]:
    """When the requested frames of each GOP are shown; those of the next one's leading ones come last."""
    return [[request.pts for request in (*window.requests, *window.leading)] for window in asked]


def times(gop: Gop | None) -> list[int]:
    return [packet.pts for packet in gop.packets] if gop is not None else []


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Where TorchCodec would count the frames of a file, which there is none of."""
    count = Mock(side_effect=AssertionError("the file is scanned once more"))
    monkeypatch.setattr(packets, "count_frames", count)
    return count


# --- GOPs, and exact mode ---


def test_gops_come_in_order_each_with_the_one_after_it() -> None:
    asked = exact("I0 P2 b1 I3 P4 I5", [5, 0])
    assert [times(window.gop) for window in asked] == [[0, 2, 1], [3, 4], [5]]
    assert [times(window.following) for window in asked] == [[3, 4], [5], []]
    assert [window.requests for window in asked] == [[Request(0, 1)], [], [Request(5, 0)]]


def test_packets_keep_their_role_and_data() -> None:
    [window] = exact("I0 P2 b1", [0])
    assert [packet.role.needed for packet in window.gop.packets] == [True, True, False]
    assert [packet.role.starts for packet in window.gop.packets] == [True, False, False]
    assert bytes(cast("Any", window.gop.packets[2].data)) == sized(*UNITS["b"])


def test_frames_count_in_the_order_in_which_they_are_shown() -> None:
    assert shown(exact("I0 P30 b10 b20 I40 P60 b50", [1, 3, 5])) == [[10, 30], [50]]


def test_a_frame_may_be_asked_for_repeatedly() -> None:
    [window] = exact("I0 P1 P2", [2, 0, 2])
    assert window.requests == [Request(0, 1), Request(2, 0), Request(2, 2)]


def test_the_first_frame_may_be_shown_at_any_time() -> None:
    assert shown(exact("I7 P9 b8", [1])) == [[8]]


def test_decoding_may_begin_where_the_container_flags_nothing() -> None:
    assert [times(window.gop) for window in exact("I0 P1 E2 P3", [3])] == [[0, 1], [2, 3]]


def test_gops_are_given_up_to_the_last_request_and_the_file_is_read_to_its_end() -> None:
    tape = Tape("I0 P1 I2 P3 I4 P5 I6")
    read = reader(tape, [3])
    assert shown(list(read.asked())) == [[], [3]]
    assert (read.frames, tape.sought) == (7, [])
    assert tape.read[-1] is None


def test_nothing_is_given_where_nothing_is_asked() -> None:
    read = reader(Tape("I0 P1 I2"), [])
    assert (list(read.asked()), read.frames) == ([], 3)


def test_leading_frames_are_asked_of_the_gop_before() -> None:
    asked = exact("I0 P2 b1 R6 P4 b3 b5 P8 b7", [1, 3, 4, 6, 7])
    assert [[r.pts for r in window.requests] for window in asked] == [[1], [6, 7]]
    assert [[r.pts for r in window.leading] for window in asked] == [[3, 4], []]
    assert [window.gop.is_open for window in asked] == [False, True]
    assert asked[1].gop.leading() == [4, 3, 5]


def test_a_gop_that_may_be_led_need_not_be() -> None:
    first, second = exact("R0 P1 R2 P3", [3])
    assert (first.gop.is_open, second.gop.is_open, second.gop.leading()) == (False, False, [])


def test_torchcodec_counts_where_the_header_tells_another_number(counted: Mock) -> None:
    counted.side_effect = None
    counted.return_value = 3
    assert shown(list(reader(Tape("I0 P1 P2"), [2], frames=4).asked())) == [[2]]
    counted.assert_called_once()


def test_a_count_that_is_not_torchcodec_s_is_declined(counted: Mock) -> None:
    counted.side_effect = None
    counted.return_value = 5
    with pytest.raises(DeclinedError, match="TorchCodec does not count 3 frames, as there are packets"):
        list(reader(Tape("I0 P1 P2"), [2], frames=4).asked())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file holds fewer frames than were asked for"),
        ("I0 P1", "the file holds fewer frames than were asked for"),
        ("R3 P2 b1 P4 P5", "frames are shown before the first keyframe"),
        ("P0 P1 I2 P3", "it does not begin with a keyframe at which decoding may begin"),
        ("I0 P1 I4 P3 b2", "frames are shown before the keyframe that they follow"),
        ("I2 P3 R6 P1 b5", "frames are shown before the keyframe that they follow"),
        ("I2 P3 R6 P2 b5", "frames are shown before the keyframe that they follow"),
        ("I0 P2 P5 I3 P4", "frames are shown after the keyframe that follows them"),
        ("I0 P2 P3 I3 P4", "frames are shown after the keyframe that follows them"),
        ("I0 P1 b1 P2", "two packets have the same time stamp"),
        ("I0 P1 I1 P2", "frames are shown after the keyframe that follows them"),
        ("I0 P2 R5 P2 b3", "two packets have the same time stamp"),
        ("I0 P? P2", "the file gives a packet no time stamp"),
        ("I0 P1- P2", "an edit list hides packets"),
        ("I0 P1! P2", "a packet is damaged"),
        ("I0 P1+ P2", "the codec's parameters change within the file"),
        ("I0 P1 K2", "decoding cannot begin exactly at a packet flagged as a keyframe"),
        ("S0 P1 I2", "decoding cannot begin exactly at a packet flagged as a keyframe"),
        ("I0 s1 I2", "decoding cannot begin exactly at a packet flagged as a keyframe"),
    ],
)
def test_what_cannot_be_matched_is_declined(text: str, reason: str) -> None:
    with pytest.raises(DeclinedError, match=f"^{reason}$"):
        exact(text, [2])


def test_parameters_may_be_told_before_the_first_packet() -> None:
    assert shown(exact("I0+ P1 P2", [2])) == [[2]]


def test_decoding_begins_where_parameters_are_repeated() -> None:
    assert [times(window.gop) for window in exact("S0 P1 S2 P3", [3])] == [[0, 1], [2, 3]]


def test_decoding_begins_at_no_entry_that_may_need_parameters_from_before() -> None:
    assert [times(window.gop) for window in exact("S0 P1 E2 P3 S4", [4])] == [[0, 1, 2, 3], [4]]


# --- What the header rules out ---


def declined(tape: Tape, indices: Sequence[int] = (0,), mode: SeekMode = "exact", **header: Any) -> str:
    with pytest.raises(DeclinedError) as told:
        list(reader(tape, indices, mode, **header).asked())
    return str(told.value)


def test_a_stream_that_pyav_does_not_see() -> None:
    reason = "PyAV does not see the stream that TorchCodec reads"
    assert declined(Tape("I0"), stream_index=0) == reason
    assert declined(Tape("I0", base=cast("Any", None))) == reason


def test_codecs_and_containers_that_nobody_tried() -> None:
    assert declined(Tape("I0", codec="cinepak")) == "pruning has not been tried with the codec cinepak"
    assert declined(Tape("I0", format="ogg")) == "pruning has not been tried with h264 in ogg"
    assert "film.mkv" in declined(Tape("I0", format="mpegts"))


def test_avi_tells_no_times_of_b_frames() -> None:
    reason = declined(Tape("I0", format="avi", has_b_frames=True))
    assert reason.startswith("AVI keeps no presentation times of B-frames; remux it losslessly, `ffmpeg")
    assert "film.mkv" in reason


@pytest.mark.parametrize(
    "tape",
    [
        Tape("I0", format="avi"),
        Tape("I0", format="avi", codec="mjpeg", has_b_frames=True),
        Tape("I0", format="matroska,webm", has_b_frames=True),
    ],
    ids=["no B-frames", "a codec that has none", "another container"],
)
def test_where_times_are_told_nothing_is_declined(tape: Tape) -> None:
    assert shown(list(reader(tape, [0]).asked())) == [[0]]


def test_codecs_may_come_without_extradata() -> None:
    assert shown(list(reader(Tape("I0", codec="vp8", format="matroska", extradata=None), [0]).asked())) == [
        [0]
    ]


@pytest.mark.parametrize("fps", [None, 0])
def test_approximate_mode_needs_a_frame_rate(fps: float | None) -> None:
    reason = f"the header tells no frame rate; {USE_EXACT}"
    assert declined(Tape("I0"), mode="approximate", fps=fps) == reason


def test_approximate_mode_takes_the_number_of_frames_from_the_header() -> None:
    reason = "the file holds fewer frames than were asked for"
    assert declined(Tape("I0 P1 P2"), [1, 2], "approximate", frames=2) == reason
    assert approximate(Tape("I0 P1"), [1])


def test_fragmented_mp4_is_declined() -> None:
    reason = declined(Tape("I0"), is_fragmented=True)
    assert reason.startswith("seeking in fragmented MP4 is not exact: remux it losslessly, `ffmpeg")
    assert "film.mkv" in reason
    assert shown(list(reader(Tape("I0", format="matroska"), [0], is_fragmented=True).asked())) == [[0]]


def test_time_stamps_that_are_too_large_for_seconds() -> None:
    large = 2**48
    assert shown(exact(f"I0 I{large}", [1])) == [[], [large]]
    assert declined(Tape(f"I0 I{large + 1}"), [1]) == "time stamps are too large to be told apart in seconds"


# --- What the times of decoding tell ---


@pytest.mark.parametrize("text", ["I0/0 P2/1 b1/2", "I2/0 P4/1 b3/2 I5/5"])
def test_b_frames_without_presentation_times(text: str) -> None:
    assert declined(Tape(text, has_b_frames=True)) == "B-frames have no presentation times of their own"


@pytest.mark.parametrize(
    "tape",
    [
        Tape("I0/0"),
        Tape("I0/0", has_b_frames=True, format="matroska"),
        Tape("I0/0", has_b_frames=True, codec="mjpeg"),
    ],
    ids=["no B-frames", "another container", "a codec that has none"],
)
def test_without_reordering_frames_may_be_shown_when_decoded(tape: Tape) -> None:
    assert shown(list(reader(tape, [0]).asked())) == [[0]]


def test_only_where_gops_start_are_times_compared() -> None:
    assert shown(list(reader(Tape("I2/0 P3/3", has_b_frames=True), [1]).asked())) == [[3]]


def delayed(text: str, first: int, second: int) -> Tape:
    """Two GOPs, whose keyframes are shown so many ticks after they are decoded."""
    tape = Tape(text, has_b_frames=True)
    for packet, delay in zip((p for p in tape.packets if p.is_keyframe), (first, second), strict=True):
        assert packet.pts is not None
        packet.dts = packet.pts - delay
    return tape


TWO_GOPS = " ".join(["I0", *(f"P{n}" for n in range(1, 10)), "I10", "P11"])


@pytest.mark.parametrize(
    ("seek_mode", "second", "missed"),
    [
        ("approximate", 2, set()),
        ("approximate", 3, {9}),
        ("approximate", 4, {8, 9}),
        ("exact", 4, set()),
        ("exact", 11, set()),
        ("exact", 12, {7, 8, 9}),
    ],
)
def test_frames_before_a_keyframe_that_ffmpeg_would_seek_to(
    seek_mode: SeekMode, second: int, missed: set[int]
) -> None:
    for index in (7, 8, 9, 10, 11):
        asked = reader(delayed(TWO_GOPS, 2, second), [index], seek_mode).asked()
        if index in missed:
            with pytest.raises(DeclinedError, match=r"^FFmpeg seeks past frames in this file") as told:
                list(asked)
            assert "film.mkv" in str(told.value)
        else:
            assert sum(len(window.requests) for window in asked) == 1


@pytest.mark.parametrize("how", ["another container", "no time of decoding"])
def test_where_ffmpeg_seeks_right_nothing_is_declined(how: str) -> None:
    tape = delayed(TWO_GOPS, 2, 4)
    if how == "another container":
        tape.format = "matroska"
    else:
        tape.packets[10].dts = None
    assert shown(list(reader(tape, [9], "approximate").asked())) == [[9]]


# --- Approximate mode ---

MILLISECONDS = Fraction(1, 1000)


def test_approximate_mode_finds_frames_by_their_time() -> None:
    tape = Tape("I0 P1024 b512 I1536 P2048", Fraction(1, 12800))
    assert shown(approximate(tape, [2, 1, 3])) == [[512, 1024], [1536]]


def test_approximate_mode_rounds_times_to_ticks() -> None:
    tape = Tape("I0 P33 P67 I100 P133 P167", MILLISECONDS)
    assert shown(approximate(tape, range(6), fps=30)) == [[0, 33, 67], [100, 133, 167]]


def test_approximate_mode_begins_at_time_0() -> None:
    assert declined(Tape("I1 P2"), mode="approximate") == f"the video does not begin at time 0; {USE_EXACT}"


def test_approximate_mode_may_miss_leading_frames() -> None:
    reason = "approximate seek mode may miss frames that are shown before their keyframe"
    assert declined(Tape("I0 P1 R4 P3 b2"), [2], "approximate") == f"{reason}; {USE_EXACT}"
    assert shown(approximate(Tape("I0 P1 R4 P3 b2"), [1, 4])) == [[1], [4]]


VARIES = f"the frame rate varies, and approximate mode guesses by it; {USE_EXACT}"


@pytest.mark.parametrize(
    ("text", "index", "found"),
    [
        ("I0 P33 P68 P100", 2, 68),
        ("I0 P33 P69 P100", 2, None),
        ("I0 P33 P66 P100", 2, None),
        ("I0 P33 P67 P99 P133", 3, None),
        ("I0 P33 P68 I101 P133", 3, 101),
        ("I0 P33 P67 I102 P133", 3, None),
        ("I0 P33 P67 P100 I101 P133", 3, 100),
        ("I0 P33 P67 P99 I101 P133", 3, 101),
    ],
)
def test_a_frame_may_be_a_tick_late_but_not_more_nor_early(text: str, index: int, found: int | None) -> None:
    tape = Tape(text, MILLISECONDS)
    if found is None:
        assert declined(tape, [index], "approximate", fps=30, frames=9) == VARIES
    else:
        assert [pts for window in shown(approximate(tape, [index], fps=30)) for pts in window] == [found]


@pytest.mark.parametrize(("base", "is_late"), [(240, False), (241, True)])
def test_a_tick_that_is_an_eighth_of_a_frame_is_no_rounding(base: int, is_late: bool) -> None:
    tape = Tape("I0 P9", Fraction(1, base))
    if is_late:
        assert shown(approximate(tape, [1], fps=30)) == [[9]]
    else:
        assert declined(tape, [1], "approximate", fps=30) == VARIES


def test_a_time_at_which_no_frame_is_shown() -> None:
    assert declined(Tape("I0 P1 I3 P4"), [2], "approximate") == VARIES
    assert declined(Tape("I0 P2 P3"), [1], "approximate") == VARIES


def test_after_the_frame_before_comes_the_next_one() -> None:
    tape = "I0 P33 P50 P67"  # of two neighbours TorchCodec gives the second as what comes after the first
    assert shown(approximate(Tape(tape, MILLISECONDS), [0, 2], fps=30)) == [[0, 67]]
    assert declined(Tape(tape, MILLISECONDS), [1, 2], "approximate", fps=30) == VARIES
    assert shown(approximate(Tape(tape, MILLISECONDS), [1, 0], fps=30)) == [[0, 33]]


def test_the_frame_before_may_be_a_tick_late() -> None:
    assert shown(approximate(Tape("I0 P34 P67", MILLISECONDS), [1, 2], fps=30)) == [[34, 67]]


def test_the_frame_before_may_be_in_the_gop_before() -> None:
    assert shown(approximate(Tape("I0 P33 I67", MILLISECONDS), [1, 2], fps=30)) == [[33], [67]]
    tape = Tape("I0 P33 P50 I67", MILLISECONDS)
    assert declined(tape, [1, 2], "approximate", fps=30) == VARIES


def test_the_first_frame_has_none_before_it() -> None:
    assert shown(approximate(Tape("I0 P1"), [0, 1])) == [[0, 1]]


def test_reading_ends_with_the_last_request() -> None:
    tape = Tape("I0 P1 I2 P3 I4 P5 I6")
    assert shown(approximate(tape, [1])) == [[1]]
    assert tape.read == [0, 1, 2, 3, 4]
    assert approximate(Tape("I0 P1 I2"), []) == approximate(Tape(""), [], frames=3) == []


def test_frames_that_the_header_promises_may_be_missing() -> None:
    reason = "the file holds fewer frames than were asked for"
    assert declined(Tape("I0 P1 I2"), [5], "approximate", frames=9) == reason
    assert declined(Tape(""), [0], "approximate", frames=9) == reason


# --- Seeking ---

FAR = "I0 P1 I2 P3 I4 P5 I6 P7 I8 P9 I10 P11 I12 P13"


@pytest.mark.parametrize(("index", "sought"), [(4, []), (5, [5]), (13, [13])])
def test_what_lies_between_requests_is_skipped(index: int, sought: list[int]) -> None:
    tape = Tape(FAR)
    assert shown(approximate(tape, [0, index]))[-1] == [index]
    assert tape.sought == sought


def test_skipped_gops_are_not_read() -> None:
    tape = Tape(FAR)
    asked = approximate(tape, [0, 9])
    assert [window.gop.shown for window in asked] == [0, 8]
    assert tape.read == [0, 1, 2, 3, 4, 8, 9, 10, 11, 12]


def test_exact_mode_skips_nothing() -> None:
    tape = Tape(FAR)
    assert len(list(reader(tape, [0, 13]).asked())) == 7
    assert tape.sought == []


def test_a_seek_that_leads_back_is_read_on_from() -> None:
    tape = Tape(FAR, leads={9: 0})
    asked = approximate(tape, [0, 9])
    assert [window.gop.shown for window in asked] == [0, 2, 4, 6, 8]


def test_after_a_seek_that_leads_too_far_reading_goes_on_where_it_was() -> None:
    tape = Tape(FAR, leads={9: 12})
    asked = approximate(tape, [0, 9])
    assert [window.gop.shown for window in asked][:2] == [0, 2]
    assert shown(asked)[-1] == [9]
    assert tape.sought[:2] == [9, 2]


def test_after_a_seek_that_leads_nowhere_reading_goes_on_where_it_was() -> None:
    tape = Tape(FAR, leads={9: -1})
    assert shown(approximate(tape, [0, 9]))[-1] == [9]
    assert tape.sought[:2] == [9, 2]


def test_a_seek_to_where_decoding_cannot_begin_is_undone() -> None:
    tape = Tape(FAR.replace("I8", "K8"), leads={9: 9})
    assert declined(tape, [0, 9], "approximate") == (
        "decoding cannot begin exactly at a packet flagged as a keyframe"
    )
    assert tape.sought[:2] == [9, 2]
    tape = Tape(f"{FAR} K14", leads={9: 14})
    assert shown(approximate(tape, [0, 9]))[-1] == [9]


def test_where_no_seek_leads_back_frames_are_missed() -> None:
    tape = Tape(FAR, leads={9: 12, 2: 12})
    assert declined(tape, [0, 9], "approximate") == VARIES
    tape = Tape(FAR, leads={9: -1, 2: -1})
    assert declined(tape, [0, 9], "approximate") == "the file holds fewer frames than were asked for"


# --- Requests ---


def test_requests_are_taken_in_the_order_of_their_targets() -> None:
    requests = Requests([7, 2, 2, 5])
    assert requests.next_target == 2
    assert requests.take_below(2) == []
    assert requests.take_below(6) == [(2, 1), (2, 2), (5, 3)]
    assert requests.next_target == 7
    assert requests.take_below(6) == []
    assert requests.take_below(8) == [(7, 0)]
    assert requests.next_target is None
