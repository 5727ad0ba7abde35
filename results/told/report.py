"""The table of one run, from its benchmarks; run as a program, from a saved history file.

`python -m results.report FILE.json` prints the table of that file, `--markdown` as the README shows it. A run
of several workloads gives a matrix: a row each, and each strategy's speed-up over `sequential`. A run of
several settings (make bench-scaling) gives a row each, with its efficiency, and rows for more workers than
were measured, which are predicted (scaling_model.py).
"""

import argparse
import json
import re
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

from results.saved.identity import Entry
from results.told.recommendation import (
    BASELINE,
    exact_entries,
    is_timed,
    recommendation,
    set_recommendation,
    settings_of,
    ways_over_all,
)
from results.told.scaling_model import predict

Row = tuple[str, ...]

COLUMNS = (
    "strategy", "median ± std s", "frames/s", "speed-up", "limit", "CPU s", "peak GB", "decoded", "proof",
)  # fmt: skip
LEGEND = (
    "speed-up: over sequential; limit: share of FFmpeg's speed on the same packets, nothing converted",
    "or kept; CPU s, peak GB: of all processes, in the untimed pass; decoded: of the file's packets.",
)
SCALING_COLUMNS = (
    "strategy", "workers", "median ± std s", "speed-up", "efficiency", "CPU s", "peak GB", "proof",
)  # fmt: skip
SCALING_LEGEND = (
    "workers: 2 x 4 are 2 workers of 4 FFmpeg threads each; efficiency: speed-up over the same strategy",
    "on one thread, divided by all threads; CPU s, peak GB: of all processes, in the untimed pass.",
)
PREDICTED_LEGEND = (
    "predicted: not measured, but extrapolated from 1 and 2 workers, as if each worker had a core of its",
    "own and memory kept up: no more than a hint whether a larger machine is worth a trial.",
)
MATRIX_LEGEND = (
    "Speed-up over sequential; limit: FFmpeg on the packets that are needed, nothing converted or kept.",
    "proc.: processes; thr.: threads; *: fell back, not pruned; FAILED: wrong frames, or an error.",
)
LONGEST_NAME = 11  # of a workload, beside heads that say more
SET_LEGEND = (
    *MATRIX_LEGEND[:-1],
    "proc.: processes; thr.: threads; f-, s-, p-: ffmpeg-, shared-, pruned-; *: fell back, not pruned;",
    "FAILED: wrong frames, or an error. across: each worker decodes whole videos, the longest first.",
)
NEEDED = "limit-needed-frames"


def add_rates(entries: list[Entry]) -> None:
    """Fill in what needs the medians: frames_per_second, speedup over `sequential`, of_limit, efficiency.

    They go into `extra_info` in place, and a second call changes nothing. Where this run has not measured
    what a figure is relative to, it is None.
    """
    timed = [entry for entry in entries if is_timed(entry)]
    medians: dict[tuple[str, str], float] = {}
    for entry in sorted(timed, key=_is_scaling, reverse=True):  # what is no scaling row comes last, and stays
        medians[_workload(entry), entry["extra_info"]["strategy"]] = entry["stats"]["median"]
    alone = {
        (_workload(e), e["extra_info"]["strategy"]): e["stats"]["median"]
        for e in timed
        if _is_scaling(e) and settings_of(e) == (1, 1)
    }
    for entry in timed:
        info, median, workload = entry["extra_info"], entry["stats"]["median"], _workload(entry)
        baseline = medians.get((workload, BASELINE))
        limit = medians.get((workload, str(info.get("limit"))))
        info["frames_per_second"] = info["frames"] / median
        info["speedup"] = baseline / median if baseline else None
        info["of_limit"] = limit / median if limit else None
        if _is_scaling(entry):
            one, (workers, threads) = alone.get((workload, info["strategy"])), settings_of(entry)
            info["efficiency"] = one / median / (workers * threads) if one else None


def table(entries: list[Entry]) -> list[str]:
    """The lines of the table and what there is to say of its rows, at most 100 characters wide."""
    rows, legend = _rows(entries)
    last = len(rows[0]) - 1
    left, gap = ((0,), " ") if rows[0][-1] == "limit" else ((0, last), "  ")
    widths = [max(len(row[column]) for row in rows) for column in range(last + 1)]
    lines = [gap.join(_aligned(row, widths, left)).rstrip() for row in rows]
    return [*lines, *legend, *_notes(entries), *_conclusion(entries)]


