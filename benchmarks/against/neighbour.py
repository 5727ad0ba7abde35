"""A noisy neighbour, for calibration: keeps processors and memory busy in random bursts, half of the time.

    with noisy_neighbour(seed=1): ...

Two programs burn a processor each by one schedule, the second in every other burst only: one core, then two.
A third sweeps memory that is larger than the caches, by a schedule of its own.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BURST_SECONDS = (0.2, 5.0)  # and the pauses between the bursts
SWEPT_BYTES = 128 * 2**20
ROLES = ("first core", "second core", "memory")


@contextmanager
def noisy_neighbour(seed: int) -> Iterator[None]:
    """Have a neighbour while the context lasts."""
    command = [sys.executable, "-m", __name__, str(seed)]
    programs = [subprocess.Popen([*command, role]) for role in ROLES]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def schedule(seed: int, role: str) -> Iterator[tuple[float, float]]:
    """Seconds of pause and of burst (0: it sits this one out), for ever; both cores have one schedule."""
    chance = random.Random(f"{seed} {'memory' if role == 'memory' else 'cores'}")  # noqa: S311
    is_for_two = False
    while True:
        pause, burst = (chance.uniform(*BURST_SECONDS) for _ in range(2))
        is_idle = role == "second core" and not is_for_two
        yield (pause + burst, 0.0) if is_idle else (pause, burst)
        is_for_two = not is_for_two


def _burn() -> None:
    sum(range(100_000))


def _sweeper() -> Callable[[], None]:
    memory = bytearray(SWEPT_BYTES)

    def sweep() -> None:
        memory[: SWEPT_BYTES // 2] = memory[SWEPT_BYTES // 2 :]

    return sweep


def main(seed: int, role: str) -> None:
    """Pause and burst until the parent has gone."""
    parent, work = os.getppid(), _sweeper() if role == "memory" else _burn
    for pause, burst in schedule(seed, role):
        time.sleep(pause)
        end = time.monotonic() + burst
        while time.monotonic() < end:
            work()
        if os.getppid() != parent:
            return


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
