"""Measure A against B on this machine, and give the verdict: `make ab A="torchcodec==0.12.0" B=...`.

A side is a set of requirements ("torchcodec==0.12.0 torch==2.13.0"), installed into an environment of its
own with everything else as pinned; or a git revision of this suite ("rev:main"), with its own pins. Whole
runs are taken in the order A B B A, again and again, so that what drifts on the machine hits both sides
alike. Finished runs are kept in .ab/: after Ctrl-C, or a failure, the same command goes on where it was.

Exit status: the verdict's, or 2 if an environment cannot be built or a run fails, or 130 after Ctrl-C.
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from results.history import Run, load
from results.verdict import ALPHA, compare
from results.verdict_table import Comparison, render

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".ab"
REVISION = "rev:"
LOOKS = 3  # how often --minutes looks whether all is decided: each look has a share of alpha


class SideError(Exception):
    """An environment could not be built, or a run in it failed; the message says which and why."""


@dataclass(frozen=True)
class Side:
    """A or B."""

    letter: str
    what: str  # the requirements, or rev:REVISION

    @property
    def home(self) -> Path:
        """Where it is built; a side used before is found there."""
        pins = "" if self.what.startswith(REVISION) else (ROOT / "constraints.txt").read_text()
        return KEPT / hashlib.sha256(f"{self.commit or self.what}\n{pins}".encode()).hexdigest()[:12]

    @property
    def commit(self) -> str:
        """The revision's hash; empty for requirements."""
        if not self.what.startswith(REVISION):
            return ""
        revision = self.what.removeprefix(REVISION)
        asked = ("git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
        if found.returncode:
            raise SideError(f"{self.letter}: git knows no revision {revision!r}")
        return found.stdout.strip()

    @property
    def folder(self) -> Path:
        """The checkout that its runs use."""
        return self.home / "checkout" if self.commit else ROOT

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return (self.folder / ".venv" if self.commit else self.home / "venv") / "bin" / "python"


def build(side: Side) -> None:
    """Build a side's environment, if it is not there.

    Raises:
        SideError: with the last lines of what failed.
    """
    ready = side.home / "ready"
    if ready.exists():
        return
    _say(f"building the environment of {side.letter} ({side.what}) ...")
    log = side.home.with_suffix(".log")
    shutil.rmtree(side.home, ignore_errors=True)
    side.home.mkdir(parents=True)
    if side.commit:
        _step(side, log, "git", "clone", "--quiet", "--no-checkout", str(ROOT), str(side.folder))
        _step(side, log, "git", "-C", str(side.folder), "checkout", "--quiet", "--detach", side.commit)
        _step(side, log, "make", "-C", str(side.folder), "setup")
    else:
        requirements = shlex.split(side.what)
        pins = side.home / "constraints.txt"
        pins.write_text(_pins_without(requirements))
        _step(side, log, sys.executable, "-m", "venv", str(side.home / "venv"))
        install = (str(side.python), "-m", "pip", "install", "--disable-pip-version-check", "-c", str(pins))
        _step(side, log, *install, *requirements, f"{ROOT}[bench]")
    ready.touch()


def _pins_without(requirements: list[str]) -> str:
    """The suite's pins, less those that the requirements pin themselves."""
    names = {_name(requirement) for requirement in requirements}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return "\n".join(line for line in lines if _name(line) not in names) + "\n"


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-")


def _step(side: Side, log: Path, *command: str) -> None:
    with log.open("a") as file:
        done = subprocess.run(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise SideError(f"{side.letter} ({side.what}) could not be built: {_last_words(log)}")


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"(E  |ERROR|FAILED|error)", line)]
    return f"{(telling or lines or ['nothing was said'])[-1]} (all of it: {os.path.relpath(log)})"


def turns() -> Iterator[int]:
    """0 for A and 1 for B: A B B A, A B B A, and so on."""
    while True:
        yield from (0, 1, 1, 0)


