"""Saved runs: where they are, and what is read of them."""

import glob
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from results.saved.identity import PARTS

STORAGE = Path(__file__).parent.parent
BASELINES = STORAGE / "baselines"


class HistoryError(Exception):
    """There is nothing to read, or it is no history of this suite; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One benchmark of one run."""

    name: str  # such as "threads", or "threads 2x1 on hevc": what is the same thing in two runs
    kind: str  # "strategy", "peer" or "limit"
    strategy: str
    seconds: float  # the run's value: the median of its rounds
    rounds: tuple[float, ...]  # seconds, in the order in which they were taken
    cpu_seconds: float | None
    frames: int
    proven: bool
    identity: dict[str, Any]  # {"work": .., "machine": .., "software": .., "workers": ..}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One saved run."""

    source: str
    moment: str  # when, as pytest-benchmark writes it
    commit: str | None
    samples: dict[str, Sample]


def find_files(names: Iterable[str], storage: Path = STORAGE) -> list[Path]:
    """The history files that these names stand for.

    A name is a file, a folder, a glob, a named baseline, or the beginning of a file's name in the storage (as
    in --benchmark-compare=0001).

    Raises:
        HistoryError: if a name stands for nothing.
    """
    found: list[Path] = []
    for name in names:
        files = _files(name, storage)
        if not files:
            raise HistoryError(f"{name}: no such history; give a file, a glob, a baseline's name or a number")
        found += files
    return list(dict.fromkeys(path.resolve() for path in found))


def _files(name: str, storage: Path) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        return sorted(path.glob("*.json"))
    matched = sorted(Path(match) for match in glob.glob(name))  # noqa: PTH207  Path.glob takes no absolute one
    baseline = storage / "baselines" / f"{name}.json"
    if matched or baseline.is_file():
        return matched or [baseline]
    return sorted(storage.glob(f"[!.]*/{name}*.json")) if "/" not in name else []


def load(names: Iterable[str], say: Callable[[str], None], storage: Path = STORAGE) -> list[Run]:
    """Read the runs that these names stand for, oldest first; a damaged file is named and left out.

    Raises:
        HistoryError: if a name stands for nothing, or no file could be read.
    """
    runs = [run for path in find_files(names, storage) for run in _read_file(path, say)]
    if not runs:
        raise HistoryError("none of the files could be read as a history of this suite")
    return sorted(runs, key=lambda run: run.moment)


def _read_file(path: Path, say: Callable[[str], None]) -> list[Run]:
    try:
        content = json.loads(path.read_text())
        return [read_run(run, path.stem) for run in content.get("runs", [content])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        say(f"{path.name} is left out: it is damaged, or no history of this suite ({error!r})")
        return []


def read_run(content: dict[str, Any], source: str) -> Run:
    """Read one saved run; raises KeyError, TypeError or ValueError where it is none."""
    samples = [_sample(entry) for entry in content["benchmarks"]]
    return Run(
        source=source,
        moment=str(content.get("datetime", "")),
        commit=(content.get("commit_info") or {}).get("id"),
        samples={sample.name: sample for sample in samples},
    )


def _sample(entry: dict[str, Any]) -> Sample:
    info, rounds = entry["extra_info"], entry["stats"].get("data") or [entry["stats"]["median"]]
    seconds = float(median(rounds))
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"a time of {seconds} s")
    strategy = str(info["strategy"])
    kind = "limit" if strategy.startswith("limit-") else "peer" if info.get("is_peer") else "strategy"
    cost = info.get("cost") or {}
    return Sample(
        name=name_of(info),
        kind=kind,
        strategy=strategy,
        seconds=seconds,
        rounds=tuple(map(float, rounds)),
        cpu_seconds=cost.get("cpu_seconds"),
        frames=int(info["frames"]),
        proven=kind == "limit" or bool(info.get("proof")),
        identity={part: info[part] for part in PARTS}
        | {"workers": info["workers"], "interleaved": info.get("interleaved", False)},
    )


def name_of(info: dict[str, Any]) -> str:
    """What tells one benchmark of a run from another."""
    workload = info.get("workload", "default")
    setting = f" {info['workers']}x{info['ffmpeg_threads']}" if "ffmpeg_threads" in info else ""
    return f"{info['strategy']}{setting}" + (f" on {workload}" if workload != "default" else "")
