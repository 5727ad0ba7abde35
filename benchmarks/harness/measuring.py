"""One measurement: a contender's rounds, and its row in the table and in history."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.harness.contenders import Collected, Contender, NotMeasuredError, Work
from benchmarks.harness.in_turns import InTurns
from benchmarks.harness.ordered import Ordered, Orders
from benchmarks.harness.proof import MismatchError
from benchmarks.harness.rounds import Alone, Rounds
from benchmarks.harness.session import entries
from benchmarks.harness.untimed import fallback_noted
from exactframes.errors import ClusterError
from fixtures.console import Console, notes
from fixtures.settings import DEFAULT


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All contenders of one workload, and the one source of their rounds."""

    work: Work
    contenders: Collected
    rounds: Rounds

    def described(self, contender: Contender) -> dict[str, Any]:
        """What is saved of a contender before anything is measured."""
        work, settings = self.work, self.work.settings
        more = {"is_of_set": True} if settings.is_set else {}
        return {
            "strategy": contender.subject.name,
            "kind": contender.kind,
            "is_parallel": contender.is_parallel,
            "workers": contender.workers,
            "frames": work.frames,
            "workload": work.name,
            "interleaved": self.rounds.are_in_turns,
            **more,
            **contender.about,
            **work.identity,
        }


def compare(work: Work, contenders: Collected, orders: Orders | None, console: Console) -> Comparison:
    """Hand the contenders to their source of rounds, which the command line chooses."""
    sound: Sequence[Contender] = [one for one in contenders.values() if isinstance(one, Contender)]
    rounds: Rounds
    if orders is not None:
        rounds = Ordered(sound, orders, console)
    elif work.settings.interleave:
        rounds = InTurns(sound, work.settings.rounds, console, work.name)
    else:
        rounds = Alone(work.settings, console)
    return Comparison(work=work, contenders=contenders, rounds=rounds)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A benchmark calls it with the name of a contender: it proves, costs and times that contender."""

    config: pytest.Config
    benchmark: BenchmarkFixture
    comparison: Comparison

    def __call__(self, name: object) -> dict[str, Any]:
        """Measure it; gives what is saved of it besides its times, for the benchmark to add to."""
        contender = self.comparison.contenders[str(name)]
        if isinstance(contender, NotMeasuredError):
            notes(self.config).append(str(contender))
            pytest.skip(f"{contender} ({contender.__cause__})" if contender.__cause__ else str(contender))
        info: dict[str, Any] = self.benchmark.extra_info
        info.update(self.comparison.described(contender))
        if self.comparison.work.name != DEFAULT:
            self.benchmark.group = self.comparison.work.name
        entry = {"extra_info": info, "stats": None}
        entries(self.config).append(entry)  # now, so that a failure shows in the table
        with self._outcome_noted(info), fallback_noted(info):
            info.update(self.comparison.rounds.untimed(contender))
            with self._kept_if_all_goes_well():
                self.comparison.rounds.timed(contender, self.benchmark)
        if self.benchmark.stats is not None:  # None with --benchmark-disable
            entry.update(self.benchmark.stats.as_dict())
        return info

    @contextmanager
    def _kept_if_all_goes_well(self) -> Iterator[None]:
        """Keep the times out of history after an interrupt, or a last round whose frames are wrong."""
        self.benchmark.has_error = True
        yield
        self.benchmark.has_error = False

    @contextmanager
    def _outcome_noted(self, info: dict[str, Any]) -> Iterator[None]:
        try:
            yield
        except MismatchError as mismatch:
            info["proof"] = None
            pytest.fail(str(mismatch), pytrace=False)
        except NotMeasuredError as reason:
            info["fallback"] = str(reason)
            pytest.skip(str(reason))
        except ClusterError as error:  # a lost cluster is the end of the session: nothing is saved
            pytest.exit(str(error), returncode=pytest.ExitCode.TESTS_FAILED)
        except KeyboardInterrupt:
            for contender, found, stats in self.comparison.rounds.finished():
                described = {**self.comparison.described(contender), **found}
                entries(self.config).append({"extra_info": described, "stats": stats})
            raise
