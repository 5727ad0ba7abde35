"""Saving in one atomic step: a run that is killed at any moment leaves no damaged or half-written file.

pytest-benchmark writes a history file in place. So it gets a staging folder beside the real files, with links
to them. When a file there is complete, it is published by a hard link: that exists or does not exist, and
never replaces a file.
"""

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

PREFIX = ".saving-"


def stage(storage: Path) -> Path:
    """Make the folder that pytest-benchmark saves into, and remove folders that killed runs have left."""
    storage.mkdir(parents=True, exist_ok=True)
    for left in storage.glob(f"{PREFIX}*"):
        if not _is_running(int(left.name.split("-")[1])):
            shutil.rmtree(left, ignore_errors=True)
    staged = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=storage))
    for saved in storage.glob("[!.]*/*.json"):
        shown = staged / saved.relative_to(storage)
        shown.parent.mkdir(exist_ok=True)
        shown.symlink_to(saved.resolve())
    return staged


def publish(staged: Path, storage: Path) -> list[Path]:
    """Move new files into the storage, under the next free number; returns their new paths."""
    published = []
    for made in sorted(staged.glob("*/*.json")):
        if not made.is_symlink():
            with made.open("rb") as file:
                os.fsync(file.fileno())
            published.append(_link(made, storage / made.parent.name))
    shutil.rmtree(staged, ignore_errors=True)
    return published


def write_atomically(target: Path, text: str) -> None:
    """Write a file in one step; an older one is replaced."""
    descriptor, name = tempfile.mkstemp(prefix=f"{PREFIX}{os.getpid()}-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _link(made: Path, folder: Path) -> Path:
    """Link the file into the folder; if another run has taken its number, under the next free one."""
    folder.mkdir(exist_ok=True)
    number, _, rest = made.name.partition("_")
    while True:
        target = folder / f"{number}_{rest}"
        taken = any(re.match(rf"{number}_", saved.name) for saved in folder.glob("*.json"))
        with contextlib.suppress(FileExistsError):
            if not taken:
                os.link(made, target)
                return target
        number = f"{int(number) + 1:04}"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
