"""Rounds taken in turns: one of each strategy, then the next of each, so that drift hits all alike.

pytest-benchmark takes all rounds of one benchmark before it comes to the next. With --interleave the rounds
of a workload are taken here, at its first benchmark, and each benchmark then replays its own through a clock
that the rounds have set forward: pytest-benchmark is told of it by the `timer` of its own marker.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median, stdev
from typing import Any

from benchmarks.harness.progress import Progress, in_words
from exactframes.errors import ClusterError
from fixtures.console import Console
from fixtures.settings import DEFAULT

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

    def take(
        self, contenders: dict[str, Contender], rounds: int, console: Console, workload_name: str = DEFAULT
    ) -> None:
        """Let all take turns: an untimed one, then the timed ones. Who fails is out."""
        self.seconds.update((name, []) for name in contenders)
        progress = Progress(rounds)
        for name, contender in contenders.items():
            console.live(f"{name:<20} in turns, untimed round")
            self._untimed(name, contender, progress)
        of = "" if workload_name == DEFAULT else f" of {workload_name}"
        if progress.total:
            console.line(f"about {in_words(progress.seconds_left)} for {progress.total} rounds{of}")
        for number in range(1, rounds + 1):
            for name in [name for name in contenders if name not in self.errors]:
                console.live(f"{name:<20} in turns, round {number} of {rounds}, {progress.next_of_all}")
                self._timed(name, contenders[name], progress, is_last=number == rounds)

    def finished(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """What an interrupted run has so far of each, as saved benchmarks have it: extra_info and stats."""
        for name, seconds in self.seconds.items():
            if seconds:
                stats = {"median": median(seconds), "stddev": stdev(seconds) if len(seconds) > 1 else 0.0}
                yield {"strategy": name, **self.found.get(name, {})}, {**stats, "data": seconds}

    def _untimed(self, name: str, contender: Contender, progress: Progress) -> None:
        try:
            whole = timed(partial(self._first, name, contender))
        except ClusterError:  # a lost cluster is the end of the session
            raise
        except Exception as error:  # noqa: BLE001  it is raised again in the benchmark that it belongs to
            self.errors[name] = error
            return
        found = self.found.get(name, {})  # without the start of worker processes
        progress.add(name, found.get("untimed_seconds", whole), found.get("proving_seconds", 0.0))

    def _first(self, name: str, contender: Contender) -> None:
        if contender.first is None:
            contender.run()
        else:
            self.found[name] = contender.first()

    def _timed(self, name: str, contender: Contender, progress: Progress, *, is_last: bool) -> None:
        try:
            seconds = timed(contender.last if is_last else contender.run)
        except ClusterError:  # a lost cluster is the end of the session
            raise
        except Exception as error:  # noqa: BLE001  it is raised again in the benchmark that it belongs to
            self.errors[name] = error
            progress.out(name)
            return
        self.seconds[name].append(seconds)
        progress.took(name, seconds)
