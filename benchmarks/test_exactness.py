"""Every strategy gives the baseline's frames, bit for bit, whatever is asked for."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.strategies import BASELINE, STAGES, STRATEGIES
from benchmarks.strategies.shared import split
from exactframes import FallbackWarning
from fixtures.settings import SeekMode
from fixtures.workload import read_workload

FRAMES = 75
PATTERNS = {
    "none": (),
    "one": (37,),
    "first and last": (0, FRAMES - 1),
    "fewer than workers": (5, 60),
    "every 12th": tuple(range(0, FRAMES, 12)),
    "all": tuple(range(FRAMES)),
    "unsorted, repeated": (60, 3, 3, 74, 0, 60, 41),
}

anything = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
index_lists = st.lists(st.integers(0, FRAMES - 1), max_size=12).map(tuple)


def assert_exact(
    strategy: str, path: Path, indices: tuple[int, ...], workers: int, seek_mode: SeekMode
) -> None:
    workload = read_workload(path, indices, seek_mode)
    ours, theirs = (STRATEGIES[name].decode(workload, workers) for name in (strategy, BASELINE))
    assert ours.dtype == torch.uint8
    assert tuple(ours.shape) == (len(indices), 3, workload.video.height, workload.video.width)
    torch.testing.assert_close(ours, theirs, atol=0, rtol=0)


@pytest.mark.parametrize("seek_mode", ["approximate", "exact"])
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_index_patterns(strategy: str, pattern: str, seek_mode: SeekMode, small_video: Path) -> None:
    assert_exact(strategy, small_video, PATTERNS[pattern], 3, seek_mode)


@pytest.mark.parametrize("strategy", STRATEGIES)
@anything
@given(indices=index_lists, workers=st.integers(1, 3), seek_mode=st.sampled_from(["approximate", "exact"]))
def test_any_indices(
    strategy: str, indices: tuple[int, ...], workers: int, seek_mode: SeekMode, odd_video: Path
) -> None:
    assert_exact(strategy, odd_video, indices, workers, seek_mode)


@pytest.mark.parametrize("video", ["small_video", "odd_video"])
@pytest.mark.parametrize("size", [(40, 50), (33, 96), (128, 192)])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_resized_frames(
    strategy: str, size: tuple[int, int], video: str, request: pytest.FixtureRequest
) -> None:
    workload = replace(read_workload(request.getfixturevalue(video), PATTERNS["every 12th"]), size=size)
    theirs = STRATEGIES[BASELINE].decode(workload, 2)
    declines = pytest.warns(FallbackWarning, match="does not resize") if strategy in STAGES else nullcontext()
    with declines:
        ours = STRATEGIES[strategy].decode(workload, 2)
    assert tuple(ours.shape) == (7, 3, *size)
    torch.testing.assert_close(ours, theirs, atol=0, rtol=0)


def test_baseline_frames_are_those_asked_for(small_video: Path) -> None:
    """The baseline itself, against decoding everything: a batch picks the same frames as a full pass."""
    every_frame = STRATEGIES[BASELINE].decode(read_workload(small_video, tuple(range(FRAMES))), 1)
    for indices in PATTERNS.values():
        picked = STRATEGIES[BASELINE].decode(read_workload(small_video, indices), 1)
        torch.testing.assert_close(picked, every_frame[list(indices)], atol=0, rtol=0)
    assert len({frame.numpy().tobytes() for frame in every_frame}) == FRAMES


@given(indices=st.lists(st.integers(0, 10**6)).map(tuple), parts=st.integers(1, 20))
def test_split_keeps_order_and_balance(indices: tuple[int, ...], parts: int) -> None:
    chunks = split(indices, parts)
    assert sum(chunks, ()) == indices
    sizes = [len(chunk) for chunk in chunks]
    assert max(sizes) - min(sizes) <= 1
    assert len(chunks) == max(1, min(parts, len(indices)))
