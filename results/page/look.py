"""How charts look, on the page and in pictures; their colours can be distinguished by everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

# Okabe and Ito 2008, "Color Universal Design"; without yellow and black, which vanish on white or on black.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c6bb1", "#7f7f7f")
KINDS = {"strategy": PALETTE[0], "peer": PALETTE[1], "limit": PALETTE[7]}
INK = "currentColor"  # the colour of the text on the page around, light or dark
DASHES = ([1, 0], [5, 3])  # of lines: the second is used once all colours are taken
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "triangle-right")
BOUNDS = (0.7, 0.95, 1.2, 2)  # of speed-ups: between them a cell has one colour
BANDS = ("under 0.7", "0.7 to 0.95", "0.95 to 1.2", "1.2 to 2", "2 and more")
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
    "axisX": {"tickCount": {"signal": "ceil(width / 70)"}},  # every tick has room for its label
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

FIT = alt.AutoSizeParams(type="fit-x", contains="padding")  # as wide as there is room, as high as needed

Rows = Sequence[Mapping[str, Any]]  # tidy: every mapping has the same fields


def chart_of(rows: Rows) -> alt.Chart:
    """A chart with these rows as its data."""
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def once(chart: alt.Chart) -> alt.Chart:
    """The chart with a single row, for a line that is drawn once."""
    made: alt.Chart = chart.transform_aggregate(rows="count()")
    return made


def kind_colour(rows: Rows) -> alt.Color:
    """A colour for each kind: strategy, peer or limit. The legend has the kinds that are shown."""
    kinds = {kind: colour for kind, colour in KINDS.items() if not rows or kind in {r["kind"] for r in rows}}
    scale = alt.Scale(domain=list(kinds), range=list(kinds.values()))
    return alt.Color("kind:N", scale=scale, title=None, legend=alt.Legend(columns=3))


def name_looks(rows: Rows) -> tuple[alt.Color, alt.StrokeDash, alt.Shape]:
    """A colour, a dash and a shape for each name, the same in all pictures of a view.

    Without rows the names are filled in by page.js, from all rows of the view.
    """
    names = list(dict.fromkeys(row["name"] for row in rows))
    dashes = [dash for dash in DASHES for _ in PALETTE]
    colours = alt.Scale(domain=names, range=list(PALETTE))
    legend = alt.Legend(symbolOpacity=1, columns=3)
    return (
        alt.Color("name:N", scale=colours, title=None, legend=legend),
        alt.StrokeDash("name:N", scale=alt.Scale(domain=names, range=dashes), title=None, legend=legend),
        alt.Shape("name:N", scale=alt.Scale(domain=names, range=list(SHAPES)), title=None, legend=legend),
    )


def counting_axis() -> alt.Axis:
    """An axis of runs or pairs. If few are shown, there are ticks between them, which get no number."""
    return alt.Axis(format="d", labelExpr="datum.value % 1 || datum.value < 1 ? '' : datum.label")


def name_axis() -> alt.Y:
    """A line for each benchmark, in the order of the rows."""
    return alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False))


def banded(chart: alt.Chart, field: str) -> alt.Chart:
    """The chart with `band`, the range of BANDS that a speed-up lies in."""
    *lower, highest = BANDS
    limits = zip(BOUNDS, lower, strict=True)
    steps = "".join(f"datum.{field} < {bound} ? '{band}' : " for bound, band in limits)
    banded: alt.Chart = chart.transform_calculate(band=f"{steps}'{highest}'")
    return banded


def heat(title: str) -> alt.Color:
    """Orange: slower than what it is compared with; blue: faster."""
    legend = alt.Legend(symbolType="square", columns=2, titleLimit=300)
    scale = alt.Scale(domain=list(BANDS), range=list(HEAT))
    return alt.Color("band:N", scale=scale, title=title, legend=legend)


def on_heat() -> alt.ColorValue:
    """The colour of a figure that stands on such a cell."""
    test = f"datum.band === '{BANDS[0]}' || datum.band === '{BANDS[-1]}'"
    return alt.ColorValue("black", condition={"test": test, "value": "white"})


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The height of a picture that has a line for each value of a field, if another field is not None."""

    height: int  # of a line, in pixels
    of: str = "name"
    needs: str = ""  # rows without this field have no line

    def total(self, rows: Rows) -> int:
        """The height for these rows; page.js computes it again for the rows that it shows."""
        values = {row[self.of] for row in rows if not self.needs or row[self.needs] is not None}
        return self.height * max(1, len(values))


def layered(
    *layers: alt.Chart, description: str, rows: Rows, height: int | Lines, width: alt.Step | None = None
) -> alt.LayerChart:
    """One picture of these layers.

    Args:
        description: what a screen reader reads out.
        rows: the rows that it shows.
        height: in pixels, or from the lines.
        width: a step for each column; without it, the picture is as wide as there is room.
    """
    chart: Any = alt.layer(*layers).properties(description=description)
    if isinstance(height, Lines):
        chart = chart.properties(height=height.total(rows), usermeta=vars(height))
    else:
        chart = chart.properties(height=height)
    sized: alt.LayerChart = (
        chart.properties(width=width) if width else chart.properties(width="container", autosize=FIT)
    )
    return sized
