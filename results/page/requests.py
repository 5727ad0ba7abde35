"""The view of requests: throughput over callers, and the distribution of latency, a line a way."""

import altair as alt

from results.page.look import INK, Lines, Rows, chart_of, layered, name_looks, once

FIELDS = (
    "workload", "stream", "load", "asked_by", "name", "callers", "rate", "slowest", "fastest", "arrivals",
    "of_limit", "p50", "p90", "p95", "p99", "largest", "cpu", "read", "first", "decoders", "proof",
    "fallback", "latency", "share",
)  # fmt: skip
COLUMNS = {
    "name": "way",
    "rate": "requests a second",
    "arrivals": "arrivals a second",
    "of_limit": "share of the limit's speed",
    "p50": "p50, ms",
    "p90": "p90, ms",
    "p95": "p95, ms",
    "p99": "p99, ms",
    "largest": "largest, ms",
    "cpu": "CPU of a request, ms",
    "read": "read for a request, MB",
    "first": "first request of a fresh caller, ms",
    "decoders": "decoders that stay open",
    "proof": "proof",
}
WAY = alt.Tooltip("name:N", title="way")
TOOLTIP = [
    WAY,
    alt.Tooltip("callers:Q"),
    alt.Tooltip("rate:Q", title="requests a second", format=".4~g"),
    alt.Tooltip("slowest:Q", title="slowest round", format=".4~g"),
    alt.Tooltip("fastest:Q", title="fastest round", format=".4~g"),
    alt.Tooltip("proof:N"),
]
PERCENTILES = ("p50", "p90", "p95", "p99")
MARKED = [
    WAY,
    alt.Tooltip("percentile:N"),
    alt.Tooltip("taken:Q", title="latency, ms", format=".4~g"),
    alt.Tooltip("largest:Q", title="largest, ms", format=".4~g"),
    alt.Tooltip("asked_by:N", title="asked by"),
]
HEIGHT = 320  # pixels


def throughput(rows: Rows) -> alt.LayerChart:
    """Requests a second over callers; the line through a point is the range of its rounds."""
    colour, dash, shape = name_looks(rows)
    base = (
        chart_of(rows)
        .transform_filter("datum.rate !== null")
        .encode(
            x=alt.X("callers:O", title="callers, or workers of the DataLoader", axis=alt.Axis(labelAngle=0)),
            color=colour,
            tooltip=TOOLTIP,
        )
    )
    y = alt.Y("rate:Q", title="requests a second")
    ranges = base.mark_rule(opacity=0.7).encode(y="slowest:Q", y2="fastest:Q")
    lines = base.mark_line(strokeWidth=1.5).encode(y=y, strokeDash=dash)
    points = base.mark_point(filled=True, size=60, opacity=1).encode(y=y, shape=shape)
    return layered(
        ranges,
        lines,
        points,
        rows=rows,
        height=Lines(height=HEIGHT, of="load", needs="rate"),
        description="Requests a second over callers, a line a way",
    )


def latencies(rows: Rows) -> alt.LayerChart:
    """The share of requests that were answered within a latency; points mark percentiles."""
    colour, dash, shape = name_looks(rows)
    chart = chart_of(rows).encode(color=colour)
    scale = alt.Scale(type="log", nice=False, padding=8)
    shares = alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 0.9, 1])
    lines = (
        chart.transform_flatten(["latency", "share"])
        .mark_line(strokeWidth=1.5)
        .encode(
            x=alt.X("latency:Q", title="latency, ms", scale=scale, axis=alt.Axis(format="~g")),
            y=alt.Y("share:Q", title="share of requests", scale=alt.Scale(domain=[0, 1]), axis=shares),
            strokeDash=dash,
        )
    )
    points = (
        chart.transform_fold(list(PERCENTILES), as_=["percentile", "taken"])
        .transform_calculate(part="toNumber(slice(datum.percentile, 1)) / 100")
        .mark_point(filled=True, size=60, opacity=1)
        .encode(x="taken:Q", y="part:Q", shape=shape, tooltip=MARKED)
    )
    level = once(chart_of(rows)).mark_rule(strokeDash=[1, 3], opacity=0.7, color=INK, aria=False)
    return layered(
        level.encode(y=alt.datum(0.95)),
        lines,
        points,
        rows=rows,
        height=HEIGHT,
        description="Share of requests answered within a latency, a line a way",
    )
