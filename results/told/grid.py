"""The grid of requests (benchmarks/grid.py) as a small table: how exactframes' kept decoder compares."""

from collections.abc import Mapping, Sequence
from statistics import geometric_mean
from typing import Any, Literal

from results.told.tables import Row

Cell = Mapping[str, Any]  # as benchmarks.grid saves it


def grid_rows(cells: Sequence[Cell]) -> list[Row]:
    """A row for each codec, a column for each GOP length: the lowest and the highest ratio of requests."""
    gops = sorted({cell["gop"] for cell in cells})
    rows: list[Row] = [("codec", *(f"GOP {gop}" for gop in gops))]
    for codec in dict.fromkeys(cell["codec"] for cell in cells):
        found = [[ratio(c) for c in cells if (c["codec"], c["gop"]) == (codec, gop)] for gop in gops]
        rows.append(
            (codec, *(f"{min(ratios):.2f} - {max(ratios):.2f}" if ratios else "-" for ratios in found))
        )
    return rows


def request_in_words(cell: Cell) -> str:
    """The video and the request of a cell, such as "h264 GOP 12, 8 frames 4 apart"."""
    return f"{cell['codec']} GOP {cell['gop']}, {cell['frames']} frames {cell['stride']} apart"


def ratio(cell: Cell, of: Literal["", "_cpu"] = "") -> float:
    """How many times as fast as TorchCodec's kept decoder; above 1 ours is faster. `of`: wall or CPU time.

    It is the geometric mean of TorchCodec's seconds over ours for the same request, over the middle half of
    the requests. The allocator may give both decoders fast and slow requests in turn: a median would take
    one of the two levels, by chance.
    """
    pairs = zip(cell[f"theirs{of}"], cell[f"ours{of}"], strict=True)
    ratios = sorted(float(theirs) / float(ours) for theirs, ours in pairs)
    cut = round(len(ratios) / 4)
    return geometric_mean(ratios[cut : len(ratios) - cut])
