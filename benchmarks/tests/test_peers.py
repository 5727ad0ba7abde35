"""Peers: each gives the wanted frames on small videos, and what is made of those that do not."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.harness.likeness import measure_likeness
from benchmarks.harness.proof import MismatchError, take_baseline
from benchmarks.peers import PEERS
from benchmarks.strategies.one_decoder import sequential
from fixtures.testing.corpus import make_video
from fixtures.testing.suite_runner import ROOT, run_suite
from fixtures.workload import Workload, read_workload

PATTERNS = {
    "none": (),
    "one": (37,),
    "every 12th": tuple(range(0, 75, 12)),
    "late": (50, 51, 60, 74),
    "unsorted, repeated": (60, 3, 3, 74, 0, 60, 41),
}


@pytest.fixture(scope="module")
def wider_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """75 frames 128x64: decord2 3.4 raises where they are 16, 24, 32, 48, 96 or 144 wide."""
    return make_video(tmp_path_factory.mktemp("wider") / "wider.mp4", "-c:v", "libx264", size="128x64")


def require(peer: str) -> Callable[[Workload, int], Tensor]:
    if not PEERS[peer].is_installed:
        pytest.skip(f"{PEERS[peer].module} is not installed")
    return PEERS[peer].decode


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("peer", PEERS)
def test_every_peer_gives_the_wanted_frames(peer: str, pattern: str, wider_video: Path) -> None:
    decode = require(peer)
    workload = read_workload(wider_video, PATTERNS[pattern])
    baseline = take_baseline(workload)
    frames = decode(workload, 2)
    assert frames.dtype == torch.uint8
    likeness = measure_likeness(peer, frames, baseline)
    assert likeness.frames == len(PATTERNS[pattern])
    if not peer.startswith("video-reader"):
        assert likeness.max_difference <= 2


@pytest.mark.parametrize("peer", [name for name in PEERS if "-" not in name or name.endswith("-chunks")])
def test_every_peer_resizes(peer: str, wider_video: Path) -> None:
    decode = require(peer)
    workload = replace(read_workload(wider_video, PATTERNS["every 12th"]), size=(40, 50))
    frames = decode(workload, 2)
    assert tuple(frames.shape) == (7, 3, 40, 50)
    measure_likeness(peer, frames, take_baseline(workload))


def likeness_of(change: Callable[[Tensor], Tensor], video: Path) -> tuple[int, int]:
    workload = read_workload(video, tuple(range(0, 75, 5)))
    likeness = measure_likeness("it", change(sequential(workload, 1)), take_baseline(workload))
    return likeness.max_difference, likeness.differing_frames


def brighter(frames: Tensor) -> Tensor:
    frames = frames.clone()
    frames[3] = (frames[3].int() + 5).clamp(0, 255).to(torch.uint8)
    return frames


def test_likeness_is_measured(small_video: Path) -> None:
    assert likeness_of(lambda frames: frames, small_video) == (0, 0)
    assert likeness_of(brighter, small_video) == (5, 1)


def test_wrong_frames_are_no_other_conversion(small_video: Path) -> None:
    with pytest.raises(MismatchError, match=r"it: sample 4 \(frame 20 .* a wrong frame: .* to frame 21"):
        likeness_of(lambda frames: replaced(frames, 4, small_video, 21), small_video)
    with pytest.raises(MismatchError, match=r"sample 2 \(frame 10 .* no likeness at all"):
        likeness_of(lambda frames: torch.cat([frames[:2], 255 - frames[2:3], frames[3:]]), small_video)
    with pytest.raises(MismatchError, match="it returned"):
        likeness_of(lambda frames: frames[:-1], small_video)


def replaced(frames: Tensor, sample: int, video: Path, index: int) -> Tensor:
    frames = frames.clone()
    frames[sample] = sequential(read_workload(video, (index,)), 1)[0]
    return frames


ENDED = """
import os, signal
from benchmarks.peers import spdl

signal.signal(signal.SIGTERM, signal.default_int_handler)
spdl.prepare()
try:
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()
except KeyboardInterrupt:
    print("tidily")
"""


@pytest.mark.long
def test_spdl_leaves_sigterm_to_the_suite() -> None:
    require("spdl")
    command = [sys.executable, "-c", ENDED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "tidily\n", done.stderr


FAULTS = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    from benchmarks.peers import PEERS, Peer
    from benchmarks.strategies.one_decoder import sequential
    from dataclasses import replace

    def late(workload, workers):
        return sequential(replace(workload, indices=tuple(n + 1 for n in workload.indices)), 1)

    def tinted(workload, workers):
        return sequential(workload, 1).clamp(3, 250)

    PEERS.clear()
    PEERS.update(late=Peer(late, None), tinted=Peer(tinted, None), absent=Peer(late, "no_such_module"))
"""


@pytest.mark.long
def test_what_a_person_sees_of_peers(small_video: Path, tmp_path: Path) -> None:
    (tmp_path / "faults.py").write_text(FAULTS)
    done = run_suite(
        "-p", "faults", "benchmarks/test_speed.py", "-m", "peers", "--video", small_video, "--rounds=1",
        "--benchmark-only", f"--benchmark-storage={tmp_path}", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"^late +not timed .* FAILED$", done.stdout, re.MULTILINE)
    assert re.search(r"^tinted +\d.* ±\d on 100%$", done.stdout, re.MULTILINE)
    assert "peers by no_such_module were not measured: `pip install" in done.stdout
    assert "late: sample 0 (frame 0 of the video) is a wrong frame: it is nearer to frame 1" in done.stdout
    assert "sequential " not in done.stdout.partition("= decoding =")[2]
