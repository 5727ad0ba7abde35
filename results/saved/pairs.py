"""The pairs of processes that `make ab` keeps: where they are, and what is read of them.

.ab/pairs-KEY/pair-001/A.json, B.json   two runs as pytest-benchmark saves them: round n beside round n
.ab/pairs-KEY/pair-001/pair.json        {"seconds": what taking the pair cost, both starts included}
.ab/pairs-KEY/sides.json                {"A": .., "B": ..}: how the user named the sides
"""

import json
from pathlib import Path

from results.saved.history import STORAGE, HistoryError, SavedRun, read_file

KEPT = STORAGE.parent / ".ab"
SIDES = "sides.json"

Pair = tuple[SavedRun, SavedRun]  # A's and B's, round n of one beside round n of the other


def pairs_in(folder: Path) -> list[Path]:
    """The finished pairs, oldest first."""
    return sorted(folder.glob("pair-[0-9][0-9][0-9]"))


def seconds_of(pair: Path) -> float:
    """How long taking this pair took, s."""
    return float(json.loads((pair / "pair.json").read_text())["seconds"])


def read_pairs(folder: Path) -> list[Pair]:
    """The finished pairs of a folder.

    Raises:
        HistoryError: if one of them cannot be read.
    """
    return [_read_pair(path) for path in pairs_in(folder)]


def _read_pair(path: Path) -> Pair:
    try:
        ((a,), (b,)) = (read_file(path / f"{letter}.json") for letter in "AB")
    except (HistoryError, ValueError) as error:
        raise HistoryError(f".ab/{path.parent.name}/{path.name} is damaged ({error}): remove it") from error
    return a, b


def newest_comparison(kept: Path = KEPT) -> list[Path]:
    """The folder of the newest finished comparison, if there is one."""
    finished = sorted(kept.glob("pairs-*-*-*"), key=lambda folder: folder.stat().st_mtime)
    return finished[-1:]
