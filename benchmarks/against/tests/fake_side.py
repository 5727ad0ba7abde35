"""Stands in for a side's interpreter in tests: takes turns as the suite does, with chosen times.

    fake_side(folder, "B", {"threads": 1.08}) -> a Side whose rounds of `threads` take 8 % longer

Files in the folder make it misbehave: "die B 5" (before its fifth round), "hang B 5", "wrong B 5", "old B".
What was measured is noted in the folder's file "order".
"""

import json
import random
import socket
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.against.channel import PROTOCOL, Channel
from benchmarks.against.sides import ROOT, Side
from results.tests.made_runs import made_run

NAMES = ("sequential", "threads", "pruned-threads")
SCRIPT = """#!{python}
import sys
sys.path.insert(0, {root!r})
from benchmarks.against.tests.fake_side import act
act({folder!r}, {letter!r}, {factors!r}, {names!r}, sys.argv)
"""


def fake_side(
    folder: Path, letter: str, factors: dict[str, float] | None = None, names: tuple[str, ...] = NAMES
) -> Side:
    """A side that measures nothing."""
    python = folder / f"python-{letter}"
    script = {"python": sys.executable, "root": str(ROOT), "folder": str(folder), "letter": letter}
    python.write_text(SCRIPT.format(**script, factors=factors or {}, names=names))
    python.chmod(0o755)
    return Side(letter=letter, what=f"torchcodec=={letter}", python=python, folder=ROOT)


def processes_of(folder: Path) -> list[int]:
    """Running processes, sides and controllers, whose command line names this folder."""
    found = psutil.process_iter(["cmdline"])
    return [process.pid for process in found if str(folder) in " ".join(process.info["cmdline"] or [])]


def act(folder: str, letter: str, factors: dict[str, float], names: tuple[str, ...], argv: list[str]) -> None:
    """Be that interpreter."""
    here, options = Path(folder), dict(a.split("=", 1) for a in argv if a.startswith("--") and "=" in a)
    if (here / f"old {letter}").exists():
        print("error: unrecognized arguments: --lockstep=3")  # noqa: T201
        sys.exit(4)
    channel = Channel(socket.socket(fileno=int(options["--lockstep"])))
    channel.send(protocol=PROTOCOL, ready=dict.fromkeys(names, 0.1))
    chance, count = random.Random(str(time.time_ns())), 0  # noqa: S311
    rounds: dict[str, list[float]] = {name: [] for name in names}
    while "round" in (order := channel.receive()):
        name, count = order["round"], count + 1
        with (here / "order").open("a") as note:
            note.write(f"{letter} {name}\n")
        _misbehave(here, f"{letter} {count}", channel)
        rounds[name].append(factors.get(name, 1.0) * chance.lognormvariate(0, 0.002))
        channel.send(seconds=rounds[name][-1])
    run = made_run(dict.fromkeys(names, 1.0), software__torchcodec=letter)
    entry: dict[str, Any]
    for entry in run["benchmarks"]:
        entry["stats"]["data"] = rounds[entry["extra_info"]["strategy"]]
    Path(options["--benchmark-json"]).write_text(json.dumps(run))


def _misbehave(here: Path, when: str, channel: Channel) -> None:
    if (here / f"die {when}").exists():
        print("ERROR: TorchCodec has crashed")  # noqa: T201
        sys.exit(3)
    if (here / f"hang {when}").exists():
        time.sleep(60)
    if (here / f"wrong {when}").exists():
        channel.send(failed="threads, in its last round,: sample 3 differs")
        time.sleep(60)


def fake_ab(folder: str, argv: list[str]) -> int:
    """`python -m results.ab` with two such sides; the file "factor" tells how much slower B threads is."""
    from benchmarks.against import ab

    here = Path(folder)
    ab.PAIRS = here / "kept"
    factor = float((here / "factor").read_text()) if (here / "factor").exists() else 1.0

    def prepare(letter: str, what: str) -> Side:  # noqa: ARG001
        return fake_side(here, letter, {"threads": factor} if letter == "B" else {})

    ab.prepare = prepare
    return ab.main(["-a", "torchcodec==A", "-b", "torchcodec==B", *argv])


if __name__ == "__main__":
    sys.exit(fake_ab(sys.argv[1], sys.argv[2:]))
