"""What can go wrong on a cluster, done to real processes: exact frames, or one sentence in time."""

import os
import random
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import torch
from distributed import Client
from torch import Tensor

from exactframes import decode_frames
from exactframes.cluster.traffic import traffic_of
from exactframes.errors import ClusterError, RefusedError
from fixtures.testing.corpus import make_video
from fixtures.testing.dask_processes import Processes, dask_processes
from fixtures.testing.suite_runner import interruptible

pytestmark = pytest.mark.long
FRAMES = range(0, 3450, 3)
KILLS = 10
OTHER_TORCHCODEC = """
import importlib.metadata


def version(distribution_name, sound=importlib.metadata.version):
    return "0.11.1" if distribution_name == "torchcodec" else sound(distribution_name)


importlib.metadata.version = version
"""
NO_TORCHCODEC = """
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torchcodec":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
"""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten times the embedded clip: a pass of seconds."""
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    clip = Path("fixtures/clips/synthetic_360p.mp4").resolve()
    command = f"ffmpeg -v error -stream_loop 9 -i {clip} -map 0:v:0 -c copy {path}"
    subprocess.run(shlex.split(command), check=True)
    return path


@pytest.fixture(scope="module")
def expected(video: Path) -> Tensor:
    return decode_frames(video, FRAMES, workers=2)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with dask_processes(tmp_path) as started:
        yield started


@contextmanager
def later(seconds: float, do: Callable[[], object]) -> Iterator[None]:
    """Do something while the context lasts, so many seconds from now."""
    timer = threading.Timer(seconds, do)
    timer.start()
    yield
    timer.join()


def connect(processes: Processes) -> Client:
    return Client(processes.address, set_as_default=False)


def seconds_of_a_pass(video: Path, client: Client) -> float:
    decode_frames(video, [0], client=client)  # workers import torch now, not in the pass
    began = time.monotonic()
    decode_frames(video, FRAMES, client=client)
    return time.monotonic() - began


def test_a_killed_worker_costs_nothing_but_time(processes: Processes, video: Path, expected: Tensor) -> None:
    """Ten times, each at a random moment of a pass; its nanny starts another."""
    chance, wrong = random.Random(1), 0
    processes.start_scheduler()
    for _ in range(2):
        processes.start_worker(nanny=True)
    with connect(processes) as client:
        seconds = seconds_of_a_pass(video, client)
        for kill in range(KILLS):
            client.wait_for_workers(2, timeout=60)
            decode_frames(video, [0], client=client)
            with later(chance.uniform(0.05, 0.95) * seconds, processes.worker_process(kill % 2).kill):
                frames = decode_frames(video, FRAMES, client=client)
            wrong += sum(not torch.equal(*pair) for pair in zip(frames, expected, strict=True))
        again = traffic_of(client).tasks_again
    print(f"\n{KILLS} workers killed, {again} tasks ran again, {wrong} frames wrong")  # noqa: T201
    assert wrong == 0
    assert again > 0


def test_a_stopped_worker_is_given_up(
    processes: Processes, video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps its connections and answers nobody; after the worker-ttl its tasks go elsewhere."""
    monkeypatch.setattr("exactframes.cluster.link.FETCH_SECONDS", 3.0)
    monkeypatch.setattr("exactframes.cluster.link.FETCH_RATE", 1e9)
    processes.start_scheduler(DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL="5s")
    for _ in range(2):
        processes.start_worker()
    with connect(processes) as client:
        with later(0.4 * seconds_of_a_pass(video, client), processes.worker_process(0).suspend):
            frames = decode_frames(video, FRAMES, client=client)
        again = traffic_of(client).tasks_again
    print(f"\n1 worker stopped, {again} tasks ran again")  # noqa: T201
    assert torch.equal(frames, expected)
    assert again > 0


