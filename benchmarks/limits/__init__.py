"""The floor that this machine sets for the same work, measured in the same run.

FFmpeg's own command decodes the packets of a limit's frames (shares.py). To add a limit, write the function
that gives its frames, and one line below.
"""

from collections.abc import Callable
from dataclasses import replace

from fixtures.workload import Workload


def all_frames(workload: Workload) -> Workload:
    """Every frame of the video: no strategy that skips none can be faster."""
    return replace(workload, indices=tuple(range(workload.video.frames)))


def needed_frames(workload: Workload) -> Workload:
    """Just the packets that the requested frames need: no pruned strategy can be faster."""
    return workload


Limit = Callable[[Workload], Workload]  # what a limit decodes for a workload

LIMITS: dict[str, Limit] = {
    "limit-all-frames": all_frames,
    "limit-needed-frames": needed_frames,
}
