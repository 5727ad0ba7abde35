"""Saved runs for the page: all that their files tell, and sentences on what is left out or odd."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from results.page.rows import Row, rows_of
from results.saved.history import STORAGE, HistoryError, Run, find_files, read_run
from results.saved.identity import Entry
from results.told.recommendation import is_timed

NO_RUNS = ("baselines", "calibration")  # folders of the storage that hold something else
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Saved:
    """One saved run."""

    path: Path
    run: Run
    branch: str
    when: datetime | None  # in UTC; None where the file does not tell
    entries: list[Entry]  # what was timed, as pytest-benchmark saves it
    rows: list[Row]  # the same, tidy
    untimed: list[str]  # strategies that failed


def read_saved(names: Sequence[str], storage: Path = STORAGE) -> tuple[list[Saved], list[str]]:
    """The runs that these names stand for (all of the storage without any), oldest first, and what is odd.

    Raises:
        HistoryError: if a name stands for nothing, or there is no run at all.
    """
    paths = find_files(names, storage) if names else _all_of(storage)
    odd: list[str] = []
    found = [saved for path in paths for saved in _read_file(path, odd)]
    if not found:
        told = f" ({'; '.join(odd)})" if odd else ""
        raise HistoryError(f"there is no saved run to show{told}: make bench saves one")
    odd += _backwards(found)
    return sorted(found, key=_order), odd


def read_baselines(storage: Path = STORAGE) -> tuple[dict[str, list[Saved]], list[str]]:
    """The named baselines, and sentences on those that cannot be read."""
    odd: list[str] = []
    paths = sorted(storage.glob("baselines/*.json"))
    return {path.stem: _read_file(path, odd) for path in paths}, odd


def _all_of(storage: Path) -> list[Path]:
    return [path for path in sorted(storage.glob("[!.]*/*.json")) if path.parent.name not in NO_RUNS]


def _read_file(path: Path, odd: list[str]) -> list[Saved]:
    try:
        content = json.loads(path.read_bytes())
        return [_saved(run, path) for run in content.get("runs", [content])]
    except UNREADABLE as error:
        odd.append(f"{path.name} is left out: it is damaged, or no history of this suite ({error!r:.200})")
        return []


def _saved(content: dict[str, Any], path: Path) -> Saved:
    timed = [entry for entry in content["benchmarks"] if is_timed(entry)]
    untimed = [str(e["extra_info"]["strategy"]) for e in content["benchmarks"] if not is_timed(e)]
    run = read_run({**content, "benchmarks": timed}, path.stem)
    return Saved(
        path=path,
        run=run,
        branch=str((content.get("commit_info") or {}).get("branch") or "unknown"),
        when=_moment(run.moment),
        entries=timed,
        rows=rows_of(run, timed),
        untimed=untimed,
    )


def _moment(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return when.replace(tzinfo=timezone.utc) if when.tzinfo is None else when.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _order(saved: Saved) -> tuple[float, str]:
    return (saved.when.timestamp() if saved.when else -math.inf, saved.path.name)


def _backwards(found: Iterable[Saved]) -> list[str]:
    """Files whose number says later, but whose clock says earlier."""
    lines: list[str] = []
    latest: dict[Path, Saved] = {}
    for saved in sorted(found, key=lambda s: str(s.path)):
        before = latest.get(saved.path.parent)
        if saved.when is None:
            lines.append(f"{saved.path.name} does not tell when it was taken: it is shown as the oldest")
        elif before and before.when and saved.when < before.when and saved.path.name[:4].isdigit():
            lines.append(
                f"{saved.path.name} was saved after {before.path.name}, but its clock says before: "
                "runs are shown in the order that their clocks tell"
            )
        else:
            latest[saved.path.parent] = saved
    return lines
