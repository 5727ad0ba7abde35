"""Every number is taken here: strategies, proven exact first and then timed; limits; peers; scaling."""

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from benchmarks.header import header
from benchmarks.identity import Identity, identify
from benchmarks.interleaving import Contender, Interleaved, clock
from benchmarks.limits import LIMITS, decode_shares, prepare_shares
from benchmarks.measuring import Measurement
from benchmarks.peers import INSTALL, PEERS
from benchmarks.peers.likeness import measure_likeness
from benchmarks.proof import Baseline, prove, take_baseline
from benchmarks.pruning.packets import PlanDeclinedError
from benchmarks.pruning.plan import Plan, make_plan
from benchmarks.scaling import Setting, settings_for
from benchmarks.seek_modes import compare_seek_modes
from benchmarks.strategies import STRATEGIES
from benchmarks.strategies.excerpt_workers import FallbackWarning
from benchmarks.strategies.joblib_workers import stop_processes
from fixtures.console import Console, notes
from fixtures.long_video import LongVideo
from fixtures.settings import EMBEDDED, Settings, read_settings
from fixtures.workload import Workload

pytestmark = pytest.mark.benchmark(timer=clock)


@pytest.fixture(scope="session")
def identity(
    workload: Workload, workload_name: str, long_video: LongVideo, settings: Settings, console: Console
) -> Identity:
    """What is measured; told to the watcher before anything is decoded."""
    identity = identify(workload, long_video)
    for line in header(workload_name, workload, long_video, settings, identity):
        console.line(line)
    if settings.video != EMBEDDED:
        console.line(f"{'seek modes:':<12}{compare_seek_modes(workload)}")
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


@pytest.fixture(scope="session")
def interleaved(
    request: pytest.FixtureRequest,
    workload_name: str,
    workload: Workload,
    settings: Settings,
    baseline: Baseline,
    console: Console,
    tmp_path_factory: pytest.TempPathFactory,
) -> Interleaved | None:
    """The rounds of all strategies and limits of this workload, taken in turns; None without --interleave."""
    if not settings.interleave:
        return None
    workers, contenders = settings.workers, {}
    for parameters in (item.callspec.params for item in request.session.items if hasattr(item, "callspec")):
        if parameters.get("workload_name", workload_name) != workload_name:
            continue
        if name := parameters.get("strategy"):
            check = partial(_check_last_round, name, baseline)
            contenders[name] = Contender(partial(STRATEGIES[name].decode, workload, workers), check)
        if name := parameters.get("limit"):
            with suppress(PlanDeclinedError):  # its own benchmark tells why
                shares = prepare_shares(LIMITS[name](workload), workers, tmp_path_factory.mktemp("shares"))
                contenders[name] = Contender(partial(decode_shares, shares), lambda _: None)
    taken = Interleaved()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)  # told by the proof pass
            taken.take(contenders, settings.rounds, console)
    finally:
        stop_processes()
    return taken


def _check_last_round(name: str, baseline: Baseline, frames: Tensor) -> None:
    prove(f"{name}, in its last round,", frames, baseline)


@pytest.fixture
def measurement(
    request: pytest.FixtureRequest,
    benchmark: BenchmarkFixture,
    workload_name: str,
    workload: Workload,
    settings: Settings,
    identity: Identity,
    console: Console,
    interleaved: Interleaved | None,
) -> Measurement:
    """This benchmark's place in the session."""
    return Measurement(
        request.config, benchmark, workload_name, workload, settings, identity, console, interleaved
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_decode(strategy: str, measurement: Measurement, baseline: Baseline, plan: Plan | None) -> None:
    """Seconds to decode the workload's frames into memory, warm: file in the page cache, workers started.

    What the number cannot see: the first start of worker processes, and reading from a cold disk.
    """
    workers = measurement.settings.workers
    measurement.begin(strategy, workers)
    _measure(measurement, STRATEGIES[strategy].decode, baseline)
    _add_plan(measurement.info, plan, prunes=STRATEGIES[strategy].prunes)


@pytest.mark.parametrize("limit", LIMITS)
def test_limit(limit: str, measurement: Measurement, tmp_path: Path) -> None:
    """Seconds in which FFmpeg's own command decodes the same packets, without conversion or result.

    What the number cannot see: that a strategy also has to convert, store and return its frames.
    """
    workers = measurement.settings.workers
    measurement.begin(limit, workers)
    try:
        shares = prepare_shares(LIMITS[limit](measurement.workload), workers, tmp_path)
    except PlanDeclinedError as reason:
        measurement.info["fallback"] = f"no share can be cut: {reason}"
        pytest.skip(str(reason))
    measurement.command(partial(decode_shares, shares))


@pytest.mark.peers
@pytest.mark.parametrize("peer", PEERS)
def test_peer(peer: str, measurement: Measurement, baseline: Baseline) -> None:
    """Seconds in which another library decodes the same frames; how near they are to ours is measured."""
    decode, module = PEERS[peer]
    if module is not None:
        try:
            importlib.import_module(module)
        except ImportError as error:
            notes(measurement.config).append(f"peers by {module} were not measured: {INSTALL}")
            pytest.skip(f"{peer} is not installed or does not load ({error}): {INSTALL}")
    measurement.begin(peer, measurement.settings.workers, is_peer=True)
    _measure(measurement, decode, baseline, measure_likeness)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The settings that scaling tries depend on the CPUs of this machine."""
    if "setting" in metafunc.fixturenames:
        most = read_settings(metafunc.config).workers
        metafunc.parametrize("setting", settings_for(most), ids=str)


@pytest.mark.scaling
def test_scaling(setting: Setting, measurement: Measurement, baseline: Baseline, plan: Plan | None) -> None:
    """Seconds at other numbers of workers, and of FFmpeg threads for each worker."""
    strategy = STRATEGIES[setting.strategy]
    measurement.begin(setting.strategy, setting.workers, ffmpeg_threads=setting.ffmpeg_threads)
    decode = strategy.decode
    if setting.ffmpeg_threads > 1:
        decode = partial(decode, ffmpeg_threads=setting.ffmpeg_threads)
    _measure(measurement, decode, baseline)
    _add_plan(measurement.info, plan, prunes=strategy.prunes)


def _measure(
    measurement: Measurement,
    decode: Callable[[Workload, int], Tensor],
    baseline: Baseline,
    judge: Callable[[str, Tensor, Baseline], Any] = prove,
) -> None:
    workload, workers = measurement.workload, measurement.info["workers"]
    few = replace(workload, indices=workload.indices[:workers])
    measurement.frames(
        partial(decode, workload, workers),
        warm_up=partial(decode, few, workers),
        prove=lambda name, frames: judge(name, frames, baseline),
    )


def _add_plan(info: dict[str, Any], plan: Plan | None, *, prunes: bool) -> None:
    is_pruned = prunes and "fallback" not in info
    info["limit"] = "limit-needed-frames" if is_pruned else "limit-all-frames"
    info["packets"] = None
    if plan is not None:
        decoded, rule = (plan.kept, plan.how) if is_pruned else (plan.unpruned, None)
        info["packets"] = {"decoded": decoded, "in_file": len(plan.packets), "rule": rule}
