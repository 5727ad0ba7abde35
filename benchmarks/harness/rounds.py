"""Sources of rounds: three of one shape, Alone, InTurns (in_turns.py) and Ordered (ordered.py)."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from statistics import median, stdev
from typing import Protocol

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.harness.clock import CLOCK
from benchmarks.harness.contenders import Contender
from benchmarks.harness.untimed import prove_and_cost
from benchmarks.harness.watcher import Watcher
from exactframes import FallbackWarning
from fixtures.console import Console
from fixtures.settings import Settings
from results.schema import Entry, Record


class Rounds(Protocol):
    """A source of rounds."""

    def untimed(self, contender: Contender) -> Record:
        """Give the contender's record with what the untimed pass found; raise what failed in that pass."""

    def timed(self, contender: Contender, benchmark: BenchmarkFixture) -> None:
        """Have pytest-benchmark time all rounds; raise what failed in them."""

    def finished(self) -> Iterator[Entry]:
        """The timed rounds, as entries of the table, of contenders that have no entry yet."""


class Alone:
    """Each benchmark takes all its rounds before the next benchmark begins."""

    def __init__(self, settings: Settings, console: Console) -> None:
        """Take as many rounds as the settings say."""
        self._settings, self._console = settings, console

    def untimed(self, contender: Contender) -> Record:
        """Take the first warm-up round."""
        first = "warm-up" if contender.record.kind == "limit" else "proof pass"
        self._watcher = Watcher(contender.name, self._settings, self._console, first)
        self._watcher.before()
        try:
            return prove_and_cost(contender)
        finally:
            self._watcher.after()

    def timed(self, contender: Contender, benchmark: BenchmarkFixture) -> None:
        """Take the other warm-up rounds, and the timed ones."""
        watcher, subject = self._watcher, contender.subject

        def take() -> None:
            is_last = watcher.is_last or benchmark.disabled
            (subject.prove_last if is_last else subject.run)()

        benchmark.pedantic(
            take,
            setup=watcher.before,
            teardown=watcher.after,
            rounds=self._settings.rounds,
            warmup_rounds=watcher.warmups_after_first,
        )
        watcher.done()

    def finished(self) -> Iterator[Entry]:
        """None: what has finished has its entry already."""
        return iter(())


class Ahead:
    """Takes the rounds of all contenders when the first benchmark asks; each benchmark replays its own."""

    def __init__(self, contenders: Sequence[Contender]) -> None:
        """Take no round yet."""
        self.contenders = {contender.name: contender for contender in contenders}
        self.seconds: dict[str, list[float]] = {name: [] for name in self.contenders}
        self.errors: dict[str, Exception] = {}  # what went wrong, by the contender's name
        self.found: dict[str, Record] = {}
        self._has_begun = False

    def take_all(self) -> None:
        """Fill in seconds, errors and found."""
        raise NotImplementedError

    def untimed(self, contender: Contender) -> Record:
        """Give what was found before the rounds."""
        if not self._has_begun:
            self._has_begun = True
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FallbackWarning)  # the untimed passes have noted it
                self.take_all()
        if contender.name not in self.found:
            raise self.errors[contender.name]
        return self.found[contender.name]

    def timed(self, contender: Contender, benchmark: BenchmarkFixture) -> None:
        """Replay the rounds."""
        if error := self.errors.get(contender.name):
            raise error
        seconds = self.seconds.pop(contender.name)  # pytest-benchmark has them now
        benchmark.pedantic(replay(seconds), rounds=len(seconds))

    def finished(self) -> Iterator[Entry]:
        """The rounds that were taken before the interrupt."""
        for name, seconds in self.seconds.items():
            if seconds:
                stats = {"median": median(seconds), "stddev": stdev(seconds) if len(seconds) > 1 else 0.0}
                yield {"extra_info": self.found[name].to_dict(), "stats": {**stats, "data": seconds}}


def replay(seconds: Sequence[float]) -> Callable[[], None]:
    """A function whose calls take, by the clock, these seconds, one after the other."""
    left = iter(seconds)
    return lambda: CLOCK.advance(next(left))
