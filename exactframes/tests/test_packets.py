"""Reading GOPs and matching requests with packets, on files that are made up packet by packet."""

from typing import Any, cast
from unittest.mock import Mock

import pytest

from exactframes import packets
from exactframes.boxes import Boxes
from exactframes.errors import DeclinedError
from exactframes.gops import Request, Requests
from exactframes.packets import USE_EXACT
from exactframes.rules.roles import Role
from exactframes.source import SeekMode
from exactframes.tests.made_h264 import avcc, sequence
from exactframes.tests.tape import Made, Tape, approximate, declined, exact, made, reader, shown, times


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
    assert bytes(cast("Any", window.gop.packets[2].data)) == made("b1")


@pytest.mark.parametrize(
    ("codec", "roles"),
    [
        ("mjpeg", [Role(needed=False, starts=True)] * 2),
        ("vp8", [Role(needed=True, starts=True, leads=True), Role(needed=True)]),
    ],
    ids=["each frame alone", "whole GOPs"],
)
def test_codecs_without_a_rule_of_their_own(codec: str, roles: list[Role]) -> None:
    asked = reader(Tape("I0 P1", codec=codec, format="matroska"), [0, 1]).asked()
    assert [packet.role for window in asked for packet in window.gop.packets] == roles


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
        ("I0/0 P1/2 P2/1", "decoding times do not rise"),
        ("I0 P1 K2", "decoding cannot begin exactly at a packet flagged as a keyframe"),
        ("S0 P1 I2", "decoding cannot begin exactly at a packet flagged as a keyframe"),
        ("I0 s1 I2", "decoding cannot begin exactly at a packet flagged as a keyframe"),
    ],
)
def test_what_cannot_be_matched_is_declined(text: str, reason: str) -> None:
    with pytest.raises(DeclinedError, match=f"^{reason}$"):
        exact(text, [2])


def test_packets_that_hold_nothing_are_passed_over() -> None:
    tape = Tape("I0 P1 P2")
    tape.packets.insert(1, Made())
    assert shown(list(reader(tape, [2], frames=3).asked())) == [[2]]


def test_parameters_may_be_told_before_the_first_packet() -> None:
    assert shown(exact("I0+ P1 P2", [2])) == [[2]]


def test_decoding_begins_where_parameters_are_repeated() -> None:
    assert [times(window.gop) for window in exact("S0 P1 S2 P3", [3])] == [[0, 1], [2, 3]]


def test_decoding_begins_at_no_entry_that_may_need_parameters_from_before() -> None:
    assert [times(window.gop) for window in exact("S0 P1 E2 P3 S4", [4])] == [[0, 1, 2, 3], [4]]


# --- What the header rules out ---


def test_a_stream_that_pyav_does_not_see() -> None:
    reason = "PyAV does not see the stream that TorchCodec reads"
    assert declined(Tape("I0"), stream_index=0) == reason
    assert declined(Tape("I0", base=cast("Any", None))) == reason


def test_codecs_and_containers_that_nobody_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "_is_reordered", lambda _source: True)
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
    reason = declined(Tape("I0"), mode="approximate", boxes=Boxes(is_fragmented=True))
    assert reason.startswith("seeking in fragmented MP4 is not exact: remux it losslessly, `ffmpeg")
    assert "film.mkv" in reason
    assert shown(
        list(reader(Tape("I0", format="matroska"), [0], boxes=Boxes(is_fragmented=True)).asked())
    ) == [[0]]


def test_time_stamps_that_are_too_large_for_seconds() -> None:
    large = 2**48
    assert shown(exact(f"I0 I{large}", [1])) == [[], [large]]
    for text in (f"I0 I{large + 1}", f"I0 E{large + 1}"):
        assert declined(Tape(text), [1]) == "time stamps are too large to be told apart in seconds"


