"""Histories made up for tests: the shape of a saved run, with times of one's choice."""

import copy
import json
import random
from pathlib import Path
from typing import Any

STRATEGIES = ("sequential", "threads", "pruned-threads", "limit-all-frames")
IDENTITY: dict[str, dict[str, object]] = {
    "work": {"video": "a.mp4", "video_sha256": "aa", "indices_digest": "bb", "seek_mode": "approximate"},
    "machine": {"usable_cpus": 2, "cpu_model": "A"},
    "software": {"torch": "2", "torchcodec": "1", "ffmpeg": {"libavcodec": "59"}},
}


def made_run(seconds: dict[str, float], number: int = 1, **fields: Any) -> dict[str, Any]:
    """A run in which each strategy took so long; a field such as work__seek_mode="exact" replaces one."""
    identity = copy.deepcopy(IDENTITY)
    for field, value in fields.items():
        part, _, name = field.partition("__")
        identity[part][name] = value
    benchmarks = []
    for strategy, median in seconds.items():
        proof = None if strategy.startswith("limit-") else {"frames": 9, "digest": "cc"}
        cost = {"cpu_seconds": 2 * median, "peak_bytes": 10**9}
        info = {"strategy": strategy, "workers": 2, "frames": 9, "proof": proof, "cost": cost, **identity}
        stats = {"median": median, "stddev": 0.0, "data": [median] * 3}
        benchmarks.append({"extra_info": info, "stats": stats})
    moment = f"2026-01-01T00:{number // 60:02}:{number % 60:02}"
    return {"datetime": moment, "commit_info": {"id": "abc"}, "benchmarks": benchmarks}


def noisy_runs(
    folder: Path, name: str, runs: int = 8, *, noise: float = 0.03, seed: int = 1, **slower: float
) -> list[str]:
    """Write runs whose times scatter around 1 s; slower={"threads": 1.2} makes one strategy slower.

    Underscores in names stand for hyphens, `every` is all but the limit, `machine` is all.
    """
    chance = random.Random(f"{name}{seed}")  # noqa: S311
    paths = []
    for number in range(runs):
        seconds = {}
        for strategy in STRATEGIES:
            factor = slower.get(strategy.replace("-", "_"), 1.0) * slower.get("machine", 1.0)
            factor *= 1.0 if strategy.startswith("limit-") else slower.get("every", 1.0)
            seconds[strategy] = factor * chance.lognormvariate(0, noise)
        paths.append(write_run(folder / f"{name}-{number:03}.json", made_run(seconds, number)))
    return paths


def write_run(path: Path, content: dict[str, Any]) -> str:
    """Write a made run; gives the path as the command line takes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return str(path)
