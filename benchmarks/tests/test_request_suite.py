"""Requests as their users measure them: whole runs in processes of their own."""

import json
import os
import re
from pathlib import Path
from re import MULTILINE
from typing import Any

import pytest

from benchmarks.against.tests.fake_side import processes_of
from fixtures.settings import usable_cpus
from fixtures.testing.corpus import make_video
from fixtures.testing.suite_runner import ROOT, run_suite, saved
from results.gate.rule_for_runs import compare
from results.saved.history import read_file

REQUESTS = "benchmarks/test_requests.py"


@pytest.mark.parametrize(
    ("log", "is_measured"),
    [([], False), pytest.param(["--requests=log.jsonl"], True, marks=pytest.mark.long)],
)
def test_requests_are_measured_where_they_are_asked_for_only(log: list[str], is_measured: bool) -> None:
    """Where their file is named, as in all tests below, or with a log."""
    others = (f"--ignore=benchmarks/{folder}" for folder in ("tests", "against", "harness", "loads"))
    done = run_suite("benchmarks", *log, *others, "--collect-only", "-q", "--benchmark-only")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("test_requests.py::test_answer[log-closed-1-kept]" in done.stdout) == is_measured
    assert ("test_requests.py" in done.stdout) == is_measured
    assert "test_speed.py::test_decode[sequential]" in done.stdout


