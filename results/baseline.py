"""Named baselines: runs that were declared good on purpose.

    python -m results.baseline promote NAME RUN...     python -m results.baseline list
    python -m results.baseline show NAME

A baseline is one file, results/baselines/NAME.json, with copies of its runs. No run becomes one by itself; a
name that is taken is replaced only with --replace; and a run with an unproven benchmark is refused.
"""

import argparse
import sys
from pathlib import Path

from results.saved.baselines import describe, names_in, promote
from results.saved.history import STORAGE, HistoryError


def main(argv: list[str]) -> int:
    """Run one of the three commands; returns the exit status."""
    arguments = _arguments(argv)
    try:
        if arguments.command == "promote":
            lines = promote(arguments.name, arguments.runs, arguments.storage, replace=arguments.replace)
        elif arguments.command == "show":
            lines = describe(arguments.name, arguments.storage)
        else:
            none = ["no baselines yet: python -m results.baseline promote NAME RUN..."]
            lines = names_in(arguments.storage) or none
    except HistoryError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    print("\n".join(lines))  # noqa: T201
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m results.baseline", description=__doc__.splitlines()[0])
    parser.add_argument("--storage", type=Path, default=STORAGE, help="default: results/")
    commands = parser.add_subparsers(dest="command", required=True)
    promoting = commands.add_parser("promote", help="declare runs a baseline")
    promoting.add_argument("name")
    promoting.add_argument("runs", nargs="+", help="files, globs, or numbers in the storage")
    promoting.add_argument("--replace", action="store_true", help="the name is taken, and that is meant")
    commands.add_parser("list", help="the names")
    commands.add_parser("show", help="what is in one").add_argument("name")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
