"""The strategies on a cluster, on some kinds of video of the corpus: exact, or openly declined."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from distributed import Client, LocalCluster

from benchmarks.strategies import CLUSTER_STRATEGIES
from benchmarks.strategies.one_decoder import sequential
from exactframes import FallbackWarning
from exactframes.errors import RefusedError
from exactframes.source import open_source
from fixtures.settings import SeekMode
from fixtures.testing.corpus import make_corpus_video
from fixtures.workload import read_workload

pytestmark = pytest.mark.long
KINDS = [
    *("h264 open GOP", "h264 in AVI", "hevc open GOP", "hevc 10-bit", "av1 by SVT", "vp9 alt-ref", "mjpeg"),
    *("h264 with B-frames in AVI", "huffyuv"),  # these fall back
]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.mark.parametrize("seek_mode", ["approximate", "exact"])
@pytest.mark.parametrize("name", KINDS)
def test_pruned_frames_are_sequential_s(
    name: str, seek_mode: SeekMode, client: Client, tmp_path: Path
) -> None:
    video = make_corpus_video(name, tmp_path)
    for indices in (tuple(range(0, 75, 5)), (73, 3, 3, 25, 0, 73, 20), (18, 19, 38, 39, 59), ()):
        workload = read_workload(video, indices, seek_mode)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)
            ours = CLUSTER_STRATEGIES["cluster-pruned"].decode(workload, 2, client=client)
        torch.testing.assert_close(ours, sequential(workload, 1), atol=0, rtol=0)


@pytest.mark.parametrize("indices", [(), (7,), (60, 3, 3, 74, 0), tuple(range(75))])
@pytest.mark.parametrize("size", [None, (40, 50)])
def test_chunks_are_sequential_s(
    indices: tuple[int, ...], size: tuple[int, int] | None, client: Client, small_video: Path
) -> None:
    workload = replace(read_workload(small_video, indices), size=size)
    ours = CLUSTER_STRATEGIES["cluster-processes"].decode(workload, 2, client=client)
    torch.testing.assert_close(ours, sequential(workload, 1), atol=0, rtol=0)


def test_a_file_that_workers_do_not_see(
    client: Client, small_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this process can open, and workers cannot: here a path of which only they are asked."""
    workload = read_workload(small_video, (3, 20))
    source = replace(open_source(small_video, "exact"), path=small_video.parent / "elsewhere.mp4")
    monkeypatch.setattr("benchmarks.strategies.on_a_cluster.open_source", lambda *_: source)
    with pytest.raises(RefusedError, match="cluster-processes needs a file system that all machines share"):
        CLUSTER_STRATEGIES["cluster-processes"].decode(workload, 2, client=client)
