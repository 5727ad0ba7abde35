"""Which packets the requested frames need, in runs that can each be decoded on their own."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from math import floor

from benchmarks.pruning.packets import Packet, Packets, PlanDeclinedError, read_packets
from fixtures.workload import Workload

Requests = tuple[tuple[int, int], ...]  # (position of the packet that holds the frame, row of the output)


@dataclass(frozen=True)
class Run:
    """Packets that are decoded together, from a place where decoding may begin."""

    positions: tuple[int, ...]  # in decoding order, counted over the whole file
    requests: Requests


@dataclass(frozen=True)
class Plan:
    """What to decode for a workload."""

    runs: tuple[Run, ...]
    packets: list[Packet]
    seconds_per_tick: float
    kept: int  # packets that are decoded
    unpruned: int  # packets that a decoder of the file decodes: of GOPs up to their last requested frame
    how: str  # by which rule packets were dropped, or that none were


@dataclass(frozen=True)
class _Gop:
    """Packets from one place where decoding may begin up to the next, and what is asked of them."""

    start: int
    stop: int
    is_open: bool
    requests: Requests  # of frames shown from the start on
    leading: Requests  # of frames shown before the start: they need the GOP before as well


def make_plan(workload: Workload, pieces: int) -> Plan:
    """Plan the workload in about `pieces` runs; linear in the number of packets.

    Runs get smaller towards the end, so that workers who take them in order finish together.

    Raises:
        PlanDeclinedError: if packets and frames cannot be matched one to one.
    """
    read = read_packets(workload.video)
    gops = list(_gops(read.packets, _locate(workload, read)))
    used = [gop for gop in gops if gop.requests or gop.leading]
    needed = sum(packet.needed for gop in used for packet in read.packets[gop.start : gop.stop])
    runs = tuple(_runs(gops, read, needed, pieces))
    kept = sum(len(run.positions) for run in runs)
    unpruned = sum(
        max(position for position, _ in gop.requests + gop.leading) + 1 - gop.start for gop in used
    )
    return Plan(runs, read.packets, read.seconds_per_tick, kept, unpruned, read.rule.name)


def _locate(workload: Workload, read: Packets) -> list[int]:
    """The position of the packet that holds each requested frame.

    Frame i is the i-th in order of pts. In exact mode TorchCodec scans the packets to find it. In
    approximate mode it gives the first frame at or after round(i / average_fps), which need not be the
    i-th: where it is not, there is no plan.
    """
    packets = read.packets
    order = sorted(range(len(packets)), key=lambda position: packets[position].pts)
    times = [packets[position].pts for position in order]
    if len(set(times)) != len(times):
        raise PlanDeclinedError("two packets have the same time stamp")
    if len(packets) != workload.video.frames:
        raise PlanDeclinedError(f"{len(packets)} packets do not match {workload.video.frames} frames")
    if workload.seek_mode == "approximate":
        for index in set(workload.indices):
            time = floor(index / workload.video.fps / read.seconds_per_tick + 0.5)
            if bisect_left(times, time) != index:
                raise PlanDeclinedError("the frame rate varies, and approximate seek mode guesses by it")
    located = [order[index] for index in workload.indices]
    if workload.seek_mode == "approximate" and any(packets[p].pts < packets[p].keyframe_pts for p in located):
        raise PlanDeclinedError("approximate seek mode may miss frames that are shown before their keyframe")
    return located


def _gops(packets: list[Packet], located: list[int]) -> Iterator[_Gop]:
    starts = [position for position, packet in enumerate(packets) if packet.starts]
    if starts[:1] != [0]:
        raise PlanDeclinedError("the file does not begin with a keyframe")
    requests = sorted((position, row) for row, position in enumerate(located))
    first = 0
    for start, stop in zip(starts, [*starts[1:], len(packets)], strict=True):
        last = bisect_left(requests, (stop, 0), first)
        mine, first = requests[first:last], last
        shown, is_open = packets[start].pts, packets[start].starts_open
        early = any(packet.pts < shown for packet in packets[start:stop])
        if early and (not is_open or start == 0):
            raise PlanDeclinedError("frames are shown before the keyframe that they follow")
        yield _Gop(
            start=start,
            stop=stop,
            is_open=is_open,
            requests=tuple(request for request in mine if packets[request[0]].pts >= shown),
            leading=tuple(request for request in mine if packets[request[0]].pts < shown),
        )


def _runs(gops: list[_Gop], read: Packets, needed: int, pieces: int) -> Iterator[Run]:
    """Join GOPs to runs, each of at least a certain share of the needed packets that are left.

    A run may go on over GOPs that nobody asks for, but not into an open GOP: that continues the GOP before,
    and needs it whole.
    """
    positions: list[int] = []
    requests: list[tuple[int, int]] = []
    smallest, left = _smallest(needed, needed, pieces), needed
    joined = False  # whether the run goes on into this GOP, and with it into its leading frames
    for gop, following in zip(gops, [*gops[1:], None], strict=True):
        leading = following.leading if following else ()
        if positions and not joined and (gop.is_open or len(positions) >= smallest):
            yield Run(tuple(positions), tuple(requests))
            left -= len(positions)
            smallest = _smallest(needed, left, pieces)
            positions, requests = [], []
        if not (gop.requests or leading or joined):
            continue
        asked = gop.requests + (gop.leading if joined else ())
        goes_on = following is not None and following.is_open and bool(following.requests or leading)
        whole = bool(leading) or goes_on
        positions += _positions(gop, read, asked, whole=whole, is_first=not joined and gop.is_open)
        requests += asked
        joined = goes_on and len(positions) < smallest
        if leading and following is not None and not joined:
            stop = max(position for position, _ in leading) + 1
            positions += _select(read, following.start, stop, leading)
            requests += leading
    if positions:
        yield Run(tuple(positions), tuple(requests))


def _smallest(needed: int, left: int, pieces: int) -> int:
    """Guided self-scheduling (Polychronopoulos and Kuck 1987): a share of what is left, not too little."""
    return max(1, needed // (4 * pieces), 4 * left // pieces if pieces > 4 else left)


def _positions(gop: _Gop, read: Packets, asked: Requests, *, whole: bool, is_first: bool) -> list[int]:
    """The packets of a GOP to decode: the asked ones, and all that others need up to the last asked one.

    Where the run begins with an open GOP, its leading frames cannot be decoded, and nothing shown later
    refers to them (H.265, 8.3.3): they are left out where the codec's rule tells what refers to what.
    """
    if not read.rule.prunes:
        return list(range(gop.start, gop.stop))
    stop = gop.stop if whole else max((position for position, _ in asked), default=gop.start) + 1
    chosen = _select(read, gop.start, stop, asked)
    shown = read.packets[gop.start].pts
    return [p for p in chosen if read.packets[p].pts >= shown] if is_first else chosen


def _select(read: Packets, start: int, stop: int, asked: Requests) -> list[int]:
    """Of the packets from start to stop, those that others need and those that are asked for."""
    if not read.rule.prunes:
        return list(range(start, stop))
    wanted = {position for position, _ in asked}
    return [p for p in range(start, stop) if p in wanted or read.packets[p].needed]
