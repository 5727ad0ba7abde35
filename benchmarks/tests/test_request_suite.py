"""Requests as their users measure them: whole runs in processes of their own."""

import json
import re
from pathlib import Path
from re import MULTILINE

import pytest

from fixtures.testing.suite_runner import run_suite, saved

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
    assert sorted(b["extra_info"]["strategy"] for b in run["benchmarks"]) == [
        "exactframes", "exactframes", "kept", "kept", "limit-needed-frames",
    ]  # fmt: skip
    for benchmark in run["benchmarks"]:
        requests = benchmark["extra_info"].get("requests")
        assert len(benchmark["stats"]["data"]) == 2
        assert requests is None or len(requests["p95_rounds"]) == 2
    assert json.dumps(run).count(str(tmp_path)) == 0
