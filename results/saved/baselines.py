"""Named baselines: one file each, results/baselines/NAME.json, with copies of the runs."""

import json
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from results.saved.history import BASELINES, HistoryError, SavedRun, find_files, load, read_file
from results.saved.identity import changes, in_a_sentence
from results.saved.saving import write_atomically


def promote(name: str, runs: list[str], storage: Path, *, replace: bool) -> list[str]:
    """Make these runs the baseline of this name; returns lines to print.

    Raises:
        HistoryError: if the name is taken or no name, or a run cannot be read, is unproven, or is of another
            work, machine or software than the first.
    """
    if not re.fullmatch(r"[A-Za-z][\w.-]*", name):
        raise HistoryError(
            f"{name}: a baseline's name begins with a letter and has letters, digits, . _ and -"
        )
    target = storage / BASELINES / f"{name}.json"
    if target.exists() and not replace:
        raise HistoryError(f"there is a baseline {name} already: give another name, or --replace")
    paths = find_files(runs, storage)
    good = [_read(path) for path in paths]
    _require_one_kind(good)
    target.parent.mkdir(parents=True, exist_ok=True)
    moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
    contents = [json.loads(path.read_text()) for path in paths]
    write_atomically(target, json.dumps({"name": name, "promoted": moment, "runs": contents}, indent=1))
    few = ["fewer than 5 runs can never decide that something is slower: promote more"] * (len(good) < 5)
    return [f"baseline {name}: {len(good)} run{'s' * (len(good) > 1)}", *few]


def _read(path: Path) -> SavedRun:
    """A run that is good enough; a file of several is none."""
    try:
        (run,) = read_file(path)
    except (HistoryError, ValueError) as error:
        raise HistoryError(f"{path.name} cannot be a baseline: {error}") from error
    unproven = [record.name for record in run.benchmarks.values() if not record.is_proven]
    if unproven or not run.benchmarks:
        what = f"{', '.join(unproven)} has no proof" if unproven else "it has no benchmarks"
        raise HistoryError(f"{path.name} cannot be a baseline: {what}")
    return run


def _require_one_kind(runs: Sequence[SavedRun]) -> None:
    first, *others = (run.benchmarks for run in runs)
    for other in others:
        for name in [name for name in other if name in first]:
            mixed = [c for c in changes([first[name]], [other[name]]) if c.is_clash or c.is_of_software]
            if mixed:
                mixed.sort(key=lambda change: change.is_of_software)  # other work says more
                raise HistoryError(f"the runs are not of one kind: {name}, {in_a_sentence(mixed[0])}")


def describe(name: str, storage: Path) -> list[str]:
    """A baseline's runs, and each benchmark's seconds in them."""
    said: list[str] = []
    runs = load([str(storage / BASELINES / f"{name}.json")], said.append, storage)
    lines = [f"{name}: {len(runs)} runs, {runs[0].moment[:19]} to {runs[-1].moment[:19]}", *said]
    for benchmark in runs[0].benchmarks:
        seconds = [run.benchmarks[benchmark].seconds for run in runs if benchmark in run.benchmarks]
        lines.append(f"  {benchmark:<24} {min(seconds):.3f} to {max(seconds):.3f} s")
    return lines


def names_in(storage: Path) -> list[str]:
    """The names of the baselines."""
    return sorted(path.stem for path in storage.glob(f"{BASELINES}/*.json"))
