"""The table of one run, from its benchmarks; run as a program, from a saved history file.

`python -m results.report FILE.json` prints the table of that file, `--markdown` as the README shows it.
"""

import argparse
import json
import sys
from pathlib import Path

from results.identity import Entry

BASELINE = "sequential"
COLUMNS = ("strategy", "median ± std [s]", "frames/s", "speed-up", "proof")


def add_rates(entries: list[Entry]) -> None:
    """Fill in what needs the median: frames_per_second, and speedup over this run's `sequential`.

    Both go into `extra_info` in place, and a second call changes nothing. Without `sequential` in the
    run, speedup is None.
    """
    medians = {e["extra_info"]["strategy"]: e["stats"]["median"] for e in entries if _is_timed(e)}
    baseline = medians.get(BASELINE)
    for entry in filter(_is_timed, entries):
        info, median = entry["extra_info"], entry["stats"]["median"]
        info["frames_per_second"] = info["frames"] / median
        info["speedup"] = baseline / median if baseline else None


def table(entries: list[Entry]) -> list[str]:
    """The lines of the table, columns aligned, at most 100 characters wide."""
    add_rates(entries)
    rows = [COLUMNS, *map(_row, entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return ["  ".join(_aligned(row, widths)).rstrip() for row in rows]


def markdown_table(entries: list[Entry]) -> list[str]:
    """The same table in Markdown."""
    add_rates(entries)
    ruler = ("---", "---:", "---:", "---:", "---")
    return ["| " + " | ".join(row) + " |" for row in (COLUMNS, ruler, *map(_row, entries))]


def _is_timed(entry: Entry) -> bool:
    return bool(entry.get("stats")) and "strategy" in entry.get("extra_info", {})


def _row(entry: Entry) -> tuple[str, ...]:
    info = entry["extra_info"]
    proof = f"exact, {info['proof']['digest'][:8]}" if info.get("proof") else "FAILED"
    if not _is_timed(entry):
        return (info["strategy"], "not timed", "-", "-", proof)
    stats, speedup = entry["stats"], info["speedup"]
    seconds = f"{stats['median']:.3f} ± {stats['stddev']:.3f}"
    rate = f"{info['frames_per_second']:.0f}"
    return (info["strategy"], seconds, rate, f"{speedup:.2f}x" if speedup else "-", proof)


def _aligned(row: tuple[str, ...], widths: list[int]) -> list[str]:
    left = {0, len(row) - 1}
    return [
        cell.ljust(w) if n in left else cell.rjust(w)
        for n, (cell, w) in enumerate(zip(row, widths, strict=True))
    ]


def main(argv: list[str]) -> int:
    """Print the table of a history file; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m results.report", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="a JSON file that pytest-benchmark has saved")
    parser.add_argument("--markdown", action="store_true", help="as Markdown")
    arguments = parser.parse_args(argv)
    try:
        entries = json.loads(arguments.file.read_text())["benchmarks"]
        lines = (markdown_table if arguments.markdown else table)(entries)
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error(f"{arguments.file} is not a history of this suite ({error}); give a file from results/")
    print("\n".join(lines))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
