"""Storages made up for tests: a history with a planted step, workloads, scaling, names that attack."""

import copy
import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from results.saved.pairs import SIDES
from results.schema import Entry
from results.tests.made_requests import made_entry
from results.tests.made_runs import made_run, write_run

ATTACK = "<script>window.attacked=1</script></script>'\"><img src=x onerror=window.attacked=1>"
LONG = "long " * 39 + "name"  # 199 characters
EMOJI = "🎞️ emoji"
FOLDER = "Linux-CPython-3.11-64bit"
LATENCIES = {"p50": 0.05, "p90": 0.1, "p95": 0.15, "p99": 0.2, "largest": 0.3}  # shares of a pass
WAYS = (
    "fresh", "fresh-approximate", "kept", "kept-approximate", "kept-mappings", "ffmpeg-threads", "stages",
    "exactframes", "decode-frames", "pyav",
)  # fmt: skip


def history_run(number: int, factor: float = 1.0, noise: float = 0.03, **fields: Any) -> dict[str, Any]:
    """A run of four benchmarks; `factor` makes `threads` slower."""
    chance = random.Random(f"history{number}")  # noqa: S311
    medians = {"sequential": 8.0, "threads": 4.0 * factor, "pruned-threads": 2.0, "limit-all-frames": 1.5}
    run = made_run({n: s * chance.lognormvariate(0, noise) for n, s in medians.items()}, number, **fields)
    for entry in run["benchmarks"]:
        middle = entry["stats"]["median"]
        entry["stats"]["data"] = [middle * 0.98, middle, middle * 1.03]
        entry["extra_info"]["packets"] = {"decoded": 530, "in_file": 1000, "rule": None}
    run["commit_info"] = {"id": f"{number:040x}", "branch": "main"}
    return run


def write_history(storage: Path, runs: int = 80, step_at: int = 40, factor: float = 1.1) -> None:
    """A history in which `threads` takes 10 % longer from run 40 on."""
    for number in range(runs):
        run = history_run(number, factor if number >= step_at else 1.0)
        write_run(storage / FOLDER / f"{number + 1:04}_made.json", run)


def add_workloads(storage: Path, name: str = "9001_workloads") -> None:
    """A run of three workloads; one strategy of the last fell back."""
    run = history_run(3001)
    first = run["benchmarks"]
    run["benchmarks"] = []
    for workload in ("h264", "hevc", "1080p"):
        for entry in copy.deepcopy(first):
            entry["extra_info"]["workload"] = workload
            if workload == "1080p" and entry["extra_info"]["strategy"] == "pruned-threads":
                entry["extra_info"]["fallback"] = "PyAV cannot cut it"
            run["benchmarks"].append(entry)
    write_run(storage / FOLDER / f"{name}.json", run)


def add_scaling(storage: Path, name: str = "9002_scaling") -> None:
    """A run of two strategies with 1, 2 and 4 workers, and of 2 FFmpeg threads each."""
    settings = [(workers, threads) for workers in (1, 2, 4) for threads in (1, 2)]
    run = made_run({}, 3002)
    for strategy, share in {"threads": 0.9, "pruned-threads": 0.8}.items():
        for workers, threads in settings:
            seconds = 8 * (1 - share + share / workers / threads**0.5)
            (entry,) = made_run({strategy: seconds})["benchmarks"]
            entry["extra_info"] |= {"workers": workers, "ffmpeg_threads": threads}
            run["benchmarks"].append(entry)
    write_run(storage / FOLDER / f"{name}.json", run)


