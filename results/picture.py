"""Draw one picture of saved runs, without a browser.

    python -m results.picture run|scaling|history [RUN...] --output FILE.svg|.png

RUN is named as in results.verdict; without any, all of the storage. `run` and `scaling` show the newest run
that has something to show, `history` all of them: one benchmark, the fastest of the newest run unless
--benchmark names another. Exit status: 0, or 2 if there is nothing to draw or the file cannot be written.
"""

import argparse
import sys
from pathlib import Path

from results.page.picture import draw
from results.saved.history import STORAGE, HistoryError

FORMS = (".svg", ".png")


def main(argv: list[str]) -> int:
    """Write the picture; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m results.picture", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "scaling", "history"))
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="files, folders, globs, or names in the storage"
    )
    parser.add_argument("--output", type=Path, required=True, help="a file whose name ends in .svg or .png")
    parser.add_argument("--workload", help="default: the first of the run")
    parser.add_argument("--benchmark", help="of the history")
    parser.add_argument("--storage", type=Path, default=STORAGE, help="default: results/")
    arguments = parser.parse_args(argv)
    if arguments.output.suffix not in FORMS:
        parser.error(f"{arguments.output}: give a name that ends in .svg or .png")
    try:
        draw(arguments)
    except HistoryError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
