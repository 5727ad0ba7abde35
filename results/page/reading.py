"""Saved runs for the page: all that their files say, and sentences about what is left out or odd."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from results.page.request_rows import request_rows
from results.page.rows import Row, rows_of
from results.saved.history import (
    BASELINES,
    STORAGE,
    UNREADABLE,
    HistoryError,
    SavedRun,
    files_in,
    find_files,
    read_file,
)


@dataclass(frozen=True, kw_only=True)
class ShownRun:
    """One saved run, and its rows."""

    path: Path
    run: SavedRun
    when: datetime | None  # in UTC; None if the file does not say
    rows: list[Row]  # what was timed, tidy
    requests: list[dict[str, Any]]  # a row for each way that answered requests


def read_saved(names: Sequence[str], storage: Path = STORAGE) -> tuple[list[ShownRun], list[str]]:
    """The runs that these names stand for, oldest first, and what is odd; without names, all of the storage.

    Raises:
        HistoryError: if a name stands for nothing, or there is no run at all.
    """
    paths = find_files(names, storage) if names else files_in(storage)
    odd: list[str] = []
    found = [saved for path in paths for saved in _read_file(path, odd)]
    if not found:
        told = f" ({'; '.join(odd)})" if odd else ""
        raise HistoryError(f"there is no saved run to show{told}: make bench saves one")
    odd += _backwards(found)
    return sorted(found, key=_order), odd


def read_baselines(storage: Path = STORAGE) -> tuple[dict[str, list[ShownRun]], list[str]]:
    """The named baselines, and sentences about those that cannot be read."""
    odd: list[str] = []
    paths = sorted(storage.glob(f"{BASELINES}/*.json"))
    return {path.stem: _read_file(path, odd) for path in paths}, odd


def _read_file(path: Path, odd: list[str]) -> list[ShownRun]:
    try:
        return [_saved(path, run) for run in read_file(path)]
    except HistoryError as error:
        odd.append(f"{path.name} is left out: {error}")
        return []


def _saved(path: Path, run: SavedRun) -> ShownRun:
    try:
        rows, requests = rows_of(run), request_rows(run)
    except UNREADABLE as error:
        raise HistoryError(f"it is damaged ({error!r:.200})") from error
    return ShownRun(path=path, run=run, when=_moment(run.moment), rows=rows, requests=requests)


def _moment(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return when.replace(tzinfo=timezone.utc) if when.tzinfo is None else when.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _order(saved: ShownRun) -> tuple[float, str]:
    return (saved.when.timestamp() if saved.when else -math.inf, saved.path.name)


def _backwards(found: Iterable[ShownRun]) -> list[str]:
    """Sentences about files with a later number than others, but an earlier clock."""
    lines: list[str] = []
    latest: dict[Path, ShownRun] = {}
    for saved in sorted(found, key=lambda s: str(s.path)):
        before = latest.get(saved.path.parent)
        if saved.when is None:
            lines.append(f"{saved.path.name} does not say when it was taken: it is shown as the oldest")
        elif before and before.when and saved.when < before.when and saved.path.name[:4].isdigit():
            lines.append(
                f"{saved.path.name} was saved after {before.path.name}, but its clock says before: "
                "runs are shown in the order of their clocks"
            )
        else:
            latest[saved.path.parent] = saved
    return lines
