"""AV1's rule against FFmpeg's own reading of encoded videos, and against headers made bit by bit."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exactframes.rules.av1 import Av1Parser, rule
from exactframes.rules.roles import DISPOSABLE, REFERENCE, Role
from fixtures.corpus import make_video
from fixtures.errors import InputError

KEY, INTER, INTRA_ONLY, SWITCH = range(4)
START = Role(needed=True, starts=True)

# --- Videos: FFmpeg's trace_headers tells every syntax element, the answers are worked out from those. ---

SVT = ("-c:v", "libsvtav1", "-preset", "12", "-g", "20")
AOM = ("-c:v", "libaom-av1", "-cpu-used", "8", "-g", "30", "-lag-in-frames", "19")
VIDEOS = {  # with the file's suffix and how many of the packets are not needed: none, some
    "svt preset 9": ("mp4", ("-c:v", "libsvtav1", "-preset", "9", "-g", "20"), "some"),
    "svt preset 12": ("mkv", SVT, "some"),
    "svt with intra-only frames": ("mp4", (*SVT, "-svtav1-params", "irefresh-type=1"), "some"),
    "svt with switch frames": ("mp4", (*SVT[:4], "-svtav1-params", "pred-struct=1:sframe-dist=8"), "some"),
    "aom": ("mp4", AOM, "some"),
    "aom in WebM": ("webm", AOM, "some"),
    "aom with temporal delimiters": ("ivf", AOM, "some"),
    "aom with a decoder model": ("mp4", (*AOM, "-aom-params", "timing-info=model"), "some"),
    "aom at equal intervals": ("mp4", (*AOM, "-aom-params", "timing-info=constant"), "some"),
    "aom without order hints": ("mp4", (*AOM, "-aom-params", "enable-order-hint=0"), "some"),
    "aom tile groups": ("mp4", (*AOM, "-tiles", "2x1", "-aom-params", "num-tile-groups=2"), "some"),
    "aom realtime": ("mp4", ("-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime"), "none"),
    "aom all intra": ("mp4", ("-c:v", "libaom-av1", "-cpu-used", "8", "-g", "1"), "none"),
    "aom still picture": ("mp4", (*AOM[:4], "-still-picture", "1", "-frames:v", "1"), "none"),
    "rav1e": ("mp4", ("-c:v", "librav1e", "-speed", "10", "-g", "20"), "some"),
}


class Traced(NamedTuple):
    """A packet as FFmpeg reads it."""

    size: int
    needed: bool
    starts: bool
    has_parameters: bool


def encode(folder: Path, suffix: str, encoding: tuple[str, ...]) -> Path:
    try:
        return make_video(folder / f"video.{suffix}", *encoding, size="128x96", frames=60)
    except InputError as error:
        pytest.skip(f"this FFmpeg has no such encoder or option: {error}")


def trace(video: Path) -> Iterator[Traced]:
    command = ["ffmpeg", "-nostdin", "-nostats", "-v", "repeat+info", "-i", str(video), "-map", "0:v:0"]
    command += ["-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    slots: dict[int, int] = {}  # the type of the frame in each
    for packet in log.split("] Packet: ")[1:]:
        obus = set(re.findall(r"obu_type +[01]+ = (\d+)", packet))
        frames = [trace_frame(header, slots) for header in packet.split("] Frame Header\n")[1:]]
        needed = any(frame.needed for frame in frames) or bool(obus & {"1", "5"})
        yield Traced(int(packet.split()[0]), needed, frames[0].starts, "1" in obus)


def trace_frame(header: str, slots: dict[int, int]) -> Role:
    """Whether a frame changes any slot, which it then does."""
    found = re.findall(r"\] \d+ +(\w+) +[01]+ = (\d+)", header)
    elements = {name: int(value) for name, value in found}
    if elements.get("show_existing_frame"):
        frame_type = slots[elements["frame_to_show_map_idx"]]
        flags, starts = 0 if frame_type else 255, False
    else:  # what is not written is what it is for a shown key frame
        frame_type, flags = elements.get("frame_type", KEY), elements.get("refresh_frame_flags", 255)
        starts = frame_type == KEY and elements.get("show_frame", 1) == 1
    slots.update({slot: frame_type for slot in range(8) if flags >> slot & 1})
    return Role(needed=flags != 0, starts=starts)


def judge_packets(video: Path) -> list[tuple[int, Role]]:
    with av.open(video) as container:
        stream = container.streams.video[0]
        judge = rule(stream.codec_context.extradata or b"")
        return [
            (packet.size, judge(memoryview(packet), packet.is_keyframe))
            for packet in container.demux(stream)
            if packet.size
        ]


@pytest.mark.parametrize("name", VIDEOS)
def test_agrees_with_trace_headers(name: str, tmp_path: Path) -> None:
    suffix, encoding, unneeded = VIDEOS[name]
    video = encode(tmp_path, suffix, encoding)
    ours = [
        Traced(size, role.needed, role.starts, role.has_parameters) for size, role in judge_packets(video)
    ]
    assert ours == list(trace(video))
    assert (unneeded == "some") == any(not packet.needed for packet in ours)


def test_error_resilient_streams_are_kept_whole(tmp_path: Path) -> None:
    video = encode(tmp_path, "mp4", (*AOM, "-error-resilience", "default"))
    assert not all(packet.needed for packet in trace(video))
    assert all(role.needed for _, role in judge_packets(video))


# --- Headers made bit by bit. ---

Fields = list[tuple[int, int]]  # (value, how many bits)


def pack(fields: Fields, fill: int = 0) -> bytes:
    """The fields, and after them bits of one kind up to the end of the byte, and three bytes more."""
    bits = "".join(format(value, f"0{width}b") if width else "" for value, width in fields)
    bits += str(fill) * (-len(bits) % 8 + 24)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def obu(kind: int, payload: bytes = b"", *, extension: bytes = b"", size: bytes | None = None) -> bytes:
    """An OBU, its size in one byte if it is not given; b"" leaves it out."""
    size = bytes([len(payload)]) if size is None else size
    header = kind << 3 | bool(extension) << 2 | bool(size) << 1
    return bytes([header]) + extension + size + payload


def skipped(width: int, fill: int) -> tuple[int, int]:
    """A field that does not matter, all zeros or all ones."""
    return ((1 << width) - 1) * fill, width


@dataclass(frozen=True)
class Model:
    """decoder_model_info; of_point: operating_parameters_info is there too."""

    delay_bits: int = 9
    removal_bits: int = 13
    point_bits: int = 11
    of_point: int = 1


@dataclass(frozen=True)
class Sequence:
    """A sequence header, 5.5.1."""

    profile: int = 0
    is_still: int = 0
    ticks: str | None = None  # num_ticks_per_picture_minus_1 as uvlc: pictures come at equal intervals
    timing: int = 0
    model: Model | None = None
    delay: str = "0"  # initial_display_delay_present_flag, ..._for_this_op
    points: int = 1
    idc: int = 0
    level: int = 7
    ids: int = 0
    hint_bits: int = 7
    screen: int = 2
    integer: int = 2
    size_bits: tuple[int, int] = (7, 9)

    def obu(self, fill: int = 0) -> bytes:
        """The OBU; what does not matter is filled with this bit."""
        still = [(self.profile, 3), skipped(1, fill), (self.is_still, 1)]
        fields = still + self._timing(fill) + self._points(fill) + self._sizes(fill) + self._tools(fill)
        return obu(1, pack(fields, fill))

    def _timing(self, fill: int) -> Fields:
        if not (self.timing or self.model or self.ticks):
            return [(0, 1)]
        fields = [(1, 1), skipped(64, fill), (int(self.ticks is not None), 1)]
        fields += [(int(bit), 1) for bit in self.ticks or ""]
        if not self.model:
            return [*fields, (0, 1)]
        model = self.model
        fields += [(1, 1), (model.delay_bits - 1, 5), skipped(32, fill)]
        return [*fields, (model.removal_bits - 1, 5), (model.point_bits - 1, 5)]

    def _points(self, fill: int) -> Fields:
        fields = [(int(self.delay[0]), 1), (self.points - 1, 5), (self.idc, 12), (self.level, 5)]
        fields += [skipped(1, fill)] if self.level > 7 else []
        if self.model:
            fields += [(self.model.of_point, 1)]
            fields += [skipped(2 * self.model.delay_bits + 1, fill)] if self.model.of_point else []
        if self.delay != "0":
            fields += [(int(self.delay[1]), 1), skipped(4 * int(self.delay[1]), fill)]
        return fields

    def _sizes(self, fill: int) -> Fields:
        width, height = self.size_bits
        return [(width - 1, 4), (height - 1, 4), skipped(width + height, fill), (self.ids, 1)]

    def _tools(self, fill: int) -> Fields:
        fields = [skipped(7, fill), (int(self.hint_bits > 0), 1)]
        fields += [skipped(2, fill)] if self.hint_bits else []
        fields += [(1, 1)] if self.screen == 2 else [(0, 1), (self.screen, 1)]
        if self.screen:
            fields += [(1, 1)] if self.integer == 2 else [(0, 1), (self.integer, 1)]
        return fields + ([(self.hint_bits - 1, 3)] if self.hint_bits else [])


@dataclass(frozen=True)
class Frame:
    """An uncompressed header, 5.9.2, up to refresh_frame_flags."""

    kind: int = INTER
    shown: int = 1
    resilient: int = 0
    screen: int = 1
    removal: int = 0
    flags: int = 0

    def payload(self, sequence: Sequence, fill: int) -> bytes:
        """The OBU's payload; what does not matter and what comes after the flags is all this bit."""
        model = sequence.model
        fields = [(0, 1), (self.kind, 2), (self.shown, 1)]
        if self.shown and model and sequence.ticks is None:
            fields += [skipped(model.point_bits, fill)]
        fields += [] if self.shown else [skipped(1, fill)]
        always_resilient = self.kind == SWITCH or (self.kind == KEY and self.shown)
        fields += [] if always_resilient else [(self.resilient, 1)]
        fields += [skipped(1, fill)]
        allowed = self.screen if sequence.screen == 2 else sequence.screen
        fields += [(allowed, 1)] if sequence.screen == 2 else []
        fields += [skipped(1, fill)] if allowed and sequence.integer == 2 else []
        fields += [] if self.kind == SWITCH else [skipped(1, fill)]
        fields += [skipped(sequence.hint_bits, fill)]
        fields += [skipped(3, fill)] if self.kind == INTER and not self.resilient else []
        if model:
            fields += [(self.removal, 1), skipped(model.removal_bits * self.removal * model.of_point, fill)]
        return pack(fields if always_resilient else [*fields, (self.flags, 8)], fill)

    def obu(self, sequence: Sequence, fill: int = 1) -> bytes:
        """The header with its tiles."""
        return obu(6, self.payload(sequence, fill))


