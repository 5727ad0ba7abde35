"""What a packet's bytes prove about it, by codec.

A rule answers two questions about one packet: may decoding begin here, and may another packet refer to
it? Whatever is not proven is answered so that more is kept.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

Data = bytes | memoryview


class Role(NamedTuple):
    """What a packet is to the others."""

    starts: bool  # decoding may begin here
    starts_open: bool  # ... but packets that follow and are shown before it refer to the past as well
    needed: bool  # others may refer to it


Rule = Callable[[Data, bool], Role]  # (the packet's bytes, is it flagged as a keyframe) -> its role

KEPT_WHOLE = "all packets of the GOPs that hold a request are kept"


class CodecRule(NamedTuple):
    """How packets of one codec are judged, and in which words a report says so."""

    judge: Rule
    prunes: bool  # whether packets between the requested ones can be dropped
    name: str


def rule_for(codec: str, intra_only: bool, extradata: bytes) -> CodecRule:
    """The rule for a codec, by FFmpeg's name for it.

    Args:
        codec: such as "h264".
        intra_only: whether FFmpeg's descriptor says that every frame stands alone (MJPEG, ProRes).
        extradata: avcC or hvcC for length-prefixed NAL units; anything else means start codes (Annex B).
    """
    if intra_only:
        return CodecRule(_intra_only, True, "just the requested frames")
    if codec == "h264":
        length = (extradata[4] & 3) + 1 if extradata[:1] == b"\x01" and len(extradata) > 6 else 0
        return CodecRule(_h264(length), True, "nal_ref_idc")
    if codec == "hevc":
        length = (extradata[21] & 3) + 1 if extradata[:1] == b"\x01" and len(extradata) > 22 else 0
        return CodecRule(_hevc(length), True, "sub-layer non-reference NAL units")
    return CodecRule(_keyframe, False, KEPT_WHOLE)


def nal_units(data: Data, length_size: int) -> Iterator[tuple[int, int]]:
    """The first two bytes of each NAL unit in a packet.

    Args:
        data: the packet.
        length_size: bytes of the length before each unit (ISO/IEC 14496-15, 5.3.3), or 0 for start codes
            (Annex B of H.264 and H.265).

    Raises:
        ValueError: if a length points past the packet's end.
    """
    if length_size == 0:
        yield from _annex_b_units(bytes(data))
        return
    position, end = 0, len(data)
    while position + length_size + 2 <= end:
        start = position + length_size
        yield data[start], data[start + 1]
        position = start + int.from_bytes(data[position:start], "big")
    if position != end:
        raise ValueError("a NAL unit is longer than its packet")


def _annex_b_units(data: bytes) -> Iterator[tuple[int, int]]:
    position = data.find(b"\x00\x00\x01")
    while position >= 0 and position + 4 < len(data):
        yield data[position + 3], data[position + 4]
        position = data.find(b"\x00\x00\x01", position + 3)


_REFERENCE = Role(starts=False, starts_open=False, needed=True)
_DISPOSABLE = Role(starts=False, starts_open=False, needed=False)


def _h264(length_size: int) -> Rule:
    """H.264, clause 7.4.1: nal_ref_idc 0 in a slice means that nothing refers to its picture.

    It is equal in all slices of a picture, which is asked of every slice all the same. Decoding begins at
    IDR pictures only (nal_unit_type 5): keyframes of an open GOP are kept as any other reference.
    """

    def judge(data: Data, _is_keyframe: bool) -> Role:
        if length_size == 4 and len(data) > 5 and int.from_bytes(data[:4], "big") == len(data) - 4:
            header = data[4]  # a single unit, as most packets are: the same answer, sooner
            if header & 31 == 1:
                return _REFERENCE if header & 0x60 else _DISPOSABLE
        slices = idr = 0
        needed = False
        for header, _ in nal_units(data, length_size):
            kind = header & 31
            if 1 <= kind <= 5:
                slices += 1
                idr += kind == 5
                needed |= bool(header & 0x60)
            elif kind in {7, 8, 13, 14, 15, 20, 21}:  # parameter sets; scalable and multiview extensions
                needed = True
        return Role(starts=bool(slices) and idr == slices, starts_open=False, needed=needed or not slices)

    return judge


def _hevc(length_size: int) -> Rule:
    """H.265, table 7-1: even nal_unit_type below 16 is a sub-layer non-reference picture.

    Nothing of the same temporal layer refers to it; so in any packet of a higher layer (TemporalId above
    0), or of a reserved type, nothing is concluded, and plan.py drops none where a file has such layers.
    Decoding begins at IDR (19, 20) and CRA (21); leading pictures of a CRA refer to the GOP before it.
    """

    def judge(data: Data, _is_keyframe: bool) -> Role:
        kinds = []
        has_parameters = False
        for first, second in nal_units(data, length_size):
            kind = (first >> 1) & 63
            has_parameters |= 32 <= kind <= 34
            if kind < 32:
                if (second & 7) != 1:
                    raise LayeredError("the file has temporal layers")
                kinds.append(kind)
        if any(16 <= kind <= 18 for kind in kinds):
            raise ValueError("the file has BLA pictures, whose leading pictures are not shown")
        disposable = not has_parameters and bool(kinds) and all(kind in {0, 2, 4, 6, 8} for kind in kinds)
        starts = bool(kinds) and all(kind in {19, 20, 21} for kind in kinds)
        return Role(starts=starts, starts_open=starts and 21 in kinds, needed=not disposable)

    return judge


class LayeredError(ValueError):
    """The file has temporal layers: sub-layer non-reference says nothing of other layers."""


def _intra_only(_data: Data, _is_keyframe: bool) -> Role:
    return Role(starts=True, starts_open=False, needed=False)


def _keyframe(_data: Data, is_keyframe: bool) -> Role:
    """Any other codec: a keyframe starts a GOP that may be open, and everything in it is needed.

    VP9 is among them although its headers tell which reference slots a frame refreshes: a frame that
    refreshes none still leaves its motion vectors and entropy contexts to the next one (VP9 bitstream
    specification, UsePrevFrameMvs and refresh_frame_context). AV1 keeps all that in its reference slots.
    """
    return Role(starts=is_keyframe, starts_open=is_keyframe, needed=True)
