"""Measure A against B in lockstep on this machine, and give the verdict: `make ab A=torchcodec==0.12.0 B=..`.

A side is a set of requirements ("torchcodec==0.12.0 torch==2.13.0"), installed into an environment of its own
with everything else as pinned; or a git revision of this suite ("rev:main"), with its own pins; or "here",
this environment. A process of each side is started, both prove their strategies, and then they take turns,
round by round, one idle while the other measures (lockstep.py); then two new processes, pair
after pair, until every benchmark is decided or the minutes are spent. Finished pairs are kept in .ab/: after
Ctrl-C, a kill or a failure the same command goes on where it was.

Requests are measured instead where the options name their file, as in

    make ab A=rev:main B=rev:HEAD ARGS="benchmarks/test_requests.py -k clips-closed-1-kept"

Exit status: the verdict's, or 2 if an environment cannot be built or a side fails, or 130 after Ctrl-C.
"""

import argparse
import hashlib
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.against.lockstep import take_pair
from benchmarks.against.sides import Side, SideError, build, this_side
from results.gate.rule_for_pairs import ALPHA_OF_A_LOOK, LEAST_PAIRS, LOOKS, MINUTES, compare_pairs
from results.gate.verdicts import Comparison, percent
from results.saved.history import HistoryError
from results.saved.pairs import KEPT, SIDES, pairs_in, read_pairs, seconds_of
from results.told.comparison import render

ROUNDS = 4  # of each strategy in a pair
PAIRS = KEPT  # where the finished pairs are
WORKLOAD = ("--workload", "h264")  # small: a round takes about a second
CHOSEN = ("-k", "test_decode and (sequential or threads) and not ffmpeg and not stages")  # any side has them
REQUESTS = "benchmarks/test_requests.py"
CHOSEN_OF_REQUESTS = ("-k", "[clips-closed-1-kept] or [clips-closed-1-exactframes]")
HERE = "here"


def prepare(letter: str, what: str) -> Side:
    """The side, built if need be.

    Raises:
        SideError: if it cannot be built.
    """
    if not what.strip():
        raise SideError(f"{letter} is empty: say what to measure, as in torchcodec==0.13.0 or rev:main")
    return this_side(letter) if what == HERE else build(letter, what)


def with_defaults(options: Sequence[str]) -> list[str]:
    """The suite's options, with ab's own workload and benchmarks where they name none."""
    names = {option.partition("=")[0] for option in options}
    if REQUESTS in names:
        return [*(() if "-k" in names or "-m" in names else CHOSEN_OF_REQUESTS), *options]
    workload = () if names & {"--workload", "--video", "--loops", "--sample-fps"} else WORKLOAD
    return [*workload, *(() if "-k" in names or "-m" in names else CHOSEN), *options]


def measure(
    sides: tuple[Side, Side], folder: Path, options: list[str], minutes: float, rounds: int
) -> Comparison:
    """Take pairs until every benchmark is decided, or the minutes are spent; gives the verdict.

    Raises:
        SideError: if a side fails.
        HistoryError: if an earlier pair cannot be read.
    """
    for share in LOOKS:
        while _has_time(folder, 60 * minutes * share):
            take_pair(sides, folder, rounds, options)
            _say(_progress(folder, minutes))
        comparison = compare_pairs(read_pairs(folder), ALPHA_OF_A_LOOK)
        if all(verdict.word != "inconclusive" for verdict in comparison.verdicts):
            break
    return comparison


def _has_time(folder: Path, seconds: float) -> bool:
    """Whether another pair ends in time if it takes as long as the longest so far; a few are always taken."""
    took = [seconds_of(pair) for pair in pairs_in(folder)]
    return len(took) < LEAST_PAIRS or sum(took) + max(took) <= seconds


def _spent(folder: Path) -> float:
    return sum(seconds_of(pair) for pair in pairs_in(folder))


def _progress(folder: Path, minutes: float) -> str:
    verdicts = compare_pairs(read_pairs(folder)).verdicts
    changes = ", ".join(f"{v.name} {percent(v.change)}" for v in verdicts if v.is_under_test)
    return f"{len(pairs_in(folder))} pairs in {_spent(folder) / 60:.1f} of at most {minutes:g} min: {changes}"


def main(argv: list[str]) -> int:
    """Build, measure, judge; returns the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no side is left running
    arguments = _arguments(argv)
    options = with_defaults(arguments.options)
    try:
        sides = (prepare("A", arguments.a), prepare("B", arguments.b))
        folder = _folder(sides, options, arguments.rounds)
        comparison = measure(sides, folder, options, arguments.minutes, arguments.rounds)
    except (SideError, HistoryError) as error:
        _say(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        _say("interrupted: the finished pairs are kept, the same command goes on from there")
        return 130
    print("\n".join(render(comparison)))  # noqa: T201
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(render(comparison, markdown=True)) + "\n")
    done = folder.rename(f"{folder}-{time.strftime('%Y%m%d-%H%M%S')}")  # the same command begins anew
    _say(f"The pairs: .ab/{done.name}")
    return comparison.exit_status


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m results.ab", description=__doc__.splitlines()[0])
    parser.add_argument("-a", required=True, help="requirements, rev:REVISION, or here")
    parser.add_argument("-b", required=True, help="the same")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help=f"of measuring at the most (default: {MINUTES:g})"
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"in each pair of processes (default: {ROUNDS})"
    )
    parser.add_argument("--markdown", type=Path, help="write the verdict there too")
    parser.add_argument("options", nargs="*", help="options of the suite, after --")
    arguments = parser.parse_args(argv)
    if not arguments.minutes > 0:
        parser.error(f"--minutes {arguments.minutes:g}: give a number above 0")
    if arguments.rounds < 2 or arguments.rounds % 2:
        parser.error(f"--rounds {arguments.rounds}: give an even number, so that each side begins as often")
    return arguments


def _folder(sides: tuple[Side, Side], options: list[str], rounds: int) -> Path:
    key = json.dumps([[str(side.python), str(side.folder)] for side in sides] + [[*options, str(rounds)]])
    folder = PAIRS / f"pairs-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SIDES).write_text(json.dumps({side.letter: side.what for side in sides}), encoding="utf-8")
    return folder


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