def show(slot: int) -> bytes:
    """show_existing_frame."""
    return obu(3, pack([(1, 1), (slot, 3)]))


PLAIN = Sequence()
SEQUENCES = {
    "plain": PLAIN,
    "profile 2": Sequence(profile=2),
    "tier": Sequence(level=8),
    "other sizes": Sequence(size_bits=(16, 1)),
    "timing": Sequence(timing=1),
    "equal intervals": Sequence(ticks="00100"),
    "equal intervals, most ticks": Sequence(ticks="0" * 31 + "1" + "1" * 30 + "0"),
    "model": Sequence(model=Model()),
    "model, equal intervals": Sequence(model=Model(), ticks="1"),
    "model of no point": Sequence(model=Model(of_point=0)),
    "display delay": Sequence(delay="11"),
    "display delay of no point": Sequence(delay="10"),
    "model and display delay": Sequence(model=Model(), delay="11", level=31),
    "longest": Sequence(model=Model(32, 32, 32), hint_bits=8),
    "no order hints": Sequence(hint_bits=0),
    "1-bit order hints": Sequence(hint_bits=1),
    "no screen content": Sequence(screen=0),
    "screen content": Sequence(screen=1),
    "screen content, integer": Sequence(screen=1, integer=1),
    "screen content, fractional": Sequence(screen=1, integer=0),
    "fractional": Sequence(integer=0),
}
FRAMES = {
    "shown": Frame(),
    "hidden": Frame(shown=0),
    "no screen content": Frame(screen=0),
    "buffer removal time": Frame(removal=1),
    "intra-only": Frame(kind=INTRA_ONLY),
    "hidden intra-only": Frame(kind=INTRA_ONLY, shown=0, removal=1),
}


