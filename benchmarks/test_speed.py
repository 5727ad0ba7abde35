"""How fast: strategies and peers, proven before they are timed; limits; other numbers of workers.

Each benchmark measures what the function above it makes, once for each name of a table. What makes and takes
the rounds is in harness/: contenders.py, rounds.py and measuring.py.
"""

import importlib
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import pytest

from benchmarks.harness.across import ACROSS, CLUSTER_ACROSS, DecodingAcross
from benchmarks.harness.clock import CLOCK
from benchmarks.harness.cluster_across import HEADER, ClusterDecodingAcross
from benchmarks.harness.cluster_session import Cluster
from benchmarks.harness.contenders import Contender, NotMeasuredError, Work
from benchmarks.harness.likeness import measure_likeness
from benchmarks.harness.measuring import Measure
from benchmarks.harness.passes import Decoding
from benchmarks.harness.scaling import Setting, settings_for
from benchmarks.limits import LIMITS
from benchmarks.limits.shares import DecodingShares
from benchmarks.peers import INSTALL, PEERS
from benchmarks.strategies import CLUSTER_STRATEGIES, STRATEGIES
from exactframes import Survey
from fixtures.console import Console
from fixtures.settings import read_settings
from results.schema import Packets, Record

pytestmark = pytest.mark.benchmark(timer=CLOCK.now)


def strategies(config: pytest.Config) -> Iterable[str]:
    """All; those on a cluster come with one."""
    return [*STRATEGIES, *(CLUSTER_STRATEGIES if config.option.cluster is not None else ())]


def decoding(work: Work, name: str) -> Contender:
    """A pass of a strategy."""
    if name in CLUSTER_STRATEGIES:
        return decoding_on_a_cluster(work, name)
    strategy, workers = STRATEGIES[name], work.settings.workers
    subject = Decoding(name=name, decode=strategy.decode, workers=workers, baseline=work.baseline)
    return work.contender(subject, "strategy", workers, is_parallel=strategy.is_parallel)


def decoding_on_a_cluster(work: Work, name: str) -> Contender:
    """A pass of a strategy whose workers are a cluster's."""
    assert work.cluster is not None
    if reason := work.cluster.why_not(name, [work.baseline.workload.video.path]):
        raise NotMeasuredError(reason)
    decode = partial(CLUSTER_STRATEGIES[name].decode, client=work.cluster.client(name))
    subject = Decoding(name=name, decode=decode, workers=work.settings.workers, baseline=work.baseline)
    return work.contender(subject, "strategy", work.cluster.threads)


@pytest.mark.measures(decoding, strategy=strategies)
def test_decode(strategy: str, measure: Measure, plan: Survey | None, cluster: Cluster | None) -> None:
    """Seconds to decode the workload's frames into memory, warm: file in the page cache, workers started.

    What the number cannot see: the first start of worker processes, and reading from a cold disk.
    """
    entry = STRATEGIES.get(strategy) or CLUSTER_STRATEGIES[strategy]
    record = with_plan(measure(strategy), plan, prunes=entry.prunes)
    if strategy in CLUSTER_STRATEGIES and cluster is not None:
        record = replace(record, cluster=cluster.use(strategy, record.frames))
    measure.save(record)


def decoding_shares(work: Work, name: str) -> Contender:
    """A pass of FFmpeg's own command over the packets of a limit."""
    workload, workers = work.baseline.workload, work.settings.workers
    subject = DecodingShares(
        name=name,
        workload=workload,
        wanted=LIMITS[name](workload),
        workers=workers,
        folder=work.folder / name,
    )
    return work.contender(subject, "limit", workers)


@pytest.mark.measures(decoding_shares, limit=LIMITS)
def test_limit(limit: str, measure: Measure) -> None:
    """Seconds in which FFmpeg's own command decodes the same packets, without conversion or result.

    What the number cannot see: that a strategy also has to convert, store and return its frames.
    """
    measure(limit)