def markdown_table(entries: list[Entry]) -> list[str]:
    """The rows of the same table in Markdown."""
    head, *rows = _rows(entries)[0]
    ruler = ("---", *["---:"] * (len(head) - 2), "---")
    return ["| " + " | ".join(row) + " |" for row in (head, ruler, *rows)]


def _rows(entries: list[Entry]) -> tuple[list[Row], tuple[str, ...]]:
    """The rows, heading first, and the legend."""
    add_rates(entries)
    if len(_workloads(entries)) > 1 or _is_set(entries):
        return _matrix(entries), SET_LEGEND if _is_set(entries) else MATRIX_LEGEND
    if entries and all(map(_is_scaling, entries)):
        rows = _scaling_rows(entries)
        legend = (*SCALING_LEGEND, *PREDICTED_LEGEND) if len(rows) > len(entries) else SCALING_LEGEND
        return [SCALING_COLUMNS, *rows], legend
    return [COLUMNS, *map(_row, entries)], LEGEND


def _matrix(entries: list[Entry]) -> list[Row]:
    entries = [entry for entry in entries if not _is_across(entry)]
    names = list(dict.fromkeys(e["extra_info"]["strategy"] for e in entries))
    names = [name for name in names if name != BASELINE and not name.startswith("limit-")]
    heads = [name.replace("processes", "proc.").replace("threads", "thr.") for name in names]
    if max(map(len, _workloads(entries)), default=0) > LONGEST_NAME:
        heads = [re.sub("^([a-z])[a-z]*-", r"\1-", head) for head in heads]
    rows: list[Row] = [("workload", "sequential", *heads, "limit")]
    for workload in _workloads(entries):
        by_name = {e["extra_info"]["strategy"]: e for e in entries if _workload(e) == workload}
        baseline = by_name.get(BASELINE)
        seconds = f"{baseline['stats']['median']:.2f} s" if baseline and is_timed(baseline) else "-"
        cells = [_cell(by_name.get(name)) for name in (*names, NEEDED)]
        rows.append((workload, seconds, *cells))
    return rows


def _cell(entry: Entry | None) -> str:
    if entry is None:
        return "-"
    info = entry["extra_info"]
    if not is_timed(entry):
        return "-" if info["strategy"] == NEEDED else "FAILED"
    mark = "*" if "fallback" in info else ""
    return f"{info['speedup']:.2f}x{mark}" if info["speedup"] else f"{entry['stats']['median']:.2f} s{mark}"


def _notes(entries: list[Entry]) -> list[str]:
    """Which strategies fell back, and why; one line for all that did so for the same reason."""
    several = len(_workloads(entries)) > 1
    reasons: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        info = entry["extra_info"]
        if info.get("fallback"):
            place = f" on {_workload(entry)}" if several else ""
            reasons.setdefault((place, info["fallback"]), []).append(info["strategy"])
    notes = [
        f"{', '.join(dict.fromkeys(names))} {_what_happened(names, place)}: {reason}"
        for (place, reason), names in reasons.items()
    ]
    return [line for note in notes for line in textwrap.wrap(note, 100)]


def _what_happened(names: list[str], place: str) -> str:
    if names[0].startswith("limit-"):
        return f"not measured{place}"
    return f"fell back{place}, not pruned"


def _conclusion(entries: list[Entry]) -> list[str]:
    within = [entry for entry in entries if not _is_across(entry)]
    workloads = _workloads(within)
    if len(workloads) == 1 and not _is_set(entries):
        return recommendation(entries)
    ranked = [exact_entries([e for e in entries if _workload(e) == workload]) for workload in workloads]
    wins = Counter(exact[0]["extra_info"]["strategy"] for exact in ranked if exact)
    counts = ", ".join(f"{name} on {count}" for name, count in wins.most_common())
    kind = "videos" if _is_set(entries) else "workloads"
    lines = textwrap.wrap(f"Fastest exact way, of {len(workloads)} {kind}: {counts}.", 100) if wins else []
    videos = next((e["extra_info"]["videos"] for e in entries if _is_across(e)), len(workloads))
    return [*lines, *_set_summary(entries, videos)] if _is_set(entries) else lines


