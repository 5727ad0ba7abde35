"""What a sequence parameter set of H.264 says of the order of pictures, their delay and their look."""

from dataclasses import dataclass
from functools import lru_cache

from exactframes.rules.nal import EMULATION, Bits

UNTRIED = "the order of its pictures is coded in a way that has not been tried"
# profile_idc with fields for the format of chroma (7.3.2.1.1).
HIGH = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
HIGH_444 = 244
COLOUR_444 = 3  # chroma_format_idc
FEW = 64  # parameter sets
EXTENDED_SAR = 255  # aspect_ratio_idc: the ratio follows
IDR = 5  # nal_unit_type


@dataclass(frozen=True)
class H264Sequence:
    """What a sequence parameter set (H.264, 7.3.2.1.1) says of all pictures, and of their order."""

    frame_num_bits: int
    order_type: int  # pic_order_cnt_type
    order_bits: int = 0  # of pic_order_cnt_lsb, where the type is 0
    is_lossless_444: bool = False  # qpprime_y_zero_transform_bypass_flag, in profile 244
    has_separate_planes: bool = False
    has_fields: bool = False  # whether pictures may be fields
    look: tuple[int, ...] = ()  # chroma and bit depths, size and cropping, range and colours
    delay: int | None = None  # max_num_reorder_frames, where it is stated

    @classmethod
    @lru_cache(FEW)  # streams repeat their parameter sets
    def of(cls, unit: bytes) -> "H264Sequence":
        """Read it.

        Raises:
            ValueError: if it ends early, or its order_type is 1.
        """
        bits = Bits(unit[1:])
        profile, _, _ = bits.take(8), bits.take(16), bits.golomb()  # level_idc, seq_parameter_set_id
        chroma = (1, 0, 0)
        is_lossless = separate = 0
        if profile in HIGH:
            kind = bits.golomb()  # chroma_format_idc
            separate = bits.take(int(kind == COLOUR_444))
            chroma, is_lossless = (kind, bits.golomb(), bits.golomb()), bits.take(1)
            if bits.take(1):
                _skip_scaling_lists(bits, 12 if kind == COLOUR_444 else 8)
        frame_num_bits, order_type = bits.golomb() + 4, bits.golomb()
        if order_type == 1:
            raise ValueError(UNTRIED)
        order_bits = bits.golomb() + 4 if order_type == 0 else 0
        bits.golomb(), bits.take(1)  # max_num_ref_frames, gaps_in_frame_num_value_allowed_flag
        size = (bits.golomb(), bits.golomb())
        has_fields = not bits.take(1)
        bits.take(1 + has_fields)  # mb_adaptive_frame_field_flag, direct_8x8_inference_flag
        cropping = [bits.golomb() for _ in range(4 * bits.take(1))]
        has_more = bits.take(1)  # vui_parameters_present_flag
        colours = _colours(bits) if has_more else ()
        return cls(
            frame_num_bits=frame_num_bits,
            order_type=order_type,
            order_bits=order_bits,
            is_lossless_444=bool(is_lossless) and profile == HIGH_444,
            has_separate_planes=bool(separate),
            has_fields=has_fields,
            look=(*chroma, *size, *cropping, *colours),
            delay=_delay(bits) if has_more else None,
        )

    def low(self, unit: bytes) -> int:
        """The pic_order_cnt_lsb of a slice (7.3.3)."""
        taken = IN_ONE_BYTE.get(unit[1])
        if taken is None or self.has_fields or self.has_separate_planes or unit[0] & 31 == IDR:
            return self._low_of_any(unit)
        begin = unit[1:13].replace(EMULATION, b"\0\0")[:8]  # most slices: the same answer, sooner
        left = 8 * len(begin) - taken - self.frame_num_bits - self.order_bits
        return (int.from_bytes(begin, "big") >> left) & ((1 << self.order_bits) - 1)

    def _low_of_any(self, unit: bytes) -> int:
        bits = Bits(unit[1:])
        bits.golomb(), bits.golomb(), bits.golomb()  # first_mb_in_slice, slice_type, pic_parameter_set_id
        bits.take(2 * self.has_separate_planes + self.frame_num_bits)
        if self.has_fields and bits.take(1):
            bits.take(1)  # bottom_field_flag
        if unit[0] & 31 == IDR:
            bits.golomb()  # idr_pic_id
        return bits.take(self.order_bits)


def _bits_of_three(byte: int) -> int | None:
    """How many bits of a byte three Exp-Golomb codes take; None if it ends before they do."""
    bits = Bits(bytes([byte]))
    try:
        codes = [bits.golomb() for _ in range(3)]
    except ValueError:
        return None
    return sum(2 * (code + 1).bit_length() - 1 for code in codes)


IN_ONE_BYTE = {byte: taken for byte in range(256) if (taken := _bits_of_three(byte)) is not None}


def _colours(bits: Bits) -> tuple[int, ...]:
    """The range and colours, with which vui_parameters begin (E.1.1); nothing where they state none."""
    if bits.take(1) and bits.take(8) == EXTENDED_SAR:
        bits.take(32)
    if bits.take(1):
        bits.take(1)  # overscan_appropriate_flag
    if not bits.take(1):
        return ()
    bits.take(3)  # video_format
    is_full, has_colours = bits.take(1), bits.take(1)
    return (is_full, bits.take(24 * has_colours))


def _delay(bits: Bits) -> int | None:
    """The max_num_reorder_frames with which vui_parameters end; None where they do not state it."""
    for _ in range(2 * bits.take(1)):
        bits.golomb()  # chroma_sample_loc_type
    bits.take(65 * bits.take(1))  # timing_info
    rates = [_rates(bits) for _ in ("NAL", "VCL") if bits.take(1)]
    bits.take(bool(rates) + 1)  # low_delay_hrd_flag, pic_struct_present_flag
    if not bits.take(1):
        return None
    bits.take(1)  # motion_vectors_over_pic_boundaries_flag
    bits.golomb(), bits.golomb(), bits.golomb(), bits.golomb()
    return bits.golomb()


def _rates(bits: Bits) -> int:
    """Read hrd_parameters (E.1.2), and return how many there are."""
    count = bits.golomb() + 1
    bits.take(8)
    for _ in range(count):
        bits.golomb(), bits.golomb(), bits.take(1)
    bits.take(20)
    return count


def _skip_scaling_lists(bits: Bits, lists: int) -> None:
    """7.3.2.1.1.1."""
    for number in range(lists):
        if not bits.take(1):
            continue
        last = step = 8
        for _ in range(16 if number < 6 else 64):
            if step:
                step = (last + bits.signed_golomb()) & 255
            last = step or last
