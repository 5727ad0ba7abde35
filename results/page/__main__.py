"""Make the page: one HTML file of all saved runs that opens from disk and asks the network for nothing.

    python -m results.page [RUN...] [--output FILE] [--pairs FOLDER]

A RUN is named as in results.verdict: a file, a folder, a glob, a named baseline, or the beginning of a saved
file's name; without any, the page shows all of the storage, and the newest comparison of make ab.
Exit status: 0, or 2 if there is nothing to show or the file cannot be written.
"""

import argparse
import os
import sys
from pathlib import Path

from results.saved.history import STORAGE, HistoryError
from results.saved.pairs import newest_comparison
from results.saved.saving import write_atomically

OUTPUT = STORAGE / "page.html"
NEEDED = "the page needs altair, jinja2 and vl-convert-python: pip install -e '.[report]' in this checkout"


def main(argv: list[str]) -> int:
    """Write the page; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m results.page", description=__doc__.splitlines()[0])
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="files, folders, globs, or names in the storage"
    )
    parser.add_argument("--output", type=Path, default=OUTPUT, help="default: results/page.html")
    parser.add_argument("--storage", type=Path, default=STORAGE, help="default: results/")
    parser.add_argument(
        "--pairs", type=Path, action="append", metavar="FOLDER", help="of a comparison that make ab has left"
    )
    arguments = parser.parse_args(argv)
    pairs = arguments.pairs or ([] if arguments.runs else newest_comparison())
    try:
        try:
            from results.page.content import gather
            from results.page.writing import html
        except ImportError as error:
            raise HistoryError(f"{NEEDED} ({error})") from error
        content = gather(arguments.runs, pairs, arguments.storage)
        for line in content.odd:
            _say(line)
        write(arguments.output, html(content))
    except HistoryError as error:
        _say(f"error: {error}")
        return 2
    print(f"The page: {os.path.relpath(arguments.output)}")  # noqa: T201
    return 0


def write(output: Path, text: str) -> None:
    """Write the file in one step, readable by all.

    Raises:
        HistoryError: if it cannot be written.
    """
    try:
        write_atomically(output, text)
        output.chmod(0o644)
    except OSError as error:
        where = error.strerror or error
        raise HistoryError(
            f"{output} cannot be written ({where}): give another file with --output"
        ) from error


def _say(text: str) -> None:
    print(text.encode("utf-8", "replace").decode(), file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
