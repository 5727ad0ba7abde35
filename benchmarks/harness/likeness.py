"""How near a peer's frames come to the baseline's: measured, not assumed.

A peer may convert colours in another way. So its proof is one of three: exact; the same frames with values
that differ by at most d in x % of the frames; or wrong frames, which is a failure of that peer. A frame is
wrong if the one before or after it in the video is clearly nearer to it, or if it is no likeness at all.
"""

from dataclasses import replace

import torch
from torch import Tensor

from benchmarks.harness.proof import Baseline, MismatchError, Proof, require_shape
from benchmarks.strategies.one_decoder import sequential
from exactframes.digests import frame_digests

BATCH_BYTES = 200_000_000  # of the baseline's frames held at a time; each differing frame needs three
CLEARLY_NEARER = 0.9  # of the distance to the frame that was asked for
UNLIKE = 32.0  # mean absolute difference of 8-bit values; another colour matrix or range stays under 16


def measure_likeness(peer: str, frames: Tensor, baseline: Baseline) -> Proof:
    """Compare a peer's frames with the baseline's.

    Args:
        peer: its id, for the message.
        frames: uint8 [N, C, H, W].
        baseline: what `sequential` returned for the same workload.

    Returns:
        How near they are; the digests are of the peer's own frames.

    Raises:
        MismatchError: naming the first wrong frame.
    """
    require_shape(peer, frames, baseline)
    digests = frame_digests(frames)
    differing = [
        n for n, (ours, theirs) in enumerate(zip(digests, baseline.digests, strict=True)) if ours != theirs
    ]
    at_once = max(1, BATCH_BYTES // (3 * baseline.workload.frame_bytes))
    largest = 0
    for start in range(0, len(differing), at_once):
        largest = max(largest, _largest_difference(peer, frames, differing[start:][:at_once], baseline))
    return Proof(digests=digests, max_difference=largest, differing_frames=len(differing))


def _largest_difference(peer: str, frames: Tensor, samples: list[int], baseline: Baseline) -> int:
    workload, first = baseline.workload, baseline.first_sample
    last = max(workload.indices)  # of what follows it nothing is known
    around = {
        s: [i for i in (workload.indices[s] + d for d in (0, -1, 1)) if 0 <= i <= last] for s in samples
    }
    needed = sorted({index for indices in around.values() for index in indices})
    expected = dict(zip(needed, sequential(replace(workload, indices=tuple(needed)), 1), strict=True))
    largest = 0
    for sample, indices in around.items():
        frame = frames[sample].to(torch.int16)
        differences = [(frame - expected[index].to(torch.int16)).abs() for index in indices]
        own, *others = (difference.float().mean().item() for difference in differences)
        nearest = min(others, default=own)
        if nearest < CLEARLY_NEARER * own:
            other = indices[1 + others.index(nearest)]
            raise MismatchError(
                f"{peer}: sample {first + sample} (frame {indices[0]} of the video) is a wrong frame: "
                f"it is nearer to frame {other}"
            )
        if own > UNLIKE:
            raise MismatchError(
                f"{peer}: sample {first + sample} (frame {indices[0]} of the video) is no likeness at all: "
                f"its values differ by {own:.0f} on average"
            )
        largest = max(largest, int(differences[0].max()))
    return largest
