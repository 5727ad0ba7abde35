"""The view of what pays where: a matrix of speed-ups over `sequential`."""

import altair as alt

from results.page.look import Lines, Rows, banded, chart_of, heat, layered, on_heat

FIELDS = ("workload", "strategy", "kind", "speedup", "time", "proof", "fallback")
COLUMNS = {
    "workload": "workload",
    "strategy": "strategy",
    "speedup": "speed-up over sequential, times",
    "time": "median ± deviation",
    "proof": "proof",
    "fallback": "why it fell back",
}
STEP = 40  # pixels of a cell's side: its figure must fit
TOOLTIP = [
    alt.Tooltip("workload:N"),
    alt.Tooltip("strategy:N"),
    alt.Tooltip("speedup:Q", title="speed-up, times", format=".3f"),
    alt.Tooltip("time:N", title="median ± deviation"),
    alt.Tooltip("proof:N"),
    alt.Tooltip("fallback:N", title="why it fell back"),
]


def matrix(rows: Rows) -> alt.LayerChart:
    """A cell for each workload and strategy: the speed-up as a colour and a figure; a star: it fell back."""
    strategies = alt.Axis(orient="top", labelAngle=-60, ticks=False, domain=False)
    base = (
        banded(chart_of(rows), "speedup")
        .transform_filter("datum.speedup !== null")
        .transform_calculate(figure="format(datum.speedup, '.2f') + (datum.fallback ? '*' : '')")
        .encode(
            x=alt.X("strategy:N", sort=None, title=None, axis=strategies),
            y=alt.Y("workload:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
            tooltip=TOOLTIP,
        )
    )
    cells = base.mark_rect(stroke="#8888", strokeWidth=0.5).encode(
        color=heat("speed-up over sequential, times")
    )
    figures = base.mark_text(fontSize=11).encode(text="figure:N", color=on_heat())
    return layered(
        cells,
        figures,
        width=alt.Step(STEP),
        rows=rows,
        height=Lines(height=26, of="workload", needs="speedup"),
        description="Speed-up over sequential, by workload and strategy",
    )
