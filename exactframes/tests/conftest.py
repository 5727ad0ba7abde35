"""What tests of decoders share."""

from pathlib import Path

import pytest

from exactframes.tests.asking import GOPS, prune_whenever_possible
from fixtures.testing.corpus import make_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """75 frames of H.264 in GOPs of 20 with B-frames."""
    return make_video(tmp_path_factory.mktemp("decoder") / "video.mp4", *GOPS)


@pytest.fixture
def pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets are left out wherever they may be."""
    prune_whenever_possible(monkeypatch)
