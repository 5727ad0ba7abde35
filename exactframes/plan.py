"""Which packets the requested frames need, in runs that can each be decoded on their own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from exactframes.errors import RestDeclinedError
from exactframes.gops import Asked, Gop, Packet, Request

SMALLEST_RUN = 48  # packets: opening a decoder costs as much as decoding about five packets
LARGEST_RUN = 8_000_000  # bytes: so the memory of excerpts does not grow with the video
HELD_BACK = 17  # packets: a decoder gives a frame after so many more at the latest (H.264, A.3.1)
FEWEST_RUNS = 3  # for each worker, of the rest: so that all finish together


@dataclass
class Run:
    """Packets that are decoded together, from a place where decoding may begin."""

    packets: list[Packet] = field(default_factory=list)  # in decoding order
    requests: list[Request] = field(default_factory=list)
    size: int = 0  # bytes

    def take(self, packets: list[Packet], requests: list[Request]) -> None:
        """Add packets and requests."""
        self.packets += packets
        self.requests += requests
        self.size += sum(packet.data.size for packet in packets)


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How many workers share the work, and how large runs may get."""

    requests: int  # how many frames are asked for in all
    workers: int  # how many will decode runs at once
    most_frames: int  # asked of a run, unless a single GOP has more

    def is_large(self, run: Run, runs: int, left: int) -> bool:
        """Whether a run has its share, after so many runs, with so many requests left.

        Runs begin small, so that every worker has something to do at once; they grow, and shrink towards the
        end (guided self-scheduling, Polychronopoulos and Kuck 1987). A worker that is alone gets few large
        ones: each opens a decoder.
        """
        if run.size >= LARGEST_RUN or len(run.requests) >= self.most_frames:
            return True
        if self.workers == 1:
            return False
        smallest: float = SMALLEST_RUN
        if len(run.packets) == len(run.requests):  # only requested frames: all runs can have one size
            rounds = max(1, round(self.requests / (2 * SMALLEST_RUN * self.workers)))
            smallest = self.requests / (rounds * self.workers)
        share = left / (FEWEST_RUNS * self.workers)
        grown = 2 ** min(20, runs // self.workers) * smallest
        return len(run.packets) >= smallest and (len(run.requests) >= share or len(run.packets) >= grown)


def plan_runs(asked: Iterable[Asked], sharing: Sharing, *, prunes: bool) -> Iterator[Run]:
    """Join GOPs into runs, as they are read.

    A run may go on past GOPs without requests, but not into an open GOP. That one continues the GOP before,
    and its leading frames are decoded together with it. Nor does it go on into a GOP whose pictures are
    numbered on from those before: some of them are left out.

    Args:
        asked: the GOPs in order.
        sharing: how large the runs get.
        prunes: whether the codec's rule shows which packets can be dropped.

    Raises:
        RestDeclinedError: as the GOPs do, once a run of those before was given.
    """
    run, runs, left = Run(), 0, sharing.requests
    try:
        for window in asked:
            gop, following = window.gop, window.following
            is_alone = gop.is_open or gop.packets[0].role.numbers_on
            if run.packets and (is_alone or sharing.is_large(run, runs, left)):
                yield run
                left -= len(run.requests)
                run, runs = Run(), runs + 1
            if window.requests or window.leading:
                run.take(_needed(window, prunes=prunes, is_first=not run.packets), window.requests)
            if following is not None and window.leading:
                run.take(_up_to_leading(window, following, prunes=prunes), window.leading)
    except RestDeclinedError:
        if run.packets:
            yield run
        raise
    if run.packets:
        yield run


def _needed(window: Asked, *, prunes: bool, is_first: bool) -> list[Packet]:
    """The packets of a GOP to decode: the requested ones, and all that others need up to the last of these.

    If the next GOP's leading frames are requested, that is up to the GOP's end. A run that begins with an
    open GOP cannot decode its leading frames, and no later frame refers to them (H.265, 8.3.3; H.264, D.2.8).
    The reference frames among them are kept all the same: an H.264 decoder counts them (frame_num, 7.4.3).
    Some packets after the requested ones are kept there, too: FFmpeg's H.264 decoder gives the frames after a
    recovery point only once it has given that one, and not when it is flushed.
    """
    packets = window.gop.packets
    wanted = {request.pts for request in window.requests}
    stop = len(packets) if window.leading else _last(packets, wanted)
    top_layer = _top_layer(window.gop, window.following)
    chosen = _select(packets[:stop], wanted, top_layer) if prunes else packets[:stop]
    if is_first and packets[0].role.leads:
        rest = packets[stop:]
        chosen += (_select(rest, wanted, top_layer) if prunes else rest)[:HELD_BACK]
    return chosen


def _up_to_leading(window: Asked, following: Gop, *, prunes: bool) -> list[Packet]:
    """The packets of an open GOP that its leading frames need: the first one, and those between."""
    wanted = {request.pts for request in window.leading}
    packets = following.packets[: _last(following.packets, wanted)]
    return _select(packets, wanted, _top_layer(window.gop, following)) if prunes else packets


def _last(packets: list[Packet], wanted: set[int]) -> int:
    """How many packets there are up to the last wanted one."""
    return max(number for number, packet in enumerate(packets, 1) if packet.pts in wanted)


def _top_layer(gop: Gop, following: Gop | None) -> int:
    """The highest temporal layer whose pictures may refer to this GOP's."""
    packets = (
        [*gop.packets, *following.packets] if following is not None and following.is_open else gop.packets
    )
    return max(packet.role.layer for packet in packets)


def _select(packets: list[Packet], wanted: set[int], top_layer: int) -> list[Packet]:
    """The packets that others need, and the requested ones."""
    return [
        packet
        for packet in packets
        if packet.role.needed or packet.role.layer < top_layer or packet.pts in wanted
    ]
