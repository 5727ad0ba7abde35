"""The order in which pictures of H.264 and HEVC are shown: what their headers state of it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from exactframes.rules.nal import EMULATION, Bits

LONGEST = 32  # bytes of a slice that are read: its header's first fields fit into them
UNTRIED = "the order of its pictures is coded in a way that has not been tried"
# profile_idc of H.264 with fields for the format of chroma (7.3.2.1.1).
HIGH = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
HIGH_444 = 244
COLOUR_444 = 3  # chroma_format_idc
EXTENDED_SAR = 255  # aspect_ratio_idc: the ratio follows
H264_IDR, HEVC_IDR, HEVC_IRAP = {5}, {19, 20}, range(16, 24)
PERIOD_BITS = 40  # counts have fewer (8.2.1: 32)

Parameters = TypeVar("Parameters")


class Counter:
    """Completes the low bits of picture order counts (8.2.1.1 of H.264, 8.3.1 of H.265)."""

    def __init__(self, bits: int) -> None:
        """Begin before the first picture; the headers state so many bits."""
        self._span, self._period = 1 << bits, 0
        self._high = self._low = 0

    def begin_anew(self) -> None:
        """Count from 0 from the next picture on, which is shown after all before it."""
        self._period += 1
        self._high = self._low = 0

    def count(self, low: int, *, others_count_on: bool) -> int:
        """The order of the next picture that is decoded: its count, and in higher bits its period.

        Args:
            low: what its header states.
            others_count_on: whether it is one from which the next counts are completed.
        """
        high, gap = self._high, low - self._low
        if gap <= -self._span // 2:
            high += self._span
        elif gap > self._span // 2:
            high -= self._span
        if others_count_on:
            self._high, self._low = high, low
        return (self._period << PERIOD_BITS) + high + low


def only(found: Collection[Parameters]) -> Parameters:
    """The parameters of a stream, which may be repeated but must not change.

    With others, frames may get another size or other colours. What TorchCodec then gives depends on the
    frames that it has converted before.

    Raises:
        ValueError: if there are none, or several.
    """
    if len(found) != 1:
        raise ValueError("the codec's parameters change within the file" if found else "it has no parameters")
    return next(iter(found))


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
        if taken is None or self.has_fields or self.has_separate_planes or unit[0] & 31 in H264_IDR:
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
        if unit[0] & 31 in H264_IDR:
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


@dataclass(frozen=True)
class HevcPicture:
    """The fields of a picture parameter set (H.265, 7.3.2.3.1) that stand before the order in a slice."""

    has_output_flag: bool
    extra_bits: int

    @classmethod
    def of(cls, unit: bytes) -> "HevcPicture":
        """Read it."""
        bits = Bits(unit[2:])
        bits.golomb(), bits.golomb()  # its id, the sequence's
        bits.take(1)  # dependent_slice_segments_enabled_flag
        return cls(bool(bits.take(1)), bits.take(3))


@dataclass(frozen=True)
class HevcSequence:
    """The fields of a sequence parameter set (H.265, 7.3.2.2.1) that lead to the order of pictures."""

    has_separate_planes: bool
    order_bits: int
    delay: int  # sps_max_num_reorder_pics of the highest layer

    @classmethod
    def of(cls, unit: bytes) -> "HevcSequence":
        """Read it."""
        bits = Bits(unit[2:])
        bits.take(4)  # sps_video_parameter_set_id
        layers = bits.take(3)  # sps_max_sub_layers_minus1
        bits.take(1)
        _skip_levels(bits, layers)
        bits.golomb()  # sps_seq_parameter_set_id
        separate = bits.golomb() == COLOUR_444 and bool(bits.take(1))
        bits.golomb(), bits.golomb()  # width, height
        for _ in range(4 * bits.take(1)):
            bits.golomb()  # conformance window
        bits.golomb(), bits.golomb()  # bit depths
        order_bits, delay = bits.golomb() + 4, 0
        for _ in range(layers * bits.take(1) + 1):
            _, delay, _ = bits.golomb(), bits.golomb(), bits.golomb()
        return cls(separate, order_bits, delay)

    def low(self, unit: bytes, picture: HevcPicture) -> int:
        """The slice_pic_order_cnt_lsb of a picture's first slice (7.3.6.1)."""
        kind, bits = (unit[0] >> 1) & 63, Bits(unit[2:])
        if not bits.take(1):
            raise ValueError("a packet is damaged: its picture's first slice is missing")
        if kind in HEVC_IDR:
            return 0
        bits.take(int(kind in HEVC_IRAP))  # no_output_of_prior_pics_flag, of a CRA picture
        bits.golomb()  # slice_pic_parameter_set_id
        bits.take(picture.extra_bits)
        bits.golomb()  # slice_type
        if picture.has_output_flag and not bits.take(1):
            raise ValueError("a picture is not to be shown")
        bits.take(2 * self.has_separate_planes)
        return bits.take(self.order_bits)


def _skip_levels(bits: Bits, layers: int) -> None:
    """profile_tier_level, 7.3.3."""
    bits.take(96)
    has = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for has_profile, has_level in has:
        bits.take(88 * has_profile + 8 * has_level)
