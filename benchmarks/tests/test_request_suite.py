"""Requests as their users measure them: whole runs in processes of their own."""

import json
import os
import re
from pathlib import Path
from re import MULTILINE

import pytest

from fixtures.testing.suite_runner import ROOT, run_suite, saved

REQUESTS = "benchmarks/test_requests.py"


@pytest.mark.parametrize(("log", "is_measured"), [([], False), (["--requests=log.jsonl"], True)])
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
