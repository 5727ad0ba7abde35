"""How far the verdict of `make ab` can be trusted on this machine: `python -m results.calibrate`.

Takes pairs of processes of the same code in lockstep: in quiet, and beside a noisy neighbour that it starts
(neighbour.py); and a few with work planted in one side (planted.py). It resamples whole pairs, with
replacement, to measurements of 2, 5 and 10 minutes, judges each as `make ab` does, and counts. Planted work
of any size is added to the ratios of unchanged pairs, log(1.08) for 8 %; the pairs with really planted work
show whether their ratios scatter as much as unchanged ones. Some sets measure strategies, others ways
to answer requests; of these, throughput and p95 are judged apart.

Pairs are kept in .ab/calibration, and each set of them, when it is complete, as JSON in
results/gate/calibration: a second call goes on, names choose sets, `--report` counts only. `--check` takes
three minutes: what could be found here, now?
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

from benchmarks.against.ab import REQUESTS, ROUNDS, with_defaults
from benchmarks.against.lockstep import take_pair
from benchmarks.against.neighbour import noisy_neighbour
from benchmarks.against.sides import ROOT, SideError, this_side
from results.gate.resampling import report, report_planted, series_of, values_of, words
from results.gate.rule_for_pairs import ALPHA_OF_A_LOOK, MINUTES, findable
from results.gate.statistics import location
from results.gate.verdicts import ALPHA, percent
from results.saved.history import HistoryError, SavedRun
from results.saved.pairs import KEPT, pairs_in, read_pairs, seconds_of

STORAGE = ROOT / "results" / "gate" / "calibration"
CHECK_MINUTES = 3.0


@dataclass(frozen=True, kw_only=True)
class Set:
    """Pairs that are taken under the same conditions."""

    name: str
    pairs: int
    has_neighbour: bool = False
    plant: str = ""
    unchanged: str = ""  # the set under the same conditions with nothing planted
    options: tuple[str, ...] = ()  # of the suite


SETS = (
    Set(name="quiet", pairs=40),
    Set(name="neighbour", pairs=40, has_neighbour=True),
    Set(name="quiet-threads-8", pairs=10, plant="threads:8", unchanged="quiet"),
    Set(name="requests-quiet", pairs=30, options=(REQUESTS,)),
    Set(name="requests-neighbour", pairs=30, options=(REQUESTS,), has_neighbour=True),
    Set(
        name="requests-quiet-kept-10",
        pairs=10,
        options=(REQUESTS,),
        plant="kept:10",
        unchanged="requests-quiet",
    ),
    Set(
        name="requests-neighbour-kept-10",
        pairs=10,
        options=(REQUESTS,),
        has_neighbour=True,
        plant="kept:10",
        unchanged="requests-neighbour",
    ),
)


def take(chosen: Set, folder: Path) -> None:
    """Take the pairs of this set that are not there yet.

    Raises:
        SideError: if a side fails.
    """
    sides, options = (this_side("A"), this_side("B", chosen.plant)), with_defaults(chosen.options)
    while (number := len(pairs_in(folder))) < chosen.pairs:
        with _conditions(chosen, number):
            take_pair(sides, folder, ROUNDS, options)
        _say(f"{chosen.name}: {number + 1} of {chosen.pairs} pairs")


def _conditions(chosen: Set, number: int) -> AbstractContextManager[None]:
    return noisy_neighbour(number) if chosen.has_neighbour else nullcontext()


def gather(chosen: Set, folder: Path) -> dict[str, Any]:
    """The file of a set: every round of every pair."""
    pairs = [
        {"seconds": seconds_of(path), "A": _rounds(a), "B": _rounds(b)}
        for path, (a, b) in zip(pairs_in(folder), read_pairs(folder), strict=True)
    ]
    run = json.loads((pairs_in(folder)[0] / "A.json").read_text())
    info = run["benchmarks"][0]["extra_info"]
    about = {"set": chosen.name, "planted": chosen.plant, "began": run["datetime"][:10]}
    return {**about, "machine": info["machine"], "software": info["software"], "pairs": pairs}


def _rounds(run: SavedRun) -> dict[str, list[float]]:
    return {name: [round(x, 5) for x in record.rounds] for name, record in run.benchmarks.items()}


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
    names = [chosen.name for chosen in SETS]
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"only these: {', '.join(names)}")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--report", action="store_true", help="only count what is kept")
    only.add_argument("--check", action="store_true", help="three minutes: what could be found here, now?")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.sets) - set(names):
        parser.error(f"there is no set {min(unknown)}: choose from {', '.join(names)}")
    wanted = [chosen for chosen in SETS if chosen.name in (arguments.sets or names)]
    try:
        if arguments.check:
            print("\n".join(check()))  # noqa: T201
            return 0
        for chosen in () if arguments.report else wanted:
            folder = KEPT / "calibration" / chosen.name
            take(chosen, folder)
            STORAGE.mkdir(exist_ok=True)
            (STORAGE / f"{chosen.name}.json").write_text(json.dumps(gather(chosen, folder)) + "\n")
    except (SideError, HistoryError) as error:
        _say(f"error: {error}")
        return 2
    kept = {path.stem: json.loads(path.read_text()) for path in sorted(STORAGE.glob("*.json"))}
    for chosen in wanted:
        if one := kept.get(chosen.name):
            lines = report_planted(one, kept.get(chosen.unchanged)) if chosen.plant else report(one)
            print("\n".join(lines))  # noqa: T201
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
