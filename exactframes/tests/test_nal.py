"""How packets fall into NAL units, and the reading of their bits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exactframes.rules.nal import Bits, sized_units, units
from exactframes.tests.made_nal import bits, coded, golomb, sized

DAMAGED = "a packet is damaged"


def split(data: bytes, length_size: int) -> list[bytes]:
    return [data[start:stop] for start, stop in units(data, length_size)]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_units_after_lengths(size: int) -> None:
    assert split(sized(b"abc", b"de", size=size), size) == [b"abc", b"de"]


@pytest.mark.parametrize("code", [b"\0\0\1", b"\0\0\0\1"])
def test_units_after_start_codes(code: bytes) -> None:
    found = split(coded(b"abc", b"de", code=code), 0)
    assert [unit.rstrip(b"\0") for unit in found] == [b"abc", b"de"]


def test_bytes_before_the_first_start_code_are_no_unit() -> None:
    assert split(b"abc" + coded(b"de"), 0) == [b"de"]


@pytest.mark.parametrize("size", [0, 4])
def test_no_bytes_hold_no_units(size: int) -> None:
    assert split(b"", size) == []


@pytest.mark.parametrize(
    ("packet", "size"), [(sized(b"a", b"", b"bc", b""), 4), (coded(b"a", b"", b"bc", b""), 0)]
)
def test_a_unit_of_less_than_two_bytes_is_none(packet: bytes, size: int) -> None:
    assert split(packet, size) == [b"bc"]


@pytest.mark.parametrize(("packet", "size"), [(sized(b"ab", b"\x80b"), 4), (coded(b"ab", b"\xffb"), 0)])
def test_forbidden_bit(packet: bytes, size: int) -> None:
    with pytest.raises(ValueError, match=f"{DAMAGED}: its NAL unit sets the forbidden bit"):
        split(packet, size)


@pytest.mark.parametrize(
    "packet",
    [b"\0\0\0\4abc", sized(b"ab") + b"\0\0\0\3ab", b"\0\0", b"\0\0\0\2ab\0"],
    ids=["first", "second", "within a length", "within a second length"],
)
def test_a_length_past_the_end(packet: bytes) -> None:
    with pytest.raises(ValueError, match=f"{DAMAGED}: a NAL unit is longer than its packet"):
        split(packet, 4)


def test_parameter_sets_after_lengths_of_two_bytes() -> None:
    data = b"_" + sized(b"abc", b"d", b"e", size=2) + b"f"
    assert sized_units(data, 1, 2) == ([b"abc", b"d"], 9)
    assert sized_units(data, 1, 0) == ([], 1)


def test_the_last_parameter_set_may_end_with_the_data() -> None:
    assert sized_units(sized(b"abc", size=2), 0, 1) == ([b"abc"], 5)


@pytest.mark.parametrize("data", [b"\0\3ab", b"\0", b"\0\0a"], ids=["short", "no length", "empty"])
def test_damaged_parameter_sets(data: bytes) -> None:
    with pytest.raises(ValueError, match="the codec's parameters are damaged"):
        sized_units(data, 0, 1)


@given(st.lists(st.integers(0, 1 << 20), max_size=20))
def test_golomb_codes_are_read_back(numbers: list[int]) -> None:
    # Emulation prevention (7.4.1.1), as an encoder inserts it.
    clean = bits("".join(map(golomb, numbers)))
    escaped = bytearray()
    for byte in clean:
        if escaped[-2:] == b"\0\0" and byte <= 3:
            escaped.append(3)
        escaped.append(byte)
    reader = Bits(bytes(escaped))
    assert [reader.golomb() for _ in numbers] == numbers


def test_bits_come_in_their_order() -> None:
    reader = Bits(b"\xa5\x0f")
    assert [reader.take(count) for count in (1, 3, 0, 8, 4)] == [1, 2, 0, 0x50, 15]


def test_only_what_is_there_can_be_read() -> None:
    reader = Bits(b"\0")
    reader.take(8)
    with pytest.raises(ValueError, match=f"{DAMAGED}: a header ends early"):
        reader.take(1)
