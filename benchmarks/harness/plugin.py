"""The fixtures of a benchmark: identity, baseline, plan, and what measures its contender."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.harness.across import ALL_VIDEOS, BASELINES, identify_set
from benchmarks.harness.cluster_session import Cluster, open_cluster
from benchmarks.harness.contenders import Work, collect, parametrize
from benchmarks.harness.header import header
from benchmarks.harness.identify import identify
from benchmarks.harness.measuring import Comparison, Measure, compare
from benchmarks.harness.ordered import Orders
from benchmarks.harness.proof import Baseline, take_baseline
from benchmarks.harness.seek_modes import compare_seek_modes
from benchmarks.strategies.joblib_workers import stop_processes
from exactframes import DeclinedError, Survey, survey
from exactframes.errors import ClusterError
from fixtures.console import Console
from fixtures.long_video import LongVideo, make_long_video
from fixtures.named_workloads import uniform
from fixtures.settings import EMBEDDED, Settings
from fixtures.video_set import VIDEO_SET
from fixtures.workload import Workload, exit_on_bad_input, make_workload, new_folder
from results.schema import Identity


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
    """The identity of what is measured; the header prints it before anything is decoded."""
    identity = identify(workload, {} if cluster is None else cluster.identity)
    for line in header(workload_name, workload, long_video, settings, identity):
        console.line(line)
    if settings.videos != (EMBEDDED,):
        console.line(f"{'seek modes:':<12}{compare_seek_modes(workload)}")
    return identity


@pytest.fixture(scope="session")
def baseline(
    workload: Workload,
    workload_name: str,
    identity: Identity,  # noqa: ARG001  its header is printed first
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
    """The baselines of all videos of the set; those that this session lacks are taken now."""
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
    """The URLs, by path, of those videos of the set that are measured as they were downloaded."""
    clips = pytestconfig.stash[VIDEO_SET].values()
    return {} if (settings.loops or 1) > 1 else {clip.path: clip.url for clip in clips if clip.url}


@pytest.fixture(scope="session")
def plan(workload: Workload) -> Survey | None:
    """How many packets the video has and the frames need; None if the video has no plan.

    A packet that two parts need is decoded twice, and counted twice.
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
    """The orders of the controller of A against B; None without one."""
    return None if settings.lockstep is None else Orders(settings.lockstep)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each benchmark for each of its names."""
    parametrize(metafunc)


@pytest.fixture(scope="session")
def comparison(
    request: pytest.FixtureRequest,
    workload_name: str,
    baseline: Baseline,
    identity: Identity,
    settings: Settings,
    cluster: Cluster | None,
    orders: Orders | None,
    console: Console,
    tmp_path_factory: pytest.TempPathFactory,
) -> Comparison:
    """All that this run compares on this workload."""
    work = Work(
        name=workload_name,
        baselines=(baseline,),
        identity=identity,
        settings=settings,
        cluster=cluster,
        folder=tmp_path_factory.mktemp("work"),
    )
    return compare(work, collect(request.session.items, "comparison", work), orders, console)


@pytest.fixture(scope="session")
def comparison_across(
    request: pytest.FixtureRequest,
    baselines: list[Baseline],
    settings: Settings,
    cluster: Cluster | None,
    console: Console,
    urls: dict[Path, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Comparison:
    """All that this run compares on all videos."""
    work = Work(
        name=ALL_VIDEOS,
        baselines=tuple(baselines),
        identity=identify_set(baselines, {} if cluster is None else cluster.identity),
        settings=settings,
        cluster=cluster,
        folder=tmp_path_factory.mktemp("work"),
        urls=urls,
    )
    return compare(work, collect(request.session.items, "comparison_across", work), None, console)


@pytest.fixture
def measure(
    pytestconfig: pytest.Config, benchmark: BenchmarkFixture, comparison: Comparison
) -> Iterator[Measure]:
    """Proves, costs and times a contender; its worker processes end with the benchmark, however it ends."""
    yield Measure(config=pytestconfig, benchmark=benchmark, comparison=comparison)
    stop_processes()


@pytest.fixture
def measure_across(
    pytestconfig: pytest.Config, benchmark: BenchmarkFixture, comparison_across: Comparison
) -> Measure:
    """Does the same over all videos."""
    return Measure(config=pytestconfig, benchmark=benchmark, comparison=comparison_across)
