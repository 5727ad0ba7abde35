"""Strategies of TorchCodec's low-level API: where runs begin anew, and where they decline."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torchcodec import decoders

from benchmarks.strategies import STAGES
from benchmarks.strategies.one_decoder import sequential
from exactframes import FallbackWarning
from exactframes.in_place import HAS_STAGES, STAGES_SINCE
from fixtures.testing.corpus import make_corpus_video, make_video
from fixtures.workload import read_workload

pytestmark = pytest.mark.skipif(not HAS_STAGES, reason=f"the low-level API comes with {STAGES_SINCE}")
EACH = pytest.mark.parametrize("strategy", STAGES)


@pytest.fixture(scope="module")
def short_gops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("gops") / "short.mp4", "-c:v", "libx264", "-g", "5")


def counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[int]:
    """A list that gets an item whenever this method is called."""
    calls: list[int] = []
    original: Callable[..., Any] = getattr(owner, name)

    def count(self: Any, *arguments: Any) -> Any:
        calls.append(1)
        return original(self, *arguments)

    monkeypatch.setattr(owner, name, count)
    return calls


@EACH
@pytest.mark.parametrize("seek_mode", ["approximate", "exact"])
def test_what_lies_between_requests_is_not_decoded(
    strategy: str, seek_mode: Any, short_gops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = read_workload(short_gops, (0, 1, 32, 73), seek_mode)
    expected = sequential(workload, 1)
    stages: Any = decoders
    decoded = counted(monkeypatch, stages.VideoPacketDecoder, "decode")
    frames = STAGES[strategy].decode(workload, 2)
    torch.testing.assert_close(frames, expected, atol=0, rtol=0)
    assert 4 <= len(decoded) <= 15  # of 75 packets


@EACH
@pytest.mark.parametrize(
    ("name", "reason"),
    [("huffyuv", "pruning has not been tried with"), ("h264 in MPEG-TS", "FFmpeg seeks past frames")],
)
def test_it_declines_and_tells_why(strategy: str, name: str, reason: str, tmp_path: Path) -> None:
    workload = read_workload(make_corpus_video(name, tmp_path), (3, 40), "exact")
    expected = sequential(workload, 1)
    with pytest.warns(FallbackWarning, match=reason):
        frames = STAGES[strategy].decode(workload, 2)
    torch.testing.assert_close(frames, expected, atol=0, rtol=0)


@EACH
def test_a_file_that_is_not_as_planned_is_decoded_by_torchcodec(
    strategy: str, short_gops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demuxer leads elsewhere: it is seen in the times of the frames that come."""
    video = shutil.copy(short_gops, tmp_path / "video.mp4")
    workload = read_workload(video, (60, 61), "exact")
    expected = sequential(workload, 1)
    stages: Any = decoders
    monkeypatch.setattr(stages.Demuxer, "seek", lambda *_: None)
    with pytest.warns(FallbackWarning, match="a frame is not shown at its planned time"):
        frames = STAGES[strategy].decode(workload, 2)
    torch.testing.assert_close(frames, expected, atol=0, rtol=0)
