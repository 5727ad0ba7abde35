"""AV1's rule against headers made bit by bit."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exactframes.rules.av1 import Av1Parser, rule
from exactframes.rules.roles import DISPOSABLE, REFERENCE, Role
from exactframes.tests.made_av1 import (
    FRAMES,
    INTER,
    INTRA_ONLY,
    KEY,
    PLAIN,
    SEQUENCES,
    SWITCH,
    Frame,
    Sequence,
    judge,
    obu,
    show,
)

START = Role(needed=True, starts=True)


@pytest.mark.parametrize("fill", [0, 1])
@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_frame_is_needed_if_it_writes_a_slot(sequence: str, frame: str, fill: int) -> None:
    header = SEQUENCES[sequence]
    parser = Av1Parser(header.obu(fill))
    # Around flags of zeros all bits are ones, and the other way round: read elsewhere, they are others.
    assert parser.judge(FRAMES[frame].obu(header, fill=1)) == DISPOSABLE
    for flags in (1, 128):
        assert parser.judge(replace(FRAMES[frame], flags=flags).obu(header, fill=0)) == REFERENCE


@pytest.mark.parametrize("kind", [INTER, INTRA_ONLY])
def test_an_error_resilient_frame_is_needed_for_its_order_hints(kind: int) -> None:
    assert judge(Frame(kind, resilient=1).obu(PLAIN)) == REFERENCE


@pytest.mark.parametrize("flags", [0, 1, 128])
@pytest.mark.parametrize("kind", [INTER, INTRA_ONLY])
def test_an_error_resilient_frame_without_order_hints_is_as_any_other(kind: int, flags: int) -> None:
    sequence = SEQUENCES["no order hints"]
    frame = Frame(kind, resilient=1, flags=flags).obu(sequence, fill=int(not flags))
    assert judge(frame, sequence=sequence) == (REFERENCE if flags else DISPOSABLE)


@pytest.mark.parametrize(
    ("frame", "role"),
    [
        (Frame(KEY), START),
        (Frame(KEY, shown=0, flags=1), REFERENCE),
        (Frame(KEY, shown=0), REFERENCE),
        (Frame(SWITCH), REFERENCE),
        (Frame(SWITCH, shown=0), REFERENCE),
    ],
)
@pytest.mark.parametrize("fill", [0, 1])
def test_key_and_switch_frames_are_needed(frame: Frame, role: Role, fill: int) -> None:
    assert judge(frame.obu(PLAIN, fill)) == role


FILL_ALL = Frame(flags=255).obu(PLAIN)


@pytest.mark.parametrize("kind", [INTER, INTRA_ONLY])
@pytest.mark.parametrize("slot", range(8))
def test_showing_a_slot_known_to_hold_no_key_frame_is_not_needed(slot: int, kind: int) -> None:
    frame = Frame(kind, flags=1 << slot).obu(PLAIN)
    assert judge(frame, show(slot)) == DISPOSABLE
    for other in {*range(8)} - {slot}:
        assert judge(frame, show(other)) == REFERENCE


def test_slots_filled_one_after_another_are_all_known() -> None:
    frames = [Frame(flags=flags).obu(PLAIN) for flags in (1, 128, 0)]
    assert (
        judge(*frames, show(0)) == judge(*frames, show(7)) == judge(*frames, show(0), show(7)) == DISPOSABLE
    )


def test_nothing_is_known_of_the_slots_at_first() -> None:
    assert judge(show(0)) == REFERENCE


@pytest.mark.parametrize(
    "unit",
    [
        Frame(KEY).obu(PLAIN),
        Frame(KEY, shown=0, flags=1).obu(PLAIN),
        Frame(SWITCH).obu(PLAIN),
        Frame(resilient=1).obu(PLAIN),
        PLAIN.obu(),
    ],
    ids=["key frame", "hidden key frame", "switch frame", "error-resilient", "sequence header"],
)
def test_after_these_nothing_is_known_of_the_slots(unit: bytes) -> None:
    assert judge(FILL_ALL, unit, show(7)) == REFERENCE


def test_showing_a_slot_that_may_hold_a_key_frame_fills_all_slots_with_it() -> None:
    assert judge(Frame(flags=254).obu(PLAIN), show(0), show(7)) == REFERENCE


@pytest.mark.parametrize(
    "sequence",
    [Sequence(points=2), Sequence(idc=0x101), Sequence(idc=0x800), Sequence(ids=1)],
    ids=["two operating points", "layers", "idc's first bit", "frame ids"],
)
@pytest.mark.parametrize("unit", [Frame().obu(PLAIN), FILL_ALL, show(0)])
def test_with_layers_or_frame_ids_all_is_needed(sequence: Sequence, unit: bytes) -> None:
    assert judge(FILL_ALL, unit, sequence=sequence) == REFERENCE
    assert judge(Frame(KEY).obu(PLAIN), sequence=sequence) == START


@pytest.mark.parametrize("payload", [b"\x00", b"\xff", b"\x30"])
def test_every_frame_is_a_shown_key_frame_in_a_still_picture(payload: bytes) -> None:
    assert judge(obu(6, payload), sequence=Sequence(is_still=1)) == START


NO_SLOT, A_SLOT = Frame().obu(PLAIN), Frame(flags=4).obu(PLAIN)


@pytest.mark.parametrize(
    ("frames", "needed"), [((NO_SLOT, NO_SLOT), False), ((NO_SLOT, A_SLOT), True), ((A_SLOT, NO_SLOT), True)]
)
def test_a_unit_is_needed_if_one_of_its_frames_is(frames: tuple[bytes, bytes], needed: bool) -> None:
    assert judge(b"".join(frames)).needed is needed


@pytest.mark.parametrize(
    ("unit", "starts"),
    [(Frame(KEY).obu(PLAIN) + NO_SLOT, True), (NO_SLOT + Frame(KEY).obu(PLAIN), False), (show(0), False)],
)
def test_decoding_begins_where_the_first_frame_is_a_shown_key_frame(unit: bytes, starts: bool) -> None:
    assert judge(unit).starts is starts


@pytest.mark.parametrize("kind", [0, 5, 8, *range(9, 15)])
def test_obus_that_may_outlast_their_unit_make_it_needed(kind: int) -> None:
    assert judge(NO_SLOT + obu(kind, b"\x01")) == REFERENCE


@pytest.mark.parametrize("kind", [2, 4, 15])
def test_obus_that_do_not_outlast_their_unit_change_nothing(kind: int) -> None:
    assert judge(NO_SLOT + obu(kind, b"\x01")) == DISPOSABLE
    assert judge(A_SLOT + obu(kind, b"\x01")) == REFERENCE


@pytest.mark.parametrize("unit", [b"", obu(2), obu(15, b"\x80"), obu(4, b"\x01"), obu(4, b"\x01") + NO_SLOT])
def test_a_unit_whose_frame_is_not_in_it_is_needed(unit: bytes) -> None:
    assert judge(unit) == REFERENCE


@pytest.mark.parametrize("flags", [0, 1])
def test_a_frame_header_may_be_apart_from_its_tiles_and_repeated(flags: int) -> None:
    header = Frame(flags=flags).payload(PLAIN, fill=1)
    unit = obu(3, header) + obu(4, b"\x01") + obu(7, header) + obu(4, b"\x01")
    assert judge(unit) == (REFERENCE if flags else DISPOSABLE)
    assert judge(obu(7, header)) == (REFERENCE if flags else DISPOSABLE)


def test_a_sequence_header_in_band_is_needed_and_read_from_then_on() -> None:
    sequence = SEQUENCES["longest"]
    assert judge(sequence.obu() + Frame().obu(sequence)) == Role(needed=True, has_parameters=True)
    assert judge(sequence.obu(), Frame(removal=1).obu(sequence)) == DISPOSABLE
    assert judge(sequence.obu() + Frame(KEY).obu(sequence)) == Role(
        needed=True, starts=True, has_parameters=True
    )


@pytest.mark.parametrize("prefix", [b"", b"\x81\x00\x0c\x00"], ids=["bare", "av1C"])
def test_extradata_hold_the_first_sequence_header(prefix: bytes) -> None:
    parser = Av1Parser(prefix + PLAIN.obu() + obu(5, b"\x01"))
    assert not parser.is_needed(NO_SLOT)
    assert parser.is_needed(A_SLOT)


@pytest.mark.parametrize("extradata", [b"", b"\x81", b"\x81\x00\x0c\x00"])
def test_without_extradata_the_sequence_header_comes_in_band(extradata: bytes) -> None:
    parser = Av1Parser(extradata)
    with pytest.raises(ValueError, match="before any AV1 sequence header"):
        parser.judge(NO_SLOT)
    assert parser.is_needed(PLAIN.obu())
    assert not parser.is_needed(NO_SLOT)


@pytest.mark.parametrize("extension", [b"", b"\x00", b"\xff"])
@pytest.mark.parametrize("size", [None, b"", b"\x87\x80\x00"], ids=["size", "no size", "long size"])
@pytest.mark.parametrize("flags", [0, 1])
def test_obu_headers_come_with_and_without_extension_and_size(
    flags: int, size: bytes | None, extension: bytes
) -> None:
    payload = Frame(flags=flags).payload(PLAIN, fill=int(not flags))
    assert len(payload) == 7
    unit = obu(15, b"\xff\xff") + obu(6, payload, extension=extension, size=size)
    assert judge(unit) == (REFERENCE if flags else DISPOSABLE)


def test_a_size_may_take_two_bytes() -> None:
    padding = obu(15, b"\xff" * 300, size=b"\xac\x02")
    assert judge(padding + NO_SLOT) == DISPOSABLE
    assert judge(padding + A_SLOT) == REFERENCE


def test_views_are_read_as_bytes_are() -> None:
    assert not Av1Parser(PLAIN.obu()).is_needed(memoryview(NO_SLOT))


@pytest.mark.parametrize("is_keyframe", [False, True])
def test_the_rule_does_not_ask_for_the_containers_flag(is_keyframe: bool) -> None:
    judge_packet = rule(PLAIN.obu())
    assert judge_packet(NO_SLOT, is_keyframe) == DISPOSABLE
    assert judge_packet(Frame(KEY).obu(PLAIN), is_keyframe) == START


def test_the_rule_remembers_the_packets_before() -> None:
    judge_packet = rule(PLAIN.obu())
    assert [judge_packet(unit, False) for unit in (FILL_ALL, show(3))] == [REFERENCE, DISPOSABLE]


TOO_MANY_TICKS = Sequence(ticks="0" * 32 + "1" + "0" * 32)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        (bytes([NO_SLOT[0] | 0x80]) + NO_SLOT[1:], "forbidden bit"),
        (NO_SLOT[:-1], "longer than its packet"),
        (NO_SLOT + obu(15, b"", size=b"\x01"), "longer than its packet"),
        (b"\x34", "longer than its packet"),  # the extension is missing
        (NO_SLOT + b"\x36", "size of an OBU does not end"),
        (NO_SLOT + b"\x32", "size of an OBU does not end"),
        (b"\x32" + b"\x80" * 8 + b"\x00" + NO_SLOT, "size of an OBU does not end"),
        (obu(6), "ends early"),
        (obu(6, Frame().payload(PLAIN, 0)[:3]), "ends early"),
        (obu(6, Frame().payload(PLAIN, 0)[:3]) + NO_SLOT, "ends early"),
        (obu(3, b""), "ends early"),
        (obu(1, b""), "ends early"),
        (obu(1, SEQUENCES["longest"].obu()[2:-5]), "ends early"),
        (obu(1, Sequence(ticks="0").obu()[2:13] + b"\x00" * 3), "ends early"),
        (Sequence(profile=3).obu(), "profile is a reserved one"),
        (TOO_MANY_TICKS.obu(), "timing is out of range"),
    ],
)
def test_what_contradicts_the_syntax_raises(unit: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        judge(unit)


def test_a_payload_may_end_with_its_flags() -> None:
    sequence = Sequence(hint_bits=4)
    payload = Frame().payload(sequence, fill=1)[:3]
    assert judge(obu(6, payload), sequence=sequence) == DISPOSABLE


def test_broken_extradata_raise() -> None:
    with pytest.raises(ValueError, match="longer than its packet"):
        Av1Parser(PLAIN.obu()[:-1])


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_bytes_get_an_answer_or_a_value_error(extradata: bytes, data: bytes) -> None:
    try:
        parser = Av1Parser(extradata)
        parser.judge(PLAIN.obu())
        answer = parser.is_needed(data)
    except ValueError:
        return
    assert isinstance(answer, bool)
