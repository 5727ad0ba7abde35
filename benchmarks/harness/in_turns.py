"""Rounds in turns: the first round of each contender, then the second of each, so that drift hits all alike.

pytest-benchmark takes all rounds of one benchmark before it comes to the next. With --interleave they are
taken here instead, when the first benchmark of a workload asks.
"""

from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.harness.clock import CLOCK
from benchmarks.harness.contenders import Contender
from benchmarks.harness.progress import Progress, in_words
from benchmarks.harness.rounds import Ahead
from benchmarks.harness.untimed import prove_and_cost
from exactframes.errors import ClusterError
from fixtures.console import Console
from fixtures.settings import DEFAULT


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
        except ClusterError:  # a lost cluster is the end of the session
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
