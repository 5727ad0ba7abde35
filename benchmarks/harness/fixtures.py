"""What a benchmark needs of its session: identity, baseline, plan, rounds in turns, the measurement."""

import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.harness.across import ALL_VIDEOS, BASELINES, identify_set
from benchmarks.harness.cluster import Cluster, decoder_of, open_cluster
from benchmarks.harness.header import header
from benchmarks.harness.identity import Identity, identify
from benchmarks.harness.interleaving import Contender, Interleaved
from benchmarks.harness.lockstep import Orders, take_in_lockstep
from benchmarks.harness.measuring import Measurement, costed, untimed_pass
from benchmarks.harness.parts import Pass
from benchmarks.harness.proof import Baseline, take_baseline
from benchmarks.harness.seek_modes import compare_seek_modes
from benchmarks.harness.session import entries
from benchmarks.limits import LIMITS, decode_parts, prepare_parts
from benchmarks.strategies.joblib_workers import stop_processes
from exactframes import DeclinedError, FallbackWarning, Survey, survey
from exactframes.errors import ClusterError
from fixtures.console import Console
from fixtures.long_video import LongVideo, make_long_video
from fixtures.named_workloads import uniform
from fixtures.settings import EMBEDDED, Settings
from fixtures.video_set import VIDEO_SET
from fixtures.workload import Workload, exit_on_bad_input, make_workload, new_folder
from results.schema import Entry, Kind, Record
from results.schema import Identity as SavedIdentity


@pytest.fixture(scope="session")
def cluster(settings: Settings, console: Console) -> Iterator[Cluster | None]:
    """The cluster of --cluster, ready before anything is decoded; None without one."""
    if settings.cluster is None:
        yield None
        return
    console.live(f"cluster              {settings.cluster}: asking its workers for their versions")
    try:
        with open_cluster(settings) as cluster:
            yield cluster
    except ClusterError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture(scope="session")
def identity(
    workload: Workload,
    workload_name: str,
    long_video: LongVideo,
    settings: Settings,
    cluster: Cluster | None,
    console: Console,
) -> Identity:
    """What is measured; told to the watcher before anything is decoded."""
    identity = identify(workload)
    if cluster is not None:
        identity["machine"].update(cluster.identity)
    for line in header(workload_name, workload, long_video, settings, identity):
        console.line(line)
    if settings.videos != (EMBEDDED,):
        console.line(f"{'seek modes:':<12}{compare_seek_modes(workload)}")
    return identity


@pytest.fixture(scope="session")
def baseline(
    workload: Workload,
    workload_name: str,
    identity: Identity,  # noqa: ARG001  its header comes first
    console: Console,
    pytestconfig: pytest.Config,
) -> Baseline:
    """The frames that every strategy must return, as digests."""
    console.live("baseline             decoding once to take the digests")
    taken = pytestconfig.stash.setdefault(BASELINES, {})
    taken[workload_name] = take_baseline(workload)
    return taken[workload_name]


@pytest.fixture(scope="session")
def baselines(
    pytestconfig: pytest.Config, settings: Settings, long_videos: Path, console: Console
) -> list[Baseline]:
    """Of all videos of the set: those that this session has taken, and the others."""
    taken = pytestconfig.stash.setdefault(BASELINES, {})
    for name, clip in pytestconfig.stash[VIDEO_SET].items():
        if name not in taken:
            console.live(f"baseline             decoding {name} once to take the digests")
            with exit_on_bad_input():
                video = make_long_video(
                    clip, settings.loops or 1, settings.seek_mode, new_folder(long_videos)
                )
                taken[name] = take_baseline(make_workload(video, uniform(settings.sample_fps), settings))
    return list(taken.values())


@pytest.fixture(scope="session")
def urls(pytestconfig: pytest.Config, settings: Settings) -> dict[Path, str]:
    """The addresses of those videos of the set that are measured as they were downloaded, by their paths."""
    clips = pytestconfig.stash[VIDEO_SET].values()
    return {} if (settings.loops or 1) > 1 else {clip.path: clip.url for clip in clips if clip.url}


@pytest.fixture(scope="session")
def plan(workload: Workload) -> Survey | None:
    """How many packets there are and are needed; None if the video has no plan.

    What two parts both need is decoded, and counted, twice.
    """
    try:
        parts = [survey(part.video.path, part.indices, part.seek_mode) for part in workload.parts]
    except DeclinedError:
        return None
    kept, unpruned = sum(part.kept for part in parts), sum(part.unpruned for part in parts)
    most = max(parts, key=lambda part: part.unpruned - part.kept)
    return replace(most, kept=kept, unpruned=unpruned)


@pytest.fixture(scope="session")
def orders(settings: Settings) -> Orders | None:
    """What the controller of A against B says; None without one."""
    return None if settings.lockstep is None else Orders(settings.lockstep)


@pytest.fixture(scope="session")
def interleaved(
    request: pytest.FixtureRequest,
    workload_name: str,
    workload: Workload,
    settings: Settings,
    identity: Identity,
    baseline: Baseline,
    cluster: Cluster | None,
    console: Console,
    orders: Orders | None,
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
            if cluster is not None and cluster.why_not(name, [workload.video.path]):
                continue  # its own benchmark tells why
            turn = Pass(name=name, decode=decoder_of(name, cluster), workers=workers, baseline=baseline)
            contenders[name] = Contender(turn.run, turn.prove_last, partial(untimed_pass, turn))
        if name := parameters.get("limit"):
            with suppress(DeclinedError):  # its own benchmark tells why
                parts = prepare_parts(LIMITS[name], workload, workers, tmp_path_factory.mktemp("shares"))
                run = partial(decode_parts, parts)
                contenders[name] = Contender(run, run, partial(costed, run))
    taken = Interleaved()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)  # told by the proof pass
            if orders is None:
                taken.take(contenders, settings.rounds, console, workload_name)
            else:
                take_in_lockstep(taken, contenders, orders, console)
    except ClusterError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.TESTS_FAILED)
    except KeyboardInterrupt:
        frames, mine = len(workload.indices), entries(request.config)
        about = {"workload": workload_name, "workers": workers, "frames": frames}
        mine += _unfinished(taken, {**about, "identity": SavedIdentity(**identity)})
        raise
    finally:
        stop_processes()
    return taken


def _unfinished(taken: Interleaved, about: dict[str, Any]) -> Iterator[Entry]:
    """What an interrupted run has so far, as saved benchmarks have it."""
    for found, stats in taken.finished():
        kind: Kind = "limit" if found["strategy"] in LIMITS else "strategy"
        yield {"extra_info": Record(kind=kind, **found, **about).to_dict(), "stats": stats}


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
) -> Iterator[Measurement]:
    """This benchmark's place in the session; its worker processes end with it, however it ends."""
    frames = len(workload.indices)
    yield Measurement(
        request.config, benchmark, workload_name, frames, settings, identity, console, interleaved
    )
    stop_processes()


@pytest.fixture
def set_measurement(
    pytestconfig: pytest.Config,
    benchmark: BenchmarkFixture,
    baselines: list[Baseline],
    settings: Settings,
    cluster: Cluster | None,
    console: Console,
) -> Measurement:
    """The same of a benchmark of all videos."""
    frames = sum(len(baseline.digests) for baseline in baselines)
    identity = identify_set(baselines)
    if cluster is not None:
        identity["machine"].update(cluster.identity)
    return Measurement(pytestconfig, benchmark, ALL_VIDEOS, frames, settings, identity, console, None)
