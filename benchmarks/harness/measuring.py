"""One measurement: proven, costed and timed, and its row in the table and in history."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NoReturn

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.harness.across import SetPass
from benchmarks.harness.cluster_across import ClusterSetPass
from benchmarks.harness.cost import CostMeter
from benchmarks.harness.identity import Identity
from benchmarks.harness.interleaving import Interleaved, replay
from benchmarks.harness.parts import Pass
from benchmarks.harness.proof import MismatchError
from benchmarks.harness.rounds import Rounds
from benchmarks.harness.session import entries
from exactframes import FallbackWarning
from exactframes.errors import ClusterError
from fixtures.console import Console
from fixtures.settings import DEFAULT, Settings
from results.schema import Entry, Kind, Record, read
from results.schema import Identity as SavedIdentity


@dataclass(frozen=True)
class Measurement:
    """What every benchmark of this suite needs of its session."""

    config: pytest.Config
    benchmark: BenchmarkFixture
    workload_name: str
    frames_asked: int
    settings: Settings
    identity: Identity
    console: Console
    interleaved: Interleaved | None
    entry: Entry = field(default_factory=lambda: {"extra_info": {}, "stats": None})

    @property
    def record(self) -> Record:
        """What is saved of this benchmark so far."""
        return read(self.entry)

    def begin(self, name: str, kind: Kind, workers: int, **more: Any) -> None:
        """Put a row into the table, so that a failure shows there; `more` are fields of Record."""
        self.entry["extra_info"] = self.benchmark.extra_info
        record = Record(
            strategy=name,
            kind=kind,
            workers=workers,
            frames=self.frames_asked,
            workload=self.workload_name,
            interleaved=self._is_in_turns(name),
            is_of_set=self.settings.is_set,
            identity=SavedIdentity(**self.identity),
            **more,
        )
        self.benchmark.extra_info.update(record.to_dict())
        if self.workload_name != DEFAULT:
            self.benchmark.group = self.workload_name
        entries(self.config).append(self.entry)

    def note(self, **fields: Any) -> None:
        """Save more of this benchmark: fields of Record."""
        record = replace(self.record, **fields)
        self.benchmark.extra_info.clear()
        self.benchmark.extra_info.update(record.to_dict())

    def frames(self, decoding: Pass | SetPass | ClusterSetPass) -> None:
        """Prove, cost and time what returns frames; the last round's frames are proven too."""
        rounds = Rounds(decoding.name, self.settings, self.console)
        with _end_with_the_cluster(), fallback_noted(lambda reason: self.note(fallback=reason)):
            self.note(**self._untimed(decoding.name, partial(untimed_pass, decoding), rounds))
            with self.timed():
                self._rounds(decoding.run, decoding.prove_last, rounds)
        rounds.done()

    def command(self, run: Callable[[], None]) -> None:
        """Cost and time what returns nothing to prove."""
        name = self.record.strategy
        rounds = Rounds(name, self.settings, self.console, first="warm-up")
        self.note(**self._untimed(name, partial(costed, run), rounds))
        with self.timed():
            self._rounds(run, run, rounds)
        rounds.done()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Let the timing inside enter history and table only if everything inside has gone well.

        An interrupt, or a last round whose frames are wrong, must leave no trace.
        """
        self.benchmark.has_error = True
        yield
        self.benchmark.has_error = False
        if self.benchmark.stats is not None:  # None with --benchmark-disable
            self.entry.update(self.benchmark.stats.as_dict())

    def _is_in_turns(self, name: str) -> bool:
        return self.interleaved is not None and name in self.interleaved.seconds

    def _rounds(self, run: Callable[[], Any], last: Callable[[], Any], rounds: Rounds) -> None:
        name = self.record.strategy
        if self.interleaved is not None and name in self.interleaved.seconds:
            if name in self.interleaved.errors:
                _fail(self.interleaved.errors[name])
            seconds = self.interleaved.seconds[name]
            self.benchmark.pedantic(replay(seconds), rounds=len(seconds))
            return

        def take() -> None:
            (last if rounds.is_last or self.benchmark.disabled else run)()

        try:
            self.benchmark.pedantic(
                take,
                setup=rounds.before,
                teardown=rounds.after,
                rounds=self.settings.rounds,
                warmup_rounds=rounds.warmups_after_first,
            )
        except MismatchError as mismatch:
            self.note(proof=None)
            _fail(mismatch)

    def _untimed(self, name: str, take: Callable[[], dict[str, Any]], rounds: Rounds) -> dict[str, Any]:
        """Unless it was the untimed turn, or has failed there: its error is raised with the rounds."""
        if self.interleaved is not None and name in self.interleaved.seconds:
            failed = isinstance(self.interleaved.errors.get(name), MismatchError)
            return {"proof": None} if failed else self.interleaved.found.get(name, {})
        rounds.before()
        try:
            return take()
        except MismatchError as mismatch:
            self.note(proof=None)
            _fail(mismatch)
        finally:
            rounds.after()


@dataclass
class _Pause:
    """What counts neither as CPU time of a pass nor as its seconds."""

    meter: CostMeter
    seconds: float = 0.0

    @contextmanager
    def context(self) -> Iterator[None]:
        """While frames are judged."""
        began = time.perf_counter()
        with self.meter.cpu_uncounted():
            yield
        self.seconds += time.perf_counter() - began


def costed(run: Callable[[], None]) -> dict[str, Any]:
    """Run it; gives what it costs, as a field of Record."""
    with CostMeter() as meter:
        run()
    return {"cost": meter.cost}


def untimed_pass(decoding: Pass | SetPass | ClusterSetPass) -> dict[str, Any]:
    """Prove and cost what returns frames; gives fields of Record, "fallback" among them if it fell back.

    Raises:
        MismatchError: if the frames are wrong.
    """
    info: dict[str, Any] = {}
    with fallback_noted(partial(info.__setitem__, "fallback")):
        decoding.warm_up()  # the first start of worker processes is neither in the times nor in the cost
        with CostMeter() as meter:
            pause = _Pause(meter)
            began = time.perf_counter()
            info["proof"] = decoding.prove(pause=pause.context).summary
            info["proving_seconds"] = pause.seconds
            info["untimed_seconds"] = time.perf_counter() - began - pause.seconds
        info["cost"] = meter.cost
    return info


def _fail(error: Exception) -> NoReturn:
    if isinstance(error, MismatchError):
        pytest.fail(str(error), pytrace=False)
    raise error


@contextmanager
def _end_with_the_cluster() -> Iterator[None]:
    """A lost cluster is the end of the session: nothing is saved."""
    try:
        yield
    except ClusterError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.TESTS_FAILED)


@contextmanager
def fallback_noted(take: Callable[[str], None]) -> Iterator[None]:
    """Hand over the reason of each FallbackWarning inside."""

    def note(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if issubclass(category, FallbackWarning):
            take(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", FallbackWarning)
        warnings.showwarning = note
        yield
