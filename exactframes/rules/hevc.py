"""HEVC: which pictures nothing refers to, and where decoding may begin."""

from exactframes.rules.nal import sized_units, units
from exactframes.rules.roles import Data, Role, Rule

PARAMETER_SETS = range(32, 35)  # nal_unit_type, table 7-1: VPS, SPS, PPS
SLICES = range(32)
ENDS = {36, 37}  # of a sequence, of the bitstream
NON_REFERENCE = {0, 2, 4, 6, 8}  # TRAIL_N, TSA_N, STSA_N, RADL_N, RASL_N; reserved types are kept
BLA = range(16, 19)
IDR_WITH_LEADING, IDR, CRA = 19, 20, 21


def length_size(extradata: bytes) -> int:
    """Bytes of a NAL unit's length by hvcC (ISO/IEC 14496-15, 8.3.3.1); 0 without: start codes."""
    return (extradata[21] & 3) + 1 if extradata[:1] == b"\x01" and len(extradata) > 22 else 0


def parameter_sets(extradata: bytes) -> frozenset[bytes]:
    """The parameter sets in extradata: hvcC (ISO/IEC 14496-15, 8.3.3.1), or start codes."""
    if not length_size(extradata):
        found = [extradata[start:stop].rstrip(b"\0") for start, stop in units(extradata, 0)]
    else:
        found, position = [], 23
        for _ in range(extradata[22]):  # numOfArrays, each with a type and numNalus
            count = int.from_bytes(extradata[position + 1 : position + 3], "big")
            some, position = sized_units(extradata, position + 3, count)
            found += some
    return frozenset(unit for unit in found if (unit[0] >> 1) & 63 in PARAMETER_SETS)


def rule(extradata: bytes) -> Rule:
    """H.265, table 7-1: no picture of its temporal layer refers to a sub-layer non-reference picture.

    Pictures of higher layers may refer to it (8.3.2). So the role states the layer, and such a picture is
    dropped only in the highest layer of its GOP. Decoding begins at IDR and CRA pictures. Leading pictures of
    a CRA may refer to the GOP before it (RASL); those of an IDR (RADL) are treated alike.
    """
    size = length_size(extradata)

    def judge(data: Data, _is_keyframe: bool) -> Role:
        kinds: list[int] = []
        layer = 0
        has_parameters = ends = False
        for start, _ in units(data, size):
            kind = (data[start] >> 1) & 63
            if kind in PARAMETER_SETS:
                has_parameters = True
            elif kind in ENDS:
                ends = True
            elif kind in SLICES:
                if data[start] & 1 or data[start + 1] >> 3:  # nuh_layer_id, 7.3.1.2
                    raise ValueError("the video has layers of scalability or views")
                kinds.append(kind)
                layer = max(layer, (data[start + 1] & 7) - 1)  # nuh_temporal_id_plus1
        if ends:
            raise ValueError("the video has ends of sequence, after which leading pictures are not shown")
        if any(kind in BLA for kind in kinds):
            raise ValueError("the video has BLA pictures, whose leading pictures are not shown")
        starts = bool(kinds) and all(kind in {IDR_WITH_LEADING, IDR, CRA} for kind in kinds)
        disposable = bool(kinds) and all(kind in NON_REFERENCE for kind in kinds)
        return Role(
            needed=has_parameters or not disposable,
            starts=starts,
            leads=starts and IDR not in kinds,
            layer=layer,
            has_parameters=has_parameters,
        )

    return judge
