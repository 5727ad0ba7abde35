"""The view of more workers: speed-up of each strategy, and the map of workers and FFmpeg threads."""

import altair as alt

from results.page.look import INK, Lines, Rows, banded, chart_of, heat, layered, on_heat

FIELDS = (
    "workload", "strategy", "workers", "threads", "is_measured", "gain", "time", "speedup", "cpu", "peak",
    "proof",
)  # fmt: skip
COLUMNS = {
    "strategy": "strategy",
    "workers": "workers",
    "threads": "FFmpeg threads each",
    "time": "median ± deviation",
    "gain": "speed-up over one worker, times",
    "speedup": "speed-up over sequential, times",
    "cpu": "CPU, s",
    "peak": "peak memory, GB",
    "proof": "proof, or predicted",
}
DOUBLINGS = [2**n for n in range(11)]  # labels of the axis, up to the number of workers
TOOLTIP = [
    alt.Tooltip("strategy:N"),
    alt.Tooltip("workers:Q"),
    alt.Tooltip("threads:Q", title="FFmpeg threads each"),
    alt.Tooltip("gain:Q", title="speed-up over one worker, times", format=".3f"),
    alt.Tooltip("time:N", title="median ± deviation"),
    alt.Tooltip("proof:N", title="proof, or predicted"),
]


def curves(rows: Rows) -> alt.LayerChart:
    """Speed-up over workers of one thread, a curve a strategy, and the ideal line.

    Measured points are filled, with a solid line; predicted points are hollow, with a dashed line.
    """
    log, whole = alt.Scale(type="log", base=2), alt.Axis(format="d", values=DOUBLINGS)
    base = (
        chart_of(rows)
        .transform_filter("datum.threads === 1 && datum.gain !== null")
        .encode(
            x=alt.X("workers:Q", title="workers", scale=log, axis=whole),
            y=alt.Y("gain:Q", title="speed-up over one worker, times", scale=log),
            color=alt.Color("strategy:N", sort=None, title=None, legend=alt.Legend(symbolOpacity=1)),
            tooltip=TOOLTIP,
        )
    )
    # The dashed line goes through the measured points, too, so that the predicted part begins where they end.
    predicted = base.mark_line(strokeDash=[4, 3], opacity=0.8)
    measured = base.transform_filter("datum.is_measured").mark_line(strokeWidth=2)
    shape = alt.Shape("strategy:N", sort=None, legend=None)
    filled = base.transform_filter("datum.is_measured").mark_point(filled=True, size=70, opacity=1)
    hollow = base.transform_filter("!datum.is_measured").mark_point(size=60, strokeWidth=2, opacity=1)
    ideal = base.mark_line(strokeDash=[1, 3], strokeWidth=1.5).encode(
        y="workers:Q", color=alt.value(INK), tooltip=[alt.Tooltip("workers:Q", title="ideal, times")]
    )
    return layered(
        ideal,
        predicted,
        measured,
        hollow.encode(shape=shape),
        filled.encode(shape=shape),
        rows=rows,
        height=340,
        description="Speed-up over workers; dotted: ideal, dashed and hollow: predicted, not measured",
    )


def grid(rows: Rows) -> alt.LayerChart:
    """The speed-up at each number of workers and of FFmpeg threads."""
    base = (
        banded(chart_of(rows), "gain")
        .transform_filter("datum.is_measured && datum.gain !== null")
        .encode(
            x=alt.X("workers:O", title="workers", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("threads:O", title=["FFmpeg", "threads"], sort="descending"),
            tooltip=TOOLTIP,
        )
    )
    cells = base.mark_rect(stroke="#8888", strokeWidth=0.5).encode(
        color=heat("speed-up over one worker, times")
    )
    figures = base.mark_text(fontSize=12).encode(text=alt.Text("gain:Q", format=".2f"), color=on_heat())
    return layered(
        cells,
        figures,
        width=alt.Step(52),
        rows=rows,
        height=Lines(height=36, of="threads", needs="gain"),
        description="Speed-up by workers and FFmpeg threads of a strategy",
    )