def judge(*units: bytes, sequence: Sequence = PLAIN) -> Role:
    """What the last of these temporal units is."""
    parser = Av1Parser(sequence.obu())
    return [parser.judge(unit) for unit in units][-1]


@pytest.mark.parametrize("fill", [0, 1])
@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_frame_is_needed_if_it_writes_a_slot(sequence: str, frame: str, fill: int) -> None:
    header = SEQUENCES[sequence]
    parser = Av1Parser(header.obu(fill))
    # Around flags of zeros all bits are ones, and the other way round: read elsewhere, they are others.
    assert parser.judge(FRAMES[frame].obu(header, fill=1)) == DISPOSABLE
    for flags in (1, 128):
        assert parser.judge(replace(FRAMES[frame], flags=flags).obu(header, fill=0)) == REFERENCE


@pytest.mark.parametrize("kind", [INTER, INTRA_ONLY])
def test_an_error_resilient_frame_is_needed_for_its_order_hints(kind: int) -> None:
    assert judge(Frame(kind, resilient=1).obu(PLAIN)) == REFERENCE


@pytest.mark.parametrize("flags", [0, 1, 128])
@pytest.mark.parametrize("kind", [INTER, INTRA_ONLY])
def test_an_error_resilient_frame_without_order_hints_is_as_any_other(kind: int, flags: int) -> None:
    sequence = SEQUENCES["no order hints"]
    frame = Frame(kind, resilient=1, flags=flags).obu(sequence, fill=int(not flags))
    assert judge(frame, sequence=sequence) == (REFERENCE if flags else DISPOSABLE)