def _set_summary(entries: list[Entry], videos: int) -> list[str]:
    """The time that each exact way takes for all videos, and what to do with a set like this."""
    ways = ways_over_all(entries, videos)
    if not ways:
        return []
    baseline = next((way.seconds for way in ways if way.name == BASELINE), None)
    rows: list[Row] = [(f"all {videos} videos", "total s", "speed-up", "videos/s", "frames/s")]
    for way in ways:
        speedup = f"{baseline / way.seconds:.2f}x" if baseline else "-"
        rates = (f"{videos / way.seconds:.2f}", f"{way.frames / way.seconds:.0f}")
        rows.append((way.name + "*" * way.fell_back, f"{way.seconds:.3f}", speedup, *rates))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(_aligned(row, widths, (0,))).rstrip() for row in rows]
    return ["", *lines, *set_recommendation(ways, videos, baseline)]


def _row(entry: Entry) -> Row:
    info = entry["extra_info"]
    cells = [info["strategy"], "not timed", "-", "-", "-"]
    if is_timed(entry):
        cells[1] = _seconds(entry)
        cells[2] = f"{info['frames_per_second']:.0f}"
        cells[3] = f"{info['speedup']:.2f}x" if info["speedup"] else "-"
        cells[4] = f"{info['of_limit']:.0%}" if info.get("of_limit") else "-"
    packets = info.get("packets")
    decoded = f"{packets['decoded'] / packets['in_file']:.0%}" if packets else "-"
    return (*cells, *_cost(info), decoded, _proof(info))


def _scaling_rows(entries: list[Entry]) -> list[Row]:
    """Measured rows in their order; a strategy's predicted ones follow its last with one FFmpeg thread."""
    last = {e["extra_info"]["strategy"]: n for n, e in enumerate(entries) if settings_of(e)[1] == 1}
    rows: list[Row] = []
    for number, entry in enumerate(entries):
        rows.append(_scaling_row(entry))
        if last.get(strategy := entry["extra_info"]["strategy"]) == number:
            rows += _predicted_rows([e for e in entries if e["extra_info"]["strategy"] == strategy])
    return rows


def _predicted_rows(entries: list[Entry]) -> list[Row]:
    """Rows of one strategy for more workers than were measured."""
    predicted = predict(entries)
    if not predicted:
        return []
    one = next(entry for entry in entries if settings_of(entry) == (1, 1))
    info, alone = one["extra_info"], one["stats"]["median"]
    rows: list[Row] = []
    for workers, seconds in predicted.items():
        speedup = f"{info['speedup'] * alone / seconds:.2f}x" if info["speedup"] else "-"
        efficiency = f"{alone / seconds / workers:.0%}"
        cells = (f"{workers} x 1", f"predicted {seconds:.2f}", speedup, efficiency)
        rows.append((info["strategy"], *cells, "-", "-", "-"))
    return rows


def _scaling_row(entry: Entry) -> Row:
    info = entry["extra_info"]
    cells = ["not timed", "-", "-"]
    if is_timed(entry):
        cells[0] = _seconds(entry)
        cells[1] = f"{info['speedup']:.2f}x" if info["speedup"] else "-"
        cells[2] = f"{info['efficiency']:.0%}" if info.get("efficiency") else "-"
    workers, threads = settings_of(entry)
    return (info["strategy"], f"{workers} x {threads}", *cells, *_cost(info), _proof(info))


def _seconds(entry: Entry) -> str:
    return f"{entry['stats']['median']:.3f} ± {entry['stats']['stddev']:.3f}"


def _cost(info: dict[str, Any]) -> Row:
    cost = info.get("cost")
    return (f"{cost['cpu_seconds']:.2f}", f"{cost['peak_bytes'] / 1e9:.2f}") if cost else ("-", "-")


def _proof(info: dict[str, Any]) -> str:
    if info["strategy"].startswith("limit-"):
        return "-"
    proof = info.get("proof")
    if not proof:
        return "FAILED"
    if proof.get("differing_frames"):
        return f"±{proof['max_difference']} on {proof['differing_frames'] / proof['frames']:.0%}"
    return "fell back" if "fallback" in info else "exact"


def _workload(entry: Entry) -> str:
    return str(entry["extra_info"].get("workload", "default"))


def _workloads(entries: list[Entry]) -> list[str]:
    return list(dict.fromkeys(map(_workload, entries)))


def _is_across(entry: Entry) -> bool:
    return "videos" in entry["extra_info"]


def _is_set(entries: list[Entry]) -> bool:
    return any(entry["extra_info"].get("is_of_set") for entry in entries)


def _is_scaling(entry: Entry) -> bool:
    return "ffmpeg_threads" in entry["extra_info"]


def _aligned(row: Row, widths: list[int], left: tuple[int, ...]) -> list[str]:
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
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        parser.error(f"{arguments.file} is not a history of this suite ({error}); give a file from results/")
    print("\n".join(lines))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
