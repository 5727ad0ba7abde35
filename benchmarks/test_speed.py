"""Each strategy on the workload: proven exact first, then timed."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from benchmarks.header import header
from benchmarks.identity import Identity, identify
from benchmarks.proof import Baseline, MismatchError, prove, take_baseline
from benchmarks.rounds import Rounds
from benchmarks.session import entries
from benchmarks.strategies import STRATEGIES
from benchmarks.strategies.joblib_workers import stop_processes
from fixtures.console import Console
from fixtures.long_video import LongVideo
from fixtures.settings import Settings
from fixtures.workload import Workload
from results.identity import Entry


@pytest.fixture(scope="session")
def identity(workload: Workload, long_video: LongVideo, settings: Settings, console: Console) -> Identity:
    """What this run measures; told to the watcher before anything is decoded."""
    identity = identify(workload, settings)
    for line in header(workload, long_video, settings, identity):
        console.line(line)
    return identity


@pytest.fixture(scope="session")
def baseline(workload: Workload, identity: Identity, console: Console) -> Baseline:  # noqa: ARG001
    """The frames that every strategy must return, as digests."""
    console.live("baseline         decoding once to take the digests")
    return take_baseline(workload)


@pytest.fixture(scope="session", autouse=True)
def no_worker_survives() -> Iterator[None]:
    """End the worker processes with the session, however it ends."""
    yield
    stop_processes()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_decode(
    strategy: str,
    benchmark: BenchmarkFixture,
    workload: Workload,
    settings: Settings,
    identity: Identity,
    baseline: Baseline,
    console: Console,
    pytestconfig: pytest.Config,
) -> None:
    """Seconds to decode the workload's frames into memory, warm: file in the page cache, workers started.

    What the number cannot see: the first start of worker processes, and reading from a cold disk.
    """
    decode = STRATEGIES[strategy]
    rounds = Rounds(strategy, settings, console)
    info = benchmark.extra_info
    info.update(strategy=strategy, workers=settings.workers, frames=len(workload.indices), **identity)
    entry: Entry = {"extra_info": info, "stats": None}
    entries(pytestconfig).append(entry)

    rounds.before()
    _prove(strategy, decode(workload, settings.workers), baseline, info)
    rounds.after()

    # Until the last round too has been proven: an interrupt or a late mismatch must not enter history.
    benchmark.has_error = True
    frames = benchmark.pedantic(
        decode,
        args=(workload, settings.workers),
        setup=rounds.before,
        teardown=rounds.after,
        rounds=settings.rounds,
        warmup_rounds=rounds.warmups_after_proof(settings),
    )
    _prove(f"{strategy}, in its last round,", frames, baseline, info)
    benchmark.has_error = False
    rounds.done()

    if benchmark.stats is not None:  # None with --benchmark-disable
        entry.update(benchmark.stats.as_dict())


def _prove(strategy: str, frames: Tensor, baseline: Baseline, info: dict[str, Any]) -> None:
    info["proof"] = None
    try:
        info["proof"] = asdict(prove(strategy, frames, baseline))
    except MismatchError as mismatch:
        pytest.fail(str(mismatch), pytrace=False)
