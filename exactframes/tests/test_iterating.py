"""iter_frames and its caller: who stops, is slow or meets an error, and how much memory it takes."""

import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest

from exactframes import decoding as decoding_module
from exactframes import iter_frames
from exactframes.tests.iterators import our_threads, wait_for_threads
from exactframes.workers import on_threads
from fixtures.testing.corpus import make_video
from fixtures.testing.suite_runner import ROOT

FRAMES = 75


def test_bad_batches_are_told_at_once(video: Path) -> None:
    with pytest.raises(ValueError, match="batch_frames 0: give a whole number of 1 or more"):
        iter_frames(video, [0], batch_frames=0)
    with pytest.raises(ValueError, match=r"batch_frames 2.5: give a whole number of 1 or more"):
        iter_frames(video, [0], batch_frames=2.5)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match=r"missing.mp4: no such file; give the path of a video"):
        iter_frames("missing.mp4", [0])


def stopping(video: Path, how: str) -> None:
    for rows, _ in iter_frames(video, range(FRAMES), batch_frames=5, workers=3):
        if rows.start == 10:
            if how == "raises":
                raise KeyError(how)
            break


@pytest.mark.parametrize("how", ["breaks", "raises"])
def test_a_consumer_that_stops_leaves_no_thread(how: str, video: Path) -> None:
    try:
        stopping(video, how)
    except KeyError:
        assert how == "raises"
    wait_for_threads()  # nobody waits for them in the library: they end with the batch they are at


def test_an_unread_iterator_starts_nothing(video: Path) -> None:
    batches = iter_frames(video, range(FRAMES))
    assert not our_threads()
    del batches


def test_a_slow_consumer_is_one_batch_ahead(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def counting(*arguments: object) -> int:
        begun.append(len(begun))
        return on_threads(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(decoding_module, "on_threads", counting)
    for number, _ in enumerate(iter_frames(video, range(50), batch_frames=5, workers=2)):
        time.sleep(0.05)
        assert len(begun) <= number + 2


def test_an_error_in_a_later_batch_reaches_the_caller_once(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arguments: object) -> int:
        if arguments[2] == range(2, 3):
            raise KeyError("the third batch")
        return on_threads(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(decoding_module, "on_threads", failing)
    batches = iter_frames(video, [3, 40, 60, 70], batch_frames=1)
    assert [rows for rows, _ in islice(batches, 2)] == [range(1), range(1, 2)]
    with pytest.raises(KeyError, match="the third batch"):
        next(batches)
    assert not our_threads()
    assert list(batches) == []


PEAK = """
import sys, time
from pathlib import Path
from exactframes import iter_frames

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

video, count, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
list(iter_frames(video, range(8), batch_frames=4, workers=2))
before, whole = peak(), 0
for rows, frames in iter_frames(video, range(count), batch_frames=batch, workers=2):
    whole += frames.numel()
    time.sleep(0.02)
print(peak() - before, whole)
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_memory_is_bounded_by_batches(tmp_path: Path) -> None:
    video = make_video(
        tmp_path / "large.mp4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", size="1280x720"
    )
    command = [sys.executable, "-c", PEAK, str(video), "75", "5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    extra, whole = map(int, done.stdout.split())
    batch = 5 * 3 * 1280 * 720
    assert whole == 15 * batch
    assert extra < 6 * batch  # three batches at most, decoders and what the allocator keeps
