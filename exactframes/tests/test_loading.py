"""Decoders in a DataLoader: workers of all kinds, and what they leave."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchcodec.decoders import VideoDecoder as Theirs

from exactframes import VideoDecoder
from exactframes import opened as opened_module
from exactframes.choice import Reckoner
from fixtures.testing.corpus import make_video

CLIPS = 12
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")]


def indices(item: int) -> list[int]:
    """The frames of a clip."""
    return [(item * 17 + step * 4) % 75 for step in range(4)]


class Clips(Dataset[Tensor]):
    """Clips of one video, of a decoder that was made before the workers were, or that each makes."""

    def __init__(self, video: Path, *, is_made_before: bool) -> None:
        """Make it, and use it once."""
        vars(opened_module)["READ_AFTER"] = -1.0  # in this process, and in what is forked from it
        self._video = video
        self._decoder: VideoDecoder | None = VideoDecoder(video) if is_made_before else None
        if self._decoder is not None:
            self._decoder.get_frames_at([3, 40])

    def __len__(self) -> int:
        """How many clips."""
        return CLIPS

    def __getitem__(self, item: int) -> Tensor:
        """One of them."""
        if self._decoder is None:
            self._decoder = VideoDecoder(self._video)
        return self._decoder.get_frames_at(indices(item)).data


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("loading") / "video.mp4", "-c:v", "libx264", "-g", "40")


@pytest.fixture(autouse=True)
def reading_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_module, "READ_AFTER", -1.0)


def shared_memory() -> set[str]:
    folder = Path("/dev/shm")  # noqa: S108
    return {path.name for path in folder.glob("torch_*")} if folder.is_dir() else set()


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("is_made_before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    ("context", "workers"),
    [(None, 0), ("fork", 1), ("fork", 2), ("spawn", 1), ("spawn", 2), ("forkserver", 1), ("forkserver", 2)],
)
def test_every_batch_is_exact_in_all_epochs(
    context: str | None, workers: int, is_made_before: bool, batch_size: int | None, video: Path
) -> None:
    expected = Theirs(video).get_all_frames().data
    before = shared_memory()
    loader: Any = DataLoader(
        Clips(video, is_made_before=is_made_before),
        batch_size=batch_size,
        num_workers=workers,
        multiprocessing_context=context,
        persistent_workers=workers > 0,
    )
    for _ in range(5):
        items = iter(range(CLIPS))
        for batch in loader:
            for clip in batch[None] if batch_size is None else batch:
                assert torch.equal(clip, expected[indices(next(items))])
        assert next(items, None) is None
    del loader
    assert shared_memory() <= before


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="counts in /proc")
def test_descriptors_and_memory_do_not_grow(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reckoner, "saves", lambda *_: True)
    monkeypatch.setattr(Reckoner, "may_save", lambda _: True)
    clips = Clips(video, is_made_before=True)

    def taken() -> tuple[int, int]:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return len(list(Path("/proc/self/fd").iterdir())), pages * os.sysconf("SC_PAGE_SIZE")

    for item in range(200):
        clips[item % CLIPS]
    descriptors, memory = taken()
    for item in range(2000):
        clips[item % CLIPS]
    after, grown = taken()
    assert after == descriptors
    assert grown - memory < 20_000_000  # an excerpt kept of each request would be 40 MB, its frames 150 MB
