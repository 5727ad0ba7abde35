"""The table of one run.

A run of several workloads gives a matrix (matrix.py). A run of several settings (make bench-scaling) gives a
row each, with its efficiency, and rows for more workers than were measured, which are predicted
(scaling_model.py).
"""

import textwrap
from collections.abc import Sequence

from results.schema import Record
from results.told import matrix
from results.told.recommendation import recommendation
from results.told.requests import is_of_requests, request_table, request_table_in_markdown
from results.told.scaling_model import predict
from results.told.tables import Row, markdown_table, text_table

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


def table(records: Sequence[Record]) -> list[str]:
    """The table with its legend, notes and conclusion, as lines of at most 100 characters."""
    if is_of_requests(records):
        return request_table(records)
    rows, legend = _rows(records)
    is_matrix = rows[0][-1] == "limit"
    left, gap = ((0,), " ") if is_matrix else ((0, len(rows[0]) - 1), "  ")
    end = matrix.conclusion(records) if is_matrix else recommendation(records)
    return [*text_table(rows, left=left, gap=gap), *legend, *_notes(records), *end]


def table_in_markdown(records: Sequence[Record]) -> list[str]:
    """The rows of the same table in Markdown."""
    if is_of_requests(records):
        return request_table_in_markdown(records)
    rows, _ = _rows(records)
    return markdown_table(rows, left=(0, len(rows[0]) - 1))


def _rows(records: Sequence[Record]) -> tuple[list[Row], tuple[str, ...]]:
    """The rows, heading first, and the legend."""
    if len(matrix.workloads_of(records)) > 1 or matrix.is_set(records):
        return matrix.matrix(records), matrix.SET_LEGEND if matrix.is_set(records) else matrix.LEGEND
    if records and all(record.is_scaling for record in records):
        rows = _scaling_rows(records)
        legend = (*SCALING_LEGEND, *PREDICTED_LEGEND) if len(rows) > len(records) else SCALING_LEGEND
        return [SCALING_COLUMNS, *rows], legend
    return [COLUMNS, *map(_row, records)], LEGEND


def _notes(records: Sequence[Record]) -> list[str]:
    """Which strategies fell back, and why; one line for all that did so for the same reason."""
    several = len(matrix.workloads_of(records)) > 1
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.fallback:
            place = f" on {record.workload}" if several else ""
            found.setdefault((place, record.fallback), []).append(record)
    notes = []
    for (place, reason), same in found.items():
        is_limit = same[0].kind == "limit"
        what = f"not measured{place}" if is_limit else f"fell back{place}, not pruned"
        notes.append(f"{', '.join(dict.fromkeys(record.strategy for record in same))} {what}: {reason}")
    return [line for note in notes for line in textwrap.wrap(note, 100)]


def _row(record: Record) -> Row:
    rate = f"{record.frames_per_second:.0f}" if record.frames_per_second else "-"
    of_limit = f"{record.of_limit:.0%}" if record.of_limit else "-"
    packets = record.packets
    decoded = f"{packets.decoded / packets.in_file:.0%}" if packets else "-"
    cells = (_seconds(record), rate, _speedup(record), of_limit)
    return (record.strategy, *cells, *_cost(record), decoded, _proof(record))


def _scaling_rows(records: Sequence[Record]) -> list[Row]:
    """Measured rows in their order; a strategy's predicted ones follow its last with one FFmpeg thread."""
    last = {record.strategy: n for n, record in enumerate(records) if record.setting[1] == 1}
    rows: list[Row] = []
    for number, record in enumerate(records):
        rows.append(_scaling_row(record))
        if last.get(record.strategy) == number:
            rows += _predicted_rows([same for same in records if same.strategy == record.strategy])
    return rows


def _scaling_row(record: Record) -> Row:
    workers, threads = record.setting
    efficiency = f"{record.efficiency:.0%}" if record.efficiency else "-"
    cells = (f"{workers} x {threads}", _seconds(record), _speedup(record), efficiency)
    return (record.strategy, *cells, *_cost(record), _proof(record))


def _predicted_rows(records: Sequence[Record]) -> list[Row]:
    """Rows of one strategy for more workers than were measured."""
    predicted = predict(records)
    if not predicted:
        return []
    one = next(record for record in records if record.setting == (1, 1))
    rows: list[Row] = []
    for workers, seconds in predicted.items():
        speedup = f"{one.speedup * one.seconds / seconds:.2f}x" if one.speedup else "-"
        efficiency = f"{one.seconds / seconds / workers:.0%}"
        cells = (f"{workers} x 1", f"predicted {seconds:.2f}", speedup, efficiency)
        rows.append((one.strategy, *cells, "-", "-", "-"))
    return rows


def _seconds(record: Record) -> str:
    return f"{record.seconds:.3f} ± {record.times.stddev:.3f}" if record.times else "not timed"


def _speedup(record: Record) -> str:
    return f"{record.speedup:.2f}x" if record.speedup else "-"


def _cost(record: Record) -> Row:
    cost = record.cost
    return (f"{cost.cpu_seconds:.2f}", f"{cost.peak_bytes / 1e9:.2f}") if cost else ("-", "-")


def _proof(record: Record) -> str:
    proof = record.proof
    if record.kind == "limit":
        return "-"
    if not proof:
        return "FAILED"
    if proof.differing_frames:
        return f"±{proof.max_difference} on {proof.differing_frames / proof.frames:.0%}"
    return "fell back" if record.fallback else "exact"
