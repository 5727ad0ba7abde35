"""The fuzzer itself: a sound case passes, and a planted fault is told and kept."""

import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from exactframes import FallbackWarning
from exactframes.tests import fuzz
from exactframes.tests.fuzz_calls import Call
from exactframes.tests.fuzz_recipes import Recipe
from fixtures.testing.suite_runner import ROOT

SOURCE = "testsrc2=size=64x64:rate=25,trim=end_frame=30"
RECIPE = Recipe("libx264 mp4", (("-f", "lavfi", "-i", SOURCE, "-c:v", "libx264", "-g", "10", "a.mp4"),))


@pytest.mark.long
def test_a_sound_case_ends_0(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "exactframes.tests.fuzz", "--seed", "1", "--case", "1"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("seed 1\n1 videos; ")
    assert "0 WRONG" in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_planted_fault_is_told_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def rolled(self: Call, video: Path) -> Tensor:
        return torch.roll(self.theirs(video), 1, dims=3)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fuzz, "draw_recipe", lambda _pick: RECIPE)
    monkeypatch.setattr(Call, "ours", rolled)
    assert fuzz.main(["--seed", "7", "--case", "0"]) == 1
    told = capfd.readouterr().out
    assert "WRONG" in told
    assert "ffmpeg -nostdin -v error -y -f lavfi" in told
    kept = tmp_path / "fuzz-failures" / "7-0"
    assert {path.name for path in kept.iterdir()} == {"a.mp4", "reproduce.sh"}


def test_a_difference_in_a_damaged_video_is_told_and_counted_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def make_damaged(self: Recipe, folder: Path) -> None:
        make(self, folder)
        data = bytearray((folder / self.video).read_bytes())
        middle = data.index(b"mdat") + len(data) // 3
        data[middle : middle + 300] = bytes(range(100)) * 3
        (folder / self.video).write_bytes(data)

    make = Recipe.make
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fuzz, "draw_recipe", lambda _pick: RECIPE)
    monkeypatch.setattr(Recipe, "make", make_damaged)
    monkeypatch.setattr(Call, "ours", lambda self, video: ~self.theirs(video))
    assert fuzz.main(["--seed", "7", "--case", "0"]) == 0
    told = capfd.readouterr().out
    assert f"{fuzz.DAMAGED}: " in told
    assert "FFmpeg reports: [h264 @" in told
    assert ", 0 WRONG" in told


def test_a_refused_encode_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fuzz, "draw_recipe", lambda _pick: Recipe("none", (("-i", "missing.mp4", "a.mp4"),)))
    assert fuzz.main(["--seed", "7", "--case", "0"]) == 0
    assert "1 not encoded" in capfd.readouterr().out


def test_the_same_seed_and_case_make_the_same_video(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        RECIPE.make(folder)
        made.append((folder / RECIPE.video).read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("shift", "refused", "result"),
    [(0, [[29]], fuzz.GIVEN), (1, [[29]], fuzz.WRONG), (0, [[29], list(range(30))], fuzz.WRONG)],
    ids=["right", "others", "not to be checked"],
)
def test_frames_given_where_torchcodec_raises_are_checked(
    shift: int, refused: list[list[int]], result: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Call.theirs

    def refusing(self: Call, video: Path) -> Tensor:
        if self.indices in refused:
            raise RuntimeError("no more frames left to decode")
        return theirs(self, video)

    monkeypatch.setattr(Call, "theirs", refusing)
    monkeypatch.setattr(Call, "ours", lambda self, video: theirs(self, video) ^ shift)
    RECIPE.make(tmp_path)
    call = Call(indices=[29], seek_mode="exact", workers=1)
    outcome = fuzz.compare(call, tmp_path / RECIPE.video)
    assert outcome.result == result
    assert ("TorchCodec raises RuntimeError" in outcome.detail) == (result == fuzz.WRONG)


@pytest.mark.parametrize(
    ("shift", "kept_refuses", "refuses", "result"),
    [
        (0, False, False, fuzz.FELL_BACK),
        (1, False, False, fuzz.FELL_BACK),
        (2, False, False, fuzz.WRONG),
        (0, True, True, fuzz.FELL_BACK),
        (0, False, True, fuzz.WRONG),
    ],
    ids=["fresh", "kept", "neither", "refused by a kept one", "refused by ours alone"],
)
def test_what_a_declined_video_gives_is_a_decoders_of_torchcodec(
    shift: int,
    kept_refuses: bool,
    refuses: bool,
    result: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh = Call.theirs

    def theirs(self: Call, video: Path, before: Sequence[float] = ()) -> Tensor:
        if before and kept_refuses:
            raise RuntimeError("no more frames left to decode")
        return fresh(self, video) ^ bool(before)

    def ours(self: Call, video: Path) -> Tensor:
        warnings.warn(FallbackWarning("seeks go astray"), stacklevel=2)
        if refuses:
            raise RuntimeError("no more frames left to decode")
        return fresh(self, video) ^ shift

    monkeypatch.setattr(Call, "theirs", theirs)
    monkeypatch.setattr(Call, "ours", ours)
    RECIPE.make(tmp_path)
    call = Call(indices=[29], seek_mode="exact", workers=1, is_kept=True, before=(3, 0.5))
    assert fuzz.compare(call, tmp_path / RECIPE.video).result == result
