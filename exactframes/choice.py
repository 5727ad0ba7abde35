"""The cheaper way for a request: TorchCodec's kept decoder, or one that is given fewer packets.

Both are reckoned in seconds of one core, from the packets that each would decode. The constants were
measured on two cores of an AMD EPYC (virtual), FFmpeg 5.1; what matters is how they compare, and a wrong one
costs time and never a frame.

    TorchCodec     seeks * SEEK + packets * a packet
    fewer packets  runs * RUN + packets read * READ + packets decoded * a packet
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exactframes.index import Index

READ_AFTER = 4.0e-6  # a frame: the index is read when TorchCodec has worked for as long as that takes
SECONDS_A_PIXEL = 2.0e-9  # of decoding a packet
SECONDS_A_PACKET = 2.0e-5  # ... and whatever its size
SEEK = 3.0e-4
GAIN = 0.92  # fewer packets must cost less than this part: what is reckoned is not what is measured


@dataclass(frozen=True)
class Costs:
    """What an executor takes beside decoding, in seconds."""

    run: float  # to seek, open and end
    read: float  # for each packet between the first and the last one of a run
    kept: float  # for each packet that is decoded


IN_PLACE = Costs(run=6.0e-4, read=8.0e-6, kept=1.5e-5)
CUTTING = Costs(run=5.0e-3, read=3.0e-6, kept=1.5e-5)


def saves(index: Index, frames: Sequence[int], position: int | None, costs: Costs, pixels: int) -> bool:
    """Whether it is cheaper to decode fewer packets.

    Args:
        index: the packets.
        frames: which frames, in any order.
        position: the frame that TorchCodec's decoder gave last: it goes on from there within a GOP.
        costs: of the executor.
        pixels: of a frame.
    """
    packet = SECONDS_A_PACKET + SECONDS_A_PIXEL * pixels
    if not index.prunes or _most(index, frames) * packet < costs.run:
        return False
    wanted = np.unique(np.asarray(frames, dtype=np.int64))
    numbers = index.order[wanted]
    gops = index.gop_of(numbers)
    before = np.concatenate([[-1 if position is None else position], wanted[:-1]])
    stands = index.order[np.maximum(before, 0)]
    goes_on = (before >= 0) & (before < wanted) & (index.gop_of(stands) == gops)
    theirs = np.maximum(numbers - np.where(goes_on, stands, index.starts[gops] - 1), 0).sum() * packet
    theirs += (~goes_on).sum() * SEEK
    runs, firsts = np.unique(gops, return_index=True)
    stops, starts = np.maximum.reduceat(numbers, firsts) + 1, index.starts[runs]
    dropped = index.kept_before[numbers + 1] == index.kept_before[numbers]  # unless they are asked for
    kept = (index.kept_before[stops] - index.kept_before[starts]).sum() + dropped.sum()
    ours = len(runs) * costs.run + (stops - starts).sum() * costs.read + kept * (packet + costs.kept)
    return bool(ours < GAIN * theirs)


def _most(index: Index, frames: Sequence[int]) -> int:
    """How many packets TorchCodec decodes for these frames at most, but for what is shown late."""
    if len(frames) > 1:
        return index.longest * len(frames)
    number = int(index.order[frames[0]])
    return number + 1 - int(index.starts[index.gop_of(number)])