def test_an_estimate_comes_first_and_a_row_for_each_way(tmp_path: Path) -> None:
    ways = "limit or -kept or exactframes"
    done = run_suite(
        REQUESTS, "--interleave", "--rounds=2", "--requests-a-pass=3", "--loops=1",
        "-k", f"(clips-closed-1- or keyframes-open) and ({ways}) and not mappings and not approximate",
        "--arrivals=100", "--benchmark-autosave", f"--benchmark-storage={tmp_path}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = r"^requests: +2 situations with 5 ways to answer, 2 rounds of each and one to prove it: about \d+ "
    announced = re.search(told, done.stdout, MULTILINE)
    begun = re.search(r"^\S+ +in turns, untimed round", done.stdout, MULTILINE)
    assert announced
    assert begun
    assert announced.start() < begun.start()
    (run,) = saved(tmp_path)
    assert [b["extra_info"]["strategy"] for b in run["benchmarks"]] == [
        "limit-needed-frames", "kept", "exactframes", "kept", "exactframes",
    ]  # fmt: skip
    for benchmark in run["benchmarks"]:
        requests = benchmark["extra_info"].get("requests")
        assert len(benchmark["stats"]["data"]) == 2
        assert requests is None or len(requests["p95_rounds"]) == 2
    assert json.dumps(run).count(str(tmp_path)) == 0


COUNTING = """
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

NOTED, OPEN = Path({noted!r}), []


def note(what):
    children = psutil.Process().children(recursive=True)
    workers = [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]
    with NOTED.open("a") as file:
        file.write(f"{{what}} {{len(OPEN)}} {{len(workers)}}\\n")


@dataclass
class Counted:
    decoder: object

    def frames(self, request):
        return self.decoder.frames(request)

    def close(self):
        OPEN.remove(id(self))
        self.decoder.close()


def counting(open_video):
    def opened(given, memory):
        decoder = Counted(open_video(given, memory))
        OPEN.append(id(decoder))
        return decoder

    return opened


def pytest_configure(config):
    from benchmarks.ways import WAYS

    for name, way in WAYS.items():
        WAYS[name] = replace(way, open=counting(way.open))


def pytest_fixture_setup(fixturedef, request):
    if fixturedef.argname == "situation":
        note(f"{{request.param}} begins")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item):
    note("a way was measured")
"""


@pytest.mark.long
def test_a_situation_is_closed_before_the_next_one_begins(tmp_path: Path) -> None:
    """Neither decoders nor workers add up: in turns, all ways of a situation are open at once, but of one."""
    noted = tmp_path / "noted"
    (tmp_path / "counting.py").write_text(COUNTING.format(noted=str(noted)))
    done = run_suite(
        "-p", "counting", REQUESTS, "--interleave", "--rounds=2", "--requests-a-pass=3", "--loops=1",
        "-m", "", "-k", "(-closed-1-kept] or -closed-1-exactframes] or -fork-1-kept]) and "
        "(clips or keyframes)", f"--benchmark-storage={tmp_path}",
        PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = noted.read_text().splitlines()
    assert [line for line in lines if "begins" in line] == [
        f"{stream}-{load}-1 begins 0 0" for stream in ("clips", "keyframes") for load in ("closed", "fork")
    ]
    assert [line.removeprefix("a way was measured ") for line in lines if "measured" in line] == [
        *["2 0"] * 2, "0 1", *["2 0"] * 2, "0 1"
    ]  # fmt: skip


INVERTED = """
from dataclasses import dataclass, replace


@dataclass
class Inverted:
    decoder: object

    def frames(self, request):
        return 255 - self.decoder.frames(request)

    def close(self):
        self.decoder.close()


def pytest_configure(config):
    from benchmarks.ways import WAYS

    for name in ("pyav", "kept"):
        opens = WAYS[name].open
        inverted = lambda given, memory, opens=opens: Inverted(opens(given, memory))
        WAYS[name] = replace(WAYS[name], open=inverted)
"""


@pytest.mark.parametrize(("way", "status"), [pytest.param("pyav", 0, marks=pytest.mark.long), ("kept", 1)])
def test_wrong_frames_of_another_library_are_told_and_fail_nothing(
    way: str, status: int, tmp_path: Path
) -> None:
    (tmp_path / "inverted.py").write_text(INVERTED)
    done = run_suite(
        "-p", "inverted", REQUESTS, "--interleave", "--rounds=1", "--requests-a-pass=2", "--loops=1",
        "-k", f"[clips-closed-1-{way}] or [clips-closed-1-exactframes]", f"--benchmark-storage={tmp_path}",
        PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}",
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    told = "not measured" if way == "pyav" else "FAILED"
    assert re.search(rf"^{way} .* {told}$", done.stdout, MULTILINE), done.stdout
    assert re.search(rf"{way} on request \d+ of long.mp4", done.stdout)


@pytest.mark.long
def test_cpu_seconds_are_those_of_timed_passes(tmp_path: Path) -> None:
    """Digests are taken in the midst of the untimed pass: a record's cost does not count them."""
    (tmp_path / "slow.py").write_text(SLOW_DIGESTS)
    done = run_suite(
        "-p", "slow", REQUESTS, "--interleave", "--rounds=3", "--requests-a-pass=5", "--loops=1",
        "-k", "[clips-closed-1-kept]", "--benchmark-autosave", f"--benchmark-storage={tmp_path}",
        PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = saved(tmp_path)
    (benchmark,) = run["benchmarks"]
    info = benchmark["extra_info"]
    assert info["cost"]["cpu_seconds"] == pytest.approx(5 * info["requests"]["cpu_seconds"])
    assert info["cost"]["cpu_seconds"] < 1.5 + 4 * benchmark["stats"]["median"]  # digests took 2.5 s


SLOW_DIGESTS = """
import time


def pytest_configure(config):
    from benchmarks.harness import proof

    digests = proof.frame_digests

    def slow(frames):
        until = time.thread_time() + 0.5
        while time.thread_time() < until:
            pass
        return digests(frames)

    proof.frame_digests = slow
"""


def log_of(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([{"video": "gone.mp4", "indices": [0]}], "log.jsonl, line 1: no such video: gone.mp4"),
        pytest.param(
            [{"video": "small.mp4", "indices": [0]}, {"video": "small.mp4", "indices": [75]}],
            "log.jsonl, line 2: frame 75 is past the end: small.mp4 has 75 frames",
            marks=pytest.mark.long,
        ),
        pytest.param(
            [{"video": "small.mp4", "indices": [0], "at": at} for at in (2, 1)],
            "log.jsonl, line 2: it arrived at 1 s, before line 1 at 2 s; sort the log",
            marks=pytest.mark.long,
        ),
        pytest.param(
            [], "log.jsonl: it holds no request; write one JSON object a line", marks=pytest.mark.long
        ),
    ],
    ids=["no such video", "past the end", "backwards", "empty"],
)
def test_a_bad_log_ends_in_a_sentence_and_saves_nothing(
    lines: list[dict[str, Any]], sentence: str, small_video: Path, tmp_path: Path
) -> None:
    (tmp_path / "small.mp4").symlink_to(small_video)
    log = log_of(tmp_path / "log.jsonl", *lines)
    done = run_suite(REQUESTS, "--requests", log, "--benchmark-autosave", f"--benchmark-storage={tmp_path}")
    assert done.returncode == 4, done.stdout + done.stderr
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not saved(tmp_path)


@pytest.mark.long
def test_a_log_of_one_line(small_video: Path, tmp_path: Path) -> None:
    """Without `at` it is asked by callers; there are no times of its own to replay it at."""
    (tmp_path / "small.mp4").symlink_to(small_video)
    log = log_of(tmp_path / "log.jsonl", {"video": "small.mp4", "seconds": [0.5, 2.9]})
    done = run_suite(
        REQUESTS, "--requests", log, "--interleave", "--rounds=2", "-k", "kept] or exactframes]",
        "--benchmark-autosave", f"--benchmark-storage={tmp_path}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = saved(tmp_path)
    cpus = usable_cpus()
    assert [b["group"] for b in run["benchmarks"]] == [
        f"log-closed-{n}" for n in sorted({1, cpus}) for _ in range(2)
    ]
    assert all(b["extra_info"]["proof"]["frames"] == 2 for b in run["benchmarks"])
    assert "the log is not replayed at its own times: its lines have no `at`" in done.stdout
    assert "log: 1 request for 2 frames of 1 video: your own log" in " ".join(done.stdout.split())


TEN = [f"video{number}.mp4" for number in range(10)]


@pytest.fixture(scope="module")
def ten_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ten")
    for number, name in enumerate(TEN):
        make_video(folder / name, "-c:v", "libx264", "-g", "5", "-bf", "0", frames=40 + number)
    return folder


@pytest.mark.long
def test_a_log_of_2000_lines_is_replayed(ten_videos: Path, tmp_path: Path) -> None:
    """The same log twice: the same proof, identities that compare. Another one: not comparable, and why."""
    lines: list[dict[str, Any]] = [
        {"video": TEN[number * 7 % 10], "indices": [number % 40], "at": number / 1000}
        for number in range(2000)
    ]
    other = [*lines[:1000], {**lines[1000], "indices": [39]}, *lines[1001:]]
    runs = []
    for name, content in (("one", lines), ("same", lines), ("other", other)):
        log = log_of(ten_videos / f"{name}.jsonl", *content)
        done = run_suite(
            REQUESTS, "--requests", log, "--interleave", "--rounds=1", "-k",
            "log-log- and (-kept] or -exactframes])", f"--benchmark-json={tmp_path / name}.json",
            f"--benchmark-storage={tmp_path}",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        (run,) = read_file(tmp_path / f"{name}.json")
        runs.append(run)
    one, same, another = runs
    names = [f"{way} on log-log-{usable_cpus()}, p95" for way in ("kept", "exactframes")]
    assert list(one.benchmarks) == names  # its time is that of its arrivals
    for name in names:
        first, second, third = (run.benchmarks[name] for run in runs)
        assert first.is_exact
        assert first.proof == second.proof != third.proof
        assert first.proof is not None
        assert first.proof.frames == 2000
        assert first.requests is not None
        assert first.requests.arrivals == pytest.approx(1000, rel=0.001)
    assert [verdict.word for verdict in compare([one], [same]).verdicts] == ["inconclusive"] * 2  # one run
    verdicts = compare([one], [another]).verdicts
    assert [verdict.word for verdict in verdicts] == ["not comparable"] * 2
    assert all(verdict.reason.startswith("work.indices_digest: ") for verdict in verdicts)
    assert all(";" not in verdict.reason for verdict in verdicts)  # the one field that differs


DYING = """
import os
import signal
from dataclasses import dataclass, replace

ANSWERED = []


@dataclass
class Dying:
    decoder: object

    def frames(self, request):
        ANSWERED.append(request)
        if len(ANSWERED) == 6:  # the second one of the first timed pass
            os.kill(os.getpid(), signal.SIGKILL)
        return self.decoder.frames(request)

    def close(self):
        self.decoder.close()


def pytest_configure(config):
    from benchmarks.ways import WAYS

    way = WAYS["kept"]
    WAYS["kept"] = replace(way, open=lambda given, memory: Dying(way.open(given, memory)))
"""


@pytest.mark.parametrize(
    "order",
    [
        pytest.param([], id="one by one", marks=pytest.mark.long),
        pytest.param(["--interleave"], id="in turns"),
    ],
)
def test_a_worker_that_is_killed_ends_the_session(order: list[str], tmp_path: Path) -> None:
    """In the midst of a timed pass: one sentence, nothing saved, no process, file or shared memory left."""
    (tmp_path / "dying.py").write_text(DYING)
    before = shared_memory()
    done = run_suite(
        *order, "-p", "dying", REQUESTS, "--rounds=2", "--requests-a-pass=4", "--loops=1",
        "-m", "", "-k", "[clips-fork-1-kept] or [clips-fork-1-exactframes]",
        "--benchmark-autosave", f"--benchmark-storage={tmp_path}", f"--basetemp={tmp_path / 'base'}",
        PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}",
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == 1, told
    assert told.count("kept: a DataLoader worker ended in the midst of a pass: it was killed by SIGKILL") == 1
    assert "Traceback" not in told
    assert not saved(tmp_path)
    assert not list((tmp_path / "base").rglob("*.mp4"))
    assert not processes_of(tmp_path)
    assert not shared_memory() - before


def shared_memory() -> set[str]:
    folder = Path("/dev/shm")  # noqa: S108  looked at only
    return {path.name for path in folder.glob("torch_*")} if folder.is_dir() else set()