def test_no_worker_is_left(processes: Processes, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exactframes.cluster.link.NO_WORKER_SECONDS", 8.0)
    processes.start_scheduler()
    for _ in range(2):
        processes.start_worker()
    with connect(processes) as client:
        seconds = seconds_of_a_pass(video, client)
        began = time.monotonic()
        with (
            pytest.raises(ClusterError, match=r"no worker has taken a task: none is left at tcp://.* start"),
            later(0.4 * seconds, processes.kill_workers),
        ):
            decode_frames(video, FRAMES, client=client)
        assert time.monotonic() - began < 60
        with pytest.raises(RefusedError, match="has no workers: start some, `dask worker tcp://"):
            decode_frames(video, [0], client=client)


@pytest.mark.parametrize("in_mid_pass", [True, False], ids=["in mid-pass", "before"])
def test_the_scheduler_is_killed(in_mid_pass: bool, processes: Processes, video: Path) -> None:
    processes.start_scheduler()
    processes.start_worker()
    assert processes.scheduler is not None
    client = connect(processes)
    try:
        seconds = seconds_of_a_pass(video, client)
        if not in_mid_pass:
            processes.scheduler.kill()
            processes.scheduler.wait()
        began = time.monotonic()
        with (
            pytest.raises(ClusterError, match=r"the scheduler at tcp://.* does not answer: look"),
            later(0.4 * seconds, processes.scheduler.kill),
        ):
            decode_frames(video, FRAMES, client=client)
        assert time.monotonic() - began < 15
    finally:
        client.close(timeout=1)


def test_a_task_that_is_too_large_for_its_worker_is_named(processes: Processes, tmp_path: Path) -> None:
    """All frames of one GOP of 1080p: more than the worker may use, so its nanny ends it, time and again."""
    video = make_video(
        tmp_path / "large.mp4", "-c:v", "libx264", "-g", "250", "-preset", "ultrafast", size="1920x1080"
    )
    processes.start_scheduler()
    processes.start_worker("--memory-limit", "600MB", nanny=True)
    with (
        connect(processes) as client,
        pytest.raises(ClusterError, match=r"excerpt of .* MB .* of frames.* (600|0\.6).*--memory-limit"),
    ):
        decode_frames(video, range(75), client=client)


@pytest.mark.parametrize(
    ("preload", "told"),
    [
        (
            OTHER_TORCHCODEC,
            r"(?s)differ in their versions; frames might differ.*\nhere .*\ntcp://.* 0\.11\.1 ",
        ),
        (NO_TORCHCODEC, r"(?s)workers cannot decode: tcp://\S+; install.*\ntcp://\S+ +torchcodec is not"),
    ],
    ids=["another TorchCodec", "none"],
)
def test_a_worker_that_decodes_otherwise_is_refused(
    preload: str, told: str, processes: Processes, video: Path, tmp_path: Path
) -> None:
    (tmp_path / "preload.py").write_text(preload)
    processes.start_scheduler()
    processes.start_worker()
    processes.start_worker("--preload", str(tmp_path / "preload.py"))
    with connect(processes) as client, pytest.raises(RefusedError, match=told):
        decode_frames(video, FRAMES, client=client)


def test_memory_is_bounded(processes: Processes, video: Path, expected: Tensor) -> None:
    """Excerpts are cut faster than one worker decodes them: neither client nor scheduler collects them."""
    processes.start_scheduler()
    processes.start_worker()
    assert processes.scheduler is not None
    scheduler, here = psutil.Process(processes.scheduler.pid), psutil.Process()
    out = torch.zeros_like(expected)
    with connect(processes) as client:
        decode_frames(video, FRAMES, client=client, out=out)
        before = {process.pid: process.memory_info().rss for process in (scheduler, here)}
        most = dict(before)
        ended, tasks = threading.Event(), [0]

        def watch() -> None:
            while not ended.wait(0.02):
                for process in (scheduler, here):
                    most[process.pid] = max(most[process.pid], process.memory_info().rss)
                tasks.append(client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in range(5):
            decode_frames(video, FRAMES, client=client, out=out)
        ended.set()
        watcher.join()
        grown = scheduler.memory_info().rss - before[scheduler.pid]
    extra = most[here.pid] - before[here.pid]
    print(f"\nscheduler +{grown / 1e6:.0f} MB after 5 passes, client at most +{extra / 1e6:.0f} MB")  # noqa: T201
    assert 1 < max(tasks) <= 2 * 2  # one thread's, and those that are just being forgotten
    assert grown < 50e6
    assert extra < 2 * 40e6 + 200e6
    assert torch.equal(out, expected)


def test_an_interrupt_leaves_the_cluster_clean(processes: Processes, video: Path) -> None:
    processes.start_scheduler()
    processes.start_worker()
    with connect(processes) as client:
        interrupt = later(0.4 * seconds_of_a_pass(video, client), lambda: os.kill(os.getpid(), signal.SIGINT))
        with interruptible(), pytest.raises(KeyboardInterrupt), interrupt:
            decode_frames(video, FRAMES, client=client)
        until = time.monotonic() + 10
        while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)):
            assert time.monotonic() < until, "tasks of ours are left on the scheduler"
            time.sleep(0.1)
        assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.clients)) <= 2
        while any(client.run(lambda dask_worker: len(dask_worker.data)).values()):
            assert time.monotonic() < until, "frames of ours are left on a worker"
            time.sleep(0.1)
