"""The one record of a benchmark: the harness writes it, and everything else reads it.

pytest-benchmark saves a run as `{"benchmarks": [entry, ..]}`. Of an entry this suite uses "stats", the times,
and "extra_info", which holds the fields of `Record` under their own names; the fields of `Identity` stand
among them, the other inner records are objects of their own. A field that is None is not saved.

Files saved before a field existed are read as they are. What such a file lacks is derived here, once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from statistics import median, stdev
from typing import Any, Literal, TypeVar

Entry = dict[str, Any]  # one benchmark as pytest-benchmark saves it
Kind = Literal["strategy", "limit", "peer", "across", "request"]

BASELINE = "sequential"  # what all others are proven against and compared with
NEEDED_FRAMES = "limit-needed-frames"
ALL_FRAMES = "limit-all-frames"
DEFAULT_WORKLOAD = "default"
P95 = ", p95"  # after a benchmark's name, where its 95th percentiles are judged instead of its time
ONE_WORKER = ("sequential", "pruned")  # before `is_parallel` was saved
Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The result of comparing the frames that a benchmark returned."""

    frames: int
    """How many frames were compared with the baseline's."""
    digest: str
    """One digest of all of them, in hexadecimal."""
    max_difference: int = 0
    """The largest difference of a value from the baseline's, 0 to 255."""
    differing_frames: int = 0
    """How many frames differ in any value."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one untimed pass costs this process and all its descendants, dead or alive."""

    cpu_seconds: float
    """User and system time, s; where requests are answered, of a timed pass, the median over the rounds."""
    peak_bytes: int
    """Memory of the whole tree at its largest, bytes; pages that processes share count once."""
    extra_bytes: int = 0
    """By how much this exceeds the memory before the pass, bytes."""


@dataclass(frozen=True, kw_only=True)
class Packets:
    """How many of the file's packets are decoded."""

    decoded: int
    """Packets that one pass decodes; a packet that two parts need counts twice."""
    in_file: int
    """Packets of the video stream."""
    rule: str | None = None
    """The rule that left packets out; None if none was left out."""


@dataclass(frozen=True, kw_only=True)
class ClusterUse:
    """The cluster that a benchmark ran on, and what one pass moved; None if it did not use the workers."""

    workers: int
    """Worker processes of the cluster."""
    threads: int
    """Their threads, all together."""
    is_local: bool
    """Whether the session started the cluster on its own machine."""
    is_direct: bool | None = None
    """Whether frames came straight from the workers, not through the scheduler."""
    frames: float | None = None
    """Frames that came back in one pass."""
    tasks: float | None = None
    """Tasks of one pass."""
    tasks_again: int | None = None
    """Tasks that were given out again, in all passes together."""
    bytes_sent: float | None = None
    """Bytes of excerpts, and of what describes them, in one pass."""
    bytes_received: float | None = None
    """Bytes of frames or digests in one pass."""
    cut_seconds: float | None = None
    """Planning and cutting in this process, s a pass."""
    transfer_seconds: float | None = None
    """From the end of a task's decoding until its frames are here, s a pass."""
    transfer_cpu_seconds: float | None = None
    """CPU time of this process meanwhile, s a pass."""
    copy_seconds: float | None = None
    """Copying frames into the output, s a pass."""
    worker_cpu_seconds: float | None = None
    """CPU time of the threads that decoded, on all workers, s a pass."""
    longest_task_seconds: float | None = None
    """CPU time of the longest task, s."""


