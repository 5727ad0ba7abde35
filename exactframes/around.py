"""The packets around some frames, as a report tells them: what others need of them, which are left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import av

from exactframes.errors import DeclinedError
from exactframes.evidence import Answer, first_line, without_names
from exactframes.media import open_container
from exactframes.packets import Reader
from exactframes.plan import Sharing, plan_runs
from exactframes.rules.roles import Role, Rule
from exactframes.source import Source
from exactframes.support import codec_for

AROUND = 8  # packets that are told before and after that of a frame
HEAD = ("packet", "pts", "dts", "bytes", "flagged", "role", "plan", "frame")
GAP = ("...", *[""] * (len(HEAD) - 1))
Row = Sequence[str]


class Seen(NamedTuple):
    """A packet of the stream."""

    number: int  # in the order of the file, from 0
    pts: int | None  # in the stream's time base
    dts: int | None
    size: int  # bytes
    is_keyframe: bool  # by the container
    role: Role | None  # None where its codec has no rule here, or its bytes cannot be read


@dataclass(frozen=True)
class Packets:
    """All packets of the stream, in the order of the file."""

    seen: Sequence[Seen]
    base: Fraction  # seconds a tick of their times

    @property
    def keyframes(self) -> int:
        """How many are flagged as keyframes."""
        return sum(packet.is_keyframe for packet in self.seen)

    def frames(self, wanted: Sequence[int], theirs: Answer) -> dict[int, list[str]]:
        """Which frames a packet holds, by its number: found by TorchCodec's times, else by the order of pts.

        The second is told: PyAV's FFmpeg may find other times in a file than TorchCodec's, and it is a guess.
        """
        timed = sorted((one.pts, one.number) for one in self.seen if one.pts is not None)
        by_time = dict(reversed(timed))
        found: dict[int, list[str]] = {}
        for row, index in enumerate(wanted):
            number, name = None, str(index)
            if theirs.seconds:
                number = by_time.get(round(theirs.seconds[row] / float(self.base)))
            if number is None and index < len(timed):
                number, name = timed[index][1], f"{index} (by order)"
            if number is not None and name not in found.setdefault(number, []):
                found[number].append(name)
        return found


def read_packets(source: Source) -> Packets:
    """Read them; none is decoded.

    Raises:
        av.FFmpegError, OSError: if they cannot be read.
    """
    with open_container(source.video) as container:
        stream: Any = container.streams[source.stream_index]
        judge = _rule(stream.codec_context, container.format.name.partition(",")[0], source)
        read = (packet for packet in container.demux(stream) if packet.size)
        seen = [
            Seen(number, one.pts, one.dts, one.size, bool(one.is_keyframe), _judged(judge, one))
            for number, one in enumerate(read)
        ]
        return Packets(seen, Fraction(stream.time_base or 1))


def _rule(context: Any, container: str, source: Source) -> Rule | None:
    is_exact = source.seek_mode == "exact"
    try:
        codec = codec_for(context.codec.canonical_name, container, source.path.name, is_exact=is_exact)
        return codec.make_rule(bytes(context.extradata or b""))
    except (DeclinedError, ValueError):
        return None


def _judged(judge: Rule | None, packet: Any) -> Role | None:
    try:
        return judge and judge(memoryview(packet), bool(packet.is_keyframe))
    except (DeclinedError, ValueError, IndexError):
        return None


@dataclass(frozen=True)
class Plan:
    """Which packets one worker would decode for all frames that are asked for."""

    kept: dict[int, bool]  # by the packet's number, within runs; elsewhere nothing is read for these frames
    why: str = ""  # nothing is left out, if that is so


def make_plan(source: Source, wanted: Sequence[int], packets: Packets) -> Plan:
    """Plan a request: of frame numbers, none negative."""
    numbers = {(packet.pts, packet.dts): packet.number for packet in packets.seen}
    sharing = Sharing(requests=len(wanted), workers=1, most_frames=len(wanted))
    found: dict[int, bool] = {}
    try:
        with open_container(source.video) as container:
            reader = Reader(container, source, wanted)
            for run in plan_runs(reader.asked(), sharing, prunes=reader.codec.prunes):
                kept = {numbers[packet.data.pts, packet.data.dts] for packet in run.packets}
                found |= {number: number in kept for number in range(min(kept), max(kept) + 1)}
    except (DeclinedError, av.FFmpegError, ValueError) as reason:
        return Plan({}, without_names(first_line(reason), source))
    return Plan(found)


def table(packets: Packets, frames: dict[int, list[str]], plan: Plan) -> list[str]:
    """Lines: a row for each packet near one of these frames, and for the start of its GOP.

    Args:
        packets: of the stream.
        frames: that are asked for, by the number of their packet.
        plan: what is kept for them.
    """
    rows: list[Row] = [HEAD]
    before = None
    for number in sorted({near for held in frames for near in _near(packets, held)}):
        rows += [GAP] * (before is not None and number > before + 1)
        rows.append(_row(packets.seen[number], frames.get(number, []), plan.kept.get(number)))
        before = number
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _near(packets: Packets, number: int) -> Iterator[int]:
    yield from range(max(0, number - AROUND), min(len(packets.seen), number + AROUND + 1))
    yield next((n for n in range(number, -1, -1) if _starts(packets.seen[n])), 0)


def _starts(packet: Seen) -> bool:
    return packet.is_keyframe if packet.role is None else packet.role.starts


def _row(packet: Seen, frames: Sequence[str], is_kept: bool | None) -> Row:
    times = ["-" if time is None else str(time) for time in (packet.pts, packet.dts)]
    flagged = "keyframe" if packet.is_keyframe else "-"
    plan = {True: "kept", False: "dropped", None: "-"}[is_kept]
    role = "not known" if packet.role is None else _in_words(packet.role)
    return [str(packet.number), *times, str(packet.size), flagged, role, plan, ", ".join(frames)]


def _in_words(role: Role) -> str:
    words = ["reference" if role.needed else "no reference"]
    words += [f"layer {role.layer}"] * (role.layer > 0)
    words += ["decoding may begin"] * role.starts
    words += ["brings parameter sets"] * role.has_parameters
    return ", ".join(words)
