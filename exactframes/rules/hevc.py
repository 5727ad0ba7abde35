"""HEVC: which pictures nothing refers to, and where decoding may begin."""

from collections.abc import Iterable

from exactframes.rules.hevc_headers import HevcPicture, HevcSequence
from exactframes.rules.nal import sized_units, units
from exactframes.rules.picture_order import Counter, first_slice, only
from exactframes.rules.roles import Data, Role, Rule

PARAMETER_SETS = range(32, 35)  # nal_unit_type, table 7-1: VPS, SPS, PPS
SPS, PPS = 33, 34
SLICES = range(32)
SLICE_HEADERS = frozenset(header for header in range(128) if (header >> 1) & 63 in SLICES)
ENDS = {36, 37}  # of a sequence, of the bitstream
NON_REFERENCE = {0, 2, 4, 6, 8}  # TRAIL_N, TSA_N, STSA_N, RADL_N, RASL_N; reserved types are kept
LEADING = range(6, 10)  # RADL_N, RADL_R, RASL_N, RASL_R
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
    """The rule for a stream with this header: see Hevc."""
    return Hevc(extradata)


class Hevc:
    """H.265, table 7-1: no picture of its temporal layer refers to a sub-layer non-reference picture.

    Pictures of higher layers may refer to it (8.3.2). So the role states the layer, and such a picture is
    dropped only in the highest layer of its GOP. Decoding begins at IDR and CRA pictures. Leading pictures of
    a CRA may refer to the GOP before it (RASL); those of an IDR (RADL) are treated alike.
    """

    def __init__(self, extradata: bytes) -> None:
        """Take the stream's header."""
        sets = parameter_sets(extradata)
        self._size = length_size(extradata)
        self._sequences = {unit for unit in sets if _kind(unit) == SPS}
        self._pictures = {unit for unit in sets if _kind(unit) == PPS}

    def __call__(self, data: Data, _is_keyframe: bool) -> Role:
        """The role of a packet.

        Raises:
            ValueError: if the packet is damaged, or what it holds rules a plan out.
        """
        kinds: list[int] = []
        layer = 0
        has_parameters = ends = False
        for start, stop in units(data, self._size):
            kind = (data[start] >> 1) & 63
            if kind in PARAMETER_SETS:
                has_parameters = True
                self._take(kind, bytes(data[start:stop]).rstrip(b"\0"))
            elif kind in ENDS:
                ends = True
            elif kind in SLICES:
                if data[start] & 1 or data[start + 1] >> 3:  # nuh_layer_id, 7.3.1.2
                    raise ValueError("the video has layers of scalability or views")
                if kind in {IDR_WITH_LEADING, IDR} and stop > start + 2 and data[start + 2] & 0x40:  # 7.3.6.1
                    raise ValueError("pictures are discarded before they are shown")
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

    def _take(self, kind: int, unit: bytes) -> None:
        if kind == SPS:
            self._sequences.add(unit)
        elif kind == PPS:
            self._pictures.add(unit)

    def delay(self) -> int:
        """What the sequence states: see roles.Ordered."""
        return HevcSequence.of(only(self._sequences)).delay

    def picture_orders(self, packets: Iterable[Data]) -> list[int]:
        """The order of pictures by their counts (8.3.1): see roles.Ordered."""
        sequence = HevcSequence.of(only(self._sequences))
        picture = only(set(map(HevcPicture.of, self._pictures)))
        counter, counts = Counter(sequence.order_bits), list[int]()
        for data in packets:
            unit = first_slice(data, self._size, SLICE_HEADERS)
            kind = _kind(unit)
            if kind in {IDR_WITH_LEADING, IDR}:
                counter.begin_anew()
            others_count_on = unit[1] & 7 == 1 and kind not in NON_REFERENCE and kind not in LEADING
            counts.append(counter.count(sequence.low(unit, picture), others_count_on=others_count_on))
        return counts


def _kind(unit: Data) -> int:
    return (unit[0] >> 1) & 63
