"""What tests of iterators share: batches that are made up, the library's threads, programs that must end."""

import subprocess
import sys
import threading
import time
from collections.abc import Generator

import torch

from exactframes.ahead import Ahead, Made
from exactframes.helpers import Stop
from fixtures.testing.suite_runner import ROOT

NO_FRAMES = torch.zeros((1, 3, 2, 2), dtype=torch.uint8)


def our_threads() -> list[threading.Thread]:
    """The threads of the library that live now, by their name."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("exactframes")]


def wait_for_threads() -> None:
    """Fails where a thread of the library lives on for five seconds."""
    latest = time.monotonic() + 5
    while our_threads() and time.monotonic() < latest:
        time.sleep(0.005)
    assert not our_threads()


def ahead(*made: Made | BaseException) -> Ahead:
    """An iterator over what is made up: items, warnings, and errors that are raised."""
    return Ahead(given(made), Stop())


def given(made: tuple[Made | BaseException, ...]) -> Generator[Made, None, None]:
    """The items one by one; an error is raised where it stands, a warning is an item."""
    for item in made:
        if isinstance(item, BaseException) and not isinstance(item, Warning):
            raise item
        yield item


def batch(number: int) -> tuple[range, torch.Tensor]:
    """A batch of one tiny frame."""
    return range(number, number + 1), NO_FRAMES


def run(program: str, *arguments: object) -> str:
    """What a program prints, in a process that must end by itself, well, and in time."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
