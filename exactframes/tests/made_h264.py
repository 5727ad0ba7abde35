"""H.264 headers made bit by bit, for tests."""

from exactframes.tests.made_nal import bits, golomb, sized

IDR, SEI, SPS, PPS, DELIMITER, FILLER = 5, 6, 7, 8, 9, 12
P, B, I = range(3)  # noqa: E741 (slice_type, table 7-6)
LAST_BITS = b"\x80"  # rbsp_trailing_bits


def nal(kind: int, ref_idc: int = 0, payload: bytes = b"\x88\x80") -> bytes:
    """A NAL unit (7.3.1)."""
    return bytes([ref_idc << 5 | kind]) + payload


def slice_of(slice_type: int, kind: int = 1, ref_idc: int = 1, first: int = 0) -> bytes:
    """The begin of a slice (7.3.3): first_mb_in_slice, slice_type."""
    return nal(kind, ref_idc, bits(golomb(first) + golomb(slice_type) + "1"))


def sequence(
    *, order_bits: int = 8, order_type: int = 0, has_fields: bool = False, delay: int | None = 16
) -> bytes:
    """A sequence parameter set (7.3.2.1.1) of the Baseline profile, with 4 bits of frame_num."""
    order = golomb(order_bits - 4) if order_type == 0 else ""
    size = f"{golomb(1)}0{golomb(5)}{golomb(3)}{'00' if has_fields else '1'}10"  # not cropped
    vui = f"1{'0' * 8}11{golomb(0) * 4}{golomb(delay)}{golomb(16)}" if delay is not None else "0"
    text = f"{66:08b}{30:016b}{golomb(0)}{golomb(0)}{golomb(order_type)}{order}{size}{vui}1"
    return nal(SPS, 3, escaped(text))


def picture(  # noqa: PLR0913 (the fields of a header)
    order: int, kind: int = 1, ref_idc: int = 1, *, slice_type: int = 0, order_bits: int = 16, field: str = ""
) -> bytes:
    """The first fields of a slice (7.3.3), up to its picture's order."""
    begin = f"{golomb(0)}{golomb(slice_type)}{golomb(0)}0000{field}{golomb(2) if kind == IDR else ''}"
    return nal(kind, ref_idc, escaped(f"{begin}{order % (1 << order_bits):0{order_bits}b}1"))


def escaped(text: str) -> bytes:
    """Bits as bytes, with emulation prevention (7.4.1.1)."""
    return bits(text).replace(b"\0\0", b"\0\0\3")


def message(kind: int, payload: bytes) -> bytes:
    """An SEI message (7.3.2.3.1), with its type and size as bytes of 255 and the rest."""
    return (
        b"".join(b"\xff" * (number // 255) + bytes([number % 255]) for number in (kind, len(payload)))
        + payload
    )


def recovery_point(count: int = 0, exact: int = 1, broken: int = 0) -> bytes:
    """The message of D.1.8."""
    return message(6, bits(f"{golomb(count)}{exact}{broken}00"))


def sei(*messages: bytes) -> bytes:
    """An SEI NAL unit (7.3.2.3)."""
    return nal(SEI, 0, b"".join(messages) + LAST_BITS)


def avcc(*sets: list[bytes], size: int = 4) -> bytes:
    """The avcC box's content (ISO/IEC 14496-15, 5.3.3.1), with reserved bits set: SPS and PPS."""
    first, second = sets or ([], [])
    head = bytes([1, 0x64, 0, 31, 0xFC | size - 1, 0xE0 | len(first)])
    return head + sized(*first, size=2) + bytes([len(second)]) + sized(*second, size=2)
