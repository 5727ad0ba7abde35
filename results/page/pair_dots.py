"""The view of the pairs behind a verdict, in order of time."""

import altair as alt

from results.page.look import PALETTE, Rows, chart_of, counting_axis, layered, once

FIELDS = ("folder", "name", "pair", "change")
COLUMNS = {"pair": "pair", "name": "benchmark", "change": "B against A, %"}


def pair_dots(rows: Rows) -> alt.LayerChart:
    """The pairs of processes of one benchmark, in order of time."""
    zero = once(chart_of(rows)).mark_rule(strokeWidth=0.5).encode(y=alt.datum(0))
    tooltip = [alt.Tooltip("pair:Q"), alt.Tooltip("change:Q", title="B against A, %", format="+.2f")]
    dots = (
        chart_of(rows)
        .mark_point(filled=True, size=60, color=PALETTE[0], opacity=1)
        .encode(
            x=alt.X(
                "pair:Q",
                title="pair of processes, in order of time",
                axis=counting_axis(),
                scale=alt.Scale(zero=False, nice=False, padding=14),
            ),
            y=alt.Y("change:Q", title="time of B against A, %"),
            tooltip=tooltip,
        )
    )
    return layered(
        zero,
        dots,
        rows=rows,
        height=240,
        description="Change from A to B in each pair of processes",
    )
