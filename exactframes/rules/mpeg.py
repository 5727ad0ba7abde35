"""MPEG-2 and MPEG-4 Part 2: GOPs are kept whole, B-pictures are told, and parameters may not change.

Clauses are those of ISO/IEC 13818-2 (MPEG-2) and ISO/IEC 14496-2 (MPEG-4).
"""

from collections.abc import Callable
from dataclasses import dataclass

from exactframes.rules.roles import Data, Role, Rule, whole_gops

START = b"\x00\x00\x01"  # begins every start code, and occurs nowhere else
PICTURE = START + b"\x00"  # picture_start_code, 13818-2, table 6-1
VOP = START + b"\xb6"  # vop_start_code, 14496-2, table 6-3
B_PICTURE, B_VOP = 3, 2  # picture_coding_type, 13818-2, table 6-12; vop_coding_type, 14496-2, table 6-20
SEQUENCE, EXTENSION = b"\xb3", b"\xb5"  # sequence_header_code, extension_start_code, 13818-2, table 6-1
OF_SEQUENCE, OF_DISPLAY = "1", "2"  # extension_start_code_identifier, 4 bits, 13818-2, table 6-2
LAYERS = range(0x20, 0x30)  # video_object_layer_start_code, 14496-2, table 6-3
EXTENDED_PAR = "1111"  # aspect_ratio_info, 14496-2, table 6-12: two bytes tell it


def mpeg2_rule(extradata: bytes) -> Rule:
    """GOPs are kept whole, and what their headers say of pictures may not change, but for the bit rate.

    Where size, aspect or low_delay change, FFmpeg's decoder loses a frame; quantiser matrices and colours
    stay in force until a header tells others.
    """
    return _Whole(_Syntax(PICTURE, 2, _is_mpeg2_b, _sequence), extradata)


def mpeg4_rule(extradata: bytes) -> Rule:
    """GOPs are kept whole, and the VideoObjectLayer may not change, which says how pictures are coded.

    With B-VOPs it must tell that frames are reordered (low_delay 0 among vol_control_parameters). Else
    FFmpeg's decoder learns it from the first B-VOP, and gives the frame before that one too early.
    """
    return _Whole(_Syntax(VOP, 1, _is_mpeg4_b, _layer, _tells_reordering), extradata)


@dataclass(frozen=True)
class _Syntax:
    """Where a codec has what is read here."""

    start_code: bytes  # of pictures
    most: int  # pictures in a packet: a frame may be coded as two fields
    is_b: Callable[[bytes], bool]  # of what follows it
    parameters: Callable[[bytes], bytes | None]  # of what stands before pictures; None if nothing does
    may_reorder: Callable[[bytes], bool] = lambda _parameters: True  # whether there may be B-pictures


class _Whole:
    """Judges packets, as `whole_gops` does, and tells B-pictures."""

    def __init__(self, syntax: _Syntax, extradata: bytes) -> None:
        self._syntax = syntax
        self._outside = syntax.parameters(extradata)
        self._first: bytes | None = None

    def __call__(self, data: Data, is_keyframe: bool) -> Role:
        """Judge the next packet.

        Raises:
            ValueError: if it does not hold one picture, or if its parameters rule a plan out.
        """
        before, *pictures = bytes(data).split(self._syntax.start_code)
        kinds = {self._syntax.is_b(picture) for picture in pictures}
        if len(kinds) != 1 or len(pictures) > self._syntax.most:
            raise ValueError("a packet does not hold exactly one picture")
        self._require_same(self._syntax.parameters(before) or (self._outside if is_keyframe else None))
        is_b = kinds.pop()
        if is_b and self._first is not None and not self._syntax.may_reorder(self._first):
            raise ValueError("the header tells no B-frames, and there are some")
        return whole_gops(data, is_keyframe)._replace(is_b=is_b)

    def _require_same(self, found: bytes | None) -> None:
        self._first = found if self._first is None else self._first
        if found not in {None, self._first}:
            raise ValueError("the codec's parameters change within the file")


def _is_mpeg2_b(picture: bytes) -> bool:
    return len(picture) > 1 and picture[1] >> 3 & 7 == B_PICTURE


def _is_mpeg4_b(picture: bytes) -> bool:
    return bool(picture) and picture[0] >> 6 == B_VOP


def _sequence(data: bytes) -> bytes | None:
    """What stays in force of a sequence_header and its extensions: all but bit rate and buffer size."""
    header = extension = display = b""
    for unit in data.split(START)[1:]:
        code, identifier = unit[:1], unit[1:2].hex()[:1]
        if code == SEQUENCE:
            header = unit[1:5] + bytes(byte & 3 for byte in unit[8:9]) + unit[9:].rstrip(b"\0")
        elif code == EXTENSION and identifier == OF_SEQUENCE:
            extension = unit[1:3] + bytes(byte & 0xE0 for byte in unit[3:4]) + unit[6:7]
        elif code == EXTENSION and identifier == OF_DISPLAY:
            display = unit[1:].rstrip(b"\0")
    return b"/".join([header, extension, display]) if header else None


def _layer(data: bytes) -> bytes | None:
    units = (unit for unit in data.split(START)[1:] if unit and unit[0] in LAYERS)
    return next((unit[1:].rstrip(b"\0") for unit in units), None)


def _tells_reordering(layer: bytes) -> bool:
    bits = "".join(f"{byte:08b}" for byte in layer[:8])
    place = 9  # after random_accessible_vol and video_object_type_indication
    place += 8 if bits[place : place + 1] == "1" else 1  # is_object_layer_identifier
    place += 20 if bits[place : place + 4] == EXTENDED_PAR else 4
    return bits[place : place + 1] == "1" and bits[place + 3 : place + 4] == "0"
