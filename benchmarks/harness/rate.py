"""The rate at which an open load is measured: a share of what TorchCodec's best way can answer."""

import time

from benchmarks.harness.reference import Reference
from benchmarks.loads.callers import Callers
from benchmarks.loads.records import nothing
from benchmarks.ways import THEIRS, WAYS, Way
from fixtures.console import Console
from fixtures.settings import usable_cpus

DIGITS = 2  # of a measured rate: so that runs on one machine mostly have the same work


class Rates:
    """The rates of a session, each measured once."""

    def __init__(self, told: float | None, console: Console) -> None:
        """Measure none yet.

        Args:
            told: requests a second from the command line; None: the rate is measured.
            console: prints a line for each measured rate.
        """
        self._told, self._console = told, console
        self._found: dict[str, float] = {}

    def of(self, reference: Reference) -> float:
        """Requests a second that the best of TorchCodec's ways answers, with as many callers as CPUs."""
        if self._told is not None:
            return self._told
        stream = reference.stream
        if stream.name not in self._found:
            ways = [WAYS[name] for name in THEIRS if WAYS[name].is_main and not WAYS[name].declines(stream)]
            self._console.live(f"arrivals             measuring what TorchCodec answers of {stream.name}")
            best = max(_answered_a_second(reference, way) for way in ways)
            self._found[stream.name] = float(f"{best:.{DIGITS}g}")
            rate = f"{best:.{DIGITS}g} requests a second"
            self._console.line(f"{'arrivals:':<12}100 % of {stream.name} are {rate}")
        return self._found[stream.name]


def _answered_a_second(reference: Reference, way: Way) -> float:
    """Requests a second in the second of two passes: the first one opens the decoders."""
    load = Callers.of(way, reference.stream, usable_cpus())
    load.take(nothing)
    began = time.perf_counter()
    load.take(nothing)
    seconds = time.perf_counter() - began
    load.close()
    return len(reference.stream.requests) / seconds
