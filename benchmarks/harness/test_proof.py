from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.harness.proof import MismatchError, frame_digests, prove, take_baseline
from benchmarks.strategies.one_decoder import sequential
from fixtures.workload import read_workload

INDICES = (0, 12, 24, 36)


def one_pixel_off(frames: Tensor) -> Tensor:
    frames[2, 1, 5, 7] ^= 3
    return frames


FAULTS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "one pixel": (one_pixel_off, r"sample 2 \(frame 24 of the video\) differs .* by [13] at most$"),
    "swapped": (lambda frames: frames[[0, 2, 1, 3]], r"sample 1 .*; it is sequential's sample 2$"),
    "off by one": (lambda frames: frames.roll(-1, 0), r"sample 0 .*; it is sequential's sample 1$"),
    "dropped": (
        lambda frames: frames[[0, 1, 3]],
        r"returned \[3, 3, 64, 96\].*first difference is at sample 2$",
    ),
    "last dropped": (
        lambda frames: frames[:3],
        r"returned \[3, 3, 64, 96\].*first difference is at sample 3$",
    ),
    "float": (lambda frames: frames.float(), r"returned \[4, 3, 64, 96\] of float32"),
    "cropped": (lambda frames: frames[..., :90], r"returned \[4, 3, 64, 90\] of uint8"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_mismatch_is_told(fault: str, small_video: Path) -> None:
    workload = read_workload(small_video, INDICES)
    spoil, message = FAULTS[fault]
    with pytest.raises(MismatchError, match=message) as told:
        prove("broken", spoil(sequential(workload, 1)), take_baseline(workload))
    assert str(told.value).startswith("broken")


def test_equal_frames_are_proven(small_video: Path) -> None:
    workload = read_workload(small_video, INDICES)
    baseline = take_baseline(workload)
    proof = prove("sequential", sequential(workload, 1), baseline)
    assert proof == baseline.proof
    assert proof.frames == len(INDICES)


def test_digest_does_not_depend_on_memory_layout() -> None:
    frames = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).reshape(2, 3, 4, 5)
    channels_last = frames.contiguous(memory_format=torch.channels_last)
    assert channels_last.stride() != frames.stride()
    assert frame_digests(channels_last) == frame_digests(frames)
