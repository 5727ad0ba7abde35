"""What the parameter sets and slices of HEVC say of the order of pictures, and of their delay."""

from dataclasses import dataclass
from functools import lru_cache

from exactframes.rules.nal import Bits

COLOUR_444 = 3  # chroma_format_idc
FEW = 64  # parameter sets
IDR, IRAP = {19, 20}, range(16, 24)  # nal_unit_type


@dataclass(frozen=True)
class HevcPicture:
    """The fields of a picture parameter set (H.265, 7.3.2.3.1) that stand before the order in a slice."""

    has_output_flag: bool
    extra_bits: int

    @classmethod
    @lru_cache(FEW)  # streams repeat their parameter sets
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
    @lru_cache(FEW)  # streams repeat their parameter sets
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
        if kind in IDR:
            return 0
        bits.take(int(kind in IRAP))  # no_output_of_prior_pics_flag, of a CRA picture
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