def test_frames_of_a_codec_that_reorders_none_are_shown_as_they_are_decoded() -> None:
    text = "I0 P2 P6 P4 I8 P10"
    assert shown(exact(text, [3, 5])) == [[6], [10]]  # in H.264, P4 is a B-frame

    def tape() -> Tape:
        return Tape(text, codec="vp8", format="matroska")

    assert declined(tape(), [3]) == "the presentation times contradict the order of the pictures"
    assert shown(list(reader(tape(), [5]).asked())) == [[], [10]]


@pytest.mark.parametrize(
    ("delay", "text", "container", "is_known"),
    [
        (2, "I0 P8 P4 b2 b6 I10 P11", "matroska", True),
        (1, "I0 P8 P4 b2 b6 I10 P11", "matroska", False),
        (None, "I0 P8 P4 b2 b6 I10 P11", "matroska", False),
        (None, "I0 P8 b2 P9 b6 I10 P11", "matroska", False),  # b6 comes after P8 and P9
        (None, "I0 P4 b2 P8 b6 I10 P11", "matroska", True),  # FFmpeg has found a delay, so at least of one
        (1, "I0 P8 P4 b2 b6 I10 P11", "mov", True),
    ],
)
def test_frames_that_are_reordered_more_than_is_stated(
    delay: int | None, text: str, container: str, is_known: bool
) -> None:
    """FFmpeg's decoder finds only within the file that it must hold back more, unless told."""
    sets = avcc([sequence(order_bits=16, delay=delay)], [])
    tape = Tape(text, extradata=sets, format=container, has_b_frames=container == "matroska")
    if is_known:
        assert shown(list(reader(tape, [1]).asked())) == [[2]]
    else:
        assert declined(tape, [1]) == "frames are reordered more than the codec's parameters state"
    again = Tape(text, extradata=sets, format=container)
    assert shown(list(reader(again, [6]).asked())) == [[], [11]]


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
    tape = Tape(text, has_b_frames=first > 0)
    for packet, delay in zip((p for p in tape.packets if p.is_keyframe), (first, second), strict=True):
        assert packet.pts is not None
        packet.dts = packet.pts - delay
    return tape


TWO_GOPS = " ".join(["I0", *(f"P{n}" for n in range(1, 10)), "I10", "P11"])


@pytest.mark.parametrize(
    ("seek_mode", "first", "second", "missed"),
    [
        ("approximate", 2, 2, set()),
        ("approximate", 2, 3, {9}),
        ("approximate", 2, 4, {8, 9}),
        ("approximate", 0, 1, {9}),
        ("exact", 2, 4, set()),
        ("exact", 2, 11, set()),
        ("exact", 2, 12, {7, 8, 9}),
    ],
)
def test_frames_before_a_keyframe_that_ffmpeg_would_seek_to(
    seek_mode: SeekMode, first: int, second: int, missed: set[int]
) -> None:
    for index in (7, 8, 9, 10, 11):
        asked = reader(delayed(TWO_GOPS, first, second), [index], seek_mode).asked()
        if index in missed:
            with pytest.raises(DeclinedError, match=r"^FFmpeg seeks past frames in this file") as told:
                list(asked)
            assert "film.mkv" in str(told.value)
        else:
            assert sum(len(window.requests) for window in asked) == 1


def test_the_last_frame_asked_of_a_gop_tells_whether_one_is_missed() -> None:
    reason = declined(delayed(TWO_GOPS, 2, 3), [7, 9], "approximate")
    assert reason.startswith("FFmpeg seeks past frames in this file")


@pytest.mark.parametrize("how", ["another container", "no time of decoding"])
def test_where_ffmpeg_seeks_right_nothing_is_declined(how: str) -> None:
    tape = delayed(TWO_GOPS, 2, 4)
    if how == "another container":
        tape.format = "matroska"
    else:
        tape.packets[10].dts = None
    assert shown(list(reader(tape, [9], "approximate").asked())) == [[9]]


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
