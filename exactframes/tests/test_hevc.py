"""HEVC's rule on packets made byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exactframes.rules.hevc import length_size, parameter_sets, rule
from exactframes.rules.roles import DISPOSABLE, REFERENCE, Role
from exactframes.tests.made_nal import coded, sized

TRAIL_N, TRAIL_R = 0, 1
IDR_WITH_LEADING, IDR, CRA = 19, 20, 21
VPS, SPS, PPS, DELIMITER, SEI = 32, 33, 34, 35, 39
PARAMETER_SETS = {VPS, SPS, PPS}
SUB_LAYER_NON_REFERENCE = {0: "TRAIL", 2: "TSA", 4: "STSA", 6: "RADL", 8: "RASL"}
BLA = {16, 17, 18}
ENDS = {36, 37}  # of a sequence, of the bitstream
OTHERS = [kind for kind in range(32, 64) if kind not in ENDS]
ENDS = {36, 37}


def nal(kind: int, layer: int = 0, temporal: int = 0, payload: bytes = b"\xaf") -> bytes:
    """A NAL unit (7.3.1.2), with nuh_layer_id and TemporalId."""
    return (kind << 9 | layer << 3 | temporal + 1).to_bytes(2, "big") + payload


def hvcc(*arrays: list[bytes], size: int = 4) -> bytes:
    """The hvcC box's content (ISO/IEC 14496-15, 8.3.3.1), with reserved bits set."""
    head = b"\1".ljust(21, b"\xf0") + bytes([0xFC | size - 1, len(arrays)])
    kinds = (b"\x80" + len(array).to_bytes(2, "big") + sized(*array, size=2) for array in arrays)
    return head + b"".join(kinds)


def judge(*nal_units: bytes, size: int = 4) -> Role:
    return rule(hvcc(size=size))(sized(*nal_units, size=size), False)


@pytest.mark.parametrize("kind", [kind for kind in range(32) if kind not in {*BLA, 19, 20, 21}])
def test_only_named_sub_layer_non_reference_pictures_can_be_dropped(kind: int) -> None:
    assert judge(nal(kind)) == (DISPOSABLE if kind in SUB_LAYER_NON_REFERENCE else REFERENCE)


@pytest.mark.parametrize("kinds", [(TRAIL_N, TRAIL_R), (TRAIL_R, TRAIL_N), (TRAIL_N, 10), (TRAIL_N, 31)])
def test_one_slice_of_another_type_keeps_a_picture(kinds: tuple[int, ...]) -> None:
    assert judge(*map(nal, kinds)) == REFERENCE


def test_several_slices_can_be_dropped_together() -> None:
    assert judge(nal(TRAIL_N), nal(TRAIL_N)) == DISPOSABLE


@pytest.mark.parametrize(("kind", "leads"), [(IDR_WITH_LEADING, True), (IDR, False), (CRA, True)])
def test_decoding_begins_at_idr_and_cra_pictures(kind: int, leads: bool) -> None:
    role = Role(needed=True, starts=True, leads=leads)
    assert judge(nal(kind)) == judge(nal(kind), nal(kind)) == judge(nal(SEI), nal(kind)) == role


@pytest.mark.parametrize("kinds", [(IDR, TRAIL_R), (TRAIL_R, CRA), (IDR_WITH_LEADING, 22)])
def test_decoding_begins_at_no_picture_that_is_idr_or_cra_in_part(kinds: tuple[int, ...]) -> None:
    assert judge(*map(nal, kinds)) == REFERENCE


@pytest.mark.parametrize("kind", BLA)
def test_bla_pictures_are_declined(kind: int) -> None:
    with pytest.raises(ValueError, match="BLA pictures"):
        judge(nal(CRA), nal(kind))


@pytest.mark.parametrize("kind", ENDS)
def test_ends_of_sequence_rule_pruning_out(kind: int) -> None:
    for units in ([nal(kind)], [nal(TRAIL_N), nal(kind)], [nal(kind), nal(CRA)]):
        with pytest.raises(ValueError, match="ends of sequence"):
            judge(*units)


@pytest.mark.parametrize("kind", [kind for kind in range(32, 64) if kind not in ENDS])
def test_a_packet_without_slices_is_kept(kind: int) -> None:
    assert judge(nal(kind)) == Role(needed=True, has_parameters=kind in PARAMETER_SETS)


@pytest.mark.parametrize("kind", [kind for kind in range(32, 64) if kind not in ENDS])
@pytest.mark.parametrize("is_first", [True, False])
def test_parameter_sets_keep_a_picture_and_are_told(kind: int, is_first: bool) -> None:
    units = [nal(kind), nal(TRAIL_N)]
    has_parameters = kind in PARAMETER_SETS
    role = judge(*units if is_first else units[::-1])
    assert role == Role(needed=has_parameters, has_parameters=has_parameters)


