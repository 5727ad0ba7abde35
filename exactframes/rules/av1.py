"""AV1: which temporal units no other refers to, and where decoding may begin.

Clauses are those of the AV1 Bitstream & Decoding Process Specification.
"""

from collections.abc import Iterator
from typing import NamedTuple

from exactframes.rules.roles import DISPOSABLE, REFERENCE, Data, Role, Rule

SEQUENCE_HEADER, TEMPORAL_DELIMITER, FRAME_HEADER, TILE_GROUP = 1, 2, 3, 4  # obu_type, 6.2.2
FRAME, REDUNDANT_FRAME_HEADER, PADDING = 6, 7, 15
# A redundant frame header is a copy of the frame's first one (6.8.1), so that reading it changes no answer.
FRAME_HEADERS = {FRAME_HEADER, FRAME, REDUNDANT_FRAME_HEADER}
# None of these outlasts its temporal unit. Of the others, metadata applies to the stream from its place on
# (6.7.1), a tile list uses frames from elsewhere (6.11), and the meaning of reserved ones is unknown.
PASSING = {TEMPORAL_DELIMITER, TILE_GROUP, PADDING}
KEY_FRAME, INTER_FRAME, SWITCH_FRAME = 0, 1, 3  # frame_type, 6.8.2; 2 is INTRA_ONLY_FRAME
SELECT = 2  # SELECT_SCREEN_CONTENT_TOOLS, SELECT_INTEGER_MV: each frame's header states them
HEADER_BYTES = 12  # up to the end of refresh_frame_flags, 5.9.2 has at most 93 bits
START = Role(needed=True, starts=True)


class Sequence(NamedTuple):
    """What a sequence header (5.5) says about the syntax of frame headers (5.9.2)."""

    is_still: bool = False  # all frames are shown key frames, and their headers begin differently
    prunes: bool = False  # whether refresh_frame_flags can prove that a frame is not needed
    point_bits: int = 0  # of temporal_point_info
    has_model: bool = False  # whether buffer_removal_time_present_flag is there
    removal_bits: int = 0  # of buffer_removal_time
    screen_content: int = SELECT
    integer_mv: int = SELECT
    hint_bits: int = 0  # of order_hint


