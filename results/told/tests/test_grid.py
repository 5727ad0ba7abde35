"""The table of a grid of requests, and what is said of a file that is none."""

import json
from pathlib import Path

import pytest

from results import grid
from results.told.grid import ratio


def cell(gop: int, theirs: list[float], ours: list[float]) -> dict[str, object]:
    return {"codec": "h264", "gop": gop, "frames": 8, "stride": 4, "theirs": theirs, "ours": ours}


def test_a_ratio_above_1_says_that_ours_is_faster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [cell(12, [2.0, 9.0, 1.0], [1.0, 1.0, 8.0]), cell(12, [3.0], [4.0]), cell(2, [1.0], [1.0])]
    file = tmp_path / "grid.json"
    file.write_text(json.dumps({"cells": cells}))
    assert grid.main([str(file), "--lowest", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "| codec | GOP 2 | GOP 12 |",
        "| --- | ---: | ---: |",
        "| h264 | 1.00 - 1.00 | 0.75 - 2.00 |",
        "0.750x h264 GOP 12, 8 frames 4 apart, 1 pairs",
    ]


def test_cpu_times_have_a_ratio_of_their_own() -> None:
    saved = {**cell(12, [2.0, 2.0], [1.0, 1.0]), "theirs_cpu": [3.0, 9.0, 1.0], "ours_cpu": [2.0, 1.0, 1.0]}
    assert (ratio(saved), ratio(saved, "_cpu")) == (2.0, 1.5)


def test_two_levels_that_both_have_are_no_difference() -> None:
    """The allocator's, seen on frames of GOP 1: a median would be 0.86."""
    fast, slow = 0.0105, 0.0122
    saved = cell(1, [fast] * 24 + [slow] * 21, [slow] * 24 + [fast] * 21)
    assert ratio(saved) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("text", [None, "{", "[]", "{}"])
def test_a_file_that_is_no_grid_is_one_sentence(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "grid.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit, match="2"):
        grid.main([str(file)])
    assert "is no grid" in capsys.readouterr().err