def ways_across(config: pytest.Config) -> Iterable[str]:
    """All; the one on a cluster comes with one."""
    return [*ACROSS, *((CLUSTER_ACROSS,) if config.option.cluster is not None else ())]


def decoding_across(work: Work, name: str) -> Contender:
    """A pass over all videos, a whole video at a time for each worker."""
    videos = len(work.baselines)
    if name in ACROSS:
        workers = work.settings.workers
        subject = DecodingAcross(name=name, decode=ACROSS[name], workers=workers, baselines=work.baselines)
        return work.contender(subject, "across", workers, videos=videos)
    assert work.cluster is not None
    paths = [baseline.workload.video.path for baseline in work.baselines]
    if reason := work.cluster.why_not(name, [path for path in paths if path not in work.urls]):
        raise NotMeasuredError(reason)
    client = work.cluster.client(name)
    on_cluster = ClusterDecodingAcross(baselines=work.baselines, client=client, urls=work.urls)
    return work.contender(on_cluster, "across", work.cluster.threads, videos=videos)


@pytest.mark.measures(decoding_across, across=ways_across)
def test_across(across: str, measure_across: Measure, cluster: Cluster | None, console: Console) -> None:
    """Seconds in which workers decode all videos of a set, each worker a whole video at a time.

    What the number cannot see: proving, for which more rounds are taken, since it would be within the time.
    """
    if across in ACROSS or cluster is None:
        measure_across(across)
        return
    console.line(HEADER)
    record = measure_across(across)
    measure_across.save(replace(record, cluster=cluster.use(across, record.frames)))


def decoding_by_peer(work: Work, name: str) -> Contender:
    """A pass of another library."""
    decode, module, prepare = PEERS[name]
    if module is not None:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise NotMeasuredError(f"peers by {module} were not measured: {INSTALL}") from error
    if prepare is not None:
        prepare()
    workers = work.settings.workers
    subject = Decoding(
        name=name, decode=decode, workers=workers, baseline=work.baseline, judge=measure_likeness
    )
    return work.contender(subject, "peer", workers)


@pytest.mark.peers
@pytest.mark.measures(decoding_by_peer, peer=PEERS)
def test_peer(peer: str, measure: Measure) -> None:
    """Seconds in which another library decodes the same frames; how near they are to ours is measured."""
    measure(peer)


def settings(config: pytest.Config) -> Iterable[Setting]:
    """Which ones depends on this machine's CPUs."""
    return settings_for(read_settings(config).workers)


def decoding_at(work: Work, setting: Setting) -> Contender:
    """A pass of a strategy with so many workers, and so many FFmpeg threads for each."""
    strategy, threads = STRATEGIES[setting.strategy], setting.ffmpeg_threads
    decode = partial(strategy.decode, ffmpeg_threads=threads) if threads > 1 else strategy.decode
    workers = setting.workers
    subject = Decoding(name=setting.strategy, decode=decode, workers=workers, baseline=work.baseline)
    is_parallel = strategy.is_parallel
    return work.contender(subject, "strategy", workers, is_parallel=is_parallel, ffmpeg_threads=threads)


@pytest.mark.scaling
@pytest.mark.measures(decoding_at, setting=settings)
def test_scaling(setting: Setting, measure: Measure, plan: Survey | None) -> None:
    """Seconds at other numbers of workers, and of FFmpeg threads for each worker."""
    measure.save(with_plan(measure(setting), plan, prunes=STRATEGIES[setting.strategy].prunes))


def with_plan(record: Record, plan: Survey | None, *, prunes: bool) -> Record:
    """The record with what is decoded of the file, and the limit that decodes the same packets."""
    is_pruned = prunes and record.fallback is None
    record = replace(record, limit="limit-needed-frames" if is_pruned else "limit-all-frames")
    if plan is None:
        return record
    decoded, rule = (plan.kept, plan.how) if is_pruned else (plan.unpruned, None)
    return replace(record, packets=Packets(decoded=decoded, in_file=plan.in_file, rule=rule))
