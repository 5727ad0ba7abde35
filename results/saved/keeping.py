"""Runs kept for good, on a branch of the repository that holds nothing else.

The branch is cloned into a temporary folder, the runs are committed there and pushed; a branch that is not
there yet is begun, with no ancestor. A kept run is runs/MOMENT-DIGEST.json, both taken from the run's own
bytes: the same run always has the same name, two runs never do. So after an interruption at any moment the
same command adds what is missing, and nothing twice; and two writers never touch the same file. If the push
of one is rejected because another came first, it clones again and pushes again. Nothing is ever forced.
"""

import hashlib
import json
import os
import random
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from results.saved.history import STORAGE, UNREADABLE, SavedRun, read_run
from results.saved.identity import clashes

FOLDER = "runs"  # of the branch
TRIES = 8  # pushes, where others push in between
PAUSE = 0.5  # seconds before the second try, twice as long before each further one
PATIENCE = 300.0  # seconds for one git command
COMPARED = 20  # runs that --comparable copies at the most
# A commit that does not depend on who runs this: no name to configure, no hook, no signature.
AUTHOR = ("-c", "user.name=results.keep", "-c", "user.email=", "-c", "commit.gpgsign=false")
HOOKLESS = ("-c", f"core.hooksPath={os.devnull}")
WHERE_ELSE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")  # set where a hook runs this


class KeepError(Exception):
    """Nothing could be kept; the message says what to do."""


class OvertakenError(Exception):
    """Somebody else pushed since the branch was cloned; the message is git's."""


Kept = dict[str, bytes]  # what a run is called on the branch, and its file


def read_kept(paths: Sequence[Path]) -> tuple[Kept, list[str]]:
    """The runs in these files under their names on the branch, and sentences on files that are left out."""
    kept: Kept = {}
    left_out = []
    for path in paths:
        try:
            content = path.read_bytes()
            run = _run(content)
        except UNREADABLE as error:
            left_out.append(
                f"{path.name} is left out: it is damaged, or no run of this suite ({error!r:.200})"
            )
            continue
        kept[_name(run, content)] = content
    return kept, left_out


def keep(runs: Mapping[str, bytes], branch: str, remote: str, folder: Path) -> tuple[Path, int]:
    """Append these runs to the branch.

    Args:
        runs: as `read_kept` gives them.
        branch: its name.
        remote: what git clones from and pushes to.
        folder: an empty one, for the clones.

    Returns:
        A clone of the branch with all that is kept, and how many of the runs were not there yet.

    Raises:
        KeepError: if git fails, or others pushed in between each time.
    """
    reason = ""
    for attempt in range(TRIES):
        time.sleep(PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1) if attempt else 0)  # noqa: S311
        clone = _clone(branch, remote, folder / str(attempt))
        added = _add(runs, clone)
        if not added:
            return clone, 0
        commit(clone, added)
        try:
            push(clone, branch)
        except OvertakenError as overtaken:
            reason = str(overtaken)
        else:
            return clone, len(added)
    raise KeepError(f"the push to {branch} was rejected {TRIES} times ({reason}): run the same command again")


def commit(clone: Path, added: Sequence[str]) -> None:
    """Commit the new runs."""
    _git(clone, "add", FOLDER)
    message = f"{len(added)} run{'s' * (len(added) > 1)}: {', '.join(added)}"
    _git(clone, *AUTHOR, *HOOKLESS, "commit", "--quiet", "--message", message)


def push(clone: Path, branch: str) -> None:
    """Push what was committed, without force.

    Raises:
        OvertakenError: if the branch has moved since.
        KeepError: if it fails for another reason.
    """
    command = [*HOOKLESS, "push", "--porcelain", "origin", f"HEAD:refs/heads/{branch}"]
    done = _run_git(clone, command)
    if done.returncode == 0:
        return
    rejected = [line for line in done.stdout.splitlines() if line.startswith("!") and "rejected]" in line]
    if rejected:
        raise OvertakenError(rejected[0].split("\t")[-1])
    raise _failed(command, done)


