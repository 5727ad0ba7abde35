"""Sources of rounds, of one shape: Alone, InTurns, and Ordered (ordered.py).

pytest-benchmark takes all rounds of one benchmark before it comes to the next. InTurns takes the first round
of each contender, then the second of each, so that drift hits all alike; each benchmark then replays its own.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median, stdev
from typing import Protocol

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.harness.clock import CLOCK
from benchmarks.harness.contenders import Contender
from benchmarks.harness.untimed import prove_and_cost
from benchmarks.harness.watching import Progress, Watcher, in_words
from benchmarks.loads.records import LoadError
from exactframes import FallbackWarning
from exactframes.errors import ClusterError
from fixtures.console import Console
from fixtures.settings import DEFAULT, Settings
from results.schema import Entry, Record

END_OF_SESSION = (ClusterError, LoadError)  # a lost cluster, or a worker that was killed: nothing is saved


class Rounds(Protocol):
    """A source of rounds, which takes and times them."""

    def untimed(self, contender: Contender) -> Record:
        """Return the contender's record with what the untimed pass found; raise what failed there."""

    def timed(self, contender: Contender, benchmark: BenchmarkFixture) -> None:
        """Have pytest-benchmark time all rounds; raise what failed in them."""

    def finished(self) -> Iterator[Entry]:
        """Entries for the table, with the timed rounds of contenders that have no entry yet."""


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
        """Give nothing: what has finished has its entry already."""
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
                warnings.simplefilter("ignore", FallbackWarning)  # the untimed pass has noted it
                self.take_all()
        if contender.name not in self.found:
            raise self.errors[contender.name]
        return self.found[contender.name]

    def timed(self, contender: Contender, benchmark: BenchmarkFixture) -> None:
        """Replay the rounds."""
        if error := self.errors.get(contender.name):
            raise error
        seconds = self.seconds.pop(contender.name)  # pytest-benchmark keeps them now
        benchmark.pedantic(replay(seconds), rounds=len(seconds))

    def finished(self) -> Iterator[Entry]:
        """The rounds that were taken before the interrupt."""
        for name, seconds in self.seconds.items():
            if seconds:
                stats = {"median": median(seconds), "stddev": stdev(seconds) if len(seconds) > 1 else 0.0}
                record = self.contenders[name].finish(self.found[name], len(seconds))
                yield {"extra_info": record.to_dict(), "stats": {**stats, "data": seconds}}


class InTurns(Ahead):
    """All contenders take turns; one that fails takes no further turn."""

    def __init__(
        self, contenders: Sequence[Contender], rounds: int, console: Console, workload: str = DEFAULT
    ) -> None:
        """Take so many rounds of each."""
        super().__init__(contenders)
        self._rounds, self._console, self._workload = rounds, console, workload
        self._progress = Progress(rounds)

    def take_all(self) -> None:
        """An untimed turn of each, then the timed turns."""
        for name, contender in self.contenders.items():
            self._console.live(f"{name:<20} in turns, untimed round")
            self._attempt(name, partial(self._untimed, contender))
        self._announce()
        for number in range(1, self._rounds + 1):
            self._turn(number)

    def _announce(self) -> None:
        of = "" if self._workload == DEFAULT else f" of {self._workload}"
        if total := self._progress.total:
            self._console.line(f"about {in_words(self._progress.seconds_left)} for {total} rounds{of}")

    def _turn(self, number: int) -> None:
        for name in [name for name in self.contenders if name not in self.errors]:
            where = f"round {number} of {self._rounds}, {self._progress.next_of_all}"
            self._console.live(f"{name:<20} in turns, {where}")
            self._attempt(name, partial(self._timed, name, is_last=number == self._rounds))

    def _attempt(self, name: str, turn: Callable[[], None]) -> None:
        try:
            turn()
        except END_OF_SESSION:
            raise
        except Exception as error:  # noqa: BLE001  the contender's own benchmark raises it again
            self.errors[name] = error
            self._progress.out(name)

    def _untimed(self, contender: Contender) -> None:
        record = self.found[contender.name] = prove_and_cost(contender)
        self._progress.add(contender.name, record.untimed_seconds or 0.0, record.proving_seconds or 0.0)

    def _timed(self, name: str, *, is_last: bool) -> None:
        subject = self.contenders[name].subject
        seconds = CLOCK.seconds_of(subject.prove_last if is_last else subject.run)
        self.seconds[name].append(seconds)
        self._progress.took(name, seconds)


def replay(seconds: Sequence[float]) -> Callable[[], None]:
    """Return a function whose calls take these seconds by the clock, one after another."""
    left = iter(seconds)
    return lambda: CLOCK.advance(next(left))
