"""Keep runs for good: append them to a branch of the repository that holds nothing else.

    python -m results.keep RUN... --branch history [--page FILE] [--comparable FOLDER]

A RUN is named as in results.verdict. How runs are kept: results/saved/keeping.py.

--page makes the page of all that is kept (python -m results.page). --comparable copies the newest earlier
runs that can be compared with these into a folder, which results.verdict takes as baseline.

Exit status: 0 all is kept; 1 it is, but a file was left out because it is no run of this suite, or the page
could not be made; 2 nothing was kept, in one sentence.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from results.saved.history import STORAGE, HistoryError, find_files
from results.saved.keeping import FOLDER, KeepError, address_of, comparable, count, keep, read_kept


def main(argv: list[str]) -> int:
    """Keep the runs; returns the exit status."""
    arguments = _arguments(argv)
    try:
        runs, left_out = read_kept(find_files(arguments.runs, arguments.storage))
        for line in left_out:
            _say(line)
        if not runs:
            raise KeepError("none of the files is a run of this suite: make bench saves one")
        with tempfile.TemporaryDirectory(prefix="keep-") as folder:
            clone, added = keep(runs, arguments.branch, address_of(arguments.remote), Path(folder))
            _say(f"{arguments.branch}: {added} of {len(runs)} runs added, {count(clone)} kept")
            if arguments.comparable:
                _copy(comparable(clone, runs), arguments.comparable)
            is_shown = not arguments.page or _make_page(clone, arguments.page)
    except (HistoryError, KeepError, OSError) as error:
        _say(f"error: {error}")
        return 2
    return 1 if left_out or not is_shown else 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m results.keep", description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN", help="files, globs, or names in the storage")
    parser.add_argument("--branch", required=True, help="the branch that holds kept runs and nothing else")
    parser.add_argument(
        "--remote", default="origin", help="a remote of this checkout, or an address (default: origin)"
    )
    parser.add_argument("--storage", type=Path, default=STORAGE, help="default: results/")
    parser.add_argument("--page", type=Path, metavar="FILE", help="make the page of all that is kept")
    parser.add_argument(
        "--comparable", type=Path, metavar="FOLDER", help="copy what these can be compared with"
    )
    return parser.parse_args(argv)


def _copy(paths: Sequence[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        shutil.copy(path, folder)
    _say(f"{folder}: {len(paths)} earlier runs that can be compared with these")


def _make_page(clone: Path, output: Path) -> bool:
    """In a process of its own, which alone needs the extra `report`; it says itself what is missing."""
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "results.page", str(clone / FOLDER), "--output", str(output.resolve())]
    return subprocess.run(command, cwd=STORAGE.parent, check=False).returncode == 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