@dataclass(frozen=True, kw_only=True)
class Requests:
    """How a stream of requests was answered, over all timed passes; latencies count from when one was due."""

    requests: int
    """Requests of one pass."""
    callers: int
    """Threads or DataLoader workers that answered; 0 is the loader's own process."""
    p50: float
    """Median latency, s. Percentiles are latencies that were observed."""
    p90: float
    """90th percentile, s."""
    p95: float
    """95th percentile, s."""
    p99: float
    """99th percentile, s."""
    largest: float
    """Largest latency, s."""
    distribution: Sequence[Sequence[int]]
    """Pairs (n, how many): latencies from 1.05**n up to 1.05**(n + 1) s."""
    p95_rounds: Sequence[float]
    """95th percentile of each round, s, in the order in which they were taken."""
    cpu_seconds: float
    """User and system time of all processes, s a request; median over the rounds."""
    bytes_read: float | None = None
    """Bytes that all processes read, from files or the page cache, a request; None if that is not told."""
    first_seconds: float | None = None
    """The first request of a fresh caller, s; median over the callers of the untimed pass."""
    decoders_open: int = 0
    """Decoders that all callers together keep open after a pass."""
    arrivals: float | None = None
    """Requests that arrive in a second, on average; None if a caller asks when it is free."""
    is_peer: bool = False
    """Whether another library answers, whose frames may be alike instead of equal."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a result is a result of, in plain JSON: no path, no host name."""

    work: Mapping[str, Any]
    """The video, the indices, the seek mode."""
    machine: Mapping[str, Any]
    """Its CPUs."""
    software: Mapping[str, Any]
    """Versions of all that takes part in decoding."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """The rounds of a benchmark, s."""

    rounds: tuple[float, ...]
    """In the order in which they were taken, s; the median alone where a file has no more."""
    stddev: float = 0.0
    """Their standard deviation, s."""

    @property
    def median(self) -> float:
        """The benchmark's value, s."""
        return median(self.rounds)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One benchmark of one run."""

    strategy: str
    """The id of the strategy, limit, peer or way across videos."""
    kind: Kind = "strategy"
    """The kind of that: a strategy, limit, peer, way across videos, or way to answer requests."""
    workers: int
    """Threads or processes that it was given."""
    frames: int
    """Frames that one pass returns."""
    workload: str = DEFAULT_WORKLOAD
    """The name of the workload; of a set, the name of the video."""
    is_parallel: bool = True
    """Whether the number of workers matters to it."""
    ffmpeg_threads: int | None = None
    """FFmpeg threads for each worker; None unless settings are compared (make bench-scaling)."""
    interleaved: bool = False
    """Whether its rounds were taken in turns with those of the other benchmarks."""
    is_of_set: bool = False
    """Whether the run measures several videos of the user's."""
    videos: int | None = None
    """How many videos one pass decodes; None unless it decodes a whole set at once."""
    fallback: str | None = None
    """Why it fell back to TorchCodec alone, or a limit was not measured; None if neither."""
    proof: Proof | None = None
    """What was shown of its frames; None if the proof failed, or nothing is returned."""
    cost: Cost | None = None
    """What the untimed pass costs."""
    packets: Packets | None = None
    """What is decoded of the file; None if the video has no plan."""
    limit: str | None = None
    """The id of the limit that decodes the same packets."""
    cluster: ClusterUse | None = None
    """The cluster that it ran on; None if it ran on none."""
    untimed_seconds: float | None = None
    """How long the untimed pass took, s, less what proving took."""
    proving_seconds: float | None = None
    """How long comparing its frames took, s."""
    requests: Requests | None = None
    """How a stream of requests was answered; None if it was not one."""
    identity: Identity | None = None
    """What it is a result of; None in a file that does not say."""
    frames_per_second: float | None = None
    """Frames over the median time, 1/s. This and the next three are filled in when the run is complete."""
    speedup: float | None = None
    """How many times as fast as the baseline `sequential` of the same workload."""
    of_limit: float | None = None
    """Its speed as a share of the limit's, 1 for equally fast."""
    efficiency: float | None = None
    """Speed-up over the same strategy on one thread, divided by all threads; 1 is perfect."""
    times: Times | None = None
    """Its timed rounds; None if it failed, or is not timed yet."""

    @property
    def name(self) -> str:
        """The name by which two runs have the same benchmark, such as "threads", or "threads 2x1 on hevc"."""
        setting = f" {self.workers}x{self.ffmpeg_threads}" if self.is_scaling else ""
        return f"{self.strategy}{setting}" + (
            f" on {self.workload}" if self.workload != DEFAULT_WORKLOAD else ""
        )

    @property
    def seconds(self) -> float:
        """The median of its rounds, s.

        Raises:
            ValueError: if it was not timed.
        """
        if self.times is None:
            raise ValueError(f"{self.name} was not timed")
        return self.times.median

    @property
    def rounds(self) -> tuple[float, ...]:
        """Its rounds, s, in the order in which they were taken; none if it was not timed."""
        return self.times.rounds if self.times else ()

    @property
    def cpu_seconds(self) -> float | None:
        """User and system time of a pass, s."""
        return self.cost.cpu_seconds if self.cost else None

    @property
    def judged(self) -> Mapping[str, "Record"]:
        """What verdicts judge, by name: its time; for requests that were timed, also their p95.

        The p95 is a record whose times are the 95th percentiles of the rounds. Where requests arrive by
        themselves, the time is that of the arrivals, and the p95 alone is judged.
        """
        found = self.requests
        if found is None or not self.times:
            return {self.name: self}
        p95 = replace(self, times=Times(rounds=tuple(found.p95_rounds), stddev=_stddev(found.p95_rounds)))
        ours = {} if found.arrivals is not None else {self.name: self}
        return {**ours, f"{self.name}{P95}": p95}

    @property
    def is_scaling(self) -> bool:
        """Whether it is one of several settings of workers and FFmpeg threads."""
        return self.ffmpeg_threads is not None

    @property
    def setting(self) -> tuple[int, int]:
        """Workers, and FFmpeg threads for each."""
        return self.workers, self.ffmpeg_threads or 1

    @property
    def is_exact(self) -> bool:
        """Whether its frames were shown to equal the baseline's, bit for bit, pruned or not."""
        return self.kind != "limit" and self.proof is not None and not self.proof.differing_frames

    @property
    def is_proven(self) -> bool:
        """Whether its time may be used: "proven" means this everywhere.

        A limit returns no frames, so it needs no proof. A peer is proven when its likeness was measured: it
        may convert colours in another way, and its proof says how much it differs. Everything else is proven
        only if no frame differs: a proof that names differing frames would let wrong frames pass as a faster
        time.
        """
        if self.kind == "limit":
            return True
        is_peer = self.kind == "peer" or (self.requests is not None and self.requests.is_peer)
        return self.proof is not None if is_peer else self.is_exact

    def to_dict(self) -> dict[str, Any]:
        """The fields as they are saved in "extra_info", in plain JSON."""
        saved = {name: value for name, value in asdict(self).items() if value is not None}
        identity = saved.pop("identity", {})
        saved.pop("times", None)
        return {**saved, **identity}


