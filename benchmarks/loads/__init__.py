"""The loads: how requests come. Callers in threads, DataLoader workers, or arrivals at their own times.

A load is a function that makes a `Running` of a way and a stream, and one line below, which tells at which
numbers of callers it is measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.loads.arrivals import logged, poisson
from benchmarks.loads.callers import Callers
from benchmarks.loads.loader import Loader
from benchmarks.loads.records import Running
from benchmarks.ways import Way
from fixtures.requests import RequestStream

Sizes = Callable[[int], Sequence[int]]  # usable CPUs -> numbers to measure at


@dataclass(frozen=True, kw_only=True)
class Load:
    """A line of the table."""

    make: Callable[[Way, RequestStream, int, float | None], Running]  # (.., number, arrivals a second)
    sizes: Sizes
    is_open: bool = False  # whether requests come at their own times; then the number is a percentage
    serves: bool = False  # whether it is how a server is asked, else how training asks


def closed(way: Way, stream: RequestStream, callers: int, _rate: float | None) -> Running:
    """Each caller asks for the next request as soon as it has the last one's frames."""
    return Callers.of(way, stream, callers)


def by_fork(way: Way, stream: RequestStream, workers: int, _rate: float | None) -> Running:
    """DataLoader workers that are forked; with 0 the loader's own process answers."""
    return Loader(way, stream, workers, "fork" if workers else None)


def by_spawn(way: Way, stream: RequestStream, workers: int, _rate: float | None) -> Running:
    """DataLoader workers that start anew."""
    return Loader(way, stream, workers, "spawn")


def arriving(way: Way, stream: RequestStream, percent: int, rate: float | None) -> Running:
    """Requests at random times, `percent` of `rate` a second; as many callers as CPUs."""
    from fixtures.settings import usable_cpus

    assert rate is not None
    return Callers.of(way, stream, usable_cpus(), poisson(len(stream.requests), rate * percent / 100))


def replayed(way: Way, stream: RequestStream, callers: int, _rate: float | None) -> Running:
    """Requests at the times of a user's log."""
    return Callers.of(way, stream, callers, logged(stream))


def doubled(cpus: int) -> list[int]:
    """1, 2, 4 .. and the CPUs themselves."""
    return sorted({*(2**n for n in range(cpus.bit_length())), cpus})


LOADS: dict[str, Load] = {
    "closed": Load(make=closed, sizes=lambda cpus: sorted({1, cpus, 4 * cpus})),
    "fork": Load(make=by_fork, sizes=lambda cpus: [0, *doubled(cpus)]),
    "spawn": Load(make=by_spawn, sizes=doubled),
    "open": Load(make=arriving, sizes=lambda _cpus: [50, 80, 95], is_open=True, serves=True),
    "log": Load(make=replayed, sizes=lambda cpus: [cpus], is_open=True, serves=True),
}
