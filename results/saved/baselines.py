"""Named baselines: runs that were declared good on purpose.

    python -m results.baseline promote NAME RUN...     python -m results.baseline list
    python -m results.baseline show NAME

A baseline is one file, results/baselines/NAME.json, with copies of its runs. No run becomes one by itself; a
name that is taken is replaced only with --replace; and a run with an unproven benchmark is refused.
"""

import argparse
import json
import re
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from results.saved.history import STORAGE, HistoryError, find_files, load, read_run
from results.saved.identity import clashes, software_changes
from results.saved.saving import write_atomically


def promote(name: str, runs: list[str], storage: Path, *, replace: bool) -> list[str]:
    """Make these runs the baseline of this name; gives what there is to say.

    Raises:
        HistoryError: if the name is taken or no name, or a run cannot be read, is unproven, or is of another
            work, machine or software than the first.
    """
    if not re.fullmatch(r"[A-Za-z][\w.-]*", name):
        raise HistoryError(
            f"{name}: a baseline's name begins with a letter and has letters, digits, . _ and -"
        )
    target = storage / "baselines" / f"{name}.json"
    if target.exists() and not replace:
        raise HistoryError(f"there is a baseline {name} already: give another name, or --replace")
    contents = [_read(path) for path in find_files(runs, storage)]
    advice = _advice(contents)
    target.parent.mkdir(parents=True, exist_ok=True)
    moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
    write_atomically(target, json.dumps({"name": name, "promoted": moment, "runs": contents}, indent=1))
    return [f"baseline {name}: {len(contents)} run{'s' * (len(contents) > 1)}", *advice]


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        run = read_run(content, path.stem)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HistoryError(f"{path.name} is damaged, or no history of this suite ({error!r})") from error
    unproven = [sample.name for sample in run.samples.values() if not sample.proven]
    if unproven or not run.samples:
        what = f"{', '.join(unproven)} has no proof" if unproven else "it has no benchmarks"
        raise HistoryError(f"{path.name} cannot be a baseline: {what}")
    return content


def _advice(contents: list[dict[str, Any]]) -> list[str]:
    runs = [read_run(content, "") for content in contents]
    for run in runs[1:]:
        for name in [name for name in run.samples if name in runs[0].samples]:
            sides = [[runs[0].samples[name].identity], [run.samples[name].identity]]
            mixed = clashes(sides[0], sides[1]) or software_changes(sides[0], sides[1])
            if mixed:
                raise HistoryError(f"the runs are not of one kind: {name}, {mixed[0]}")
    few = "fewer than 5 runs can never decide that something is slower: promote more"
    return [few] if len(runs) < 5 else []


def describe(name: str, storage: Path) -> list[str]:
    """A baseline's runs, and each benchmark's seconds in them."""
    said: list[str] = []
    runs = load([str(storage / "baselines" / f"{name}.json")], said.append, storage)
    lines = [f"{name}: {len(runs)} runs, {runs[0].moment[:19]} to {runs[-1].moment[:19]}", *said]
    for sample in runs[0].samples.values():
        seconds = [run.samples[sample.name].seconds for run in runs if sample.name in run.samples]
        lines.append(f"  {sample.name:<24} {min(seconds):.3f} to {max(seconds):.3f} s")
    return lines


def main(argv: list[str], storage: Path = STORAGE) -> int:
    """Run one of the three commands; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m results.baseline", description=__doc__.splitlines()[0])
    parser.add_argument("--storage", type=Path, default=storage, help="default: results/")
    commands = parser.add_subparsers(dest="command", required=True)
    promoting = commands.add_parser("promote", help="declare runs a baseline")
    promoting.add_argument("name")
    promoting.add_argument("runs", nargs="+", help="files, globs, or numbers in the storage")
    promoting.add_argument("--replace", action="store_true", help="the name is taken, and that is meant")
    commands.add_parser("list", help="the names")
    commands.add_parser("show", help="what is in one").add_argument("name")
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "promote":
            lines = promote(arguments.name, arguments.runs, arguments.storage, replace=arguments.replace)
        elif arguments.command == "show":
            lines = describe(arguments.name, arguments.storage)
        else:
            names = sorted(path.stem for path in arguments.storage.glob("baselines/*.json"))
            lines = names or ["no baselines yet: python -m results.baseline promote NAME RUN..."]
    except HistoryError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    print("\n".join(lines))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
