"""Chooses the cheaper way for a request: TorchCodec's kept decoder, or one that gets fewer packets.

Both costs are estimated in seconds of one core, from the packets that each way would decode. The constants
were measured on two cores of an AMD EPYC (virtual) with FFmpeg 5.1. Only their ratios matter; a wrong one
costs time, and never changes a frame.

    a packet       SECONDS_A_PACKET + its frame's pixels * SECONDS_A_PIXEL + its bytes * SECONDS_A_BYTE
    TorchCodec     seeks * SEEK + packets * a packet
    fewer packets  runs * RUN + packets read * READ + packets decoded * a packet
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exactframes.index import Index, Numbers

READ_AFTER = 5.5e-6  # a frame: the index is read once TorchCodec has worked, or would work, so long
SECONDS_A_BYTE = 1.5e-7  # to decode a packet, for each of its bytes
SECONDS_A_PIXEL = 2.5e-10  # ... and for each pixel of its frame
SECONDS_A_PACKET = 2.0e-5  # ... and in any case
SEEK = 3.0e-4
USUAL_GOP = 12  # packets: assumed to be decoded by TorchCodec for a frame, until they are known
LARGE = 0.15  # seconds of decoding: a longer request is worth starting threads and opening files


@dataclass(frozen=True)
class Costs:
    """What an executor costs besides decoding, in seconds."""

    run: float  # to seek, open and end
    read: float  # for each packet between the first and the last one of a run
    kept: float  # for each packet that is decoded


IN_PLACE = Costs(run=6.0e-4, read=8.0e-6, kept=1.5e-5)
CUTTING = Costs(run=3.0e-3, read=3.0e-6, kept=1.5e-5)


@dataclass(frozen=True)
class Rates:
    """What decoding costs on this video, and what an executor costs besides."""

    costs: Costs
    packet: float  # seconds to decode a packet, without the part for its bytes

    @classmethod
    def of(cls, costs: Costs, pixels: int) -> "Rates":
        """Rates for frames of so many pixels."""
        return cls(costs, SECONDS_A_PACKET + SECONDS_A_PIXEL * pixels)


def expected_seconds(frames: Sequence[int], rates: Rates) -> float:
    """Estimate how long TorchCodec takes for a request while the packets are unknown."""
    if not frames:
        return 0.0
    gaps = np.diff(np.unique(np.asarray(frames, dtype=np.int64)))
    return float(USUAL_GOP / 2 + np.minimum(gaps, USUAL_GOP).sum()) * rates.packet


def is_large(index: Index, frames: Sequence[int], rates: Rates) -> bool:
    """Whether a request is worth threads: its frames alone take long enough, and lie in several GOPs."""
    numbers = index.order[np.asarray(frames, dtype=np.int64)]
    seconds = len(numbers) * rates.packet + float(index.size[numbers].sum()) * SECONDS_A_BYTE
    return seconds > LARGE and len(np.unique(index.gop_of(numbers))) > 1


class Reckoner:
    """Estimates a request both ways, from sums over each GOP: an estimate is a few additions."""

    def __init__(self, index: Index, rates: Rates) -> None:
        """Add up the packets: the sums take 12 bytes for each.

        Args:
            index: the packets.
            rates: those of the executor.
        """
        self._index, self._rates = index, rates
        seconds, kept = rates.packet + SECONDS_A_BYTE * index.size, index.is_kept
        theirs = _within_gops(index, seconds)
        ours = _within_gops(index, np.where(kept, seconds + rates.costs.kept, 0.0) + rates.costs.read)
        gain = theirs - ours
        most = np.maximum.reduceat(gain, index.starts) + SEEK - rates.costs.run
        pays = (most > 0) & index.prunes  # [GOPs], for the best possible request
        self._may_save = bool(pays.any())
        # A request asks for single numbers, which memory views give much sooner than arrays.
        asked = np.where(kept, 0.0, seconds + rates.costs.kept)
        self._order, self._starts, self._pays = index.order.data, index.starts.data, pays.data
        self._theirs, self._gain, self._asked = (
            sums.astype(np.float32).data for sums in (theirs, gain, asked)
        )

    def may_save(self) -> bool:
        """Whether any request is cheaper with fewer packets."""
        return self._may_save

    def saves(self, frames: Sequence[int], position: int | None) -> bool:
        """Whether it is cheaper to decode fewer packets.

        Args:
            frames: which frames, in any order.
            position: the last frame that TorchCodec's decoder gave; within a GOP it goes on from there.
        """
        if not self._may_save:
            return False
        stands = -1 if position is None else self._order[position]
        gain, start, stop, last, may_pay = 0.0, 0, 0, 0, False
        for number in sorted({self._order[frame] for frame in frames}):  # in the order of decoding
            if number >= stop:  # in another GOP than the last one
                gain += self._gain[last] if stop else 0.0
                gop = bisect_right(self._starts, number) - 1
                start, stop = self._index.bounds(gop)
                may_pay = may_pay or bool(self._pays[gop])
                gain += SEEK - self._rates.costs.run
                gain -= self._theirs[stands] + SEEK if start <= stands < number else 0.0
            gain -= self._asked[number]
            last = number
        return may_pay and gain + self._gain[last] > 0


def _within_gops(index: Index, values: Numbers) -> Numbers:
    """Sums over each packet's GOP, from its first packet up to and including this one."""
    sums = np.cumsum(values)
    before = sums[index.starts] - values[index.starts]
    found: Numbers = sums - np.repeat(before, np.diff(index.starts, append=len(values)))
    return found
