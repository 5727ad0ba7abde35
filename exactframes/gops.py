"""What a reader of packets gives: packets, GOPs, and what is asked of them."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from exactframes.rules.roles import Role


class Packet(NamedTuple):
    """One packet, which holds one frame."""

    pts: int  # in the stream's time base
    role: Role
    data: Any  # PyAV's packet, or its Place in an index


class Request(NamedTuple):
    """A requested frame."""

    pts: int  # when it is shown, in the stream's time base
    row: int  # where it goes in the output


@dataclass(frozen=True)
class Gop:
    """Packets in decoding order, from one place where decoding may begin up to the next."""

    packets: list[Packet]
    is_open: bool  # some of them are shown before the first one: they also refer to the GOP before

    @property
    def shown(self) -> int:
        """When the frame of its first packet is shown."""
        return self.packets[0].pts

    def leading(self) -> list[int]:
        """When those frames are shown that come before the first packet's."""
        return [packet.pts for packet in self.packets if packet.pts < self.shown] if self.is_open else []

    @property
    def leads_until(self) -> int:
        """How many packets there are up to the last of these frames; 0 if there is none."""
        if not self.is_open:
            return 0
        return max(place for place, packet in enumerate(self.packets, 1) if packet.pts < self.shown)


@dataclass(frozen=True)
class Asked:
    """A GOP, the next one, and the requests for frames that are shown between the first frames of both."""

    gop: Gop
    following: Gop | None
    requests: list[Request]  # for its own frames
    leading: list[Request]  # for the following GOP's leading frames, which need this GOP as well


class Requests:
    """The requested frames in the order in which they are shown; they are taken from the front."""

    def __init__(self, targets: Sequence[int]) -> None:
        """Take each row's target: a frame's index, or the time at which the frame is looked for."""
        self._sorted = sorted(zip(targets, range(len(targets)), strict=True))
        self._taken = 0

    @property
    def next_target(self) -> int | None:
        """The first target that is left."""
        return self._sorted[self._taken][0] if self._taken < len(self._sorted) else None

    def take_below(self, stop: int) -> list[tuple[int, int]]:
        """Take all that are left with a target below this; return their (target, row)."""
        first, self._taken = self._taken, bisect_left(self._sorted, (stop, -1), self._taken)
        return self._sorted[first : self._taken]