@pytest.mark.parametrize(
    ("frame", "role"),
    [
        (Frame(KEY), START),
        (Frame(KEY, shown=0, flags=1), REFERENCE),
        (Frame(KEY, shown=0), REFERENCE),
        (Frame(SWITCH), REFERENCE),
        (Frame(SWITCH, shown=0), REFERENCE),
    ],
)
@pytest.mark.parametrize("fill", [0, 1])
def test_key_and_switch_frames_are_needed(frame: Frame, role: Role, fill: int) -> None:
    assert judge(frame.obu(PLAIN, fill)) == role


FILL_ALL = Frame(flags=255).obu(PLAIN)


@pytest.mark.parametrize("kind", [INTER, INTRA_ONLY])
@pytest.mark.parametrize("slot", range(8))
def test_showing_a_slot_known_to_hold_no_key_frame_is_not_needed(slot: int, kind: int) -> None:
    frame = Frame(kind, flags=1 << slot).obu(PLAIN)
    assert judge(frame, show(slot)) == DISPOSABLE
    for other in {*range(8)} - {slot}:
        assert judge(frame, show(other)) == REFERENCE


def test_slots_filled_one_after_another_are_all_known() -> None:
    frames = [Frame(flags=flags).obu(PLAIN) for flags in (1, 128, 0)]
    assert (
        judge(*frames, show(0)) == judge(*frames, show(7)) == judge(*frames, show(0), show(7)) == DISPOSABLE
    )


def test_nothing_is_known_of_the_slots_at_first() -> None:
    assert judge(show(0)) == REFERENCE


@pytest.mark.parametrize(
    "unit",
    [
        Frame(KEY).obu(PLAIN),
        Frame(KEY, shown=0, flags=1).obu(PLAIN),
        Frame(SWITCH).obu(PLAIN),
        Frame(resilient=1).obu(PLAIN),
        PLAIN.obu(),
    ],
    ids=["key frame", "hidden key frame", "switch frame", "error-resilient", "sequence header"],
)
def test_after_these_nothing_is_known_of_the_slots(unit: bytes) -> None:
    assert judge(FILL_ALL, unit, show(7)) == REFERENCE


def test_showing_a_slot_that_may_hold_a_key_frame_fills_all_slots_with_it() -> None:
    assert judge(Frame(flags=254).obu(PLAIN), show(0), show(7)) == REFERENCE


