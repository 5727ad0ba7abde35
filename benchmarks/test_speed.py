"""Every number is taken here: strategies, proven exact first and then timed; limits; peers; scaling.

What a benchmark needs of its session (baseline, measurement ...) is in harness/fixtures.py.
"""

import importlib
from functools import partial
from pathlib import Path

import pytest

from benchmarks.harness.across import ACROSS, SetPass
from benchmarks.harness.across import ON_A_CLUSTER as CLUSTER_ACROSS
from benchmarks.harness.cluster import Cluster, decoder_of
from benchmarks.harness.cluster_across import HEADER, ClusterSetPass
from benchmarks.harness.interleaving import clock
from benchmarks.harness.measuring import Measurement
from benchmarks.harness.parts import Decode, Judge, Pass
from benchmarks.harness.proof import Baseline, prove
from benchmarks.harness.scaling import Setting, settings_for
from benchmarks.limits import LIMITS, decode_parts, prepare_parts
from benchmarks.peers import INSTALL, PEERS
from benchmarks.peers.likeness import measure_likeness
from benchmarks.strategies import ON_A_CLUSTER, STRATEGIES
from exactframes import DeclinedError, Survey
from fixtures.console import notes
from fixtures.settings import read_settings
from fixtures.workload import Workload
from results.schema import ClusterUse, Packets

pytestmark = pytest.mark.benchmark(timer=clock)


def test_decode(
    strategy: str,
    measurement: Measurement,
    baseline: Baseline,
    plan: Survey | None,
    cluster: Cluster | None,
) -> None:
    """Seconds to decode the workload's frames into memory, warm: file in the page cache, workers started.

    What the number cannot see: the first start of worker processes, and reading from a cold disk.
    """
    entry = STRATEGIES.get(strategy) or ON_A_CLUSTER[strategy]
    on_cluster = cluster if strategy in ON_A_CLUSTER else None
    if on_cluster is not None and (reason := on_cluster.why_not(strategy, [baseline.workload.video.path])):
        notes(measurement.config).append(reason)
        pytest.skip(reason)
    workers = on_cluster.threads if on_cluster else measurement.settings.workers
    measurement.begin(strategy, "strategy", workers, is_parallel=entry.is_parallel)
    _measure(measurement, decoder_of(strategy, cluster), baseline)
    _note_plan(measurement, plan, prunes=entry.prunes)
    if on_cluster is not None:
        moved = on_cluster.traffic(strategy, measurement.frames_asked)
        measurement.note(cluster=ClusterUse(**moved))


@pytest.mark.parametrize("limit", LIMITS)
def test_limit(limit: str, measurement: Measurement, workload: Workload, tmp_path: Path) -> None:
    """Seconds in which FFmpeg's own command decodes the same packets, without conversion or result.

    What the number cannot see: that a strategy also has to convert, store and return its frames.
    """
    workers = measurement.settings.workers
    measurement.begin(limit, "limit", workers)
    try:
        parts = prepare_parts(LIMITS[limit], workload, workers, tmp_path)
    except DeclinedError as reason:
        measurement.note(fallback=f"no share can be cut: {reason}")
        pytest.skip(str(reason))
    measurement.command(partial(decode_parts, parts))


def test_across(
    across: str,
    set_measurement: Measurement,
    baselines: list[Baseline],
    cluster: Cluster | None,
    urls: dict[Path, str],
) -> None:
    """Seconds in which workers decode all videos of a set, each worker a whole video at a time.

    What the number cannot see: proving, for which more rounds are taken, since it would be within the time.
    """
    if across == CLUSTER_ACROSS:
        assert cluster is not None
        local = [baseline.workload.video.path for baseline in baselines]
        if reason := cluster.why_not(across, [path for path in local if path not in urls]):
            notes(set_measurement.config).append(reason)
            pytest.skip(reason)
        set_measurement.console.line(HEADER)
        set_measurement.begin(across, "across", cluster.threads, videos=len(baselines))
        client = cluster.client(across)
        set_measurement.frames(ClusterSetPass(baselines=baselines, client=client, urls=urls))
        moved = cluster.traffic(across, set_measurement.frames_asked)
        set_measurement.note(cluster=ClusterUse(**moved))
        return
    workers = set_measurement.settings.workers
    set_measurement.begin(across, "across", workers, videos=len(baselines))
    decoding = SetPass(name=across, decode=ACROSS[across], workers=workers, baselines=baselines)
    set_measurement.frames(decoding)


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
    measurement.begin(peer, "peer", measurement.settings.workers)
    _measure(measurement, decode, baseline, measure_likeness)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Strategies on a cluster come with one; what scaling tries depends on this machine's CPUs."""
    is_given = metafunc.config.option.cluster is not None
    if "strategy" in metafunc.fixturenames:
        metafunc.parametrize("strategy", [*STRATEGIES, *(ON_A_CLUSTER if is_given else ())])
    if "across" in metafunc.fixturenames:
        metafunc.parametrize("across", [*ACROSS, *((CLUSTER_ACROSS,) if is_given else ())])
    if "setting" in metafunc.fixturenames:
        most = read_settings(metafunc.config).workers
        metafunc.parametrize("setting", settings_for(most), ids=str)


@pytest.mark.scaling
def test_scaling(setting: Setting, measurement: Measurement, baseline: Baseline, plan: Survey | None) -> None:
    """Seconds at other numbers of workers, and of FFmpeg threads for each worker."""
    strategy = STRATEGIES[setting.strategy]
    threads, is_parallel = setting.ffmpeg_threads, strategy.is_parallel
    measurement.begin(
        setting.strategy, "strategy", setting.workers, ffmpeg_threads=threads, is_parallel=is_parallel
    )
    decode = strategy.decode
    if setting.ffmpeg_threads > 1:
        decode = partial(decode, ffmpeg_threads=setting.ffmpeg_threads)
    _measure(measurement, decode, baseline)
    _note_plan(measurement, plan, prunes=strategy.prunes)


def _measure(
    measurement: Measurement,
    decode: Decode,
    baseline: Baseline,
    judge: Judge = prove,
) -> None:
    name, workers = measurement.record.strategy, measurement.record.workers
    decoding = Pass(name=name, decode=decode, workers=workers, baseline=baseline, judge=judge)
    measurement.frames(decoding)


def _note_plan(measurement: Measurement, plan: Survey | None, *, prunes: bool) -> None:
    is_pruned = prunes and measurement.record.fallback is None
    measurement.note(limit="limit-needed-frames" if is_pruned else "limit-all-frames")
    if plan is not None:
        decoded, rule = (plan.kept, plan.how) if is_pruned else (plan.unpruned, None)
        measurement.note(packets=Packets(decoded=decoded, in_file=plan.in_file, rule=rule))