def comparable(clone: Path, ours: Mapping[str, bytes]) -> list[Path]:
    """The newest kept runs, other than ours, whose times can be compared with ours; newest first."""
    mine = [_run(content) for content in ours.values()]
    others = [path for path in sorted((clone / FOLDER).glob("*.json")) if path.name not in ours]
    found = [(path, run) for path in others if (run := _readable(path)) and _is_comparable(run, mine)]
    found.sort(key=lambda pair: pair[1].moment, reverse=True)
    return [path for path, _ in found[:COMPARED]]


def _is_comparable(run: SavedRun, ours: Sequence[SavedRun]) -> bool:
    pairs = [
        (run.benchmarks[name], record)
        for our in ours
        for name, record in our.benchmarks.items()
        if name in run.benchmarks
    ]
    return bool(pairs) and not any(clashes([a], [b]) for a, b in pairs)


def _run(content: bytes) -> SavedRun:
    run = read_run(json.loads(content), "")
    if not run.benchmarks:
        raise ValueError("nothing of this suite was timed in it")
    return run


def _readable(path: Path) -> SavedRun | None:
    try:
        return _run(path.read_bytes())
    except UNREADABLE:
        return None  # the page names it


def _name(run: SavedRun, content: bytes) -> str:
    moment = re.sub(r"[^0-9]", "", run.moment)[:14] or "undated"
    return f"{moment}-{hashlib.sha256(content).hexdigest()[:16]}.json"


def _clone(branch: str, remote: str, folder: Path) -> Path:
    """A clone of nothing but the branch; an empty repository on that branch where there is none yet."""
    if _git(None, "ls-remote", "--heads", remote, f"refs/heads/{branch}"):
        only = ("--quiet", "--depth=1", "--single-branch", f"--branch={branch}")
        _git(None, "clone", *only, remote, str(folder))
    else:
        _git(None, "init", "--quiet", f"--initial-branch={branch}", str(folder))
        _git(folder, "remote", "add", "origin", remote)
    return folder


def _add(runs: Mapping[str, bytes], clone: Path) -> list[str]:
    """Write those of the runs that are not kept yet; gives their names."""
    (clone / FOLDER).mkdir(exist_ok=True)
    added = [name for name in runs if not (clone / FOLDER / name).exists()]
    for name in added:
        (clone / FOLDER / name).write_bytes(runs[name])
    return added


def count(clone: Path) -> int:
    """How many runs are kept."""
    return len(list((clone / FOLDER).glob("*.json")))


def _git(folder: Path | None, *arguments: str) -> str:
    done = _run_git(folder, arguments)
    if done.returncode != 0:
        raise _failed(arguments, done)
    return done.stdout


def _run_git(folder: Path | None, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in WHERE_ELSE}
    command = ["git", *(["-C", str(folder)] if folder else []), *arguments]
    try:
        return subprocess.run(
            command,
            env={**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},  # in English; git asks nobody
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except FileNotFoundError as error:
        raise KeepError("git is not installed: install it") from error
    except subprocess.TimeoutExpired as error:
        raise KeepError(f"git did not answer in {PATIENCE:.0f} s: run the same command again") from error


def _failed(arguments: Sequence[str], done: subprocess.CompletedProcess[str]) -> KeepError:
    what = next(word for word in arguments if re.fullmatch("[a-z][a-z-]+", word))
    lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit status {done.returncode}"]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return KeepError(f"git {what} failed: {(telling or lines)[0].strip()}")


def address_of(name: str) -> str:
    """The address of a remote of this checkout; any other name is an address itself."""
    done = _run_git(STORAGE.parent, ["remote", "get-url", name])
    if done.returncode == 0:
        return done.stdout.strip()
    return str(Path(name).resolve()) if Path(name).exists() else name
