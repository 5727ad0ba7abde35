"""The view of all runs in order of time: medians, ranges, breaks, changes of software, steps, baselines."""

import altair as alt

from results.page.look import PALETTE, Rows, chart_of, counting_axis, layered

FIELDS = ("basis", "workload", "name", "machine", "what", "run", "group", "value", "low", "high", "text")
COLUMNS = {
    "number": "run",
    "source": "file",
    "when": "when",
    "branch": "branch",
    "commit": "commit",
    "value": "median",
    "low": "least round",
    "high": "most round",
    "group": "comparable group",
}
EVENTS = {
    "what": "what",
    "number": "run",
    "text": "what it is",
    "when": "when",
    "source": "file",
}
RUN = [
    alt.Tooltip("number:Q", title="run"),
    alt.Tooltip("source:N", title="file"),
    alt.Tooltip("when:N", title="when"),
    alt.Tooltip("commit:N", title="commit"),
    alt.Tooltip("branch:N", title="branch"),
]
RANGE = [
    alt.Tooltip("value:Q", title="median", format=".5~g"),
    alt.Tooltip("low:Q", title="least round", format=".5~g"),
    alt.Tooltip("high:Q", title="most round", format=".5~g"),
    alt.Tooltip("text:N", title="in seconds"),
    alt.Tooltip("group:N", title="comparable group"),
]
TEXT = alt.Tooltip("text:N", title="what it is")


def timeline(rows: Rows) -> alt.LayerChart:
    """One benchmark: `number` counts all runs from 1, `value` is in the unit that `unit` names."""
    base = chart_of(rows)
    axis, scale = counting_axis(), alt.Scale(zero=False, nice=False, padding=14)
    x = alt.X("number:Q", title="run, in order of time", axis=axis, scale=scale)
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False))
    legend = alt.Legend(columns=1, orient="bottom", labelLimit=270, symbolOpacity=1, symbolType="circle")
    group = alt.Color("group:N", sort=None, title="comparable runs", legend=legend)
    unit = (
        base.transform_aggregate(groupby=["basis"])
        .mark_text(align="left", baseline="bottom")
        .encode(x=alt.value(0), y=alt.value(-6), text="basis:N")
    )
    runs = base.transform_filter("datum.what === 'run'")
    bands = (
        base.transform_filter("datum.what === 'baseline'")
        .mark_rect(color=PALETTE[4], opacity=0.25)
        .encode(y="low:Q", y2="high:Q", tooltip=[TEXT, *RANGE[1:3]])
    )
    ranges = runs.mark_rule(opacity=0.7).encode(x=x, y="low:Q", y2="high:Q", color=group)
    lines = runs.mark_line(strokeWidth=1.5).encode(x=x, y=y, color=group)
    medians = runs.mark_point(filled=True, size=34, opacity=1).encode(
        x=x,
        y=y,
        color=group,
        shape=alt.Shape("group:N", sort=None, legend=None),
        tooltip=[*RUN, *RANGE],
    )
    breaks = _across(base, "break", [1, 0])
    software = _across(base, "software", [2, 3])
    steps = base.transform_filter("datum.what === 'step'")
    step_lines = steps.mark_rule(color=PALETTE[1], strokeWidth=2).encode(x=x, tooltip=[*RUN, TEXT])
    step_words = (
        steps.transform_calculate(word="split(datum.text, ' ')[0]")
        .mark_text(align="left", dx=4, baseline="top", fontWeight="bold")
        .encode(x=x, y=alt.value(2), text="word:N", tooltip=[*RUN, TEXT])
    )
    layers = (unit, bands, breaks, software, ranges, lines, step_lines, medians, step_words)
    return layered(
        *layers,
        rows=rows,
        height=340,
        description="Times of one benchmark in all runs, in order of time",
    )


def _across(base: alt.Chart, what: str, dash: list[int]) -> alt.Chart:
    marks = base.transform_filter(f"datum.what === '{what}'")
    across = marks.mark_rule(strokeDash=dash, strokeWidth=1.5, opacity=0.7)
    made: alt.Chart = across.encode(x="number:Q", tooltip=[*RUN, TEXT])
    return made
