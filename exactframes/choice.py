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

READ_AFTER = 4.0e-6  # a frame: the index is read when TorchCodec has worked for as long as that takes
SECONDS_A_BYTE = 1.5e-7  # of decoding a packet, by what it holds
SECONDS_A_PIXEL = 2.5e-10  # ... and by the size of its frame
SECONDS_A_PACKET = 2.0e-5  # ... and whatever it is
SEEK = 3.0e-4


@dataclass(frozen=True)
class Costs:
    """What an executor takes beside decoding, in seconds."""

    run: float  # to seek, open and end
    read: float  # for each packet between the first and the last one of a run
    kept: float  # for each packet that is decoded


IN_PLACE = Costs(run=6.0e-4, read=8.0e-6, kept=1.5e-5)
CUTTING = Costs(run=3.0e-3, read=3.0e-6, kept=1.5e-5)


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
    most = _most(index, frames) * (packet + SECONDS_A_BYTE * index.mean_size)
    if not index.prunes or most < costs.run:
        return False
    numbers = index.order[np.unique(np.asarray(frames, dtype=np.int64))]
    gops = index.gop_of(numbers)
    stands = -1 if position is None else int(index.order[position])
    theirs = ours = 0.0
    for gop in np.unique(gops).tolist():
        asked, start = numbers[gops == gop], int(index.starts[gop])
        stop = int(asked.max()) + 1
        goes_on = start <= stands < int(asked.min())
        begin = stands + 1 if goes_on else start
        theirs += (stop - begin) * packet + _bytes(index.size[begin:stop]) + (not goes_on) * SEEK
        is_kept = np.diff(index.kept_before[start : stop + 1]) > 0
        is_kept[asked - start] = True
        ours += costs.run + (stop - start) * costs.read + int(is_kept.sum()) * (packet + costs.kept)
        ours += _bytes(index.size[start:stop][is_kept])
    return ours < theirs


def _bytes(sizes: Numbers) -> float:
    """Seconds that packets of these sizes take for what they hold."""
    return float(sizes.sum()) * SECONDS_A_BYTE


def _most(index: Index, frames: Sequence[int]) -> int:
    """How many packets TorchCodec decodes for these frames at most, but for what is shown late."""
    if len(frames) > 1:
        return index.longest * len(frames)
    number = int(index.order[frames[0]])
    return number + 1 - int(index.starts[index.gop_of(number)])
