"""Callers answer every request once; an open load counts latency from when a request was due."""

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from torch import Tensor

from benchmarks.loads.arrivals import logged, poisson
from benchmarks.loads.callers import Callers, Time
from benchmarks.loads.latencies import percentile
from benchmarks.loads.records import Answered, nothing
from benchmarks.loads.tests.made_up import BUSY, FAILING, NUMBERED, STALLING, MadeUpTime, Stalling, stream_of
from benchmarks.ways.answering import Answerer


def value(_number: int, frames: Tensor) -> int:
    return int(frames[0, 0, 0, 0])


@pytest.mark.parametrize("callers", [1, 2, 8, 50])
def test_every_request_is_answered_once_and_with_its_own_frames(callers: int) -> None:
    load = Callers.of(BUSY, stream_of(40, videos=3), callers)
    for take in range(2):
        found = load.take(value)
        assert [one.number for one in found] == list(range(40))
        assert [one.kept for one in found] == list(range(40))
        assert all(one.due == one.started <= one.ended for one in found)
        firsts = {one.caller for one in found if one.is_first}
        assert len(firsts) == sum(one.is_first for one in found)
        assert (0 < len(firsts) <= min(40, callers)) or take
    load.close()


def test_callers_together_keep_no_more_open_than_there_is_room_for() -> None:
    load = Callers.of(NUMBERED, stream_of(200, videos=20, room=8), 2)
    last = {one.caller: one.decoders_open for one in load.take(nothing)}
    assert 1 <= sum(last.values()) <= 8
    load.close()
    assert [answerer.decoders_open for answerer in load.answerers] == [0, 0]


def test_what_a_way_remembers_outlives_its_decoder() -> None:
    stream = stream_of(30, videos=3, room=2)
    answerer = Answerer(NUMBERED, stream, stream.room)
    for request in stream.requests:
        answerer.answer(request)
    assert answerer.decoders_open == 2
    answerer.close()
    assert [memory["closed"] for memory in answerer._memories.values()] == [10, 10, 10]


def test_the_decoder_that_was_not_asked_for_longest_is_closed() -> None:
    stream = stream_of(3, videos=3, room=2)
    answerer = Answerer(NUMBERED, stream, stream.room)
    for video in (0, 1, 0, 2):
        answerer.answer(stream.requests[video])
    assert list(answerer._open) == [0, 2]


def test_nothing_is_kept_of_bytes() -> None:
    stream = replace(stream_of(3), is_bytes=True)
    assert Answerer(NUMBERED, stream, stream.room)._room == 0


@pytest.mark.parametrize("callers", [1, 4])
def test_an_error_of_a_caller_ends_the_pass_and_is_told(callers: int) -> None:
    load = Callers.of(FAILING, stream_of(1000), callers)
    with pytest.raises(RuntimeError, match="the sixth request cannot be answered"):
        load.take(nothing)


RATE, REQUESTS = 100.0, 2000


def stalled(arrivals: Sequence[float] | None) -> list[float]:
    stream, Stalling.time = stream_of(REQUESTS), MadeUpTime()
    made_up = Time(now=Stalling.time.now, sleep=Stalling.time.sleep)
    load = Callers(stream, [Answerer(STALLING, stream, 1)], arrivals, made_up)
    return [one.latency for one in load.take(nothing)]


def test_a_stall_of_a_second_shows_as_theory_says() -> None:
    """It holds up a second of arrivals, 5 % of them all: they wait for what is left of it, evenly 0 to 1 s.

    So 1 % of all requests wait for longer than 0.8 s, and 5 % wait at all. A closed load shows one request in
    2,000, and a p99 of nothing.
    """
    even = [number / RATE for number in range(REQUESTS)]
    for arrivals, off in ((even, 0.011), (poisson(REQUESTS, RATE), 0.15)):
        latencies = stalled(arrivals)
        assert max(latencies) == pytest.approx(1.0)
        assert percentile(latencies, 99) == pytest.approx(0.8, abs=off)
        assert percentile(latencies, 97.5) == pytest.approx(0.5, abs=off)
        assert percentile(latencies, 93) == pytest.approx(0.0, abs=1e-9)
    closed = stalled(None)
    assert percentile(closed, 99) == 0
    assert max(closed) == 1.0


def test_arrivals_come_so_often_and_are_the_same_in_every_run() -> None:
    arrivals = poisson(10_000, 50)
    assert arrivals == poisson(10_000, 50)
    assert list(arrivals) == sorted(arrivals)
    assert arrivals[-1] == pytest.approx(200, rel=0.05)
    gaps = [after - before for before, after in pairwise(arrivals)]
    assert sum(gap > 0.02 for gap in gaps) / len(gaps) == pytest.approx(0.368, abs=0.02)  # 1 / e
    assert poisson(5, 100) == pytest.approx([time / 2 for time in poisson(5, 50)])


def test_a_log_tells_its_arrivals() -> None:
    stream = stream_of(3)
    timed = tuple(replace(request, at=float(n)) for n, request in enumerate(stream.requests))
    assert logged(stream) is None
    assert logged(replace(stream, requests=timed)) == [0, 1, 2]


@pytest.mark.long
def test_arrivals_are_on_time() -> None:
    """99 % of them within a millisecond, at 500 a second; where others are busy, near a bare sleep."""
    late = [[one.started - one.due for one in on_time(1)] for _ in range(5)]
    assert percentile([seconds for second in late for seconds in second], 99) < 0.02
    bare = min(percentile(late_by_sleeping(1), 99) for _ in range(5))
    assert min(percentile(second, 99) for second in late) < max(0.001, 3 * bare)


def on_time(seconds: float, a_second: float = 500) -> Sequence[Answered]:
    requests = round(seconds * a_second)
    return Callers.of(NUMBERED, stream_of(requests), 2, poisson(requests, a_second)).take(nothing)


def late_by_sleeping(seconds: float, a_second: float = 500) -> list[float]:
    began, late = time.perf_counter(), []
    for arrival in poisson(round(seconds * a_second), a_second):
        time.sleep(max(0.0, began + arrival - time.perf_counter()))
        late.append(time.perf_counter() - began - arrival)
    return late
