"""Each strategy on the workload, proven exact first and then timed, and the limits that the machine sets."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from benchmarks.cost import CostMeter
from benchmarks.header import header
from benchmarks.identity import Identity, identify
from benchmarks.limits import LIMITS, decode_shares, prepare_shares
from benchmarks.proof import Baseline, MismatchError, prove, take_baseline
from benchmarks.pruning.packets import PlanDeclinedError
from benchmarks.pruning.plan import Plan, make_plan
from benchmarks.rounds import Rounds
from benchmarks.session import entries
from benchmarks.strategies import STRATEGIES
from benchmarks.strategies.excerpt_workers import FallbackWarning
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
    console.live("baseline             decoding once to take the digests")
    return take_baseline(workload)


@pytest.fixture(scope="session")
def plan(workload: Workload) -> Plan | None:
    """How many packets there are and are needed; None if the video has no plan."""
    try:
        return make_plan(workload, 1)
    except PlanDeclinedError:
        return None


@pytest.fixture(autouse=True)
def no_worker_survives() -> Iterator[None]:
    """End a strategy's worker processes with it, however it ends: the next one is measured without them."""
    yield
    stop_processes()


@pytest.fixture
def entry(
    request: pytest.FixtureRequest,
    benchmark: BenchmarkFixture,
    workload: Workload,
    settings: Settings,
    identity: Identity,
) -> Entry:
    """This benchmark's row; it is in the table from the start, so that a failure shows there."""
    info: dict[str, Any] = benchmark.extra_info
    (name,) = request.node.callspec.params.values()
    info.update(strategy=name, workers=settings.workers, frames=len(workload.indices), **identity)
    entry: Entry = {"extra_info": info, "stats": None}
    entries(request.config).append(entry)
    return entry


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_decode(
    strategy: str,
    benchmark: BenchmarkFixture,
    entry: Entry,
    workload: Workload,
    settings: Settings,
    baseline: Baseline,
    plan: Plan | None,
    console: Console,
) -> None:
    """Seconds to decode the workload's frames into memory, warm: file in the page cache, workers started.

    What the number cannot see: the first start of worker processes, and reading from a cold disk.
    """
    decode, prunes = STRATEGIES[strategy]
    info = entry["extra_info"]
    rounds = Rounds(strategy, settings, console)

    def prove_frames(frames: Tensor, when: str = "") -> None:
        _prove(strategy + when, frames, baseline, info)

    with fallback_noted(info):
        rounds.before()
        # The first start of worker processes is neither in the times nor in the cost.
        decode(replace(workload, indices=workload.indices[: settings.workers]), settings.workers)
        with CostMeter() as meter:
            frames = decode(workload, settings.workers)
            meter.cpu_done()
            prove_frames(frames)
        rounds.after()
        del frames
        info["cost"] = asdict(meter.cost)
        is_pruned = prunes and "fallback" not in info
        info["limit"] = "limit-needed-frames" if is_pruned else "limit-all-frames"
        info["packets"] = _packets(plan, is_pruned=is_pruned)
        with timed(benchmark, entry):
            frames = benchmark.pedantic(
                decode,
                args=(workload, settings.workers),
                setup=rounds.before,
                teardown=rounds.after,
                rounds=settings.rounds,
                warmup_rounds=rounds.warmups_after_first,
            )
            prove_frames(frames, ", in its last round,")
    rounds.done()


@pytest.mark.parametrize("limit", LIMITS)
def test_limit(
    limit: str,
    benchmark: BenchmarkFixture,
    entry: Entry,
    workload: Workload,
    settings: Settings,
    console: Console,
    tmp_path: Path,
) -> None:
    """Seconds in which FFmpeg's own command decodes the same packets, without conversion or result.

    What the number cannot see: that a strategy also has to convert, store and return its frames.
    """
    try:
        shares = prepare_shares(LIMITS[limit](workload), settings.workers, tmp_path)
    except PlanDeclinedError as reason:
        entry["extra_info"]["fallback"] = f"no share can be cut: {reason}"
        pytest.skip(str(reason))
    rounds = Rounds(limit, settings, console, first="warm-up")
    rounds.before()
    with CostMeter() as meter:
        decode_shares(shares)
    rounds.after()
    entry["extra_info"]["cost"] = asdict(meter.cost)
    with timed(benchmark, entry):
        benchmark.pedantic(
            decode_shares,
            args=(shares,),
            setup=rounds.before,
            teardown=rounds.after,
            rounds=settings.rounds,
            warmup_rounds=rounds.warmups_after_first,
        )
    rounds.done()


@contextmanager
def timed(benchmark: BenchmarkFixture, entry: Entry) -> Iterator[None]:
    """Let the timing inside enter history and table only if everything inside has gone well.

    An interrupt, or a last round whose frames are wrong, must leave no trace.
    """
    benchmark.has_error = True
    yield
    benchmark.has_error = False
    if benchmark.stats is not None:  # None with --benchmark-disable
        entry.update(benchmark.stats.as_dict())


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


def _prove(strategy: str, frames: Tensor, baseline: Baseline, info: dict[str, Any]) -> None:
    info["proof"] = None
    try:
        info["proof"] = asdict(prove(strategy, frames, baseline))
    except MismatchError as mismatch:
        pytest.fail(str(mismatch), pytrace=False)


def _packets(plan: Plan | None, *, is_pruned: bool) -> dict[str, Any] | None:
    if plan is None:
        return None
    decoded = plan.kept if is_pruned else plan.unpruned
    return {"decoded": decoded, "in_file": len(plan.packets), "rule": plan.how if is_pruned else None}
