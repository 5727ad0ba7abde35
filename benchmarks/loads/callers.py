"""Callers in threads: each takes the next request of the stream when it is free.

Without arrivals this is a closed load: there are always as many requests as callers. With arrivals it is an
open one: a caller that is free waits until the next request is due, and if none is free the request waits.
Its latency counts from when it was due, so that a stall shows in all requests that it holds up.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.loads.records import Answered, Keep
from benchmarks.ways import Way
from benchmarks.ways.answering import Answerer
from fixtures.requests import RequestStream


@dataclass(frozen=True)
class Time:
    """How a load reads the time and waits; a test gives it made-up ones."""

    now: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Callers:
    """So many callers, each with decoders of its own, that all together keep open what the stream allows."""

    stream: RequestStream
    answerers: Sequence[Answerer]  # one a caller
    arrivals: Sequence[float] | None = None  # seconds from the beginning at which each request is due
    time: Time = field(default_factory=Time)

    @classmethod
    def of(
        cls, way: Way, stream: RequestStream, callers: int, arrivals: Sequence[float] | None = None
    ) -> "Callers":
        """Callers that answer by one way."""
        room = stream.room // callers
        return cls(stream, [Answerer(way, stream, room) for _ in range(callers)], arrivals)

    def take(self, keep: Keep) -> Sequence[Answered]:
        """One pass over the stream; the first error of any caller ends it, and is raised."""
        taking = _Taking(self, keep)
        threads = [
            threading.Thread(target=taking.answer_all, args=(caller,))
            for caller in range(len(self.answerers))
        ]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:  # also on Ctrl-C: each caller ends with the request that it has begun
            taking.is_over = True
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        if taking.errors:
            raise taking.errors[0]
        return sorted(taking.answered, key=lambda answered: answered.number)

    def close(self) -> None:
        """Close all decoders."""
        for answerer in self.answerers:
            answerer.close()


class _Taking:
    """One pass: which request comes next, and what was answered."""

    def __init__(self, load: Callers, keep: Keep) -> None:
        self._load, self._keep = load, keep
        self._began = load.time.now()
        self._numbers = iter(range(len(load.stream.requests)))
        self._lock = threading.Lock()
        self.answered: list[Answered] = []
        self.errors: list[BaseException] = []
        self.is_over = False

    def answer_all(self, caller: int) -> None:
        """What a caller's thread does."""
        try:
            while not self.is_over and (number := self._next()) is not None:
                self.answered.append(self._answer(caller, number))
        except BaseException as error:  # noqa: BLE001  it is raised again where all callers are awaited
            self.errors.append(error)
            self.is_over = True

    def _next(self) -> int | None:
        with self._lock:
            return next(self._numbers, None)

    def _answer(self, caller: int, number: int) -> Answered:
        load, now = self._load, self._load.time.now
        answerer, request = load.answerers[caller], load.stream.requests[number]
        is_first = not answerer.answered
        due = self._due(number)
        started = now()
        frames = answerer.answer(request)
        ended = now()
        return Answered(
            number=number,
            due=started if due is None else due,
            started=started,
            ended=ended,
            caller=caller,
            is_first=is_first,
            decoders_open=answerer.decoders_open,
            kept=self._keep(number, frames),
        )

    def _due(self, number: int) -> float | None:
        """Wait until a request is due, and tell when that is; None in a closed load."""
        if self._load.arrivals is None:
            return None
        due = self._began + self._load.arrivals[number]
        while (early := due - self._load.time.now()) > 0 and not self.is_over:
            self._load.time.sleep(min(early, 0.1))  # in short naps, so that Ctrl-C is heard
        return due