class Av1Parser:
    """Judges the packets of a stream: temporal units in the low-overhead format (5.2) of MP4 and Matroska.

    It must get them in order. A seek may leave some out, if a packet with a key frame comes next.
    After it has raised an error, its further answers prove nothing.
    """

    def __init__(self, extradata: bytes) -> None:
        """Take the content of the av1C box (AV1 in ISO base media files, 2.3.3), bare OBUs, or nothing.

        Raises:
            ValueError: if its bytes contradict the syntax.
        """
        self._sequence: Sequence | None = None
        self._plain = 0  # the reference slots that surely hold no key frame, one bit each
        is_box = extradata[:1] >= b"\x80"  # its marker bit, where an OBU has its forbidden bit
        for kind, payload in _obus(memoryview(extradata)[4 if is_box else 0 :]):
            if kind == SEQUENCE_HEADER:
                self._sequence = _read_sequence(payload)

    def is_needed(self, data: Data) -> bool:
        """Whether another temporal unit may refer to this one.

        Raises:
            ValueError: if its bytes contradict the syntax, or a frame comes before any sequence header.
        """
        return self.judge(data).needed

    def judge(self, data: Data) -> Role:
        """What a temporal unit is to the others: not needed if its frames change no reference slot.

        A frame writes only the slots in refresh_frame_flags (7.20), and these hold all that outlasts it:
        samples, motion vectors, order hints, global motion, segment ids, CDFs, film grain, parameters of loop
        filter and segmentation. Where AV1 says "the previous frame", it reads slot
        ref_frame_idx[primary_ref_frame] (6.8.2). Decoding may begin at a shown key frame (7.6.2): it fills
        all slots.

        Raises:
            ValueError: as is_needed does.
        """
        has_parameters = keeps = False
        frames: list[Role] = []
        for kind, payload in _obus(memoryview(data)):
            if kind in FRAME_HEADERS:
                frames.append(self._judge_frame(payload))
            elif kind == SEQUENCE_HEADER:
                self._sequence, self._plain, has_parameters = _read_sequence(payload), 0, True
            elif kind not in PASSING or (kind == TILE_GROUP and not frames):
                keeps = True  # a tile group without a header belongs to a frame of another packet
        return Role(
            needed=has_parameters or keeps or not frames or any(frame.needed for frame in frames),
            starts=bool(frames) and frames[0].starts,
            has_parameters=has_parameters,
        )

    def _judge_frame(self, payload: memoryview) -> Role:
        """Read a frame header (5.9.2) up to refresh_frame_flags, or to where the answer is known."""
        sequence = self._sequence
        if sequence is None:
            raise ValueError("a packet is damaged: its frame comes before any AV1 sequence header")
        if sequence.is_still:
            return START
        bits = _Bits(payload[:HEADER_BYTES])
        if bits.take(1):  # show_existing_frame
            return self._judge_shown(bits.take(3))
        frame_type, is_shown = bits.take(2), bits.take(1)
        if frame_type in {KEY_FRAME, SWITCH_FRAME}:
            # Both fill all slots; a hidden key frame fills only some. After a seek to it, nothing is known of
            # the others.
            self._plain = 0
            return START if frame_type == KEY_FRAME and is_shown else REFERENCE
        flags = _read_flags(bits, sequence, frame_type, is_shown) if sequence.prunes else None
        if flags is None:
            self._plain = 0
            return REFERENCE
        self._plain |= flags
        return REFERENCE if flags else DISPOSABLE

    def _judge_shown(self, slot: int) -> Role:
        """Judge show_existing_frame: it writes nothing, except that a key frame fills all slots (7.21)."""
        if self._plain >> slot & 1:
            return DISPOSABLE
        self._plain = 0
        return REFERENCE


def rule(extradata: bytes) -> Rule:
    """AV1, clause 7.20: with refresh_frame_flags 0 in all its frames, nothing refers to a temporal unit."""
    parser = Av1Parser(extradata)
    return lambda data, _is_keyframe: parser.judge(data)


class _Bits:
    """Reads a header bit by bit (4.10.2)."""

    def __init__(self, payload: memoryview) -> None:
        self._value, self._left = int.from_bytes(payload, "big"), 8 * len(payload)

    def take(self, count: int) -> int:
        """The next bits, as an unsigned number."""
        self._left -= count
        if self._left < 0:
            raise ValueError("a packet is damaged: an AV1 header ends early")
        return self._value >> self._left & (1 << count) - 1


def _read_flags(bits: _Bits, sequence: Sequence, frame_type: int, is_shown: int) -> int | None:
    """refresh_frame_flags of an inter or intra-only frame (5.9.2); None if it may do more to the slots."""
    bits.take(sequence.point_bits if is_shown else 1)  # temporal_point_info, or showable_frame
    is_resilient = bits.take(1)
    if is_resilient and sequence.hint_bits:
        return None  # ref_order_hint comes after the flags, and may make any slot invalid
    bits.take(1)  # disable_cdf_update
    allowed = bits.take(1) if sequence.screen_content == SELECT else sequence.screen_content
    if allowed and sequence.integer_mv == SELECT:
        bits.take(1)  # force_integer_mv
    bits.take(1 + sequence.hint_bits)  # frame_size_override_flag, order_hint
    if frame_type == INTER_FRAME and not is_resilient:
        bits.take(3)  # primary_ref_frame
    if sequence.has_model and bits.take(1):
        bits.take(sequence.removal_bits)
    return bits.take(8)


