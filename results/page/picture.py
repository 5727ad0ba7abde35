"""One picture of saved runs, as SVG or PNG: drawn as on the page, without a browser.

An SVG follows the reader's system, light or dark, and is readable on both; a PNG is drawn on white.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from results.page.__main__ import NEEDED, write
from results.saved.history import HistoryError

WIDTH = 760  # pixels
PEERS = 3  # other libraries' ways beside the strategies
FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"  # as wide as the font with which vl-convert measures
PADDING = {"left": 22, "right": 8, "top": 5, "bottom": 5}  # without these, names take more room
# The value of "currentColor" in charts: GitHub shows an SVG as an image, with the reader's setting.
INK = "<style>svg{color:#1c2126}@media(prefers-color-scheme:dark){svg{color:#e6eaee}}</style>"


def draw(arguments: argparse.Namespace) -> None:
    """Read the runs, choose a chart, draw it and write the file.

    Raises:
        HistoryError: if there is nothing to draw, a library is missing, or the file cannot be written.
    """
    try:
        import vl_convert

        from results.page import run, scaling, timeline
    except ImportError as error:
        raise HistoryError(f"{NEEDED} ({error})") from error
    charts = {"run": run.times, "scaling": scaling.curves, "history": timeline.timeline}
    rows = rows_for(arguments.what, arguments)
    spec = fixed(charts[arguments.what](rows).to_dict())
    if arguments.output.suffix == ".svg":
        svg = vl_convert.vegalite_to_svg(spec)
        write(arguments.output, svg.replace(">", f">{INK}", 1))
    else:
        _write_png(arguments.output, vl_convert.vegalite_to_png({**spec, "background": "white"}, scale=2))


def rows_for(what: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of the chosen chart.

    Raises:
        HistoryError: if there are none.
    """
    from results.page import run, scaling
    from results.page.content import run_row
    from results.page.reading import read_baselines, read_saved
    from results.page.series import history_marks

    runs, _ = read_saved(arguments.runs, arguments.storage)
    if what == "history":
        marks = history_marks(runs, read_baselines(arguments.storage)[0])
        numbered = [run_row(number, saved) for number, saved in enumerate(runs)]
        rows = [vars(m) | (numbered[m.run] if m.run is not None else {}) for m in marks]
        return _one_series([row for row in rows if row["basis"] == "seconds"], arguments)
    for saved in reversed(runs):
        chosen = [r for r in saved.rows if r.is_scaling == (what == "scaling") and not r.is_of_requests]
        fields = scaling.FIELDS if what == "scaling" else run.FIELDS
        rows = [{field: getattr(row, field) for field in fields} for row in chosen]
        rows = [row for row in rows if row["workload"] == (arguments.workload or rows[0]["workload"])]
        if rows:
            return _with_fastest_peers(rows) if what == "run" else rows
    raise HistoryError(f"no run has anything to draw for {what}")


def _with_fastest_peers(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """All rows but the slower peers: a picture in a page has room for few."""
    peers = [row for row in rows if row["kind"] == "peer" and row["seconds"] is not None]
    slower = [row["name"] for row in sorted(peers, key=lambda row: row["seconds"])[PEERS:]]
    return [row for row in rows if row["kind"] != "peer" or row["name"] not in slower]


def _one_series(marks: Sequence[dict[str, Any]], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    newest = [mark for mark in marks if mark["what"] == "run"]
    newest = [m for m in newest if m["run"] == newest[-1]["run"]] if newest else []
    workload = arguments.workload or (newest[0]["workload"] if newest else "")
    ways = [m for m in newest if m["workload"] == workload and m["kind"] != "limit"]
    times = [m for m in ways if ", " not in m["name"]]  # a percentile is not compared with times
    name = arguments.benchmark or min(times or ways, key=lambda m: m["value"], default={"name": ""})["name"]
    rows = [mark for mark in marks if (mark["workload"], mark["name"]) == (workload, name)]
    if not rows:
        raise HistoryError(f"no run has a benchmark {name} of the workload {workload}")
    return rows


def fixed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A chart with a fixed width, drawn as on the page."""
    from results.page.look import CONFIG

    size = {"width": WIDTH, "padding": PADDING, "autosize": {"type": "fit-x", "contains": "padding"}}
    return {**spec, **size, "config": {**CONFIG, "font": FONT}}


def _write_png(output: Path, picture: bytes) -> None:
    try:
        output.write_bytes(picture)
    except OSError as error:
        raise HistoryError(f"{output} cannot be written ({error.strerror}): give another file") from error
