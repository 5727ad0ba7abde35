"""Print the table of a grid of requests: python -m results.grid FILE.json [--lowest N]."""

import argparse
import json
import sys
from pathlib import Path

from results.told.grid import grid_rows, ratio, request_in_words
from results.told.tables import markdown_table


def main(argv: list[str] | None = None) -> int:
    """Print the table, and the cells in which ours is slowest."""
    parser = argparse.ArgumentParser(description="Print the table of a grid of requests.")
    parser.add_argument("file", type=Path, help="what benchmarks.grid has saved")
    parser.add_argument("--lowest", type=int, default=5, help="so many cells are listed (default: 5)")
    options = parser.parse_args(argv)
    try:
        cells = json.loads(options.file.read_text())["cells"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        parser.error(
            f"{options.file} is no grid ({error}): make one by python -m benchmarks.grid --save FILE"
        )
    lines = markdown_table(grid_rows(cells))
    for cell in sorted(cells, key=ratio)[: options.lowest]:
        lines.append(f"{ratio(cell):.3f}x {request_in_words(cell)}, {len(cell['ours'])} pairs")
    print("\n".join(lines))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
