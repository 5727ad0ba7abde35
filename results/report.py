"""The table of one run, from its benchmarks; run as a program, from a saved history file.

`python -m results.report FILE.json` prints the table of that file, `--markdown` as the README shows it.
"""

import argparse
import json
import sys
import textwrap
from pathlib import Path

from results.identity import Entry

BASELINE = "sequential"
COLUMNS = (
    "strategy", "median ± std s", "frames/s", "speed-up", "limit", "CPU s", "peak GB", "decoded", "proof",
)  # fmt: skip
LEGEND = (
    "speed-up: over sequential; limit: share of FFmpeg's speed on the same packets, nothing converted",
    "or kept; CPU s, peak GB: of all processes, in the untimed pass; decoded: of the file's packets.",
)


def add_rates(entries: list[Entry]) -> None:
    """Fill in what needs the medians: frames_per_second, speedup over `sequential`, and of_limit.

    They go into `extra_info` in place, and a second call changes nothing. Where this run has not measured
    `sequential` or the limit, the figure is None.
    """
    medians = {e["extra_info"]["strategy"]: e["stats"]["median"] for e in entries if _is_timed(e)}
    baseline = medians.get(BASELINE)
    for entry in filter(_is_timed, entries):
        info, median = entry["extra_info"], entry["stats"]["median"]
        info["frames_per_second"] = info["frames"] / median
        info["speedup"] = baseline / median if baseline else None
        limit = medians.get(info.get("limit"))
        info["of_limit"] = limit / median if limit else None


def table(entries: list[Entry]) -> list[str]:
    """The lines of the table and what there is to say of its rows, at most 100 characters wide."""
    add_rates(entries)
    rows = [COLUMNS, *map(_row, entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
    return [*lines, *LEGEND, *_notes(entries)]


def markdown_table(entries: list[Entry]) -> list[str]:
    """The rows of the same table in Markdown."""
    add_rates(entries)
    ruler = ("---", *["---:"] * (len(COLUMNS) - 2), "---")
    return ["| " + " | ".join(row) + " |" for row in (COLUMNS, ruler, *map(_row, entries))]


def _notes(entries: list[Entry]) -> list[str]:
    """Which strategies fell back, and why."""
    fallen = {e["extra_info"]["strategy"]: e["extra_info"].get("fallback") for e in entries}
    notes = [f"{strategy} fell back, not pruned: {reason}" for strategy, reason in fallen.items() if reason]
    return [line for note in notes for line in textwrap.wrap(note, 100)]


def _is_timed(entry: Entry) -> bool:
    return bool(entry.get("stats")) and "strategy" in entry.get("extra_info", {})


def _row(entry: Entry) -> tuple[str, ...]:
    info = entry["extra_info"]
    proof = ("fell back" if "fallback" in info else "exact") if info.get("proof") else "FAILED"
    if info["strategy"].startswith("limit-"):
        proof = "-"
    cells = [info["strategy"], "not timed", "-", "-", "-"]
    if _is_timed(entry):
        stats = entry["stats"]
        cells[1] = f"{stats['median']:.3f} ± {stats['stddev']:.3f}"
        cells[2] = f"{info['frames_per_second']:.0f}"
        cells[3] = f"{info['speedup']:.2f}x" if info["speedup"] else "-"
        cells[4] = f"{info['of_limit']:.0%}" if info.get("of_limit") else "-"
    cost, packets = info.get("cost"), info.get("packets")
    cells.append(f"{cost['cpu_seconds']:.2f}" if cost else "-")
    cells.append(f"{cost['peak_bytes'] / 1e9:.2f}" if cost else "-")
    cells.append(f"{packets['decoded'] / packets['in_file']:.0%}" if packets else "-")
    return (*cells, proof)


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
