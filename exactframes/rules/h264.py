"""H.264: which pictures nothing refers to, and where decoding may begin."""

import re
from collections.abc import Iterable

from exactframes.rules.h264_sequence import H264Sequence
from exactframes.rules.nal import DAMAGED, EMULATION, Bits, sized_units, units
from exactframes.rules.picture_order import LONGEST, Counter, first_slice, only
from exactframes.rules.roles import DISPOSABLE, REFERENCE, Data, Role, Rule

SLICES = range(1, 6)  # nal_unit_type, table 7-1
SLICE_HEADERS = frozenset(header for header in range(128) if header & 31 in SLICES)
IDR, SEI, SPS = 5, 6, 7
PARAMETER_SETS = {7, 8}
OTHERS_TO_KEEP = {10, 11, 13, 14, 15, 20, 21}  # ends; SPS extension; scalable and multiview extensions
RECOVERY_POINT = 6  # payloadType, D.1.1
INTRA = {2, 4, 7, 9}  # slice_type, table 7-6
X264 = re.compile(rb"x264 - core (\d+)")  # in user data; FFmpeg looks for it
# By the header of the only NAL unit of a packet: a slice, or the slice of an IDR picture.
ALONE = {header: REFERENCE if header & 0x60 else DISPOSABLE for header in range(1, 128, 32)}
ALONE |= {header: Role(needed=bool(header & 0x60), starts=True) for header in range(5, 128, 32)}


def length_size(extradata: bytes) -> int:
    """Bytes of a NAL unit's length by avcC (ISO/IEC 14496-15, 5.3.3.1); 0 without: start codes."""
    return (extradata[4] & 3) + 1 if extradata[:1] == b"\x01" and len(extradata) > 6 else 0


def parameter_sets(extradata: bytes) -> frozenset[bytes]:
    """The parameter sets in extradata: avcC (ISO/IEC 14496-15, 5.3.3.1), or start codes.

    Raises:
        ValueError: if they end early.
    """
    if not length_size(extradata):
        found = [extradata[start:stop].rstrip(b"\0") for start, stop in units(extradata, 0)]
        return frozenset(unit for unit in found if unit[0] & 31 in PARAMETER_SETS)
    sets, position = [], 5
    for count_mask in (31, 255):  # numOfSequenceParameterSets, numOfPictureParameterSets
        if position >= len(extradata):
            raise ValueError(DAMAGED)
        count, position = extradata[position] & count_mask, position + 1
        found, position = sized_units(extradata, position, count)
        sets += found
    return frozenset(sets)


def rule(extradata: bytes) -> Rule:
    """The rule for a stream with this header: see H264."""
    return H264(extradata)