def _read_sequence(payload: memoryview) -> Sequence:
    """Read a sequence header (5.5.1) up to order_hint_bits_minus_1, or to where the answer is known."""
    bits = _Bits(payload)
    if bits.take(3) > 2:
        raise ValueError("a packet is damaged: its AV1 profile is a reserved one")
    if bits.take(2) & 1:  # still_picture, reduced_still_picture_header
        return Sequence(is_still=True)
    has_model, delay_bits, removal_bits, point_bits = _read_timing(bits)
    has_display_delay = bits.take(1)
    if bits.take(5) or bits.take(12):  # operating_points_cnt_minus_1, operating_point_idc
        return Sequence()  # layers: the decoder chooses which of them it decodes (6.4.1)
    if bits.take(5) > 7:  # seq_level_idx
        bits.take(1)  # seq_tier
    op_has_model = has_model and bits.take(1)
    if op_has_model:
        bits.take(2 * delay_bits + 1)  # operating_parameters_info, 5.5.5
    if has_display_delay and bits.take(1):
        bits.take(4)  # initial_display_delay_minus_1
    bits.take(bits.take(4) + bits.take(4) + 2)  # max_frame_width_minus_1, max_frame_height_minus_1
    if bits.take(1):  # frame_id_numbers_present_flag
        return Sequence()  # a frame's id has to be close to that of the one decoded before it (6.8.2)
    bits.take(7)  # use_128x128_superblock to enable_dual_filter
    has_hints = bits.take(1)
    bits.take(2 * has_hints)  # enable_jnt_comp, enable_ref_frame_mvs
    screen_content = SELECT if bits.take(1) else bits.take(1)
    integer_mv = SELECT if not screen_content or bits.take(1) else bits.take(1)
    return Sequence(
        prunes=True,
        point_bits=point_bits,
        has_model=has_model,
        removal_bits=removal_bits if op_has_model else 0,
        screen_content=screen_content,
        integer_mv=integer_mv,
        hint_bits=bits.take(3) + 1 if has_hints else 0,
    )


def _read_timing(bits: _Bits) -> tuple[bool, int, int, int]:
    """timing_info and decoder_model_info (5.5.3, 5.5.4).

    Returns:
        Whether there is a decoder model, and the sizes of buffer delays, buffer_removal_time, and
        temporal_point_info, which is left out where pictures come at equal intervals (5.9.2).
    """
    if not bits.take(1):  # timing_info_present_flag
        return False, 0, 0, 0
    bits.take(64)  # num_units_in_display_tick, time_scale
    is_equal = bits.take(1)
    if is_equal:
        _skip_uvlc(bits)  # num_ticks_per_picture_minus_1
    if not bits.take(1):  # decoder_model_info_present_flag
        return False, 0, 0, 0
    delay_bits = bits.take(5) + 1
    bits.take(32)  # num_units_in_decoding_tick
    removal_bits, point_bits = bits.take(5) + 1, bits.take(5) + 1
    return True, delay_bits, removal_bits, 0 if is_equal else point_bits


def _skip_uvlc(bits: _Bits) -> None:
    zeros = 0  # 4.10.3
    while not bits.take(1):
        zeros += 1
    if zeros > 31:
        raise ValueError("a packet is damaged: its AV1 timing is out of range (6.4.3)")
    bits.take(zeros)


def _obus(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The obu_type and payload of each OBU (5.3.1, 5.3.2)."""
    position, end = 0, len(data)
    while position < end:
        header = data[position]
        if header & 0x80:
            raise ValueError("a packet is damaged: its OBU sets the forbidden bit")
        start = position + (2 if header & 4 else 1)  # obu_extension_flag
        size = end - start
        if header & 2:  # obu_has_size_field
            size, start = _read_leb128(data, start)
        position = start + size
        if start > end or position > end:
            raise ValueError("a packet is damaged: an OBU is longer than its packet")
        yield header >> 3, data[start:position]


def _read_leb128(data: memoryview, start: int) -> tuple[int, int]:
    """A size (4.10.5), and where it ends."""
    size = 0
    for index, byte in enumerate(data[start : start + 8]):
        size |= (byte & 127) << 7 * index
        if byte < 128:
            return size, start + index + 1
    raise ValueError("a packet is damaged: the size of an OBU does not end")
