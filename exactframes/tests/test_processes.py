"""Worker processes: whatever happens to them, the work is done or an error says why, and none is left."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchcodec.decoders import VideoDecoder

from exactframes import FallbackWarning, WorkerError, decode_frames, processes
from exactframes.channel import Channel, unpacked
from exactframes.errors import DeclinedError, WrongFrameError
from exactframes.excerpt import Excerpt, excerpts
from exactframes.output import own_output, shared_output
from exactframes.processes import ProcessPool, Worker
from exactframes.serving import CANNOT_START_A_THREAD
from exactframes.shift import Shift
from exactframes.source import open_source
from exactframes.tests.ended import has_ended
from exactframes.workers import on_processes
from fixtures.testing.corpus import make_video

FRAMES = 75
pytestmark = pytest.mark.long  # interpreters are started, which load torch


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("processes") / "video.mp4", "-c:v", "libx264", "-g", "5")


@pytest.fixture(scope="module")
def expected(video: Path) -> Tensor:
    return VideoDecoder(video).get_frames_at(list(range(FRAMES))).data


@pytest.fixture(scope="module")
def cut(video: Path) -> list[Excerpt]:
    """All of the video, in several excerpts."""
    with excerpts(open_source(video, "exact"), range(FRAMES), 2, most_frames=10) as all_of_it:
        return list(all_of_it)


@pytest.fixture(scope="module")
def started() -> Iterator[ProcessPool]:
    """A pool that these tests share: to start a worker takes seconds."""
    with ProcessPool() as pool:
        yield pool


@pytest.fixture
def pool(started: ProcessPool, monkeypatch: pytest.MonkeyPatch) -> ProcessPool:
    monkeypatch.setattr(processes, "_kept", started)
    return started


@pytest.fixture
def new_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessPool]:
    """One without workers yet."""
    with ProcessPool() as pool:
        monkeypatch.setattr(processes, "_kept", pool)
        yield pool


def pids(pool: ProcessPool) -> set[int]:
    return {worker.pid for worker in pool._idle}


def decode(video: Path, frames: int = FRAMES, workers: int = 2) -> Tensor:
    return decode_frames(video, range(frames), workers=workers, processes=True)


def on_these(all_excerpts: Iterator[Excerpt], video: Path, workers: int = 2) -> Tensor:
    """Have excerpts decoded by processes, one after the other is cut by this iterator."""
    shape = open_source(video, "exact").shape(FRAMES)
    with shared_output(shape) as (_, path):
        on_processes(all_excerpts, shape, path, workers, 1)
        return own_output(shape, path).permute(0, 3, 1, 2)


def test_workers_are_kept_for_the_next_call(pool: ProcessPool, video: Path, expected: Tensor) -> None:
    assert torch.equal(decode(video), expected)
    first = pids(pool)
    assert 1 <= len(first) <= 2
    assert torch.equal(decode(video, frames=50), expected[:50])
    assert pids(pool) >= first
    assert len(pids(pool)) <= 2


def test_there_are_no_more_workers_than_excerpts(
    new_pool: ProcessPool, video: Path, expected: Tensor
) -> None:
    """Two frames; an excerpt may hold both."""
    frames = decode_frames(video, [3, 70], workers=12, processes=True)
    assert torch.equal(frames, expected[[3, 70]])
    assert 1 <= len(pids(new_pool)) <= 2


def test_nothing_to_do_starts_nothing(new_pool: ProcessPool, video: Path) -> None:
    assert decode_frames(video, [], workers=3, processes=True).shape[0] == 0
    assert not pids(new_pool)


def test_a_single_worker_is_this_process(new_pool: ProcessPool, video: Path, expected: Tensor) -> None:
    assert torch.equal(decode(video, workers=1), expected)
    assert not pids(new_pool)


def test_one_excerpt_is_cut_ahead_and_no_more(pool: ProcessPool, video: Path, cut: list[Excerpt]) -> None:
    shape = open_source(video, "exact").shape(FRAMES)
    held: list[int] = []

    def cutting() -> Iterator[Excerpt]:
        for excerpt in cut * 3:
            held.append(1 + len(shift.left) + sum(worker.is_busy for worker in shift._members))
            yield excerpt

    with shared_output(shape) as (_, path), Path(path).open("r+b") as file:
        shift = Shift(pool, 2, shape, file.fileno(), ffmpeg_threads=1)
        assert shift.decode(cutting()) == 3 * FRAMES
    assert max(held) == 3
    assert len(cut) > 3


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_is_killed_is_told_in_a_sentence(
    how: signal.Signals, pool: ProcessPool, video: Path, cut: list[Excerpt], expected: Tensor
) -> None:
    decode(video)
    assert pids(pool)
    killed: list[Worker] = []
    deadline = time.monotonic() + 20

    def kill_one() -> Iterator[Excerpt]:
        for excerpt in cycle(cut):
            assert time.monotonic() < deadline
            busy = [worker for worker in processes._started if worker.is_busy]
            if busy and not killed:
                killed.append(busy[0])
                os.kill(busy[0].pid, how)
            yield excerpt

    told = f"^a worker process has ended in the middle of its work: killed by signal {how.name}; give fewer"
    with pytest.raises(WorkerError, match=told):
        on_these(kill_one(), video)
    assert has_ended(killed[0].pid)
    assert killed[0] not in processes._started
    assert torch.equal(decode(video), expected)


def test_idle_workers_that_were_killed_are_replaced(pool: ProcessPool, video: Path, expected: Tensor) -> None:
    decode(video)
    before = pids(pool)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert torch.equal(decode(video), expected)
    assert not before & pids(pool)
    assert all(has_ended(pid) for pid in before)


def test_a_worker_that_ends_as_it_is_taken_is_replaced(
    pool: ProcessPool, video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its idle time may run out at that moment."""
    decode(video)
    before = pids(pool)
    monkeypatch.setattr(Worker, "is_alive", True)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
        assert has_ended(pid)
    assert torch.equal(decode(video), expected)
    assert not before & pids(pool)


