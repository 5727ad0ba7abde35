"""One measurement: a contender's rounds, and its row in the table and in history."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.harness.contenders import Collected, Contender, NotMeasuredError, Work
from benchmarks.harness.ordered import Ordered, Orders
from benchmarks.harness.proof import MismatchError
from benchmarks.harness.rounds import END_OF_SESSION, Alone, InTurns, Rounds
from benchmarks.harness.session import entries
from benchmarks.harness.untimed import fallbacks_noted
from fixtures.console import Console, notes
from fixtures.settings import DEFAULT
from results.schema import Entry, Record, read


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All contenders of one workload, and the one source of their rounds."""

    work: Work
    contenders: Collected
    rounds: Rounds


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
    """Proves, costs and times a contender, when a benchmark calls it with the contender's name."""

    config: pytest.Config
    benchmark: BenchmarkFixture
    comparison: Comparison

    def __call__(self, name: object) -> Record:
        """Measure it, and return its record, to which the benchmark may add."""
        contender, rounds = self._contender(str(name)), self.comparison.rounds
        if self.comparison.work.name != DEFAULT:
            self.benchmark.group = self.comparison.work.name
        entry: Entry = {"extra_info": self.benchmark.extra_info, "stats": None}
        self.save(contender.record)
        entries(self.config).append(entry)  # before measuring, so that a failure shows in the table
        reasons: list[str] = []
        with self._outcome_noted(contender), fallbacks_noted(reasons):
            self.save(record := rounds.untimed(contender))
            with self._kept_if_all_goes_well():
                rounds.timed(contender, self.benchmark)
        if self.benchmark.stats is not None:  # None with --benchmark-disable
            entry.update(self.benchmark.stats.as_dict())
        record = replace(record, fallback=reasons[-1] if reasons else record.fallback)
        self.save(record := contender.finish(record, self._rounds))
        return record

    def save(self, record: Record) -> None:
        """Have pytest-benchmark save this record of the benchmark."""
        self.benchmark.extra_info.clear()
        self.benchmark.extra_info.update(record.to_dict())

    @property
    def _rounds(self) -> int:
        """How many rounds were taken, warm-up left out; one where timing is disabled."""
        return len(self.benchmark.stats.stats.data) if self.benchmark.stats else 1

    def _contender(self, name: str) -> Contender:
        found = self.comparison.contenders[name]
        if isinstance(found, NotMeasuredError):
            notes(self.config).append(str(found))
            pytest.skip(f"{found} ({found.__cause__})" if found.__cause__ else str(found))
        return found

    @contextmanager
    def _kept_if_all_goes_well(self) -> Iterator[None]:
        """Keep the times out of history after an interrupt, or a last round whose frames are wrong."""
        self.benchmark.has_error = True
        yield
        self.benchmark.has_error = False

    @contextmanager
    def _outcome_noted(self, contender: Contender) -> Iterator[None]:
        try:
            yield
        except MismatchError as mismatch:
            self.save(replace(read({"extra_info": self.benchmark.extra_info}), proof=None))
            pytest.fail(str(mismatch), pytrace=False)
        except NotMeasuredError as reason:
            self.save(replace(contender.record, fallback=str(reason)))
            if contender.record.kind == "request":  # the table tells why a limit was not measured
                notes(self.config).append(str(reason))
            pytest.skip(str(reason))
        except END_OF_SESSION as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.TESTS_FAILED)
        except KeyboardInterrupt:
            entries(self.config).extend(self.comparison.rounds.finished())
            raise
