"""Several videos as their users run them: a folder, what is left out, and whole videos for each worker."""

import json
import os
import re
from pathlib import Path
from re import MULTILINE

import pytest

from fixtures.testing.corpus import make_video
from fixtures.testing.suite_runner import ROOT, run_suite

SPEED = "benchmarks/test_speed.py"
FAULT = """
def pytest_configure(config):
    from benchmarks.harness.across import ACROSS
    from benchmarks.strategies.one_decoder import sequential

    def swaps_two(workload, workers):
        frames = sequential(workload, workers)
        return frames[[0, 2, 1, *range(3, len(frames))]] if len(frames) > 2 else frames

    ACROSS["across"] = swaps_two
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good videos, a text and a truncated one."""
    folder = tmp_path_factory.mktemp("folder")
    video = make_video(folder / "b.mp4", "-c:v", "libx264")
    name = "a name that is much too long for a table.webm"
    make_video(folder / name, "-c:v", "libvpx-vp9", "-deadline", "realtime", size="70x38", frames=50)
    (folder / "text.mp4").write_text("no video")
    (folder / "truncated.mp4").write_bytes(video.read_bytes()[:9_000])
    (folder / ".hidden").touch()
    return folder


@pytest.mark.long
def test_a_folder_of_videos(folder: Path, tmp_path: Path) -> None:
    done = run_suite(
        SPEED, "--video", folder, "--rounds=1", "--workers=2", "--interleave", "--part-gb=0.00004",
        "-k", "sequential or pruned-threads or across", "--benchmark-autosave",
        f"--benchmark-storage={tmp_path}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout[done.stdout.index("= decoding =") :]
    lines = [line.split() for line in table.splitlines()]
    assert lines[1] == ["workload", "sequential", "p-thr.", "limit"]
    assert re.search(r"^a name that~a table.webm +\d", table, MULTILINE)
    assert re.search(r"^b.mp4 +\d", table, MULTILINE)
    assert re.search(r"^all 2 videos +total s +speed-up +videos/s +frames/s$", table, MULTILINE)
    for way in ("sequential", "pruned-threads", "across", "across-pruned"):
        assert re.search(rf"^{way} +\d+\.\d\d\d +\d+\.\d\dx +\d+\.\d\d +\d+$", table, MULTILINE)
    assert "Fastest exact way for all 2 videos: " in table
    assert re.search(r"^left out: text.mp4: FFmpeg cannot read it as a video", table, MULTILINE)
    assert re.search(r"^left out: truncated.mp4: ", table, MULTILINE)
    (saved,) = tmp_path.rglob("*.json")
    history = json.loads(saved.read_text())
    across = [b["extra_info"] for b in history["benchmarks"] if "videos" in b["extra_info"]]
    assert [(info["strategy"], info["frames"], info["proof"]["frames"]) for info in across] == [
        ("across", 12, 12), ("across-pruned", 12, 12),
    ]  # fmt: skip


@pytest.mark.long
def test_across_alone_takes_its_own_baselines(folder: Path, tmp_path: Path) -> None:
    done = run_suite(
        SPEED, "--video", folder / "b.mp4", "--video", folder / "b.mp4", "-k", "across", "--rounds=1",
        "--loops=2", "--size=40x30", f"--benchmark-storage={tmp_path}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^across +\d.* +- +\d+\.\d\d +\d+$", done.stdout, MULTILINE)


@pytest.mark.long
def test_across_is_proven(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "faults.py").write_text(FAULT)
    done = run_suite(
        "-p", "faults", SPEED, "--video", folder, "-k", "across", "--rounds=1",
        f"--benchmark-storage={tmp_path}", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"across on \S+.*: sample 1 \(frame 12 of the video\) differs", done.stdout)


@pytest.mark.long
def test_a_set_without_a_video_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    done = run_suite(SPEED, "--video", tmp_path)
    assert done.returncode == 4
    assert "no video could be read (left out: text.mp4: FFmpeg cannot read it" in done.stdout + done.stderr