def test_a_worker_that_cannot_import_tells_why(
    new_pool: ProcessPool, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torchcodec.py").write_text("raise ImportError('no libavutil')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(WorkerError, match=r"^a worker process cannot start: ImportError: no libavutil$"):
        decode(video)
    assert not pids(new_pool)


def test_a_worker_that_ends_at_its_start_without_a_word(
    new_pool: ProcessPool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "BOOT", "import os; os._exit(3)")
    with pytest.raises(WorkerError, match=r"^a worker process cannot start: exit status 3$"):
        decode(video)
    assert not pids(new_pool)


def refusing(after: int) -> Any:
    """A start of processes that the system refuses after so many."""
    start, calls = processes._start, [0]

    def instead(channel: socket.socket, log: Any, idle_seconds: float) -> Any:
        calls[0] += 1
        if calls[0] > after:
            raise BlockingIOError("Resource temporarily unavailable")
        return start(channel, log, idle_seconds)

    return instead


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_processes_do_all_the_work(
    count: int, new_pool: ProcessPool, video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_start", refusing(after=count))
    assert torch.equal(decode(video, workers=4), expected)
    assert len(pids(new_pool)) == count


def test_processes_that_get_no_thread_leave_the_work_to_this_one(
    new_pool: ProcessPool, video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "BOOT", f"import os; os._exit({CANNOT_START_A_THREAD})")
    assert torch.equal(decode(video), expected)
    assert not pids(new_pool)


@pytest.mark.parametrize("executable", ["", "/no/such/python"])
def test_without_an_interpreter_threads_do_the_work(
    executable: str, new_pool: ProcessPool, video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert torch.equal(decode(video), expected)
    assert not pids(new_pool)


def test_errors_come_back_as_they_are_and_workers_stay(
    pool: ProcessPool, video: Path, cut: list[Excerpt], expected: Tensor
) -> None:
    decode(video)
    before = pids(pool)
    wrong = replace(cut[1], look=("another",))
    with pytest.raises(WrongFrameError, match="does not look like"):
        on_these(iter([cut[0], wrong, *cut[2:]]), video)
    with pytest.raises(DeclinedError, match="does not keep"):
        on_these(iter([replace(cut[0], expected={"profile": "none"})]), video)
    assert torch.equal(decode(video), expected)
    assert pids(pool) == before


def test_an_error_of_cutting_is_told_while_others_are_at_work(
    pool: ProcessPool, video: Path, cut: list[Excerpt], expected: Tensor
) -> None:
    def failing(error: BaseException) -> Iterator[Excerpt]:
        yield from cut[:3]
        raise error

    for error in (DeclinedError("damaged"), KeyError("a fault"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            on_these(failing(error), video)
        assert torch.equal(decode(video), expected)
        assert len(pids(pool)) <= 2


def test_a_worker_that_was_given_back_counts_as_no_longer_at_work(
    pool: ProcessPool, video: Path, cut: list[Excerpt]
) -> None:
    """Though it may be, until it is through with an excerpt of a call that has failed."""

    def failing() -> Iterator[Excerpt]:
        yield from cut[:3]
        raise DeclinedError("damaged")

    with pytest.raises(DeclinedError):
        on_these(failing(), video)
    assert pool._idle
    assert not any(worker.is_busy or worker.is_ready for worker in pool._idle)


def test_idle_workers_end_by_themselves(
    video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ProcessPool(idle_seconds=0.3) as pool:
        monkeypatch.setattr(processes, "_kept", pool)
        decode(video, frames=10)
        assert all(has_ended(pid) for pid in pids(pool))
        assert torch.equal(decode(video), expected)


def test_leaving_a_pool_ends_its_workers(new_pool: ProcessPool, video: Path) -> None:
    decode(video, frames=10)
    before = pids(new_pool)
    assert before
    new_pool.close()
    assert all(has_ended(pid) for pid in before)
    assert not {worker.pid for worker in processes._started} & before


@pytest.mark.parametrize("size", [0, 5, 3_000_000])
def test_a_message_and_a_file_reach_the_other_end(size: int, tmp_path: Path) -> None:
    here, there = map(Channel, socket.socketpair())
    given = tmp_path / "given"
    given.write_text("it")
    with given.open() as file:
        sending = threading.Thread(target=here.send, args=(b"x" * size, file.fileno()))
        sending.start()
        data, descriptor = there.receive()
        sending.join()
    assert unpacked(data) == b"x" * size
    assert descriptor is not None
    with os.fdopen(descriptor) as received:
        assert received.read() == "it"
    there.send(None)
    assert here.receive()[1] is None
    here.close()
    with pytest.raises(EOFError):
        there.receive()
    with pytest.raises(OSError, match="Broken pipe"):
        there.send(None)
    there.close()


def test_an_excerpt_that_declines_in_a_process_falls_back(
    pool: ProcessPool, video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exactframes.excerpt._mapping", lambda *_: "{}")
    with pytest.warns(FallbackWarning):
        assert torch.equal(decode(video), expected)
    assert pids(pool)
