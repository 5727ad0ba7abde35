"""What the page shows: its tables, and the views that are made of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results.page import against, pair_dots, requests, run, scaling, timeline, workloads
from results.page.marks import BASES
from results.page.packing import Packed, pack
from results.page.reading import ShownRun, read_baselines, read_saved
from results.page.series import history_marks
from results.page.view import View
from results.page.views import VIEWS
from results.saved.history import STORAGE
from results.saved.identity import fields_of
from results.schema import Record
from results.told.recommendation import recommendation
from results.told.requests import is_one_of_requests, stream_of, stream_recommendation

RUN_FIELDS = ("label", "source", "when", "branch", "commit", "number", "untimed")


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that the page shows."""

    views: Sequence[View]
    tables: Mapping[str, Packed]
    odd: Sequence[str]  # sentences on files left out, and on clocks that run backwards
    told: Mapping[str, Sequence[str]]  # sentences on each comparison
    first_run: Mapping[str, int]  # by view: the run that it shows first; other views show the newest first


def gather(names: Sequence[str], pairs: Sequence[Path], storage: Path = STORAGE) -> Content:
    """Read everything that the page shows.

    Raises:
        HistoryError: if a name stands for nothing, or nothing can be read.
    """
    runs, odd = read_saved(names, storage)
    baselines, odd_baselines = read_baselines(storage)
    compared = [(folder, *against.compare_folder(folder)) for folder in pairs]
    rows = [vars(row) | {"run": n} for n, saved in enumerate(runs) for row in saved.rows]
    measured = [row for row in rows if row["is_measured"] and not row["is_of_requests"]]
    several = {n for n, saved in enumerate(runs) if _workloads(saved) > 1}
    asked = [row | {"run": n} for n, saved in enumerate(runs) for row in saved.requests]
    matrix = [r for r in measured if not r["is_scaling"] and r["kind"] != "limit" and r["run"] in several]
    marks = [vars(mark) | {"basis": BASES[mark.basis]} for mark in history_marks(runs, baselines)]
    tables = {
        "runs": pack([run_row(n, saved) for n, saved in enumerate(runs)], RUN_FIELDS),
        "rows": pack(measured, ("run", *run.FIELDS)),
        "matrix": pack(matrix or _single(measured), ("run", *workloads.FIELDS)),
        "scaling": pack([r for r in rows if r["is_scaling"]], ("run", *scaling.FIELDS)),
        "requests": pack(asked, ("run", *requests.FIELDS)),
        "history": pack(marks, timeline.FIELDS),
        "tasks": pack(_tasks(runs), ("run", "workload", "sentence", "code", "identity")),
        "verdicts": pack([row for _, _, found, _ in compared for row in found], against.VERDICTS),
        "pairs": pack([row for _, _, _, found in compared for row in found], pair_dots.FIELDS),
    }
    told = {
        against.name_of(folder): against.told(folder, comparison) for folder, comparison, _, _ in compared
    }
    first_run = {"workloads": _of_most_workloads(runs)}
    return Content(views=VIEWS, tables=tables, odd=[*odd, *odd_baselines], told=told, first_run=first_run)


def _of_most_workloads(runs: Sequence[ShownRun]) -> int:
    """The newest of the runs with the most workloads."""
    return max(range(len(runs)), key=lambda n: (_workloads(runs[n]), n))


def _workloads(saved: ShownRun) -> int:
    """How many workloads a run has strategies for."""
    return len({row.workload for row in saved.rows if not row.is_of_requests})


def _single(measured: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in measured if not row["is_scaling"] and row["kind"] != "limit"]


def run_row(number: int, saved: ShownRun) -> dict[str, Any]:
    """A row about a run itself; the label, for people, counts from 1."""
    when = saved.when.strftime("%Y-%m-%d %H:%M:%S UTC") if saved.when else "at an unknown time"
    commit = str(saved.run.commit or "unknown")[:12]
    branch = str(saved.run.branch or "unknown")
    return {
        "label": f"{number + 1}: {saved.run.source}, {when}, {branch} {commit[:8]}",
        "source": saved.path.name,
        "when": when,
        "branch": branch,
        "commit": commit,
        "number": number + 1,
        "untimed": ", ".join(saved.run.untimed),
    }


def _tasks(runs: Sequence[ShownRun]) -> list[dict[str, Any]]:
    """Rows of each run and workload: the recommendation, and all fields of the identity."""
    found = []
    for number, saved in enumerate(runs):
        for workload in dict.fromkeys(row.workload for row in saved.rows):
            ours = [record for record in saved.run.records if record.workload == workload]
            lines = _recommended(saved.run.records, ours)[1:]
            begins = next((n for n, line in enumerate(lines) if line.startswith("    ")), len(lines))
            found.append(
                {
                    "run": number,
                    "workload": workload,
                    "sentence": " ".join(lines[:begins]),
                    "code": "\n".join(line.removeprefix("    ") for line in lines[begins:]),
                    "identity": json.dumps({name: str(value) for name, value in fields_of(ours[0])}),
                }
            )
    return found


def _recommended(records: Sequence[Record], ours: Sequence[Record]) -> list[str]:
    """The recommendation for a workload; for requests, that for their stream under all loads."""
    if any(map(is_one_of_requests, ours)):
        return stream_recommendation(records, stream_of(ours[0].workload))
    return recommendation(ours)
