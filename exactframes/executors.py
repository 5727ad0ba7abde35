"""The executors of one video, one for each thread at work: made when they are needed, and kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from torch import Tensor

from exactframes.output import Batch
from exactframes.plan import Run
from exactframes.workers import on_threads, threads


class Executor(Protocol):
    """Decodes runs, one at a time."""

    def write(self, run: Run, batch: Batch) -> None:
        """Write the frames of a run into the batch."""


Free = SimpleQueue[Executor]


class Executors:
    """Executors that are kept from request to request."""

    def __init__(self, make: Callable[[int], Executor]) -> None:
        """Make no executor yet.

        Args:
            make: makes an executor that decodes with so many of FFmpeg's threads.
        """
        self._make = make
        self._alone: Executor | None = None
        self._free: Free = SimpleQueue()  # of the executors that work side by side

    def write_all(self, runs: Iterator[Run], batch: Batch, workers: int, ffmpeg_threads: int) -> None:
        """Decode runs on so many threads. A single one has FFmpeg's threads; of several, each has one.

        Raises:
            DeclinedError, RuntimeError, OSError or ValueError: as the executors do.
        """
        if workers > 1:
            tasks = (_Writing(run, batch, self._take, self._free.put) for run in runs)
            with threads(workers) as helpers:
                batch.written += on_threads(tasks, batch.frames, range(len(batch.frames)), workers, helpers)
            return
        if self._alone is None:
            self._alone = self._make(ffmpeg_threads)
        for run in runs:
            self._alone.write(run, batch)

    def _take(self) -> Executor:
        try:
            return self._free.get_nowait()
        except Empty:  # asked first, another thread may take it in between
            return self._make(1)


@dataclass(frozen=True)
class _Writing:
    """A run as a task for a thread."""

    run: Run
    batch: Batch
    take: Callable[[], Executor]
    give_back: Callable[[Executor], None]
    is_done: bool = True  # nothing of it is left for later

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows that it writes."""
        return tuple(request.row for request in self.run.requests)

    def write(self, _output: Tensor, _first_row: int, _stop_row: int) -> int:
        """Write them, and return how many."""
        executor, part = self.take(), self.batch.part()
        executor.write(self.run, part)
        self.give_back(executor)
        return part.written