def measure(sides: tuple[Side, Side], folder: Path, runs: int, options: list[str]) -> None:
    """Take runs in turns until there are `runs` of each side in the folder.

    Raises:
        SideError: if a run fails.
    """
    counts = [0, 0]
    began, taken = time.monotonic(), 0
    left = 2 * runs - len(list(folder.glob("[AB]-*.json")))
    for turn in turns():
        if min(counts) >= runs:
            return
        if counts[turn] >= runs:
            continue
        counts[turn] += 1
        target = folder / f"{sides[turn].letter}-{counts[turn]:03}.json"
        if target.exists():
            continue
        each = (time.monotonic() - began) / taken if taken else 0.0
        rest = f", about {each * (left - taken) / 60:.0f} min left" if taken else ""
        _say(f"run {sum(counts)} of {2 * runs}: {target.stem} ({sides[turn].what}){rest}")
        _run(sides[turn], target, options)
        taken += 1


def _run(side: Side, target: Path, options: list[str]) -> None:
    log, part = target.with_suffix(".log"), target.with_suffix(".part")
    command = [
        str(side.python),
        "-m",
        "pytest",
        "benchmarks/test_speed.py",
        "--benchmark-only",
        "--interleave",
    ]
    with (
        log.open("w") as file,
        subprocess.Popen(
            [*command, f"--benchmark-json={part}", *options],
            cwd=side.folder,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C comes here alone, and is passed on once
        ) as process,
    ):
        try:
            process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
    if process.returncode or not part.exists():
        raise SideError(f"a run of {side.letter} ({side.what}) failed: {_last_words(log)}")
    part.rename(target)


def judge(folder: Path, alpha: float = ALPHA) -> Comparison:
    """The verdict on the runs that there are."""
    sides: list[list[Run]] = [load([f"{folder}/{letter}-*.json"], _say) for letter in "AB"]
    return compare(sides[0], sides[1], alpha)


def main(argv: list[str]) -> int:
    """Build, measure, judge; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m results.ab", description=__doc__.splitlines()[0])
    parser.add_argument("-a", required=True, help="requirements, or rev:REVISION")
    parser.add_argument("-b", required=True, help="the same")
    parser.add_argument("--runs", type=int, default=6, help="of each side (default: 6; 5 are the least)")
    parser.add_argument("--minutes", type=float, help="go on until all is decided, or so long")
    parser.add_argument("--markdown", type=Path, help="write the verdict there too")
    parser.add_argument("options", nargs="*", help="options of the suite, after --")
    arguments = parser.parse_args(argv)
    if arguments.runs < 5:
        parser.error("--runs: fewer than 5 can never decide that something is slower")
    sides = (Side("A", arguments.a), Side("B", arguments.b))
    try:
        folder = _prepare(sides, arguments.options)
        comparison = _decide(sides, folder, arguments)
    except SideError as error:
        _say(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        _say("interrupted: the finished runs are kept, the same command goes on from there")
        return 130
    print("\n".join(render(comparison)))  # noqa: T201
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(render(comparison, markdown=True)) + "\n")
    return comparison.exit_status


def _prepare(sides: tuple[Side, Side], options: list[str]) -> Path:
    for side in sides:
        build(side)
    key = json.dumps([[str(side.home) for side in sides], options])
    folder = KEPT / f"runs-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _decide(sides: tuple[Side, Side], folder: Path, arguments: argparse.Namespace) -> Comparison:
    began = time.monotonic()
    looks = LOOKS if arguments.minutes else 1
    for look in range(1, looks + 1):
        measure(sides, folder, arguments.runs * look, arguments.options)
        comparison = judge(folder, ALPHA / looks)
        out_of_time = arguments.minutes and time.monotonic() - began > 60 * arguments.minutes
        if out_of_time or comparison.exit_status != 3:
            break
    return comparison


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