@pytest.mark.parametrize(
    "sequence",
    [Sequence(points=2), Sequence(idc=0x101), Sequence(idc=0x800), Sequence(ids=1)],
    ids=["two operating points", "layers", "idc's first bit", "frame ids"],
)
@pytest.mark.parametrize("unit", [Frame().obu(PLAIN), FILL_ALL, show(0)])
def test_with_layers_or_frame_ids_all_is_needed(sequence: Sequence, unit: bytes) -> None:
    assert judge(FILL_ALL, unit, sequence=sequence) == REFERENCE
    assert judge(Frame(KEY).obu(PLAIN), sequence=sequence) == START


@pytest.mark.parametrize("payload", [b"\x00", b"\xff", b"\x30"])
def test_every_frame_is_a_shown_key_frame_in_a_still_picture(payload: bytes) -> None:
    assert judge(obu(6, payload), sequence=Sequence(is_still=1)) == START


NO_SLOT, A_SLOT = Frame().obu(PLAIN), Frame(flags=4).obu(PLAIN)


@pytest.mark.parametrize(
    ("frames", "needed"), [((NO_SLOT, NO_SLOT), False), ((NO_SLOT, A_SLOT), True), ((A_SLOT, NO_SLOT), True)]
)
def test_a_unit_is_needed_if_one_of_its_frames_is(frames: tuple[bytes, bytes], needed: bool) -> None:
    assert judge(b"".join(frames)).needed is needed


@pytest.mark.parametrize(
    ("unit", "starts"),
    [(Frame(KEY).obu(PLAIN) + NO_SLOT, True), (NO_SLOT + Frame(KEY).obu(PLAIN), False), (show(0), False)],
)
def test_decoding_begins_where_the_first_frame_is_a_shown_key_frame(unit: bytes, starts: bool) -> None:
    assert judge(unit).starts is starts


@pytest.mark.parametrize("kind", [0, 5, 8, *range(9, 15)])
def test_obus_that_may_outlast_their_unit_make_it_needed(kind: int) -> None:
    assert judge(NO_SLOT + obu(kind, b"\x01")) == REFERENCE


@pytest.mark.parametrize("kind", [2, 4, 15])
def test_obus_that_do_not_outlast_their_unit_change_nothing(kind: int) -> None:
    assert judge(NO_SLOT + obu(kind, b"\x01")) == DISPOSABLE
    assert judge(A_SLOT + obu(kind, b"\x01")) == REFERENCE


@pytest.mark.parametrize("unit", [b"", obu(2), obu(15, b"\x80"), obu(4, b"\x01"), obu(4, b"\x01") + NO_SLOT])
def test_a_unit_whose_frame_is_not_in_it_is_needed(unit: bytes) -> None:
    assert judge(unit) == REFERENCE


@pytest.mark.parametrize("flags", [0, 1])
def test_a_frame_header_may_be_apart_from_its_tiles_and_repeated(flags: int) -> None:
    header = Frame(flags=flags).payload(PLAIN, fill=1)
    unit = obu(3, header) + obu(4, b"\x01") + obu(7, header) + obu(4, b"\x01")
    assert judge(unit) == (REFERENCE if flags else DISPOSABLE)
    assert judge(obu(7, header)) == (REFERENCE if flags else DISPOSABLE)


def test_a_sequence_header_in_band_is_needed_and_read_from_then_on() -> None:
    sequence = SEQUENCES["longest"]
    assert judge(sequence.obu() + Frame().obu(sequence)) == Role(needed=True, has_parameters=True)
    assert judge(sequence.obu(), Frame(removal=1).obu(sequence)) == DISPOSABLE
    assert judge(sequence.obu() + Frame(KEY).obu(sequence)) == Role(
        needed=True, starts=True, has_parameters=True
    )


@pytest.mark.parametrize("prefix", [b"", b"\x81\x00\x0c\x00"], ids=["bare", "av1C"])
def test_extradata_hold_the_first_sequence_header(prefix: bytes) -> None:
    parser = Av1Parser(prefix + PLAIN.obu() + obu(5, b"\x01"))
    assert not parser.is_needed(NO_SLOT)
    assert parser.is_needed(A_SLOT)


