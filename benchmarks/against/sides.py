"""The sides of A against B: environments that are built, each for its requirements or its revision."""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from results.saved.pairs import KEPT

ROOT = Path(__file__).parent.parent.parent
REVISION = "rev:"
WITH_TORCH = ("nvidia-", "cuda-", "triton")  # what torch itself requires, to the version


class SideError(Exception):
    """An environment could not be built, or a side failed; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """A or B, ready to be measured."""

    letter: str
    what: str  # the requirements, or rev:REVISION, as the user named it
    python: Path  # the interpreter of its environment
    folder: Path  # the checkout whose suite it runs
    options: tuple[str, ...] = ()  # of pytest, for this side alone
    environment: Mapping[str, str] = field(default_factory=dict)  # variables of its own

    def __str__(self) -> str:
        """How messages name it."""
        return f"{self.letter} ({self.what})"


def this_side(letter: str, plant: str = "") -> Side:
    """The environment and the checkout that this very process runs in, with planted work if asked for."""
    return Side(
        letter=letter,
        what=f"planted {plant}" if plant else "this environment",
        python=Path(sys.executable),
        folder=ROOT,
        options=("-p", "benchmarks.against.planted") if plant else (),
        environment={"PLANT": plant} if plant else {},
    )


def build(letter: str, what: str) -> Side:
    """A side for requirements ("torchcodec==0.12.0") or a revision ("rev:main"); built if it is not there.

    Raises:
        SideError: with the last lines of what failed.
    """
    commit = _commit(letter, what)
    pins = "" if commit else (ROOT / "constraints.txt").read_text()
    home = KEPT / hashlib.sha256(f"{commit or what}\n{pins}".encode()).hexdigest()[:12]
    folder = home / "checkout" if commit else ROOT
    python = (folder / ".venv" if commit else home / "venv") / "bin" / "python"
    side = Side(letter=letter, what=what, python=python, folder=folder)
    if not (home / "ready").exists():
        print(f"building the environment of {side} ...", file=sys.stderr, flush=True)  # noqa: T201
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        _build(side, home, commit)
        (home / "ready").touch()
    return side


def _build(side: Side, home: Path, commit: str) -> None:
    if commit:
        _step(side, home, "git", "clone", "--quiet", "--no-checkout", str(ROOT), str(side.folder))
        _step(side, home, "git", "-C", str(side.folder), "checkout", "--quiet", "--detach", commit)
        _step(side, home, "make", "-C", str(side.folder), "setup")
        return
    requirements = shlex.split(side.what)
    pins = home / "constraints.txt"
    pins.write_text(_pins_without(requirements))
    _step(side, home, sys.executable, "-m", "venv", str(home / "venv"))
    install = (str(side.python), "-m", "pip", "install", "--disable-pip-version-check", "-c", str(pins))
    _step(side, home, *install, *requirements, f"{ROOT}[bench]")


def _commit(letter: str, what: str) -> str:
    """The revision's hash; empty for requirements."""
    if not what.startswith(REVISION):
        return ""
    revision = what.removeprefix(REVISION)
    asked = ("git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        raise SideError(f"{letter}: git knows no revision {revision!r}")
    return found.stdout.strip()


def _pins_without(requirements: list[str]) -> str:
    """The suite's pins, less those that the requirements pin themselves, or another torch does."""
    names = {_name(requirement) for requirement in requirements}
    without = WITH_TORCH if "torch" in names else ()
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    kept = [line for line in lines if _name(line) not in names and not line.startswith(without)]
    return "\n".join(kept) + "\n"


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-")


def _step(side: Side, home: Path, *command: str) -> None:
    log = home.with_suffix(".log")
    # A constraint that this machine sets for all of pip's runs would contradict those of a side.
    environment = {**os.environ, "PIP_CONSTRAINT": os.devnull}
    with log.open("a") as file:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise SideError(f"{side} could not be built: {last_words(log)}")


def last_words(log: Path) -> str:
    """The line of a log that best says why it ended."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"(E  |ERROR|FAILED|error)", line)]
    return f"{(telling or lines or ['nothing was said'])[-1]} (all of it: {os.path.relpath(log)})"
