"""The runs of each benchmark in order of time: which are comparable, what changed, where times moved."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from results.gate.verdicts import percent
from results.page.digits import significant
from results.page.marks import BASES, Mark, machine_of
from results.page.reading import ShownRun
from results.page.rows import Row
from results.page.steps import find_steps
from results.saved.identity import Change, changes


@dataclass(frozen=True, kw_only=True)
class _Point:
    run: int
    row: Row


def history_marks(runs: Sequence[ShownRun], baselines: Mapping[str, Sequence[ShownRun]]) -> list[Mark]:
    """All marks of all benchmarks, in seconds and relative to the limit."""
    series: dict[tuple[str, str], list[_Point]] = {}
    for number, saved in enumerate(runs):
        for row in saved.rows:
            if row.is_measured:
                series.setdefault((row.workload, row.name), []).append(_Point(run=number, row=row))
    kept = {name: [row for saved in copies for row in saved.rows] for name, copies in baselines.items()}
    marks = []
    for points in series.values():
        groups, breaks = _grouped(points)
        bands = [mark for name, rows in kept.items() for mark in _bands(name, rows, points[-1].row)]
        for basis in BASES:
            shown = [p for p in points if _value(p.row, basis) is not None]
            marks += [_run_mark(p, basis, groups[p.run]) for p in shown]
            marks += [m for group in set(groups.values()) for m in _steps(shown, basis, group, groups)]
            marks += [replace(m, basis=basis) for m in breaks] if shown else []
            marks += [band for band in bands if band.basis == basis]
    return marks


def _grouped(points: Sequence[_Point]) -> tuple[dict[int, str], list[Mark]]:
    """The group of each run; and marks where a group begins or its software changes, with the fields."""
    latest: dict[str, _Point] = {}
    groups: dict[int, str] = {}
    marks = []
    before: _Point | None = None
    for point in points:
        group, software = _group_of(point, latest)
        if group not in latest and before:
            clashing = [change for change in _changes(before.row, point.row) if change.is_clash]
            marks.append(_mark(point, "break", group, _told(clashing)))
        if software:
            marks.append(_mark(point, "software", group, _told(software).replace("software.", "")))
        latest[group] = before = point
        groups[point.run] = group
    return groups, marks


def _group_of(point: _Point, latest: Mapping[str, _Point]) -> tuple[str, list[Change]]:
    """The group whose latest run is comparable, and the changes of software since; or a new group."""
    for group, last in latest.items():
        found = _changes(last.row, point.row)
        if not any(change.is_clash for change in found):
            return group, [change for change in found if change.is_of_software]
    return f"{len(latest) + 1}: {machine_of(point.row)}", []


def _changes(before: Row, after: Row) -> list[Change]:
    ours, theirs = before.record, after.record
    same = (ours.identity, ours.workers, ours.interleaved)
    is_equal = same == (theirs.identity, theirs.workers, theirs.interleaved)  # most are, and this is fast
    return [] if is_equal else changes([ours], [theirs])


def _told(found: Sequence[Change]) -> str:
    return "; ".join(f"{change.field}: {change.before} -> {change.after}" for change in found)


def _value(row: Row, basis: str) -> float | None:
    return row.seconds if basis == "seconds" else row.relative


def _run_mark(point: _Point, basis: str, group: str) -> Mark:
    row = point.row
    value = _value(row, basis)
    assert value is not None
    rounds = [seconds * value / row.seconds for seconds in row.rounds]
    low, high = significant(min(rounds)), significant(max(rounds))
    mark = _mark(point, "run", group, row.time)
    return replace(mark, basis=basis, value=value, low=low, high=high)


def _mark(point: _Point, what: str, group: str, text: str) -> Mark:
    row, machine = point.row, machine_of(point.row)
    return Mark(
        workload=row.workload,
        name=row.name,
        kind=row.kind,
        what=what,
        run=point.run,
        group=group,
        machine=machine,
        text=text,
    )


def _steps(points: Sequence[_Point], basis: str, group: str, groups: Mapping[int, str]) -> Iterable[Mark]:
    ours = [p for p in points if groups[p.run] == group]
    values = [math.log(_value(p.row, basis) or 1.0) for p in ours]
    for step in find_steps(values):
        point = ours[step.place]
        text = f"{percent(step.estimate)} ({percent(step.low)} to {percent(step.high)})"
        yield replace(_mark(point, "step", group, text), basis=basis, value=_value(point.row, basis))


def _bands(name: str, rows: Sequence[Row], newest: Row) -> Iterable[Mark]:
    """Bands from the fastest to the slowest run of each named baseline comparable with the newest run."""
    same = [row for row in rows if (row.workload, row.name) == (newest.workload, newest.name)]
    if not same or any(change.is_clash for change in _changes(same[0], newest)):
        return
    for basis in BASES:
        values = [value for row in same if (value := _value(row, basis)) is not None]
        if values:
            low, high = min(values), max(values)
            text = f"baseline {name}: {low:.4g} to {high:.4g}"
            mark = _mark(_Point(run=0, row=newest), "baseline", name, text)
            yield replace(mark, basis=basis, run=None, low=low, high=high)