@pytest.mark.parametrize("extradata", [b"", b"\x81", b"\x81\x00\x0c\x00"])
def test_without_extradata_the_sequence_header_comes_in_band(extradata: bytes) -> None:
    parser = Av1Parser(extradata)
    with pytest.raises(ValueError, match="before any AV1 sequence header"):
        parser.judge(NO_SLOT)
    assert parser.is_needed(PLAIN.obu())
    assert not parser.is_needed(NO_SLOT)


@pytest.mark.parametrize("extension", [b"", b"\x00", b"\xff"])
@pytest.mark.parametrize("size", [None, b"", b"\x87\x80\x00"], ids=["size", "no size", "long size"])
@pytest.mark.parametrize("flags", [0, 1])
def test_obu_headers_come_with_and_without_extension_and_size(
    flags: int, size: bytes | None, extension: bytes
) -> None:
    payload = Frame(flags=flags).payload(PLAIN, fill=int(not flags))
    assert len(payload) == 7
    unit = obu(15, b"\xff\xff") + obu(6, payload, extension=extension, size=size)
    assert judge(unit) == (REFERENCE if flags else DISPOSABLE)


def test_a_size_may_take_two_bytes() -> None:
    padding = obu(15, b"\xff" * 300, size=b"\xac\x02")
    assert judge(padding + NO_SLOT) == DISPOSABLE
    assert judge(padding + A_SLOT) == REFERENCE


def test_views_are_read_as_bytes_are() -> None:
    assert not Av1Parser(PLAIN.obu()).is_needed(memoryview(NO_SLOT))


@pytest.mark.parametrize("is_keyframe", [False, True])
def test_the_rule_does_not_ask_for_the_containers_flag(is_keyframe: bool) -> None:
    judge_packet = rule(PLAIN.obu())
    assert judge_packet(NO_SLOT, is_keyframe) == DISPOSABLE
    assert judge_packet(Frame(KEY).obu(PLAIN), is_keyframe) == START


def test_the_rule_remembers_the_packets_before() -> None:
    judge_packet = rule(PLAIN.obu())
    assert [judge_packet(unit, False) for unit in (FILL_ALL, show(3))] == [REFERENCE, DISPOSABLE]


TOO_MANY_TICKS = Sequence(ticks="0" * 32 + "1" + "0" * 32)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        (bytes([NO_SLOT[0] | 0x80]) + NO_SLOT[1:], "forbidden bit"),
        (NO_SLOT[:-1], "longer than its packet"),
        (NO_SLOT + obu(15, b"", size=b"\x01"), "longer than its packet"),
        (b"\x34", "longer than its packet"),  # the extension is missing
        (NO_SLOT + b"\x36", "size of an OBU does not end"),
        (NO_SLOT + b"\x32", "size of an OBU does not end"),
        (b"\x32" + b"\x80" * 8 + b"\x00" + NO_SLOT, "size of an OBU does not end"),
        (obu(6), "ends early"),
        (obu(6, Frame().payload(PLAIN, 0)[:3]), "ends early"),
        (obu(6, Frame().payload(PLAIN, 0)[:3]) + NO_SLOT, "ends early"),
        (obu(3, b""), "ends early"),
        (obu(1, b""), "ends early"),
        (obu(1, SEQUENCES["longest"].obu()[2:-5]), "ends early"),
        (obu(1, Sequence(ticks="0").obu()[2:13] + b"\x00" * 3), "ends early"),
        (Sequence(profile=3).obu(), "profile is a reserved one"),
        (TOO_MANY_TICKS.obu(), "timing is out of range"),
    ],
)
def test_what_contradicts_the_syntax_raises(unit: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        judge(unit)


def test_a_payload_may_end_with_its_flags() -> None:
    sequence = Sequence(hint_bits=4)
    payload = Frame().payload(sequence, fill=1)[:3]
    assert judge(obu(6, payload), sequence=sequence) == DISPOSABLE


def test_broken_extradata_raise() -> None:
    with pytest.raises(ValueError, match="longer than its packet"):
        Av1Parser(PLAIN.obu()[:-1])


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_bytes_get_an_answer_or_a_value_error(extradata: bytes, data: bytes) -> None:
    try:
        parser = Av1Parser(extradata)
        parser.judge(PLAIN.obu())
        answer = parser.is_needed(data)
    except ValueError:
        return
    assert isinstance(answer, bool)
