"""Print the table of one run, from a saved history file.

`python -m results.report FILE.json` prints the table, `--markdown` its rows as the README shows them.
"""

import argparse
import json
import sys
from pathlib import Path

from results.saved.history import UNREADABLE
from results.saved.rates import records_of
from results.told.report import table, table_in_markdown


def main(argv: list[str]) -> int:
    """Print the table of a history file; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m results.report", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="a JSON file that pytest-benchmark has saved")
    parser.add_argument("--markdown", action="store_true", help="as Markdown")
    arguments = parser.parse_args(argv)
    try:
        records = records_of(json.loads(arguments.file.read_text())["benchmarks"])
        lines = (table_in_markdown if arguments.markdown else table)(records)
    except UNREADABLE as error:
        parser.error(f"{arguments.file} is not a history of this suite ({error}); give a file from results/")
    print("\n".join(lines))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