def read(entry: Entry) -> Record:
    """Read one saved benchmark, of this or an earlier version.

    Raises:
        LookupError, TypeError, ValueError or AttributeError: if it is no benchmark of this suite.
    """
    info, stats = entry["extra_info"], entry.get("stats")
    strategy = str(info["strategy"])
    return Record(
        strategy=strategy,
        kind=info["kind"] if "kind" in info else _kind_before(info, strategy),
        workers=int(info["workers"]),
        frames=int(info["frames"]),
        workload=str(info.get("workload", DEFAULT_WORKLOAD)),
        is_parallel=bool(info.get("is_parallel", strategy not in ONE_WORKER)),
        interleaved=bool(info.get("interleaved", False)),
        is_of_set=bool(info.get("is_of_set", False)),
        proof=_part(Proof, info.get("proof")),
        cost=_part(Cost, info.get("cost")),
        packets=_part(Packets, info.get("packets")),
        cluster=_part(ClusterUse, info.get("cluster")),
        requests=_part(Requests, info.get("requests")),
        identity=_part(Identity, info) if "work" in info else None,
        times=_times(stats) if stats else None,
        **{name: info.get(name) for name in AS_SAVED},
    )


AS_SAVED = (
    "ffmpeg_threads", "videos", "fallback", "limit", "untimed_seconds", "proving_seconds",
    "frames_per_second", "speedup", "of_limit", "efficiency",
)  # fmt: skip


def is_of_this_suite(entry: Entry) -> bool:
    """Whether a saved benchmark is one of this suite's: a file may hold others."""
    return "strategy" in entry.get("extra_info", {})


def _kind_before(info: Mapping[str, Any], strategy: str) -> Kind:
    """The kind, from a file saved before it was: limits had it in their names."""
    if strategy.startswith("limit-"):
        return "limit"
    if info.get("is_peer"):
        return "peer"
    return "across" if "videos" in info else "strategy"


def _part(part: type[Part], saved: Mapping[str, Any] | None) -> Part | None:
    """An inner record; None if nothing is saved of it. Fields of a later version are left out."""
    if not saved:
        return None
    names = [one.name for one in fields(part) if one.name in saved]  # type: ignore[arg-type]
    return part(**{name: saved[name] for name in names})


def _stddev(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0


def _times(stats: Mapping[str, Any]) -> Times:
    rounds = tuple(map(float, stats.get("data") or [stats["median"]]))
    times = Times(rounds=rounds, stddev=float(stats.get("stddev", 0.0)))
    if not (math.isfinite(times.median) and times.median > 0):
        raise ValueError(f"a time of {times.median} s")
    return times
