"""The grid of requests (benchmarks/grid.py) as a small table: how exactframes' kept decoder compares."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from results.told.tables import Row

Cell = Mapping[str, Any]  # as benchmarks.grid saves it


def grid_rows(cells: Sequence[Cell]) -> list[Row]:
    """A row for each codec, a column for each GOP length: the lowest and the highest ratio over all requests.

    A ratio is the median over all requests of TorchCodec's seconds over ours for the same request.
    """
    gops = sorted({cell["gop"] for cell in cells})
    rows: list[Row] = [("codec", *(f"GOP {gop}" for gop in gops))]
    for codec in dict.fromkeys(cell["codec"] for cell in cells):
        found = [[ratio(c) for c in cells if (c["codec"], c["gop"]) == (codec, gop)] for gop in gops]
        rows.append(
            (codec, *(f"{min(ratios):.2f} - {max(ratios):.2f}" if ratios else "-" for ratios in found))
        )
    return rows


def ratio(cell: Cell) -> float:
    """How many times as fast as TorchCodec's kept decoder; above 1 ours is faster."""
    pairs = zip(cell["theirs"], cell["ours"], strict=True)
    return median(float(theirs) / float(ours) for theirs, ours in pairs)
