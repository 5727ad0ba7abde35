"""One measurement: proven, costed and timed, and its row in the table and in history."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
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
from results.identity import Entry


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
    def info(self) -> dict[str, Any]:
        """What is saved of this benchmark besides its times."""
        info: dict[str, Any] = self.entry["extra_info"]
        return info

    def begin(self, name: str, workers: int, **more: object) -> None:
        """Put a row into the table, so that a failure shows there."""
        self.entry["extra_info"] = self.benchmark.extra_info
        frames = self.frames_asked
        self.info.update(strategy=name, workers=workers, frames=frames, workload=self.workload_name)
        if self.settings.is_set:
            more["is_of_set"] = True
        self.info.update(interleaved=self._in_turns, **more, **self.identity)
        if self.workload_name != DEFAULT:
            self.benchmark.group = self.workload_name
        entries(self.config).append(self.entry)

    def frames(self, decoding: Pass | SetPass | ClusterSetPass) -> None:
        """Prove, cost and time what returns frames; the last round's frames are proven too."""
        rounds = Rounds(decoding.name, self.settings, self.console)
        with _end_with_the_cluster(), fallback_noted(self.info):
            self.info.update(self._untimed(decoding.name, partial(untimed_pass, decoding), rounds))
            with self.timed():
                self._rounds(decoding.run, decoding.prove_last, rounds)
        rounds.done()

    def command(self, run: Callable[[], None]) -> None:
        """Cost and time what returns nothing to prove."""
        name = str(self.info["strategy"])
        rounds = Rounds(name, self.settings, self.console, first="warm-up")
        self.info.update(self._untimed(name, partial(costed, run), rounds))
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

    @property
    def _in_turns(self) -> bool:
        return self.interleaved is not None and self.info.get("strategy") in self.interleaved.seconds

    def _rounds(self, run: Callable[[], Any], last: Callable[[], Any], rounds: Rounds) -> None:
        if self.interleaved is not None and self._in_turns:
            name = self.info["strategy"]
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
            self.info["proof"] = None
            _fail(mismatch)

    def _untimed(self, name: str, take: Callable[[], dict[str, Any]], rounds: Rounds) -> dict[str, Any]:
        """Unless it was the untimed turn, or has failed there: its error is raised with the rounds."""
        if self.interleaved is not None and self._in_turns:
            failed = isinstance(self.interleaved.errors.get(name), MismatchError)
            return {"proof": None} if failed else self.interleaved.found.get(name, {})
        rounds.before()
        try:
            return take()
        except MismatchError as mismatch:
            self.info["proof"] = None
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
    """Run it: the fields to be saved of what that costs."""
    with CostMeter() as meter:
        run()
    return {"cost": asdict(meter.cost)}


def untimed_pass(decoding: Pass | SetPass | ClusterSetPass) -> dict[str, Any]:
    """Prove and cost what returns frames: the fields to be saved of it; "fallback", if it fell back.

    Raises:
        MismatchError: if the frames are wrong.
    """
    info: dict[str, Any] = {}
    with fallback_noted(info):
        decoding.warm_up()  # the first start of worker processes is neither in the times nor in the cost
        with CostMeter() as meter:
            pause = _Pause(meter)
            began = time.perf_counter()
            info["proof"] = decoding.prove(pause=pause.context).as_dict()
            info["proving_seconds"] = pause.seconds
            info["untimed_seconds"] = time.perf_counter() - began - pause.seconds
        info["cost"] = asdict(meter.cost)
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
def fallback_noted(info: dict[str, Any]) -> Iterator[None]:
    """Put the reason of a strategy's FallbackWarning into `info["fallback"]`."""

    def note(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if issubclass(category, FallbackWarning):
            info["fallback"] = str(message)

    with warnings.catch_warnings():
        warnings.simplefilter("always", FallbackWarning)
        warnings.showwarning = note
        yield
