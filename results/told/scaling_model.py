"""Predicts a strategy's time with more workers than were measured, from its rows with 1 and 2 workers.

With T(w) the median seconds and C(w) the CPU seconds of w workers, each with a core of its own:

    T(w) = serial + start + core / w

    start  = C(2) - C(1): work that each worker does for itself, at the same time as the others
    serial = 2 T(2) - T(1) - start: the rest that a second worker did not halve
    core   = T(1) - serial - start: the work that workers divide among them

This is Amdahl's law. Two times determine two numbers: the work that is divided, and the work that is not. CPU
time splits the second into serial and start, and bounds the first: if two workers took less wall time than
their CPU time allows, the CPU time is used. No part is negative. The model equals T(1) always, and T(2) if
wall and CPU time agree and a second worker gained.

Assumed: each worker has a core, work divides evenly, the serial part and the start do not change. Not seen:
memory bandwidth and shared caches (a machine gets slower than this), lower clocks with many busy cores,
hyper-threads (two workers on one core look like starts), too few frames for so many workers, FFmpeg's own
limit of threads, what a single worker saves (joblib runs it in this process and pickles nothing: for
`processes` this looks like a start), and the noise of two measurements. It shows whether a larger machine is
worth a trial, no more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from results.schema import Record

WORKERS = (4, 8, 16, 32, 64)


@dataclass(frozen=True, kw_only=True)
class Model:
    """Where the time of a strategy goes."""

    serial: float  # seconds that no worker shortens
    core: float  # core-seconds that the workers share
    start: float  # core-seconds that each worker pays for itself

    def seconds(self, workers: int) -> float:
        """The wall time with so many workers."""
        return self.serial + self.start + self.core / workers


def fit(records: Iterable[Record]) -> Model | None:
    """The model of one strategy; None unless it was timed and costed with 1 and with 2 workers.

    Args:
        records: the benchmarks of one strategy on one workload; those with more FFmpeg threads are left out.
    """
    rows = {workers: record for record in records if (workers := _workers(record))}
    if not {1, 2} <= rows.keys():
        return None
    (one, one_cpu), (two, two_cpu) = (_measured(rows[workers]) for workers in (1, 2))
    start = min(max(0.0, two_cpu - one_cpu), one)
    serial = min(max(0.0, 2 * two - one - start), one - start)
    return Model(serial=serial, core=one - serial - start, start=start)


def predict(records: Sequence[Record]) -> dict[int, float]:
    """Seconds of one strategy at those of WORKERS that are more than were measured; none without a model."""
    model = fit(records)
    if model is None:
        return {}
    most = max(map(_workers, records))
    return {workers: model.seconds(workers) for workers in WORKERS if workers > most}


def _workers(record: Record) -> int:
    """How many workers of one FFmpeg thread were timed and costed; 0 for another row, or what fell back."""
    if not record.times or not record.cost or record.fallback:
        return 0
    workers, threads = record.setting
    return workers if threads == 1 else 0


def _measured(record: Record) -> tuple[float, float]:
    return record.seconds, record.cpu_seconds or 0.0
