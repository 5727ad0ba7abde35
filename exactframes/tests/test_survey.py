"""What a survey counts, on small files."""

from pathlib import Path
from unittest.mock import Mock

import av
import numpy as np
import pytest

from exactframes import DeclinedError, Survey, survey
from fixtures.testing.corpus import damage, make_video

# GOPs of I0 P3 b1 b2 P6 b4 b5 P8 b7
CLOSED = ("-c:v", "libx264", "-g", "9", "-x264-params", "bframes=2:b-adapt=0:b-pyramid=none:scenecut=0")
# I0 P3 B1 B2 P6 B4 B5, then I9 B7 B8 P12 B10 B11 P15 B13 B14, then I18 B16 B17
OPEN = ("-c:v", "mpeg4", "-g", "9", "-bf", "2")


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("survey") / "closed.mp4", *CLOSED, frames=27)


def test_what_is_pruned_and_what_else_would_be_decoded(closed: Path) -> None:
    found = survey(closed, [11, 2, 8, 2])
    assert found == Survey(in_file=27, unpruned=8 + 4, kept=5 + 3, how="nal_ref_idc")
    assert survey(closed, []) == Survey(in_file=27, unpruned=0, kept=0, how="nal_ref_idc")


def test_frames_are_named_as_elsewhere(closed: Path) -> None:
    expected = survey(closed, [26, 8])
    assert survey(closed, [-1, -19]) == expected
    assert survey(closed, (index for index in (26, 8))) == expected
    assert survey(closed, np.array([26, 8])) == expected
    with pytest.raises(TypeError, match=r"indices hold 1.5: give frame numbers"):
        survey(closed, [1.5])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="workers 0: give a whole number of 1 or more"):
        survey(closed, [1], workers=0)


def test_after_the_last_gop_nothing_more_is_decoded(closed: Path) -> None:
    assert survey(closed, [26]) == Survey(in_file=27, unpruned=8, kept=4, how="nal_ref_idc")


def test_a_survey_is_for_one_worker_unless_told_otherwise(tmp_path: Path) -> None:
    """Each run that begins at such a keyframe keeps some packets after the asked ones: see plan.py."""
    video = make_video(tmp_path / "led.mp4", "-c:v", "mpeg4", "-g", "9", frames=153)
    indices = range(7, 153, 9)
    by_one, by_two = (survey(video, indices, workers=workers).kept for workers in (1, 2))
    assert by_one < by_two
    assert survey(video, indices).kept == by_one


@pytest.mark.parametrize(
    ("indices", "unpruned", "kept"),
    [
        ([8], 7 + 3, 7 + 3),
        ([7], 7 + 2, 7 + 2),
        ([17], 9 + 3, 9 + 3),
        ([9], 1, 9),  # some after it are kept: see plan.py
        ([5, 8, 9], 7 + 3 + 1, 7 + 3 + 9),
    ],
)
def test_leading_frames_take_the_gop_before_as_well(
    indices: list[int], unpruned: int, kept: int, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "open.mp4", *OPEN, frames=27)
    found = survey(video, indices)
    assert (found.unpruned, found.kept) == (unpruned, kept)


def test_a_survey_tells_why_nothing_is_pruned(
    closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = damage(closed, tmp_path / "damaged.mp4", packet=20, offset=1, mask=0xFF)
    with pytest.raises(DeclinedError, match="a NAL unit is longer than its packet"):
        survey(damaged, [25])
    with pytest.raises(IndexError, match=r"closed.mp4 has 27 frames, and frame 27 is asked for"):
        survey(closed, [27])
    refusal = av.ExternalError(1, "no packets")
    monkeypatch.setattr(av, "open", Mock(side_effect=refusal))
    with pytest.raises(DeclinedError, match="no packets"):
        survey(closed, [0])
