"""Rounds taken in turns: one of each strategy, then the next of each, so that drift hits all alike.

pytest-benchmark takes all rounds of one benchmark before it comes to the next. With --interleave the rounds
of a workload are taken here, at its first benchmark, and each benchmark then replays its own through a clock
that the rounds have set forward: pytest-benchmark is told of it by the `timer` of its own marker.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fixtures.console import Console

_replayed = 0.0


def clock() -> float:
    """The timer of every benchmark here: time.perf_counter, replayed seconds added, untimed ones left out."""
    return time.perf_counter() + _replayed


@contextmanager
def untimed() -> Iterator[None]:
    """Let `clock` stand still inside, where a round's frames are proven and let go."""
    global _replayed  # noqa: PLW0603  a clock is one for all
    began = time.perf_counter()
    try:
        yield
    finally:
        _replayed -= time.perf_counter() - began


def timed(run: Callable[[], Any]) -> float:
    """Seconds that it takes, by `clock`."""
    start = clock()
    run()
    return clock() - start


def replay(seconds: list[float]) -> Callable[[], None]:
    """A function that takes, by `clock`, the next of these seconds at each call."""
    left = iter(seconds)

    def take() -> None:
        global _replayed  # noqa: PLW0603  a clock is one for all
        _replayed += next(left)

    return take


@dataclass(frozen=True)
class Contender:
    """One of those that take turns."""

    run: Callable[[], Any]  # a round
    last: Callable[[], Any]  # the last round, its frames proven by the way, untimed; raises if they are wrong
    first: Callable[[], dict[str, Any]] | None = None  # the untimed turn, if it is more than a run


@dataclass(frozen=True)
class Interleaved:
    """The rounds of one workload."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)  # what went wrong in whose rounds
    found: dict[str, dict[str, Any]] = field(default_factory=dict)  # by the untimed turns: proof, cost

    def take(self, contenders: dict[str, Contender], rounds: int, console: Console) -> None:
        """Let all take turns: an untimed one, then the timed ones. Who fails is out."""
        self.seconds.update((name, []) for name in contenders)
        for number in range(rounds + 1):
            turn = f"round {number} of {rounds}" if number else "untimed round"
            for name in [name for name in contenders if name not in self.errors]:
                console.live(f"{name:<20} in turns, {turn}")
                if number == 0:
                    self._untimed(name, contenders[name])
                else:
                    self._timed(name, contenders[name], is_last=number == rounds)

    def _untimed(self, name: str, contender: Contender) -> None:
        try:
            if contender.first is None:
                contender.run()
            else:
                self.found[name] = contender.first()
        except Exception as error:  # noqa: BLE001  it is raised again in the benchmark that it belongs to
            self.errors[name] = error

    def _timed(self, name: str, contender: Contender, *, is_last: bool) -> None:
        try:
            seconds = timed(contender.last if is_last else contender.run)
        except Exception as error:  # noqa: BLE001  it is raised again in the benchmark that it belongs to
            self.errors[name] = error
            return
        self.seconds[name].append(seconds)
