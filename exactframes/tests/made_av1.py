"""AV1 headers made bit by bit, for tests."""

from dataclasses import dataclass

from exactframes.rules.av1 import Av1Parser
from exactframes.rules.roles import Role

KEY, INTER, INTRA_ONLY, SWITCH = range(4)
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
