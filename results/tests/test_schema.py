"""The schema: what is written is read again, files of earlier versions are read, and every figure counts."""

import json
import math
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest

from results.schema import (
    ALL_FRAMES,
    BASELINE,
    NEEDED_FRAMES,
    ClusterUse,
    Cost,
    Entry,
    Identity,
    Kind,
    Packets,
    Proof,
    Record,
    Times,
    is_of_this_suite,
    read,
)
from results.tests.made_requests import made_entry

# Of versions 0.1.0 and 0.2.0: a run with peers, one of a set of videos, and one on a cluster.
SAVED_BEFORE = sorted((Path(__file__).parent / "saved_before").glob("*.json"))
SHIPPED = sorted(Path(__file__).parent.parent.glob("*-64bit/*.json"))
INFO: dict[str, Any] = {
    "strategy": "pruned-threads", "kind": "across", "workers": 2, "frames": 3, "workload": "hevc",
    "is_parallel": False, "ffmpeg_threads": 4, "interleaved": True, "is_of_set": True, "videos": 5,
    "fallback": "a reason", "limit": "limit-needed-frames", "untimed_seconds": 6.5, "proving_seconds": 7.5,
    "frames_per_second": 8.5, "speedup": 9.5, "of_limit": 10.5, "efficiency": 11.5,
    "proof": {"frames": 12, "digest": "ab", "max_difference": 13, "differing_frames": 14},
    "cost": {"cpu_seconds": 15.5, "peak_bytes": 16, "extra_bytes": 17},
    "packets": {"decoded": 18, "in_file": 19, "rule": "b"},
    "cluster": {
        "workers": 20, "threads": 21, "is_local": True, "is_direct": False, "frames": 22.5, "tasks": 23.5,
        "tasks_again": 24, "bytes_sent": 25.5, "bytes_received": 26.5, "cut_seconds": 27.5,
        "transfer_seconds": 28.5, "transfer_cpu_seconds": 29.5, "copy_seconds": 30.5,
        "worker_cpu_seconds": 31.5, "longest_task_seconds": 32.5,
    },
    "work": {"video": "a.mp4"}, "machine": {"usable_cpus": 2}, "software": {"ffmpeg": {"libavcodec": "59"}},
}  # fmt: skip
STATS = {"median": 2.5, "stddev": 0.5, "data": [3.0, 2.0, 2.5]}
RECORD = Record(
    strategy="pruned-threads",
    kind="across",
    workers=2,
    frames=3,
    workload="hevc",
    is_parallel=False,
    ffmpeg_threads=4,
    interleaved=True,
    is_of_set=True,
    videos=5,
    fallback="a reason",
    limit="limit-needed-frames",
    untimed_seconds=6.5,
    proving_seconds=7.5,
    frames_per_second=8.5,
    speedup=9.5,
    of_limit=10.5,
    efficiency=11.5,
    proof=Proof(frames=12, digest="ab", max_difference=13, differing_frames=14),
    cost=Cost(cpu_seconds=15.5, peak_bytes=16, extra_bytes=17),
    packets=Packets(decoded=18, in_file=19, rule="b"),
    cluster=ClusterUse(
        workers=20,
        threads=21,
        is_local=True,
        is_direct=False,
        frames=22.5,
        tasks=23.5,
        tasks_again=24,
        bytes_sent=25.5,
        bytes_received=26.5,
        cut_seconds=27.5,
        transfer_seconds=28.5,
        transfer_cpu_seconds=29.5,
        copy_seconds=30.5,
        worker_cpu_seconds=31.5,
        longest_task_seconds=32.5,
    ),
    identity=Identity(
        work={"video": "a.mp4"}, machine={"usable_cpus": 2}, software={"ffmpeg": {"libavcodec": "59"}}
    ),
    times=Times(rounds=(3.0, 2.0, 2.5), stddev=0.5),
)
LEAST = {"strategy": "threads", "workers": 2, "frames": 9}


def entry(**info: Any) -> Entry:
    return {"extra_info": {**LEAST, **info}, "stats": None}


def test_every_field_is_written_under_its_name_and_read_again() -> None:
    assert RECORD.to_dict() == INFO
    assert json.loads(json.dumps(INFO)) == INFO
    assert read({"extra_info": INFO, "stats": STATS}) == RECORD


