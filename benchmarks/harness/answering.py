"""A pass over a stream of requests: every request is proven, and its latency is noted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import psutil
from torch import Tensor

from benchmarks.harness.clock import CLOCK
from benchmarks.harness.contenders import NotMeasuredError
from benchmarks.harness.cost import tree_cpu_seconds
from benchmarks.harness.likeness import measure_likeness
from benchmarks.harness.passes import Judge, Pause
from benchmarks.harness.proof import MismatchError, Proof, joined, prove
from benchmarks.harness.reference import Reference
from benchmarks.loads.latencies import Distribution, percentile
from benchmarks.loads.records import Answered, Keep, LoadError, Running
from benchmarks.ways import Way
from benchmarks.ways.answering import Answerer
from results.schema import Record, Requests

SAMPLE = 5  # requests of a timed pass whose frames are kept, and proven after it


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One timed pass."""

    latencies: Sequence[float]  # s, in the order of the requests
    cpu_seconds: float  # of all processes
    bytes_read: int | None  # by all processes; None if the system does not count them


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How requests come: the load."""

    load: Running
    callers: int  # how many ask at once
    arrivals: float | None = None  # requests a second; None: a caller asks again when it is free


class Answering:
    """One way under one load. What the way keeps lives on from pass to pass, until it is closed."""

    def __init__(self, name: str, way: Way, reference: Reference, asking: Asking) -> None:
        """Take no pass yet.

        Args:
            name: the way's name.
            way: the way that answers.
            reference: what the frames are judged by.
            asking: the load.
        """
        self.name, self._way, self._reference, self._asking = name, way, reference, asking
        self._load = asking.load
        self._judge: Judge = measure_likeness if way.is_peer else prove
        self._passes: list[Taken] = []
        self._first: list[float] = []  # latencies of the first requests of fresh callers
        self._decoders_open = 0

    def warm_up(self) -> None:
        """Check that the way can decode this stream at all.

        Raises:
            NotMeasuredError: if it cannot: builds of a library differ in their codecs.
        """
        if self._way.prepare is not None:
            self._way.prepare()
        if not self._way.is_peer:
            return
        answerer = Answerer(self._way, self._reference.stream, 1)
        try:
            answerer.answer(self._reference.stream.requests[0])
        except Exception as error:
            reason = str(error).strip().splitlines()[-1][:100] if str(error).strip() else type(error).__name__
            codec = self._reference.stream.videos[0].codec
            raise NotMeasuredError(f"{self.name} cannot decode {codec} here ({reason})") from error
        finally:
            answerer.close()

    def run(self) -> None:
        """Take one timed pass; a sample of its frames is proven after it."""
        stride = max(1, len(self._reference.stream.requests) // SAMPLE)
        offset = len(self._passes) % stride

        def keep(number: int, frames: Tensor) -> Tensor | None:
            return frames if number % stride == offset else None

        with CLOCK.stopped():
            cpu, read = tree_cpu_seconds(), bytes_read()
        answered = self._take(keep)
        with CLOCK.stopped():
            self._note(answered, tree_cpu_seconds() - cpu, read)
            for one in answered:
                if one.kept is not None:
                    self._proof(one.number, one.kept, ", in a timed round,")

    def prove(self, when: str = "", pause: Pause = CLOCK.stopped) -> Proof:  # noqa: ARG002
        """Take one untimed pass in which every frame is proven, in the caller that asked for it.

        Raises:
            MismatchError: if a frame is wrong.
            NotMeasuredError: if a frame of another library is: its fault does not fail the run.
        """
        try:
            answered = self._take(lambda number, frames: self._proof(number, frames, when))
        except MismatchError as error:
            if self._way.is_peer:
                raise NotMeasuredError(f"{self.name} was not measured: {error}") from error
            raise
        self._first += [one.latency for one in answered if one.is_first]
        return joined([one.kept for one in answered])

    def prove_last(self) -> None:
        """Take one more pass; its sample is proven as those of all passes are."""
        self.run()

    def close(self) -> None:
        """End workers, close decoders."""
        self._load.close()

    def noted(self, record: Record, rounds: int) -> Record:
        """The record with what was noted of requests in the last `rounds` passes.

        The CPU seconds of a timed pass replace those of the untimed one, in whose midst digests were taken.
        """
        passes = self._passes[-rounds:]
        cpu_seconds = median(taken.cpu_seconds for taken in passes)
        cost = record.cost and replace(record.cost, cpu_seconds=cpu_seconds)
        return replace(record, cost=cost, requests=self._figures(passes, cpu_seconds))

    def _figures(self, passes: Sequence[Taken], cpu_seconds: float) -> Requests:
        latencies = [latency for taken in passes for latency in taken.latencies]
        requests = len(self._reference.stream.requests)
        read = [taken.bytes_read for taken in passes if taken.bytes_read is not None]
        values = {f"p{percent}": percentile(latencies, percent) for percent in (50, 90, 95, 99)}
        return Requests(
            requests=requests,
            callers=self._asking.callers,
            largest=max(latencies),
            distribution=list(map(list, Distribution.of(latencies).counts.items())),
            p95_rounds=[percentile(taken.latencies, 95) for taken in passes],
            cpu_seconds=cpu_seconds / requests,
            bytes_read=median(read) / requests if read else None,
            first_seconds=median(self._first) if self._first else None,
            decoders_open=self._decoders_open,
            arrivals=self._asking.arrivals,
            is_peer=self._way.is_peer,
            **values,
        )

    def _take(self, keep: Keep) -> Sequence[Answered]:
        try:
            return self._load.take(keep)
        except LoadError as error:
            raise LoadError(f"{self.name}: {error}; nothing was saved") from error

    def _note(self, answered: Sequence[Answered], cpu_seconds: float, read_before: int | None) -> None:
        read = bytes_read()
        self._passes.append(
            Taken(
                latencies=[one.latency for one in answered],
                cpu_seconds=cpu_seconds,
                bytes_read=None if read is None or read_before is None else read - read_before,
            )
        )
        last = {one.caller: one.decoders_open for one in sorted(answered, key=lambda one: one.ended)}
        self._decoders_open = sum(last.values())

    def _proof(self, number: int, frames: Tensor, when: str) -> Proof:
        request = self._reference.stream.requests[number]
        video = self._reference.stream.videos[request.video].name
        return self._judge(
            f"{self.name}{when} on request {number} of {video}", frames, self._reference.of(number)
        )


def bytes_read() -> int | None:
    """Bytes that this process and its living descendants have read; None if it is unknown."""
    this = psutil.Process()
    try:
        counters: list[Any] = [one.io_counters() for one in (this, *this.children(recursive=True))]
        return sum(int(one.read_chars) for one in counters)
    except (psutil.Error, AttributeError):
        return None
