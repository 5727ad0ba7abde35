"""Requests: what a data loader and a server do. Each way is proven, request by request, before it is timed.

One round is one pass over a stream of requests. The streams stand in fixtures/requests.py, the ways to answer
in ways/, how requests come in loads/. Ids read like clips-closed-1-exactframes.
"""

from collections.abc import Iterable
from typing import Any

import pytest

from benchmarks.harness.clock import CLOCK
from benchmarks.harness.contenders import Contender, Work
from benchmarks.harness.measuring import Measure
from benchmarks.harness.request_work import all_ways, answering, situations, streams_of
from benchmarks.limits.requests import decoding_requests
from benchmarks.ways import WAYS
from fixtures.settings import usable_cpus
from results.schema import NEEDED_FRAMES

pytestmark = pytest.mark.benchmark(timer=CLOCK.now)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each stream under each load; what is not usual is marked `grid`."""
    if "situation" in metafunc.fixturenames:
        found = cases(streams_of(metafunc.config.option.requests), usable_cpus())
        metafunc.parametrize(("situation", "way"), list(found), indirect=["situation"], scope="session")


def cases(streams: Iterable[str], cpus: int) -> Iterable[Any]:
    """Every way in every situation."""
    for situation, is_usual in situations(streams, cpus):
        if not situation.kind.is_open:  # the time of an open load is that of its arrivals
            marks = [] if is_usual else [pytest.mark.grid]
            yield pytest.param(situation, NEEDED_FRAMES, id=f"{situation}-limit", marks=marks)
        for name, way in WAYS.items():
            is_grid = not is_usual or not (way.is_main or all_ways(situation, cpus))
            marks = [pytest.mark.grid] if is_grid else []
            yield pytest.param(situation, name, id=f"{situation}-{name}", marks=marks)


def subject(work: Work, name: str) -> Contender:
    """A way, or the limit."""
    return decoding_requests(work) if name == NEEDED_FRAMES else answering(work, name)


@pytest.mark.measures(subject, way=None)
def test_answer(way: str, measure_requests: Measure) -> None:
    """Seconds in which a way answers all requests of a stream, as they come under a load.

    What the number cannot see: what is done with the frames, the network, and a file that is not in the page
    cache. The time of an open load is that of its arrivals; look at latencies there.
    """
    measure_requests(way)
