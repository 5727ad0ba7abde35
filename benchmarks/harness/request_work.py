"""What a benchmark of requests compares: all ways, under one load, on one stream."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from benchmarks.harness.answering import Answering, Asking
from benchmarks.harness.contenders import Contender, NotMeasuredError, Work
from benchmarks.harness.identify import machine_of, software_versions
from benchmarks.harness.reference import Reference
from benchmarks.loads import LOADS, Load
from benchmarks.loads.arrivals import logged
from benchmarks.ways import WAYS
from fixtures.requests import STREAMS, RequestStream
from fixtures.settings import usable_cpus
from results.schema import NEEDED_FRAMES, Identity

LOG = "log"  # the stream of a user's own log


@dataclass(frozen=True)
class Situation:
    """A stream under a load, such as clips-closed-1."""

    stream: str
    load: str
    number: int  # of callers or workers; of an open load, the percentage of what was measured

    def __str__(self) -> str:
        """Its id."""
        return f"{self.stream}-{self.load}-{self.number}"

    @property
    def kind(self) -> Load:
        """Its line in the table of loads."""
        return LOADS[self.load]

    @property
    def place(self) -> tuple[int, int, int]:
        """Where it stands among all situations."""
        return [*STREAMS, LOG].index(self.stream), list(LOADS).index(self.load), self.number

    @property
    def callers(self) -> int:
        """How many threads or workers answer."""
        return usable_cpus() if self.kind.is_open else self.number


# What `make bench-requests` measures: each stream as it is mostly used, by all ways or by the main ones.
USUAL: Mapping[str, tuple[tuple[str, str, bool], ...]] = {
    "clips": (("closed", "1", True), ("closed", "cpus", False), ("closed", "4 x cpus", False)),
    "dataset": (("fork", "cpus", False),),
    "robot": (("closed", "1", True), ("fork", "cpus", False)),
    "vlm": (("closed", "cpus", True), ("open", "80", False)),
    "keyframes": (("closed", "cpus", False), ("open", "80", False)),
    LOG: (("closed", "1", False), ("closed", "cpus", False), ("log", "cpus", False)),
}


def situations(streams: Iterable[str], cpus: int) -> Iterator[tuple[Situation, bool]]:
    """All that can be measured, and whether it is usual."""
    for stream in streams:
        usual = {(load, _number(number, cpus)) for load, number, _ in USUAL.get(stream, ())}
        for name, load in LOADS.items():
            if name == "log" and stream != LOG:
                continue
            for number in load.sizes(cpus):
                yield Situation(stream, name, number), (name, number) in usual


def all_ways(situation: Situation, cpus: int) -> bool:
    """Whether all ways are usual here, or the main ones alone."""
    listed = USUAL.get(situation.stream, ())
    return any(
        is_all and (load, _number(number, cpus)) == (situation.load, situation.number)
        for load, number, is_all in listed
    )


def _number(text: str, cpus: int) -> int:
    return {"cpus": cpus, "4 x cpus": 4 * cpus}.get(text) or int(text)


@dataclass(frozen=True, kw_only=True)
class RequestWork(Work):
    """What all ways share."""

    situation: Situation
    reference: Reference
    rate: float | None = None  # requests a second at 100 %; None where no request comes at its own time

    @property
    def stream(self) -> RequestStream:
        """What is asked."""
        return self.reference.stream

    @property
    def frames(self) -> int:
        """How many frames one pass asks for."""
        return self.stream.frames


def identify_requests(stream: RequestStream, situation: Situation, rate: float | None) -> Identity:
    """Describe this work: two results are comparable where it agrees."""
    videos = ",".join(video.sha256 for video in stream.videos)
    work: dict[str, object] = {
        "video": f"{len(stream.videos)} videos" if len(stream.videos) > 1 else stream.videos[0].name,
        "video_sha256": hashlib.sha256(videos.encode()).hexdigest(),
        "indices_digest": stream.digest,
        "seek_mode": "exact",
        "requests": len(stream.requests),
        "load": f"{situation.load}-{situation.number}",
        "room": stream.room,
        "is_bytes": stream.is_bytes,
        "by_time": any(request.seconds for request in stream.requests),
        "serves": stream.name in STREAMS and STREAMS[stream.name].serves,
    }
    if rate is not None:
        work["arrivals"] = rate
    if stream.size is not None:
        work["output_size"] = "{1}x{0}".format(*stream.size)
    return Identity(work=work, machine=machine_of({}), software=software_versions())


def answering(work: Work, name: str) -> Contender:
    """A pass of a way.

    Raises:
        NotMeasuredError: if it does not answer this stream.
    """
    assert isinstance(work, RequestWork)
    way, situation, stream = WAYS[name], work.situation, work.stream
    if reason := why_not(name, situation, stream):
        raise NotMeasuredError(reason)
    load = situation.kind.make(way, stream, situation.number, work.rate)
    asking = Asking(load=load, callers=situation.callers, arrivals=arrivals_a_second(work))
    subject = Answering(name, way, work.reference, asking)
    contender = work.contender(subject, "request", situation.callers, limit=NEEDED_FRAMES)
    return replace(contender, finish=subject.noted)


def why_not(name: str, situation: Situation, stream: RequestStream) -> str | None:
    """Why a way is not measured in a situation; None where it is."""
    if situation.load == "log" and logged(stream) is None:
        return "the log is not replayed at its own times: its lines have no `at`"
    if name != NEEDED_FRAMES and (reason := WAYS[name].declines(stream)):
        return f"{name} does not answer {stream.name}: {reason}"
    return None


def arrivals_a_second(work: RequestWork) -> float | None:
    """Requests that arrive in a second, on average; None where a caller asks when it is free."""
    if work.situation.load == "open":
        assert work.rate is not None
        return work.rate * work.situation.number / 100
    times = logged(work.stream) if work.situation.load == "log" else None
    if times is None:
        return None
    return len(times) / (times[-1] or 1.0)  # all at once count as within a second


def streams_of(log: object) -> list[str]:
    """The streams that this session measures: a user's log instead of those of the table."""
    return [LOG] if log is not None else list(STREAMS)
