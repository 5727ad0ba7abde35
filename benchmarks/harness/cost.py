"""What a strategy costs besides time: CPU seconds and peak memory of the whole process tree."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from results.schema import Cost

SAMPLE_SECONDS = 0.1


class CostMeter:
    """Measures what happens inside its `with` block; read `cost` after it.

    Memory is the proportional set size where the system reports it (Linux) and the unique set size elsewhere,
    sampled ten times a second, so a shorter peak can be missed. A thread of this process takes the samples:
    the meter belongs around an untimed pass.
    """

    def __enter__(self) -> "CostMeter":
        """Take the readings that will be subtracted."""
        self._stop = threading.Event()
        self._before = self._peak = tree_memory()
        self._cpu_before = tree_cpu_seconds()
        self._cpu = self.uncounted_seconds = 0.0
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop sampling."""
        self._stop.set()
        self._sampler.join()
        self._peak = max(self._peak, tree_memory())
        self._cpu += tree_cpu_seconds() - self._cpu_before

    @contextmanager
    def cpu_uncounted(self) -> Iterator[None]:
        """Count no CPU time inside, since it is not the strategy's; add up the seconds that it takes."""
        began = time.perf_counter()
        self._cpu += tree_cpu_seconds() - self._cpu_before
        yield
        self._cpu_before = tree_cpu_seconds()
        self.uncounted_seconds += time.perf_counter() - began

    @property
    def cost(self) -> Cost:
        """What the block cost."""
        extra = self._peak - self._before
        return Cost(cpu_seconds=self._cpu, peak_bytes=self._peak, extra_bytes=extra)

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, tree_memory())


def tree_cpu_seconds() -> float:
    """CPU seconds of this process, its living descendants, and those that have ended and were waited for."""
    total = 0.0
    for process in _tree():
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
            total += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return total


def tree_memory() -> int:
    """Bytes of memory that this process and its living descendants hold, shared pages counted once."""
    total = 0
    for process in _tree():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            memory = process.memory_full_info()
            total += getattr(memory, "pss", None) or memory.uss
    return total


def _tree() -> Iterator[psutil.Process]:
    this = psutil.Process()
    yield this
    yield from this.children(recursive=True)
