"""The cheaper way for a request: TorchCodec's kept decoder, or one that is given fewer packets.

Both are reckoned in seconds of one core, from the packets that each would decode. The constants were
measured on two cores of an AMD EPYC (virtual), FFmpeg 5.1; what matters is how they compare, and a wrong one
costs time and never a frame.

    a packet       SECONDS_A_PACKET + its frame's pixels * SECONDS_A_PIXEL + its bytes * SECONDS_A_BYTE
    TorchCodec     seeks * SEEK + packets * a packet
    fewer packets  runs * RUN + packets read * READ + packets decoded * a packet
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exactframes.index import Index, Numbers

READ_AFTER = (
    4.0e-6  # a frame: the index is read when TorchCodec has worked, or would, for as long as that takes
)
SECONDS_A_BYTE = 1.5e-7  # of decoding a packet, by what it holds
SECONDS_A_PIXEL = 2.5e-10  # ... and by the size of its frame
SECONDS_A_PACKET = 2.0e-5  # ... and whatever it is
SEEK = 3.0e-4
USUAL_GOP = (
    12  # packets: how far TorchCodec is taken to decode for a frame where the packets are not known yet
)
LARGE = 0.15  # of decoding: threads are started and files opened for a request that takes longer


@dataclass(frozen=True)
class Costs:
    """What an executor takes beside decoding, in seconds."""

    run: float  # to seek, open and end
    read: float  # for each packet between the first and the last one of a run
    kept: float  # for each packet that is decoded


IN_PLACE = Costs(run=6.0e-4, read=8.0e-6, kept=1.5e-5)
CUTTING = Costs(run=3.0e-3, read=3.0e-6, kept=1.5e-5)


@dataclass(frozen=True)
class Rates:
    """What decoding takes on this video, and what an executor takes beside it."""

    costs: Costs
    packet: float  # seconds to decode a packet, but for what it holds

    @classmethod
    def of(cls, costs: Costs, pixels: int) -> "Rates":
        """Rates for frames of so many pixels."""
        return cls(costs, SECONDS_A_PACKET + SECONDS_A_PIXEL * pixels)


def expected_seconds(frames: Sequence[int], rates: Rates) -> float:
    """What a request takes TorchCodec, where the packets are not known yet: a guess."""
    if not frames:
        return 0.0
    gaps = np.diff(np.unique(np.asarray(frames, dtype=np.int64)))
    return float(USUAL_GOP / 2 + np.minimum(gaps, USUAL_GOP).sum()) * rates.packet


def may_save(index: Index, rates: Rates) -> bool:
    """Whether there is a GOP in which all packets that can be dropped are worth a run.

    Where there is none, no request of this video needs to be reckoned.
    """
    if not index.prunes:
        return False
    is_dropped = np.diff(index.kept_before) == 0
    seconds = np.where(is_dropped, rates.packet + SECONDS_A_BYTE * index.size, 0.0)
    return bool(np.add.reduceat(seconds, index.starts).max() + SEEK > rates.costs.run)


def is_little(index: Index, frames: Sequence[int], rates: Rates) -> bool:
    """Whether this is so near its keyframe that nothing can be worth a run, as is seen at a glance."""
    if len(frames) > 1:
        return False
    number = int(index.order[frames[0]])
    return (number + 1 - int(index.starts[index.gop_of(number)])) * rates.packet < rates.costs.run / 2


def is_large(index: Index, frames: Sequence[int], rates: Rates) -> bool:
    """Whether a request is worth threads: its frames alone take long enough, and lie in several GOPs."""
    numbers = index.order[np.asarray(frames, dtype=np.int64)]
    seconds = len(numbers) * rates.packet + float(index.size[numbers].sum()) * SECONDS_A_BYTE
    return seconds > LARGE and len(np.unique(index.gop_of(numbers))) > 1


def saves(index: Index, frames: Sequence[int], position: int | None, rates: Rates) -> bool:
    """Whether it is cheaper to decode fewer packets.

    Args:
        index: the packets.
        frames: which frames, in any order.
        position: the frame that TorchCodec's decoder gave last: it goes on from there within a GOP.
        rates: of the executor.
    """
    numbers = np.unique(index.order[np.asarray(frames, dtype=np.int64)])  # in the order of decoding
    gops = index.gop_of(numbers)
    is_last = np.append(gops[1:] != gops[:-1], True)
    starts, stops = index.starts[gops[is_last]].astype(np.int64), numbers[is_last] + 1
    lengths = stops - starts
    places = np.cumsum(lengths) - lengths  # where each GOP's packets begin among all that are looked at
    looked_at = np.arange(int(lengths.sum())) + np.repeat(starts - places, lengths)
    is_kept = index.kept_before[looked_at + 1] > index.kept_before[looked_at]
    is_kept[np.searchsorted(looked_at, numbers)] = True
    size = index.size[looked_at]
    passed = _passed(index, position, numbers)
    theirs = (len(looked_at) - len(passed)) * rates.packet + len(starts) * SEEK - (len(passed) > 0) * SEEK
    theirs += float(size.sum() - index.size[passed].sum()) * SECONDS_A_BYTE
    ours = len(starts) * rates.costs.run + len(looked_at) * rates.costs.read
    ours += (
        int(is_kept.sum()) * (rates.packet + rates.costs.kept) + float(size[is_kept].sum()) * SECONDS_A_BYTE
    )
    return ours < theirs


def _passed(index: Index, position: int | None, numbers: Numbers) -> Numbers:
    """The packets that TorchCodec's decoder has passed already in the GOP in which it goes on."""
    if position is None:
        return np.arange(0)
    stands = int(index.order[position])
    start, stop = index.bounds(int(index.gop_of(stands)))
    asked = numbers[np.searchsorted(numbers, start) : np.searchsorted(numbers, stop)]
    return np.arange(start, stands + 1) if len(asked) and stands < asked[0] else np.arange(0)