class H264:
    """H.264, clause 7.4.1: nal_ref_idc 0 in a slice means that nothing refers to its picture.

    The flag is equal in all slices of a picture, and every slice is checked all the same. Decoding begins at
    IDR pictures (nal_unit_type 5), and at intra pictures with a recovery point that is exact at once (D.2.8:
    recovery_frame_cnt 0, exact_match_flag 1, broken_link_flag 0). From there on, in output order, all frames
    are exact; those shown before are not. Only an IDR picture begins to count anew: at a recovery point,
    frame_num (7.4.3) and the order of pictures (8.2.1.1) go on from the reference pictures before it. Without
    some of these, FFmpeg makes up others, and sorts them among the references of B-pictures.
    """

    def __init__(self, extradata: bytes) -> None:
        """Take the stream's header."""
        self._size = length_size(extradata)
        self._sequences = {unit for unit in parameter_sets(extradata) if unit[0] & 31 == SPS}

    def __call__(self, data: Data, _is_keyframe: bool) -> Role:
        """The role of a packet.

        Raises:
            ValueError: if the packet is damaged, or what it holds rules a plan out.
        """
        if self._size == 4 and len(data) > 5 and int.from_bytes(data[:4], "big") == len(data) - 4:
            role = ALONE.get(data[4])  # most packets have a single unit: the same answer, sooner
            if role is not None:
                return role
        return self._judge(data)

    def _judge(self, data: Data) -> Role:
        slices: list[bytes] = []  # as much of them as is read
        idr = 0
        needed = has_parameters = recovers = False
        for start, stop in units(data, self._size):
            kind = data[start] & 31
            if kind in SLICES:
                slices.append(bytes(data[start : min(stop, start + LONGEST)]))
                idr += kind == IDR
                needed |= bool(data[start] & 0x60)
            elif kind == SEI:
                payload = bytes(data[start + 1 : stop])
                recovers |= _is_exact_recovery_point(payload)
                self._require_no_old_x264(payload)
            elif kind in PARAMETER_SETS:
                needed = has_parameters = True
                if kind == SPS:
                    self._sequences.add(bytes(data[start:stop]).rstrip(b"\0"))
            elif kind in OTHERS_TO_KEEP:
                needed = True
        is_idr = bool(slices) and idr == len(slices)
        is_entry = recovers and bool(slices) and all(slice_type(unit) in INTRA for unit in slices)
        return Role(
            needed=needed or not slices,
            starts=is_idr or is_entry,
            leads=is_entry and not is_idr,
            numbers_on=is_entry and not is_idr,
            has_parameters=has_parameters,
        )

    def _require_no_old_x264(self, payload: bytes) -> None:
        """Check that FFmpeg does not decode by the version of x264, which the first packet alone tells.

        It makes up for two faults: of builds before 34, and of lossless 4:4:4 profiles before 151.
        """
        found = X264.search(payload)
        build = int(found[1]) if found is not None else 151
        if build < 34 or (build < 151 and self._sequence().is_lossless_444):
            raise ValueError("FFmpeg decodes what this old x264 has made by its version")

    def _sequence(self) -> H264Sequence:
        return only(set(map(H264Sequence.of, self._sequences)))

    def delay(self) -> int | None:
        """What the sequence states: see roles.Ordered."""
        return self._sequence().delay

    def picture_orders(self, packets: Iterable[Data]) -> list[int]:
        """The order of pictures by their counts (8.2.1): see roles.Ordered."""
        sequence = self._sequence()
        if sequence.order_type == 2:  # in the order of decoding, 8.2.1.3
            return [place for place, _ in enumerate(packets)]
        counter, counts = Counter(sequence.order_bits), list[int]()
        for data in packets:
            unit = first_slice(data, self._size, SLICE_HEADERS)
            if unit[0] & 31 == IDR:
                counter.begin_anew()
            counts.append(counter.count(sequence.low(unit), others_count_on=bool(unit[0] & 0x60)))
        return counts


def slice_type(unit: bytes) -> int:
    """Of a slice (slice_header, 7.3.3)."""
    bits = Bits(unit[1:16])
    bits.golomb()  # first_mb_in_slice
    return bits.golomb()


def _is_exact_recovery_point(payload: bytes) -> bool:
    """Whether an SEI NAL unit (7.3.2.3) holds a recovery point from which the very next picture is exact."""
    clean = payload.replace(EMULATION, b"\0\0")
    position = 0
    while position + 2 < len(clean):  # the rest at the end is rbsp_trailing_bits
        kind, position = _sei_number(clean, position)
        size, position = _sei_number(clean, position)
        if kind == RECOVERY_POINT:
            bits = Bits(clean[position : position + size])
            return bits.golomb() == 0 and bits.take(2) == 0b10  # exact_match_flag, broken_link_flag
        position += size
    return False


def _sei_number(data: bytes, position: int) -> tuple[int, int]:
    """A number written as bytes 255 and a last one that is less (7.3.2.3.1), and where it ends."""
    number = 0
    while position < len(data) and data[position] == 255:
        number += 255
        position += 1
    if position >= len(data):
        raise ValueError("a packet is damaged: an SEI message ends early")
    return number + data[position], position + 1
