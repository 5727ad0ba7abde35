"""Saved runs: where they are, and what is read of them."""

import glob
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results.saved.rates import records_of
from results.schema import Record

STORAGE = Path(__file__).parent.parent
BASELINES = "baselines"  # the folder of the storage that holds named ones
NO_RUNS = (BASELINES, "calibration")  # folders whose files are not found by number; the second before 0.3
# What reading raises, and what is made of it, where a file is damaged or of something else.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


class HistoryError(Exception):
    """There is nothing to read, or it is no history of this suite; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class SavedRun:
    """One saved run."""

    source: str
    moment: str  # when, as pytest-benchmark writes it
    commit: str | None
    branch: str | None
    benchmarks: Mapping[str, Record]  # those that were timed, by name
    untimed: Sequence[str]  # strategies that failed

    @property
    def records(self) -> list[Record]:
        """Each benchmark once, though two things may be judged of it: with its time, if that is one."""
        found: dict[str, Record] = {}
        for record in self.benchmarks.values():
            found.setdefault(record.name, record)
        return list(found.values())


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
    baseline = storage / BASELINES / f"{name}.json"
    if matched or baseline.is_file():
        return matched or [baseline]
    return files_in(storage, name) if "/" not in name else []


def files_in(storage: Path, name: str = "") -> list[Path]:
    """The runs of the storage whose file names begin so, without the copies in named baselines."""
    return [p for p in sorted(storage.glob(f"[!.]*/{name}*.json")) if p.parent.name not in NO_RUNS]


def load(names: Iterable[str], say: Callable[[str], None], storage: Path = STORAGE) -> list[SavedRun]:
    """Read the runs that these names stand for, oldest first; a damaged file is named and left out.

    Raises:
        HistoryError: if a name stands for nothing, or no file could be read.
    """
    runs: list[SavedRun] = []
    for path in find_files(names, storage):
        try:
            runs += read_file(path)
        except HistoryError as error:  # noqa: PERF203  every file may be damaged
            say(f"{path.name} is left out: {error}")
    if not runs:
        raise HistoryError("none of the files could be read as a history of this suite")
    return sorted(runs, key=lambda run: run.moment)


def read_file(path: Path) -> list[SavedRun]:
    """The run of a file, or the runs of a named baseline.

    Raises:
        HistoryError: if it is none; the message does not name the file.
    """
    try:
        content = json.loads(path.read_bytes())
        return [read_run(run, path.stem) for run in content.get("runs", [content])]
    except UNREADABLE as error:
        raise HistoryError(f"it is damaged, or no history of this suite ({error!r:.200})") from error


def read_run(content: Mapping[str, Any], source: str) -> SavedRun:
    """Read one saved run.

    Raises:
        one of UNREADABLE: if it is none.
    """
    records, commit = records_of(content["benchmarks"]), content.get("commit_info") or {}
    timed = {name: one for record in records if record.times for name, one in record.judged.items()}
    if any(record.identity is None for record in timed.values()):
        raise ValueError("it does not say what was measured")
    return SavedRun(
        source=source,
        moment=str(content.get("datetime", "")),
        commit=commit.get("id"),
        branch=commit.get("branch"),
        benchmarks=timed,
        untimed=[record.strategy for record in records if not record.times],
    )