def test_decoding_begins_at_a_picture_that_brings_its_parameters() -> None:
    role = Role(needed=True, starts=True, leads=True, has_parameters=True)
    assert judge(nal(VPS), nal(SPS), nal(PPS), nal(CRA)) == role


@pytest.mark.parametrize("temporal", range(7))
def test_the_temporal_layer_is_told(temporal: int) -> None:
    assert judge(nal(TRAIL_N, temporal=temporal)) == Role(needed=False, layer=temporal)
    assert judge(nal(SEI, temporal=6), nal(TRAIL_R, temporal=temporal)) == Role(needed=True, layer=temporal)


def test_the_highest_temporal_layer_of_the_slices_counts() -> None:
    assert judge(nal(TRAIL_N, temporal=2), nal(TRAIL_N, temporal=1)).layer == 2


@pytest.mark.parametrize("layer", [1, 31, 32, 63])
def test_layers_of_scalability_are_declined(layer: int) -> None:
    with pytest.raises(ValueError, match="layers of scalability or views"):
        judge(nal(TRAIL_R), nal(TRAIL_R, layer))


@pytest.mark.parametrize("layer", [1, 32])
def test_other_units_of_such_layers_change_nothing(layer: int) -> None:
    assert judge(nal(SEI, layer), nal(TRAIL_N)) == DISPOSABLE


def test_damaged_packets_are_told() -> None:
    with pytest.raises(ValueError, match="forbidden bit"):
        judge(b"\x82\x01\xaf")
    with pytest.raises(ValueError, match="longer than its packet"):
        rule(hvcc())(sized(nal(TRAIL_R))[:-1], False)


# --- How units are told apart ---

# No zeros: what they hold is no start code. The first byte discards no pictures.
payloads = st.binary(max_size=4).map(lambda data: b"\xaf" + data.replace(b"\0", b"\x11"))
kinds = st.sampled_from([0, 1, 2, 8, 10, 19, 20, 21, 34, 35, 39])
random_units = st.builds(nal, kinds, st.just(0), st.integers(0, 6), payloads) | st.just(nal(SPS))


@given(st.lists(random_units, min_size=1, max_size=4), st.booleans())
def test_roles_do_not_depend_on_how_units_are_held(units: list[bytes], is_keyframe: bool) -> None:
    expected = judge(*units)
    assert [judge(*units, size=size) for size in (1, 2, 3)] == [expected] * 3
    for code in (b"\0\0\1", b"\0\0\0\1"):
        assert rule(coded(nal(VPS)))(coded(*units, code=code), is_keyframe) == expected
    assert rule(hvcc())(memoryview(sized(*units)), is_keyframe) == expected


# --- Extradata ---


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_length_size_by_hvcc(size: int) -> None:
    assert length_size(hvcc(size=size)) == size


@pytest.mark.parametrize("extradata", [b"", hvcc()[:-1], coded(nal(VPS).ljust(30, b"x"), code=b"\0\0\0\1")])
def test_start_codes_where_there_is_no_hvcc(extradata: bytes) -> None:
    assert length_size(extradata) == 0


def test_parameter_sets_in_hvcc() -> None:
    arrays: list[list[bytes]] = [
        [nal(VPS)],
        [nal(SPS), nal(SPS, payload=b"2")],
        [nal(PPS)] * 300,
        [nal(SEI), nal(DELIMITER)],
        [],
    ]
    assert parameter_sets(hvcc(*arrays)) == {nal(VPS), nal(SPS), nal(SPS, payload=b"2"), nal(PPS)}


def test_what_follows_the_arrays_of_hvcc_is_not_read() -> None:
    further = hvcc([nal(SPS)])[len(hvcc()) :]
    assert parameter_sets(hvcc([nal(VPS)]) + further) == {nal(VPS)}


def test_hvcc_that_ends_early() -> None:
    with pytest.raises(ValueError, match="parameters are damaged"):
        parameter_sets(hvcc([nal(VPS)], [nal(SPS)])[:-1])


@pytest.mark.parametrize("code", [b"\0\0\1", b"\0\0\0\1"])
def test_parameter_sets_after_start_codes(code: bytes) -> None:
    sets = nal(VPS), nal(SPS, payload=b"max"), nal(PPS, payload=b"\xaf\x07")  # just zeros may follow them
    assert parameter_sets(coded(*sets, nal(SEI), nal(TRAIL_R), code=code)) == set(sets)


def test_no_extradata_holds_no_parameter_sets() -> None:
    assert parameter_sets(b"") == frozenset()
