"""H.264's rule on packets made bit by bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exactframes.rules.h264 import length_size, parameter_sets, rule
from exactframes.rules.roles import DISPOSABLE, REFERENCE, Role
from exactframes.tests.made_h264 import (
    DELIMITER,
    FILLER,
    IDR,
    LAST_BITS,
    PPS,
    SEI,
    SPS,
    B,
    I,
    P,
    avcc,
    message,
    nal,
    recovery_point,
    sei,
    slice_of,
)
from exactframes.tests.made_nal import coded, sized

STARTS = Role(needed=True, starts=True)
STARTS_OPEN = Role(needed=True, starts=True, leads=True, numbers_on=True)
NO_SLICE = REFERENCE


def judge(*nal_units: bytes, size: int = 4) -> Role:
    return rule(avcc(size=size))(sized(*nal_units, size=size), False)


# A delimiter says nothing, but with it a packet is no longer the single unit that is judged at a glance.
BESIDE = {"alone": (), "after a delimiter": (nal(DELIMITER),)}
alone_or_not = pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)


@alone_or_not
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("ref_idc", [0, 1, 2, 3])
def test_only_slices_with_nal_ref_idc_0_can_be_dropped(
    ref_idc: int, kind: int, beside: tuple[bytes, ...]
) -> None:
    assert judge(*beside, nal(kind, ref_idc)) == (REFERENCE if ref_idc else DISPOSABLE)


@pytest.mark.parametrize("ref_idcs", [(0, 1), (1, 0), (0, 0, 2), (3, 0, 0)])
def test_one_reference_slice_is_enough(ref_idcs: tuple[int, ...]) -> None:
    assert judge(*(nal(1, ref_idc) for ref_idc in ref_idcs)) == REFERENCE


def test_several_slices_can_be_dropped_together() -> None:
    assert judge(nal(1), nal(1)) == DISPOSABLE


@pytest.mark.parametrize("ref_idc", [1, 2, 3])
def test_decoding_begins_at_idr_pictures(ref_idc: int) -> None:
    assert judge(nal(IDR, ref_idc)) == STARTS
    assert judge(nal(IDR, ref_idc), nal(IDR, ref_idc)) == STARTS


@pytest.mark.parametrize("kinds", [(IDR, 1), (1, IDR)])
def test_decoding_begins_at_no_picture_that_is_idr_in_part(kinds: tuple[int, ...]) -> None:
    assert judge(*(nal(kind, 1) for kind in kinds)) == REFERENCE


@pytest.mark.parametrize("kind", [SPS, PPS])
def test_parameter_sets_are_kept_and_told(kind: int) -> None:
    kept = Role(needed=True, has_parameters=True)
    assert judge(nal(kind)) == kept
    assert judge(nal(kind), nal(1)) == kept
    assert judge(nal(1), nal(kind)) == kept
    assert judge(nal(kind), nal(IDR, 1)) == Role(needed=True, starts=True, has_parameters=True)


@pytest.mark.parametrize("kind", [kind for kind in range(32) if kind not in {1, 2, 3, 4, 5, SEI, SPS, PPS}])
def test_other_units_are_kept_where_slices_may_need_them(kind: int) -> None:
    # Ends of sequence and stream; SPS extension, prefix, subset SPS, slice extensions.
    is_kept = kind in {10, 11, 13, 14, 15, 20, 21}
    assert judge(nal(kind), nal(1)) == (REFERENCE if is_kept else DISPOSABLE)


@pytest.mark.parametrize("kind", [0, SEI, DELIMITER, 10, 11, FILLER, 19, 31])
def test_a_packet_without_slices_is_kept(kind: int) -> None:
    assert judge(nal(kind, payload=message(5, b"") + LAST_BITS)) == NO_SLICE


def test_an_sei_unit_keeps_nothing() -> None:
    assert judge(sei(message(5, b"x264")), nal(1)) == DISPOSABLE


def test_a_unit_of_one_byte_is_no_slice() -> None:
    assert judge(b"\x01") == NO_SLICE


@pytest.mark.parametrize("units", [(b"\x81\x88",), (nal(1), b"\x81\x88")], ids=["alone", "second"])
def test_forbidden_bit(units: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="forbidden bit"):
        judge(*units)


@pytest.mark.parametrize("length", [*(length for length in range(20) if length != 3), 0x301])
def test_a_length_that_is_not_the_rest(length: int) -> None:
    with pytest.raises(ValueError, match="longer than its packet"):
        rule(avcc())(length.to_bytes(4, "big") + nal(1), False)


def test_a_header_is_no_part_of_a_length() -> None:
    unit = nal(1, 1, b"\x88" * 32)
    assert unit[0] == len(unit)
    with pytest.raises(ValueError, match="longer than its packet"):
        rule(avcc())(bytes(4) + unit, False)


def test_start_codes_are_not_taken_for_a_length() -> None:
    # Read as a length, the start code and the slice's header are that of one disposable slice.
    packet = coded(nal(1, 1, b"\x01".ljust(0x121 - 1, b"\x88") + b"\x88"))
    assert len(packet) == int.from_bytes(packet[:4], "big") + 4
    assert rule(b"")(packet, False) == REFERENCE


# --- Recovery points ---


@pytest.mark.parametrize("slice_type", [2, 4, 7, 9])
def test_decoding_begins_at_an_intra_picture_with_an_exact_recovery_point(slice_type: int) -> None:
    assert judge(sei(recovery_point()), slice_of(slice_type)) == STARTS_OPEN


@pytest.mark.parametrize("slice_type", [0, 1, 3, 5, 6, 8])
def test_decoding_begins_at_no_inter_picture(slice_type: int) -> None:
    assert judge(sei(recovery_point()), slice_of(slice_type)) == REFERENCE


def test_decoding_begins_at_no_intra_picture_without_recovery_point() -> None:
    assert judge(slice_of(I)) == REFERENCE
    assert judge(nal(DELIMITER), slice_of(I)) == REFERENCE


@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("exact", [0, 1])
@pytest.mark.parametrize("broken", [0, 1])
def test_a_recovery_point_has_to_be_exact_at_once(count: int, exact: int, broken: int) -> None:
    role = judge(sei(recovery_point(count, exact, broken)), slice_of(I))
    assert role == (STARTS_OPEN if (count, exact, broken) == (0, 1, 0) else REFERENCE)


@pytest.mark.parametrize("types", [(I, P), (P, I), (I, I, B)])
def test_all_slices_have_to_be_intra(types: tuple[int, ...]) -> None:
    slices = [slice_of(kind, first=100 * place) for place, kind in enumerate(types)]
    assert judge(sei(recovery_point()), *slices) == REFERENCE


@pytest.mark.parametrize("first", [0, 1, 99, 8159])
def test_slices_may_begin_anywhere(first: int) -> None:
    assert judge(sei(recovery_point()), slice_of(I, first=first)) == STARTS_OPEN


def test_a_recovery_point_without_picture_starts_nothing() -> None:
    assert judge(sei(recovery_point())) == NO_SLICE


def test_nothing_leads_an_idr_picture_with_a_recovery_point() -> None:
    assert judge(sei(recovery_point()), slice_of(I, IDR)) == STARTS


@pytest.mark.parametrize("ref_idc", [0, 1])
def test_a_recovery_point_leaves_nal_ref_idc_as_it_is(ref_idc: int) -> None:
    assert judge(sei(recovery_point()), slice_of(I, ref_idc=ref_idc)).needed == bool(ref_idc)


OTHER_MESSAGES = {
    "none": b"",
    "empty": message(5, b""),
    "short": message(1, b"\x06\x01\xc0"),
    "size 254": message(5, b"x" * 254),
    "size 255": message(5, b"x" * 255),
    "size 600": message(5, b"x" * 600),
    "type 255": message(255, b"x"),
    "type 261": message(261, b"x"),  # 255 and 6
    "emulation prevention": b"\x05\x04\0\0\x03\0\x01",  # 4 bytes without the 3
}


@pytest.mark.parametrize("other", OTHER_MESSAGES.values(), ids=OTHER_MESSAGES)
def test_a_recovery_point_after_another_message(other: bytes) -> None:
    assert judge(sei(other, recovery_point()), slice_of(I)) == STARTS_OPEN


@pytest.mark.parametrize("other", OTHER_MESSAGES.values(), ids=OTHER_MESSAGES)
def test_other_messages_are_no_recovery_points(other: bytes) -> None:
    assert judge(sei(other), slice_of(I)) == REFERENCE


@pytest.mark.parametrize("place", [0, 1])
def test_a_recovery_point_in_one_of_two_units(place: int) -> None:
    others = [sei(message(5, b"x264"))] * 2
    others[place] = sei(recovery_point())
    assert judge(*others, slice_of(I)) == STARTS_OPEN


def test_trailing_bits_may_be_missing() -> None:
    assert judge(nal(SEI, 0, recovery_point()), slice_of(I)) == STARTS_OPEN


def test_two_bytes_that_are_left_are_no_message() -> None:
    assert judge(nal(SEI, 0, message(5, b"x") + LAST_BITS + b"\xff"), nal(1)) == DISPOSABLE


@pytest.mark.parametrize("payload", [b"\xff\xff\xff", b"\x05\xff\xff", b"\x05\x01x\xff\xff\xff"])
def test_an_sei_message_that_ends_early(payload: bytes) -> None:
    with pytest.raises(ValueError, match="an SEI message ends early"):
        judge(nal(SEI, 0, payload), nal(1))


@pytest.mark.parametrize(
    "units",
    [
        (sei(recovery_point()), nal(1, 1, b"\x81"), slice_of(I)),  # of slice_type there are its zeros
        (sei(message(6, b"")), slice_of(I)),
    ],
    ids=["of a slice", "of a recovery point"],
)
def test_a_header_that_ends_early(units: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="a header ends early"):
        judge(*units)


# --- How units are told apart ---

# No zeros: what they hold is neither a start code nor emulation prevention.
payloads = st.binary(min_size=1, max_size=5).map(lambda data: data.replace(b"\0", b"\x11"))
random_units = st.builds(
    nal, st.sampled_from([1, 2, 5, 8, 9, 12, 14]), st.integers(0, 3), payloads
) | st.just(nal(SPS))


@given(st.lists(random_units, min_size=1, max_size=4))
def test_roles_do_not_depend_on_how_units_are_held(units: list[bytes]) -> None:
    expected = judge(*units)
    assert [judge(*units, size=size) for size in (1, 2, 3)] == [expected] * 3
    for code in (b"\0\0\1", b"\0\0\0\1"):
        assert rule(coded(nal(SPS)))(coded(*units, code=code), False) == expected
    assert rule(avcc())(memoryview(sized(*units)), False) == expected


@given(random_units)
def test_a_unit_is_judged_at_a_glance_as_it_is_in_full(unit: bytes) -> None:
    assert judge(unit) == judge(unit, nal(DELIMITER)) == judge(nal(FILLER), unit)


@given(random_units, st.booleans())
def test_what_the_container_flags_changes_nothing(unit: bytes, is_keyframe: bool) -> None:
    assert rule(avcc())(sized(unit), is_keyframe) == judge(unit)


# --- Extradata ---


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_length_size_by_avcc(size: int) -> None:
    assert length_size(avcc(size=size)) == size


@pytest.mark.parametrize("extradata", [b"", b"\1\x64\0\x1f\xff\xe0", coded(nal(SPS), code=b"\0\0\0\1")])
def test_start_codes_where_there_is_no_avcc(extradata: bytes) -> None:
    assert length_size(extradata) == 0


@pytest.mark.parametrize(
    "sets",
    [([], []), ([nal(SPS)], [nal(PPS)]), ([nal(SPS), nal(SPS, 3)], [nal(PPS), nal(PPS, 1), nal(PPS, 2)])],
    ids=["none", "one of each", "several"],
)
def test_parameter_sets_in_avcc(sets: tuple[list[bytes], list[bytes]]) -> None:
    assert parameter_sets(avcc(*sets)) == {*sets[0], *sets[1]}


def test_avcc_holds_up_to_31_sps_and_255_pps() -> None:
    sets = (
        [nal(SPS, payload=bytes([n])) for n in range(31)],
        [nal(PPS, payload=bytes([n])) for n in range(255)],
    )
    assert parameter_sets(avcc(*sets)) == {*sets[0], *sets[1]}


def test_what_follows_the_parameter_sets_in_avcc_is_left_out() -> None:
    assert parameter_sets(avcc([nal(SPS)], [nal(PPS)]) + b"\xfd\xf8\xf8\0") == {nal(SPS), nal(PPS)}


def test_avcc_that_ends_early() -> None:
    with pytest.raises(ValueError, match="parameters are damaged"):
        parameter_sets(avcc([nal(SPS)], [nal(PPS)])[:-1])


@pytest.mark.parametrize("code", [b"\0\0\1", b"\0\0\0\1"])
def test_parameter_sets_after_start_codes(code: bytes) -> None:
    sets = nal(SPS, 3), nal(PPS, 3, b"\x88\x07")  # just zeros may follow them
    assert parameter_sets(coded(*sets, sei(message(5, b"x264")), nal(DELIMITER), code=code)) == set(sets)


def test_no_extradata_holds_no_parameter_sets() -> None:
    assert parameter_sets(b"") == frozenset()