def test_what_is_not_there_is_none_and_is_not_saved() -> None:
    least = Record(strategy="threads", workers=2, frames=9)
    flags = {"kind": "strategy", "workload": "default", "is_parallel": True, "interleaved": False}
    assert least.to_dict() == {**LEAST, **flags, "is_of_set": False}
    assert read(entry()) == least
    assert read(entry(proof=None, cost=None, packets=None, fallback=None)) == least


def test_inner_records_say_nothing_that_is_not_saved() -> None:
    inner: dict[str, dict[str, Any]] = {
        "proof": {"frames": 9, "digest": "a"},
        "cost": {"cpu_seconds": 1.0, "peak_bytes": 2},
        "packets": {"decoded": 1, "in_file": 2},
        "cluster": {"workers": 2, "threads": 3, "is_local": False},
        "requests": {
            **dict.fromkeys(("p50", "p90", "p95", "p99", "largest", "cpu_seconds"), 0.5),
            "requests": 7,
            "callers": 2,
            "distribution": [[-14, 7]],
            "p95_rounds": [0.5],
        },
    }
    record = read(entry(**inner))
    assert {name: record.to_dict()[name] for name in inner} == {
        "proof": {**inner["proof"], "max_difference": 0, "differing_frames": 0},
        "cost": {**inner["cost"], "extra_bytes": 0},
        "packets": {**inner["packets"], "rule": None},
        "cluster": dict.fromkeys(INFO["cluster"]) | inner["cluster"],
        "requests": {
            **inner["requests"],
            **dict.fromkeys(("bytes_read", "first_seconds", "arrivals")),
            "decoders_open": 0,
            "is_peer": False,
        },
    }
    assert Times(rounds=(1.0,)).stddev == 0.0


