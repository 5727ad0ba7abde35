"""Approximate mode: frames found by their time, and what lies between requests skipped."""

from fractions import Fraction
from unittest.mock import Mock

import pytest

from exactframes import packets
from exactframes.errors import RestDeclinedError
from exactframes.packets import USE_EXACT
from exactframes.tests.tape import Tape, approximate, declined, reader, shown


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Where TorchCodec would count the frames of a file, which there is none of."""
    count = Mock(side_effect=AssertionError("the file is scanned once more"))
    monkeypatch.setattr(packets, "count_frames", count)
    return count


MILLISECONDS = Fraction(1, 1000)


def test_approximate_mode_finds_frames_by_their_time() -> None:
    tape = Tape("I0 P1024 b512 I1536 P2048", Fraction(1, 12800))
    assert shown(approximate(tape, [2, 1, 3])) == [[512, 1024], [1536]]


def test_approximate_mode_rounds_times_to_ticks() -> None:
    tape = Tape("I0 P33 P67 I100 P133 P167", MILLISECONDS)
    assert shown(approximate(tape, range(6), fps=30)) == [[0, 33, 67], [100, 133, 167]]


def test_a_tick_may_be_more_than_one_part_of_a_second() -> None:
    assert shown(approximate(Tape("I0 P1 P2", Fraction(1001, 30000)), [2], fps=30000 / 1001)) == [[2]]


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


@pytest.mark.parametrize("indices", [[0, 1], [2, 3]])
def test_frames_that_are_looked_for_at_the_same_time(indices: list[int]) -> None:
    assert declined(Tape("I0 P1 P2 P3"), indices, "approximate", fps=100) == VARIES


def test_reading_ends_with_the_last_request() -> None:
    tape = Tape("I0 P1 I2 P3 I4 P5 I6")
    assert shown(approximate(tape, [1])) == [[1]]
    assert tape.read == [0, 1, 2, 3, 4]
    assert approximate(Tape("I0 P1 I2"), []) == approximate(Tape(""), [], frames=3) == []


def test_frames_that_the_header_promises_may_be_missing() -> None:
    reason = "the file holds fewer frames than were asked for"
    for index in (3, 5):
        assert declined(Tape("I0 P1 I2"), [index], "approximate", frames=9) == reason
    assert declined(Tape(""), [0], "approximate", frames=9) == reason


# --- Seeking ---

FAR = "I0 P1 I2 P3 I4 P5 I6 P7 I8 P9 I10 P11 I12 P13"


@pytest.mark.parametrize(("index", "sought"), [(4, []), (5, [5]), (12, [12]), (13, [13])])
def test_what_lies_between_requests_is_skipped(index: int, sought: list[int]) -> None:
    tape = Tape(FAR)
    assert shown(approximate(tape, [0, index]))[-1] == [index]
    assert tape.sought == sought


def test_skipped_gops_are_not_read() -> None:
    tape = Tape(FAR)
    asked = approximate(tape, [0, 9])
    assert [window.gop.shown for window in asked] == [0, 8]
    assert tape.read == [0, 1, 2, 3, 4, 8, 9, 10, 11, 12]


@pytest.mark.parametrize(("index", "sought"), [(6, []), (7, [7])])
def test_how_far_a_request_lies_counts_from_where_reading_is(index: int, sought: list[int]) -> None:
    tape = Tape(FAR)
    assert shown(approximate(tape, [3, index]))[-1] == [index]
    assert tape.sought == sought


def test_exact_mode_skips_nothing() -> None:
    tape = Tape(FAR)
    assert len(list(reader(tape, [0, 13]).asked())) == 7
    assert tape.sought == []


def test_a_seek_that_leads_back_is_read_on_from() -> None:
    tape = Tape(FAR, leads={9: 0})
    asked = approximate(tape, [0, 9])
    assert [window.gop.shown for window in asked] == [0, 2, 4, 6, 8]


def test_a_seek_that_leads_to_what_was_read_is_read_on_from() -> None:
    """As in GOPs of several lengths: the GOP after the last request's is read before the next is sought."""
    tape = Tape("I0/0 P1/1 I2/2 P3/3 P4/4 P5/5 P6/6 P7/7 I8/8 P9/9")
    assert shown(approximate(tape, [0, 7])) == [[0], [7]]
    assert tape.sought == [7]
    assert tape.read.count(2) == 2


def test_what_is_shown_before_a_frame_that_torchcodec_may_seek_past_is_certain() -> None:
    asked = reader(Tape("I0/0 P1/1 I2/2 P4/3 I5/4 P6/5"), [1, 4], "approximate").asked()
    assert [request.pts for request in next(asked).requests] == [1]
    with pytest.raises(RestDeclinedError, match="FFmpeg seeks past frames in this file"):
        next(asked)


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


def test_where_no_seek_leads_to_a_place_to_begin_a_reason_is_told() -> None:
    tape = Tape(FAR.replace("I8", "K8"), leads={9: 9, 2: 9})
    assert declined(tape, [0, 9], "approximate") == (
        "decoding cannot begin exactly at a packet flagged as a keyframe"
    )
    assert tape.sought == [9, 2]


def test_where_no_seek_leads_back_frames_are_missed() -> None:
    tape = Tape(FAR, leads={9: 12, 2: 12})
    assert declined(tape, [0, 9], "approximate") == VARIES
    tape = Tape(FAR, leads={9: -1, 2: -1})
    assert declined(tape, [0, 9], "approximate") == "the file holds fewer frames than were asked for"
