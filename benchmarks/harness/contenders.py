"""What a run compares on one workload: its contenders, collected from the benchmarks that were selected.

A benchmark says by the marker `measures` what it times, and of which names:

    @pytest.mark.measures(limit_on, limit=LIMITS)
    def test_limit(limit: str, measure: Measure) -> None:

`limit_on(work, name)` makes the contender of a name. The benchmark runs once for each name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.cluster_session import Cluster
from benchmarks.harness.passes import Pass
from benchmarks.harness.proof import Baseline
from fixtures.settings import Settings
from results.schema import Identity, Kind, Record


class NotMeasuredError(Exception):
    """Something cannot be measured here; the message says why."""


def nothing_more(record: Record, rounds: int) -> Record:  # noqa: ARG001  what `finish` takes
    """The record as it is."""
    return record


@dataclass(frozen=True, kw_only=True)
class Contender:
    """Something to measure."""

    subject: Pass  # what is timed
    record: Record  # what is saved of it: so far, what is known before it is measured
    finish: Callable[[Record, int], Record] = nothing_more  # adds what was noted in the last so many passes

    @property
    def name(self) -> str:
        """Its name, unique among the contenders of a work: such as threads, or threads-2x4."""
        workers, threads = self.record.setting
        numbers = f"-{workers}x{threads}" if threads > 1 else f"-{workers}"
        return self.subject.name + (numbers if self.record.is_scaling else "")


@dataclass(frozen=True, kw_only=True)
class Work:
    """What all contenders of one workload share."""

    name: str  # of the workload
    baselines: tuple[Baseline, ...]  # of its video; or of all videos, if all are decoded
    identity: Identity
    settings: Settings
    cluster: Cluster | None
    folder: Path  # for files that a contender needs
    urls: Mapping[Path, str] = field(default_factory=dict)  # of videos that were downloaded, by their paths

    @property
    def baseline(self) -> Baseline:
        """The baseline of the only video."""
        (baseline,) = self.baselines
        return baseline

    @property
    def frames(self) -> int:
        """How many frames one pass asks for."""
        return sum(len(baseline.digests) for baseline in self.baselines)

    def contender(self, subject: Pass, kind: Kind, workers: int, **more: Any) -> Contender:
        """A contender; `more` are other fields of its record."""
        record = Record(
            strategy=subject.name,
            kind=kind,
            workers=workers,
            frames=self.frames,
            workload=self.name,
            is_of_set=self.settings.is_set,
            interleaved=self.settings.interleave,
            identity=self.identity,
            **more,
        )
        return Contender(subject=subject, record=record)


Make = Callable[[Work, Any], Contender]  # of a benchmark's parameter; raises NotMeasuredError
Collected = Mapping[str, Contender | NotMeasuredError]  # by the parameter, as text


def collect(items: Iterable[pytest.Item], fixture: str, work: Work) -> Collected:
    """Make the contenders of all selected benchmarks that use this fixture on this work, in their order."""
    found: dict[str, Contender | NotMeasuredError] = {}
    for item in items:
        mark = item.get_closest_marker("measures")
        if mark is None or not isinstance(item, pytest.Function) or fixture not in item.fixturenames:
            continue
        parameters = item.callspec.params
        place = parameters.get("workload_name", parameters.get("situation", work.name))
        if str(place) == work.name:
            (parameter,) = mark.kwargs
            found[str(parameters[parameter])] = _made(mark.args[0], work, parameters[parameter])
    return found


def _made(make: Make, work: Work, parameter: object) -> Contender | NotMeasuredError:
    try:
        return make(work, parameter)
    except NotMeasuredError as reason:
        return reason


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Run a benchmark once for each name of its marker, which a function of the command line may give."""
    for mark in metafunc.definition.iter_markers("measures"):
        ((parameter, names),) = mark.kwargs.items()
        if names is None:  # the benchmark's own module gives the names
            continue
        found = names(metafunc.config) if callable(names) else names
        metafunc.parametrize(parameter, list(found), ids=str)