@pytest.mark.parametrize(
    "record", [RECORD, *map(vars(RECORD).get, ("proof", "cost", "packets", "cluster", "identity", "times"))]
)
def test_nothing_changes_a_record(record: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        record.workers = 3
    with pytest.raises(TypeError, match="positional"):
        type(record)(1, 2, 3)


def test_fields_of_a_later_version_are_left_out() -> None:
    later = {"decoded": 1, "in_file": 2, "of_a_later_version": 3}
    assert read(entry(of_a_later_version=1, packets=later)).packets == Packets(decoded=1, in_file=2)


@pytest.mark.parametrize(
    "file", SAVED_BEFORE + SHIPPED, ids=lambda file: f"{file.parent.name}-{file.name[:4]}"
)
def test_every_shipped_file_is_read_and_loses_nothing(file: Path) -> None:
    for saved in json.loads(file.read_text())["benchmarks"]:
        record = read(saved)
        told = {name: value for name, value in saved["extra_info"].items() if value is not None}
        told.pop("is_peer", None)
        if "proof" in told:  # the first files have no likeness
            told["proof"] = {"max_difference": 0, "differing_frames": 0, **told["proof"]}
        if told.get("packets", {"rule": ""})["rule"] is None:
            told["packets"] = {**told["packets"], "rule": None}
        assert record.to_dict().items() >= told.items()
        assert record.to_dict().keys() - told.keys() <= {
            "kind", "is_parallel", "workload", "interleaved", "is_of_set"
        }  # fmt: skip
        assert record.is_proven
        assert record.seconds == pytest.approx(saved["stats"]["median"])
        assert record.times is not None
        assert record.times.stddev == saved["stats"]["stddev"]


def kinds(file: str) -> dict[str, str]:
    (path,) = (path for path in SAVED_BEFORE if path.name.startswith(file))
    records = map(read, json.loads(path.read_text())["benchmarks"])
    return {record.strategy: record.kind for record in records}


def test_the_kind_of_files_that_do_not_name_it() -> None:
    assert kinds("0002")["pyav"] == kinds("0002")["ffmpeg-pipe-chunks"] == "peer"
    assert kinds("0002")["limit-all-frames"] == kinds("0008")["limit-needed-frames"] == "limit"
    assert kinds("0008")["across"] == "across"
    assert kinds("0008")["threads"] == kinds("0011")["cluster-pruned"] == "strategy"
    assert read(entry(strategy="limit-of-ones-own", kind="strategy")).kind == "strategy"


def test_what_has_one_worker_in_files_that_do_not_say_so() -> None:
    alone = {
        name
        for name in ("sequential", "pruned", "threads", "pyav")
        if not read(entry(strategy=name)).is_parallel
    }
    assert alone == {"sequential", "pruned"}
    assert read(entry(strategy="sequential", is_parallel=True)).is_parallel


@pytest.mark.parametrize(
    ("kind", "proof", "is_exact", "is_proven"),
    [
        ("strategy", None, False, False),
        ("strategy", Proof(frames=9, digest="a"), True, True),
        ("strategy", Proof(frames=9, digest="a", differing_frames=1), False, False),
        ("across", None, False, False),
        ("across", Proof(frames=9, digest="a"), True, True),
        ("request", Proof(frames=9, digest="a", differing_frames=1), False, False),
        ("peer", None, False, False),
        ("peer", Proof(frames=9, digest="a"), True, True),
        ("peer", Proof(frames=9, digest="a", differing_frames=1), False, True),
        ("limit", None, False, True),
        ("limit", Proof(frames=9, digest="a"), False, True),
    ],
)
def test_what_proven_means(kind: Kind, proof: Proof | None, is_exact: bool, is_proven: bool) -> None:
    record = Record(strategy="it", kind=kind, workers=1, frames=9, proof=proof)
    assert (record.is_exact, record.is_proven) == (is_exact, is_proven)


def test_names_tell_benchmarks_apart() -> None:
    least = Record(strategy="threads", workers=2, frames=9)
    assert least.name == "threads"
    assert replace(least, workload="hevc").name == "threads on hevc"
    assert replace(least, ffmpeg_threads=1).name == "threads 2x1"
    assert RECORD.name == "pruned-threads 2x4 on hevc"
    assert (RECORD.setting, least.setting) == ((2, 4), (2, 1))
    assert (RECORD.is_scaling, least.is_scaling) == (True, False)


def test_the_value_is_the_median_of_the_rounds() -> None:
    assert RECORD.seconds == 2.5
    assert RECORD.rounds == (3.0, 2.0, 2.5)
    assert read(entry()).rounds == ()
    assert read({**entry(), "stats": {"median": 4.0, "data": [1.0, 2.0, 6.0, 9.0]}}).seconds == 4.0
    only = read({**entry(), "stats": {"median": 4.0}})
    assert only.times == Times(rounds=(4.0,), stddev=0.0)
    with pytest.raises(ValueError, match="threads was not timed"):
        _ = read(entry()).seconds


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="a time of"):
        read({**entry(), "stats": {"median": seconds}})


@pytest.mark.parametrize(
    "broken", [{}, {"extra_info": {}}, {"extra_info": {"strategy": "a"}}, {"extra_info": [], "stats": {}}]
)
def test_other_benchmarks_are_refused(broken: Entry) -> None:
    with pytest.raises((LookupError, TypeError)):
        read(broken)
    assert is_of_this_suite({"extra_info": {"strategy": "a"}})
    assert not is_of_this_suite({"extra_info": {}})
    assert not is_of_this_suite({})


def test_cpu_time_is_that_of_the_untimed_pass() -> None:
    assert RECORD.cpu_seconds == 15.5
    assert read(entry()).cpu_seconds is None


def test_names_that_saved_files_hold() -> None:
    assert (BASELINE, NEEDED_FRAMES, ALL_FRAMES) == ("sequential", "limit-needed-frames", "limit-all-frames")


@pytest.mark.parametrize(
    ("rounds", "stddev"), [([0.09], 0.0), ([0.08, 0.1], 0.02 / math.sqrt(2)), ([0.09, 0.1, 0.08], 0.01)]
)
def test_a_p95_scatters_as_its_rounds_do(rounds: list[float], stddev: float) -> None:
    judged = read(made_entry("kept", "clips-closed-1", [1.0], p95_rounds=rounds)).judged
    p95 = judged["kept on clips-closed-1, p95"].times
    assert p95 is not None
    assert p95.rounds == tuple(rounds)
    assert p95.stddev == pytest.approx(stddev)
