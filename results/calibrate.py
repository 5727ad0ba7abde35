"""How far the gate can be trusted on this machine: `python -m results.calibrate`.

Takes runs of a small workload, all of the same code, and among them runs with planted work (see
benchmarks/harness/planted.py); then forms comparisons from them and counts. A comparison is formed as
`make ab` takes its runs: from a random stretch of consecutive runs, split at random into sides of equal size
(the comparisons are resampled, so they share runs). For planted work, the other side is the planted runs of
the same time.

Finished runs are kept in .ab/calibration: a second call goes on, or only counts.
"""

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from results.ab import KEPT, ROOT
from results.history import Run, read_run
from results.statistics import spread
from results.verdict import ALPHA, TOGETHER, compare

SAME = "same"
PLANTS = ("threads:15", "threads:25", "all:15", "all:25")
WORKLOAD = ("--interleave", "--workload", "h264", "--loops", "2", "--rounds", "5", "--warmup-rounds", "1")
CHOSEN = ("-k", "test_decode and (sequential or threads) and not ffmpeg or limit-all-frames")
DRAWS = 2000
NAIVE = 1.10  # --benchmark-compare-fail=median:10%


def schedule(same: int, planted: int) -> list[str]:
    """Which kind of run comes when: the planted ones spread evenly among the others."""
    moments = [((n + 0.5) / same, SAME) for n in range(same)]
    moments += [((n + 0.5) / planted, plant) for plant in PLANTS for n in range(planted)]
    return [kind for _, kind in sorted(moments)]


def take(kinds: Sequence[str], folder: Path) -> None:
    """Take the runs that are not there yet, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, kind in enumerate(kinds):
        target = folder / f"{number:03}-{kind.replace(':', '-')}.json"
        if target.exists():
            continue
        print(f"run {number + 1} of {len(kinds)}: {kind}", file=sys.stderr, flush=True)  # noqa: T201
        part = target.with_suffix(".part")
        plugin = () if kind == SAME else ("-p", "benchmarks.harness.planted")
        command = [sys.executable, "-m", "pytest", *plugin, "benchmarks/test_speed.py", "--benchmark-only"]
        done = subprocess.run(
            [*command, *WORKLOAD, *CHOSEN, f"--benchmark-json={part}"],
            cwd=ROOT,
            env={**os.environ, "PLANT": kind},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"a run failed: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
        part.rename(target)


def false_alarms(runs: list[Run], each: int, draws: int) -> tuple[int, int]:
    """How many verdicts on unchanged code are "slower", and of how many."""
    chance, slower, judged = random.Random(SAME), 0, 0  # noqa: S311
    for _ in range(draws):
        start = chance.randrange(len(runs) - 2 * each + 1)
        mixed = chance.sample(runs[start : start + 2 * each], 2 * each)
        verdicts = compare(mixed[:each], mixed[each:]).verdicts
        judged += len(verdicts)
        slower += sum(verdict.word == "slower" for verdict in verdicts)
    return slower, judged


def found(same: list[Run], planted: list[Run], name: str, each: int, draws: int) -> int:
    """In how many comparisons planted work is called "slower" by the verdict of this name."""
    chance, slower = random.Random(name), 0  # noqa: S311
    for _ in range(draws):
        slow = chance.sample(planted, each)
        near = sorted(same, key=lambda run: min(abs(_number(run) - _number(s)) for s in slow))[: 3 * each]
        verdicts = {
            v.name.partition(" on ")[0]: v.word for v in compare(chance.sample(near, each), slow).verdicts
        }
        slower += verdicts[name] == "slower"
    return slower


def naive_alarms(runs: list[Run]) -> tuple[int, int]:
    """What --benchmark-compare-fail=median:10% makes of each run compared with the one before."""
    pairs = list(pairwise(runs))
    failed = sum(any(_ratio(a, b, name) > NAIVE for name in a.samples) for a, b in pairs)
    return failed, len(pairs)


def _ratio(before: Run, after: Run, name: str) -> float:
    return after.samples[name].seconds / before.samples[name].seconds


def _number(run: Run) -> int:
    return int(run.source.partition("-")[0])  # in the order in which the runs were taken


def report(folder: Path, each: int, draws: int = DRAWS) -> list[str]:
    """The figures, from the runs that there are."""
    by_kind: dict[str, list[Run]] = {}
    for path in sorted(folder.glob("*.json")):
        by_kind.setdefault(path.stem[4:], []).append(read_run(json.loads(path.read_text()), path.stem))
    same = by_kind.get(SAME, [])
    lines = [f"{len(same)} runs of the same code; comparisons of {each} runs with {each}, alpha {ALPHA}"]
    for name in same[0].samples:
        logs = [run.samples[name].seconds for run in same]
        lines.append(f"  spread between runs, {name}: {spread(logs) / sorted(logs)[len(logs) // 2]:.1%}")
    lines.append("false alarms: {} of {} verdicts slower".format(*false_alarms(same, each, draws)))
    lines.append("median:10% on each run against the one before: {} of {} fail".format(*naive_alarms(same)))
    for plant in PLANTS:
        name, _, percent = plant.partition(":")
        planted = by_kind.get(plant.replace(":", "-"), [])
        if len(planted) >= each:
            count = found(same, planted, TOGETHER if name == "all" else name, each, draws)
            lines.append(f"planted +{percent}% in {name}: found in {count} of {draws}")
    return lines


def main(argv: list[str]) -> int:
    """Take the runs and print the figures; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m results.calibrate", description=__doc__.splitlines()[0])
    parser.add_argument("--same", type=int, default=60, help="runs of the same code (default: 60)")
    parser.add_argument("--planted", type=int, default=14, help="runs of each planted slowdown (default: 14)")
    parser.add_argument("--each", type=int, default=6, help="runs on each side of a comparison (default: 6)")
    arguments = parser.parse_args(argv)
    folder = KEPT / "calibration"
    take(schedule(arguments.same, arguments.planted), folder)
    print("\n".join(report(folder, arguments.each)))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