def add_requests(storage: Path, name: str = "9004_requests", ways: Sequence[str] = WAYS) -> None:
    """A run of requests alone: ten ways and their limit on clips, two where requests arrive by themselves."""
    run = made_run({}, 3004)
    for callers in (1, 2, 8):
        seconds = {way: (1 + number / 10) / min(callers, 2) for number, way in enumerate(ways)}
        run["benchmarks"] += requests_of(f"clips-closed-{callers}", seconds, callers=callers)
        limit = copy.deepcopy(made_run({"limit-needed-frames": 0.4 / min(callers, 2)})["benchmarks"])
        limit[0]["extra_info"] |= {"kind": "limit", "workload": f"clips-closed-{callers}"}
        limit[0]["extra_info"]["work"]["load"] = f"closed-{callers}"
        run["benchmarks"] += limit
    run["benchmarks"] += requests_of("vlm-open-80", dict.fromkeys(ways[-2:], 2.0), arrivals=5.0)
    run["benchmarks"] += requests_of("robot-fork-0", {ways[0]: 1.0}, callers=0)
    write_run(storage / FOLDER / f"{name}.json", run)


def requests_of(workload: str, seconds: dict[str, float], **fields: Any) -> list[Entry]:
    """A benchmark for each way that took so long for ten requests."""
    load = {"load": workload.partition("-")[2]}
    made = []
    for way, median in seconds.items():
        own: dict[str, Any] = {name: median * part for name, part in LATENCIES.items()}
        middle = math.floor(math.log(own["p50"], 1.05))
        own["distribution"] = [[middle - 4, 6], [middle, 10], [middle + 14, 3], [middle + 28, 1]]
        entry = made_entry(way, workload, [median * 1.1, median, median * 0.9], work=load, **own, **fields)
        entry["extra_info"]["limit"] = "limit-needed-frames"
        made.append(entry)
    return made


def add_attacks(storage: Path, name: str = "9003_attacks") -> None:
    """A run whose workload, strategies, versions, branch and reasons attack the page."""
    run = made_run({ATTACK: 2.0, LONG: 3.0, EMOJI: 4.0}, 3003, software__torch=ATTACK)
    for entry in run["benchmarks"]:
        entry["extra_info"] |= {"workload": ATTACK, "fallback": ATTACK}
        entry["extra_info"]["packets"] = {"decoded": 530, "in_file": 1000, "rule": ATTACK}
    run["commit_info"] = {"id": ATTACK, "branch": ATTACK}
    write_run(storage / FOLDER / f"{name}.json", run)


def add_baseline(storage: Path, name: str = "good") -> None:
    """A named baseline of six runs."""
    runs = [history_run(number) for number in range(6)]
    (storage / "baselines").mkdir(parents=True)
    (storage / "baselines" / f"{name}.json").write_text(json.dumps({"name": name, "runs": runs}))


def write_pairs(folder: Path, pairs: int = 8, factor: float = 1.08) -> Path:
    """What `make ab` leaves: pairs in which `threads` of B takes 8 % longer."""
    chance = random.Random(5)  # noqa: S311
    for number in range(1, pairs + 1):
        for letter in "AB":
            slower = {"threads": factor if letter == "B" else 1.0}
            seconds = {
                n: slower.get(n, 1.0) * chance.lognormvariate(0, 0.01) for n in ("sequential", "threads")
            }
            identity = {"software__torchcodec": letter}
            write_run(folder / f"pair-{number:03}" / f"{letter}.json", made_run(seconds, number, **identity))
        (folder / f"pair-{number:03}" / "pair.json").write_text(json.dumps({"seconds": 9.5}))
    (folder / SIDES).write_text(json.dumps({"A": ATTACK, "B": "torchcodec==0.13.0"}))
    return folder


def many_benchmarks(number: int) -> dict[str, Any]:
    """A run of 25 benchmarks."""
    chance = random.Random(number)  # noqa: S311
    names = ["sequential", "limit-all-frames", *(f"threads-{n}" for n in range(2, 25))]
    run = made_run({name: chance.lognormvariate(1, 0.03) for name in names}, number)
    for entry in run["benchmarks"]:
        entry["stats"]["data"] = [entry["stats"]["median"] * chance.lognormvariate(0, 0.02) for _ in range(3)]
    run["commit_info"] = {"id": f"{number:040x}", "branch": "main"}
    return run
