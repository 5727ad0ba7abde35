"""The view of one run: time, cost and proof of every strategy, limit and peer."""

import altair as alt

from results.page.look import INK, Lines, Rows, chart_of, kind_colour, layered, name_axis

FIELDS = (
    "workload", "name", "kind", "seconds", "rounds", "time", "cpu", "peak", "decoded", "proof", "fallback",
    "speedup", "of_limit",
)  # fmt: skip
COLUMNS = {
    "name": "benchmark",
    "kind": "kind",
    "time": "median ± deviation",
    "speedup": "speed-up over sequential, times",
    "of_limit": "share of the limit's speed",
    "seconds": "wall, s",
    "cpu": "CPU, s",
    "peak": "peak memory, GB",
    "decoded": "share of packets decoded",
    "proof": "proof",
    "fallback": "why it fell back",
    "rounds": "rounds, s",
}
TOOLTIP = [
    alt.Tooltip("name:N", title="benchmark"),
    alt.Tooltip("time:N", title="median ± deviation"),
    alt.Tooltip("seconds:Q", title="median, s", format=".5~g"),
    alt.Tooltip("speedup:Q", title="speed-up, times", format=".2f"),
    alt.Tooltip("of_limit:Q", title="share of the limit's speed", format=".1%"),
    alt.Tooltip("cpu:Q", title="CPU, s", format=".4~g"),
    alt.Tooltip("peak:Q", title="peak memory, GB", format=".3~g"),
    alt.Tooltip("decoded:Q", title="packets decoded", format=".1%"),
    alt.Tooltip("proof:N", title="proof"),
]
ROUND = [alt.Tooltip("name:N", title="benchmark"), alt.Tooltip("rounds:Q", title="a round, s", format=".5~g")]
LINE = 22  # pixels
WORD_WIDTH = 90  # pixels: the width of the longest word
END = f"max(datum.seconds, extent(datum.rounds)[1]) * width / max(width - {WORD_WIDTH}, {WORD_WIDTH})"
WORD = "datum.kind === 'limit' ? '' : split(datum.proof, ',')[0]"
CLOCKS = ["wall", "CPU, of all processes"]


def times(rows: Rows) -> alt.LayerChart:
    """A bar for each median, a dot for each round, a line across for each limit, the proof as a word.

    The words have a column of their own; no bar and no line reaches it.
    """
    base = chart_of(rows).encode(y=name_axis())
    bars = base.mark_bar(opacity=0.75, height=14).encode(
        x=alt.X("seconds:Q", title="wall seconds"), color=kind_colour(rows), tooltip=TOOLTIP
    )
    dots = (
        base.transform_flatten(["rounds"])
        .mark_circle(size=22, color=INK, opacity=0.8)
        .encode(x="rounds:Q", tooltip=ROUND)
    )
    limits = (
        chart_of(rows)
        .transform_filter("datum.kind === 'limit'")
        .mark_rule(strokeDash=[4, 3], opacity=0.7)
        .encode(x="seconds:Q", tooltip=TOOLTIP[:3])
    )
    words = (
        base.transform_calculate(word=WORD)
        .mark_text(align="right", baseline="middle")
        .encode(x=alt.value("width"), text="word:N")
    )
    description = "Wall time of every benchmark of the run"
    room = base.transform_calculate(end=END).mark_point(opacity=0, aria=False).encode(x="end:Q")
    return layered(
        bars, limits, dots, words, room, description=description, rows=rows, height=Lines(height=LINE)
    )


def cpu_and_wall(rows: Rows) -> alt.LayerChart:
    """CPU seconds beside wall seconds."""
    bars = (
        chart_of(rows)
        .transform_filter("datum.cpu !== null")
        .transform_fold(["seconds", "cpu"], as_=["clock", "spent"])
        .transform_calculate(clock=f"datum.clock === 'cpu' ? '{CLOCKS[1]}' : '{CLOCKS[0]}'")
        .mark_bar()
        .encode(
            y=name_axis(),
            yOffset=alt.YOffset("clock:N", sort=CLOCKS),
            x=alt.X("spent:Q", title="seconds", stack=None),
            color=alt.Color("clock:N", title=None, scale=alt.Scale(domain=CLOCKS)),
            tooltip=TOOLTIP,
        )
    )
    description = "CPU seconds beside wall seconds of every benchmark"
    return layered(bars, description=description, rows=rows, height=Lines(height=28, needs="cpu"))


def memory(rows: Rows) -> alt.LayerChart:
    """Peak memory of all processes."""
    x = alt.X("peak:Q", title="peak memory, GB")
    return _bars(rows, "peak", x, "Peak memory of every benchmark")


def decoded(rows: Rows) -> alt.LayerChart:
    """The share of the file's packets that was decoded."""
    axis, scale = alt.Axis(format="%"), alt.Scale(domain=[0, 1])
    x = alt.X("decoded:Q", title="share of the file's packets", axis=axis, scale=scale)
    return _bars(rows, "decoded", x, "Share of packets decoded by every strategy")


def _bars(rows: Rows, field: str, x: alt.X, description: str) -> alt.LayerChart:
    bars = (
        chart_of(rows)
        .transform_filter(f"datum.{field} !== null")
        .mark_bar(height=14)
        .encode(y=name_axis(), x=x, color=kind_colour(rows), tooltip=TOOLTIP)
    )
    return layered(bars, description=description, rows=rows, height=Lines(height=LINE, needs=field))
