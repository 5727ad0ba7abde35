"""How charts look, on the page and in pictures; colours that everybody can tell apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

# Okabe and Ito 2008, "Color Universal Design"; without yellow and black, which vanish on white or on black.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c6bb1", "#7f7f7f")
KINDS = {"strategy": PALETTE[0], "peer": PALETTE[1], "limit": PALETTE[7]}
INK = "currentColor"  # the text's colour of the page around, light or dark
HEAT = ("#b35806", "#f1a340", "#f7f7f7", "#67a9cf", "#2166ac")  # slower than the baseline .. faster

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": INK,
        "tickColor": INK,
        "gridColor": INK,
        "gridOpacity": 0.15,
        "domainOpacity": 0.5,
        "tickOpacity": 0.5,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 130,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "orient": "top",
        "columns": 2,
        "labelFontSize": 12,
        "labelLimit": 240,
        "titleFontWeight": "normal",
    },
    "header": {"labelColor": INK, "titleColor": INK},
    "title": {"color": INK, "anchor": "start", "fontWeight": "normal"},
    "text": {"color": INK, "fontSize": 12},
    "rule": {"color": INK},
    "range": {"category": list(PALETTE)},
}

FIT = alt.AutoSizeParams(type="fit-x", contains="padding")  # as wide as there is room, as high as need be

Rows = Sequence[Mapping[str, Any]]  # tidy: every mapping has the same fields


def chart_of(rows: Rows) -> alt.Chart:
    """A chart with these rows as its data."""
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def kind_colour() -> alt.Color:
    """Strategy, peer or limit: told by the colour, and by the tooltip."""
    scale = alt.Scale(domain=list(KINDS), range=list(KINDS.values()))
    return alt.Color("kind:N", scale=scale, title=None, legend=alt.Legend(columns=3))


def name_axis() -> alt.Y:
    """A line for each benchmark, in the order of the rows."""
    return alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False))


def heat(field: str, title: str) -> alt.Color:
    """Orange where it is slower than what it is compared with, blue where it is faster."""
    scale = alt.Scale(type="threshold", domain=[0.7, 0.95, 1.2, 2], range=list(HEAT))
    return alt.Color(
        f"{field}:Q",
        scale=scale,
        title=title,
        legend=alt.Legend(type="symbol", symbolType="square", columns=3, titleLimit=300),
    )


def on_heat(field: str) -> alt.ColorValue:
    """The colour of a figure that stands on such a cell."""
    return alt.ColorValue(
        "black", condition={"test": f"datum.{field} >= 2 || datum.{field} < 0.7", "value": "white"}
    )


def layered(
    *layers: alt.Chart, description: str, height: int, width: alt.Step | None = None, lines: int = 0
) -> alt.LayerChart:
    """One picture of these layers.

    Args:
        description: what a screen reader says of it.
        height: in pixels; of each line where there are lines.
        width: a step for each column; without it as wide as there is room.
        lines: how many there are; page.js counts anew for the rows that it shows.
    """
    chart: Any = alt.layer(*layers).properties(description=description, height=height * max(1, lines))
    if lines:
        chart = chart.properties(usermeta={"line": height})
    sized: alt.LayerChart = (
        chart.properties(width=width) if width else chart.properties(width="container", autosize=FIT)
    )
    return sized


def lines_of(rows: Rows) -> int:
    """How many benchmarks these rows name, 1 at the least."""
    return max(1, len({row["name"] for row in rows}))
