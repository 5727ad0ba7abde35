"""How far the verdict of `make ab` can be trusted on this machine: `python -m results.calibrate`.

Takes pairs of processes of the same code in lockstep: in quiet, and beside a noisy neighbour that it starts
(neighbour.py); and a few with work planted in one side (planted.py). It resamples whole pairs, with
replacement, to measurements of 2, 5 and 10 minutes, judges each as `make ab` does, and counts. Planted work
of any size is added to the ratios of unchanged pairs, log(1.08) for 8 %; the pairs with really planted work
show whether their ratios scatter as much as unchanged ones.

Pairs are kept in .ab/calibration, and each set of them, when it is complete, as JSON in
results/gate/calibration: a second call goes on, `--report` counts only. `--check` takes three minutes: what
could be found here, now?
"""

import argparse
import json
import shutil
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.against.ab import ROUNDS, with_defaults
from benchmarks.against.lockstep import take_pair
from benchmarks.against.neighbour import noisy_neighbour
from benchmarks.against.sides import ROOT, SideError, this_side
from results.gate.resampling import report, report_planted, series_of, values_of, words
from results.gate.rule_for_pairs import ALPHA_OF_A_LOOK, MINUTES, findable
from results.gate.statistics import location
from results.gate.verdicts import ALPHA, percent
from results.saved.pairs import KEPT, pairs_in, seconds_of

STORAGE = ROOT / "results" / "gate" / "calibration"
CHECK_MINUTES = 3.0


@dataclass(frozen=True, kw_only=True)
class Set:
    """Pairs that are taken under the same conditions."""

    name: str
    pairs: int
    has_neighbour: bool = False
    plant: str = ""


SETS = (
    Set(name="quiet", pairs=40),
    Set(name="neighbour", pairs=40, has_neighbour=True),
    Set(name="quiet-threads-8", pairs=10, plant="threads:8"),
)


def take(chosen: Set, folder: Path) -> None:
    """Take the pairs of this set that are not there yet.

    Raises:
        SideError: if a side fails.
    """
    sides, options = (this_side("A"), this_side("B", chosen.plant)), with_defaults([])
    while (number := len(pairs_in(folder))) < chosen.pairs:
        with _conditions(chosen, number):
            take_pair(sides, folder, ROUNDS, options)
        _say(f"{chosen.name}: {number + 1} of {chosen.pairs} pairs")


def _conditions(chosen: Set, number: int) -> AbstractContextManager[None]:
    return noisy_neighbour(number) if chosen.has_neighbour else nullcontext()


def gather(chosen: Set, folder: Path) -> dict[str, Any]:
    """The file of a set: every round of every pair."""
    pairs = []
    for path in pairs_in(folder):
        runs = {letter: json.loads((path / f"{letter}.json").read_text()) for letter in "AB"}
        sides = {letter: _rounds(run) for letter, run in runs.items()}
        pairs.append({"seconds": seconds_of(path), **sides})
    info = runs["A"]["benchmarks"][0]["extra_info"]
    about = {"set": chosen.name, "planted": chosen.plant, "began": runs["A"]["datetime"][:10]}
    return {**about, "machine": info["machine"], "software": info["software"], "pairs": pairs}


def _rounds(run: dict[str, Any]) -> dict[str, list[float]]:
    return {
        entry["extra_info"]["strategy"]: [round(seconds, 5) for seconds in entry["stats"]["data"]]
        for entry in run["benchmarks"]
    }


def check() -> list[str]:
    """Three minutes of this code against itself: what could be found on this machine now."""
    sides, options = (this_side("A"), this_side("B")), with_defaults([])
    folder = KEPT / "check"
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier hour
    while sum(map(seconds_of, pairs_in(folder))) < 60 * CHECK_MINUTES:
        take_pair(sides, folder, ROUNDS, options)
        _say(f"pair {len(pairs_in(folder))}, {sum(map(seconds_of, pairs_in(folder))) / 60:.1f} of 3 min")
    pairs = values_of(gather(Set(name="check", pairs=0), folder))
    each = median(map(seconds_of, pairs_in(folder)))
    count = round(60 * MINUTES / each)
    lines = [f"{len(pairs)} pairs of this code against itself, {each:.0f} s each"]
    for name, word in words(pairs, ALPHA).items():
        series = series_of(pairs)[name]
        least = findable(series, ALPHA_OF_A_LOOK, count)
        moved = f"{name}: {word} ({percent(location(series).estimate)})"
        lines.append(f"  {moved}; in ten minutes a change of {percent(least)} is found")
    return lines


def main(argv: list[str]) -> int:
    """Take the pairs and print the figures; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m results.calibrate", description=__doc__.splitlines()[0])
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--report", action="store_true", help="only count what is kept")
    only.add_argument("--check", action="store_true", help="three minutes: what could be found here, now?")
    arguments = parser.parse_args(argv)
    try:
        if arguments.check:
            print("\n".join(check()))  # noqa: T201
            return 0
        for chosen in () if arguments.report else SETS:
            folder = KEPT / "calibration" / chosen.name
            take(chosen, folder)
            STORAGE.mkdir(exist_ok=True)
            (STORAGE / f"{chosen.name}.json").write_text(json.dumps(gather(chosen, folder)) + "\n")
    except SideError as error:
        _say(f"error: {error}")
        return 2
    kept = {path.stem: json.loads(path.read_text()) for path in sorted(STORAGE.glob("*.json"))}
    for one in kept.values():
        lines = report_planted(one, kept["quiet"]) if one["planted"] else report(one)
        print("\n".join(lines))  # noqa: T201
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
