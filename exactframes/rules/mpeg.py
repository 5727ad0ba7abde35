"""MPEG-2 and MPEG-4 Part 2: GOPs are kept whole, B-pictures are told, and parameters may not change.

Clauses are those of ISO/IEC 13818-2 (MPEG-2) and ISO/IEC 14496-2 (MPEG-4).
"""

import re
from collections.abc import Callable

from exactframes.rules.roles import Data, Role, Rule, whole_gops

PICTURE = b"\x00\x00\x01\x00"  # picture_start_code, 13818-2, table 6-1
VOP = b"\x00\x00\x01\xb6"  # vop_start_code, 14496-2, table 6-3
# sequence_header, 13818-2, 6.2.2.1: its size, aspect and rate; sequence_extension, 6.2.2.3: profile, level,
# progressive_sequence, chroma_format, and the upper bits of the size and of the bit rate.
SEQUENCE = re.compile(rb"\x00\x00\x01\xb3(.{4})", re.DOTALL)
SEQUENCE_EXTENSION = re.compile(rb"\x00\x00\x01\xb5([\x10-\x1f]..)", re.DOTALL)
# VideoObjectLayer, 14496-2, 6.2.3, after a video_object_layer_start_code, up to the next start code
LAYER = re.compile(rb"\x00\x00\x01[\x20-\x2f](.*?)(?=\x00\x00\x01|\Z)", re.DOTALL)
B_PICTURE, B_VOP = 3, 2  # picture_coding_type, 13818-2, table 6-12; vop_coding_type, 14496-2, table 6-20


def mpeg2_rule(extradata: bytes) -> Rule:
    """GOPs are kept whole. Size, aspect and rate may not change: FFmpeg's decoder loses a frame there."""
    return _Steady(_sequence, extradata)


def mpeg4_rule(extradata: bytes) -> Rule:
    """GOPs are kept whole. The VideoObjectLayer may not change."""
    return _Steady(_layer, extradata)


class _Steady:
    """Judges packets, as `whole_gops` does, of a stream whose parameters must stay what they are."""

    def __init__(self, parameters: Callable[[bytes], bytes | None], extradata: bytes) -> None:
        self._parameters, self._first = parameters, parameters(extradata)

    def __call__(self, data: Data, is_keyframe: bool) -> Role:
        """Judge the next packet.

        Raises:
            ValueError: if it brings other parameters than those before.
        """
        found = self._parameters(bytes(data))
        if self._first is None:
            self._first = found
        if found not in {None, self._first}:
            raise ValueError("the codec's parameters change within the file")
        return whole_gops(data, is_keyframe)


def _sequence(data: bytes) -> bytes | None:
    header, extension = SEQUENCE.search(data), SEQUENCE_EXTENSION.search(data)
    return None if header is None else header[1] + (extension[1] if extension else b"")


def _layer(data: bytes) -> bytes | None:
    layer = LAYER.search(data)
    return None if layer is None else layer[1].rstrip(b"\0")


def is_mpeg2_b(data: Data) -> bool:
    """Whether a packet holds a B-picture, of one frame or of its two fields.

    Raises:
        ValueError: if it holds no picture, or pictures of which only some are B.
    """
    kinds = {int(header[1]) >> 3 & 7 == B_PICTURE for header in _headers(data, PICTURE)}
    if len(kinds) != 1:
        raise ValueError("a packet does not hold exactly one picture")
    return kinds.pop()


def is_mpeg4_b(data: Data) -> bool:
    """Whether a packet holds a B-VOP.

    Raises:
        ValueError: if it does not hold one VOP, as in the packed bitstreams of old AVI files.
    """
    headers = _headers(data, VOP)
    if len(headers) != 1:
        raise ValueError("a packet does not hold exactly one picture")
    return headers[0][0] >> 6 == B_VOP


def _headers(data: Data, code: bytes) -> list[bytes]:
    """The two bytes after each start code."""
    pieces = bytes(data).split(code)[1:]
    return [piece[:2].ljust(2, b"\0") for piece in pieces]
