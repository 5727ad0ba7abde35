"""The grid of requests as it is measured: gone on with, and never mixed with another machine's."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import grid
from fixtures.testing.suite_runner import ROOT


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a small grid: one video, two requests."""
    for name, value in {
        "GOPS": (12,), "FRAMES": (1, 8), "STRIDES": (4,), "SHORTEST": 0.0, "LONG_ENOUGH": 400,
    }.items():  # fmt: skip
        monkeypatch.setattr(grid, name, value)
    return tmp_path / "grid.json"


def measured(save: Path, *options: str) -> list[int]:
    """How many pairs each cell has."""
    assert grid.main(["--save", str(save), "--codec", "h264", *options]) == 0
    cells = json.loads(save.read_text())["cells"]
    assert all(len(cell["theirs"]) == len(cell["ours"]) for cell in cells)
    return [len(cell["ours"]) for cell in cells]


def test_a_grid_is_gone_on_with(save: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert measured(save, "--pairs", "2") == [2, 2]
    before = json.loads(save.read_text())["cells"]
    assert "h264 GOP 12, 8 frames 4 apart" in capsys.readouterr().err
    assert measured(save, "--pairs", "2") == [2, 2]
    assert "h264" not in capsys.readouterr().err, "measured again"
    assert measured(save, "--pairs", "3") == [3, 3]
    after = json.loads(save.read_text())["cells"]
    assert [cell["ours"][:2] for cell in after] == [cell["ours"] for cell in before]


def test_more_pairs_are_more_of_long_requests_too() -> None:
    cell = grid.Cell(
        codec="h264", gop=12, frames=300, stride=100, theirs=[8], ours=[8], theirs_cpu=[8], ours_cpu=[8]
    )
    assert cell.is_measured(20)
    assert not cell.is_measured(40)


def test_one_length_of_gop_is_measured(save: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "GOPS", (12, 48))
    assert measured(save, "--gop", "12", "--pairs", "2") == [2, 2]


def test_no_pairs_are_refused(save: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        grid.main(["--save", str(save), "--pairs", "0"])
    assert "--pairs 0: give a whole number of 1 or more" in capsys.readouterr().err
    assert not save.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no grid"),
        ('{"cells": [{"codec": "h264"}]}', "is no grid"),
        ('{"cells": [], "machine": {"usable_cpus": 999}}', "was measured on another machine"),
    ],
)
def test_another_file_is_refused_and_left_alone(
    text: str, told: str, save: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save.write_text(text)
    assert grid.main(["--save", str(save)]) == 2
    assert told in capsys.readouterr().err
    assert save.read_text() == text


@pytest.mark.long
def test_an_interrupted_grid_keeps_its_cells(tmp_path: Path) -> None:
    save, scratch = tmp_path / "grid.json", tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.grid", "--save", save],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(scratch)},
    )  # fmt: skip
    while not save.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert told.endswith("the same command goes on from there\n")
    assert "Traceback" not in told
    assert len(grid.saved_cells(save)) >= 1
    assert not list(scratch.iterdir())
