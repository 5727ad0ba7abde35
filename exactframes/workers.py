"""Workers that decode excerpts: threads that take the next one as they get free, or processes."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from queue import SimpleQueue

from torch import Tensor

from exactframes.excerpt import Excerpt, Task, tasks
from exactframes.helpers import Crew, Stop
from exactframes.output import Shape, open_output
from exactframes.processes import kept_pool
from exactframes.shift import Shift


def threads(workers: int) -> Crew:
    """Threads for all workers but the caller; none is started before it has something to do."""
    return Crew(workers - 1)


def on_threads(all_tasks: Iterable[Task], output: Tensor, span: range, workers: int, pool: Crew) -> int:
    """Decode on this thread and workers - 1 of the pool's, if it has them; return how many rows were written.

    There is no queue: a free worker cuts its own next excerpt, so that each holds one.

    Args:
        all_tasks: what to do.
        output: the rows of this span of the whole output, uint8 [n, H, W, C].
        span: which rows those are; tasks may have others, too.
        workers: how many decode at once.
        pool: the threads.

    Raises:
        DeclinedError: as cutting and decoding do; the other threads end with the excerpt they are at.
    """
    shared = _Shared(iter(all_tasks))

    def work(stop: Stop) -> int:
        written = 0
        while not stop.is_set and (task := shared.take()) is not None:
            written += task.write(output, span.start, span.stop)
        return written

    others = _Others(lambda: work(pool.stop), shared.close)
    try:
        others.begin(pool, workers - 1)
        return work(Stop()) + others.result()
    finally:
        shared.close()
        others.wait()  # the output is the caller's again


class _Others:
    """What helpers do, and their results."""

    def __init__(self, work: Callable[[], int], fail: Callable[[], None]) -> None:
        self._work, self._fail = work, fail
        self._answers: SimpleQueue[int | BaseException] = SimpleQueue()
        self._missing = 0

    def begin(self, pool: Crew, count: int) -> None:
        """Have so many helpers work, or as many as there are."""
        self._missing = pool.share(self._answer, count)

    def result(self) -> int:
        """The sum of their results.

        Raises:
            BaseException: what one of them raised.
        """
        total = 0
        while self._missing:
            answer = self._next()
            if isinstance(answer, BaseException):
                raise answer
            total += answer
        return total

    def wait(self) -> None:
        """Wait until all have ended; ignore their results."""
        while self._missing:
            self._next()

    def _next(self) -> int | BaseException:
        answer = self._answers.get()
        self._missing -= 1
        return answer

    def _answer(self) -> None:
        try:
            self._answers.put(self._work())
        except BaseException as error:  # noqa: BLE001  the caller raises it
            self._fail()
            self._answers.put(error)


class _Shared:
    """An iterator that several threads take from, until it ends or one of them has failed."""

    def __init__(self, source: Iterator[Task]) -> None:
        self._source, self._lock, self._is_closed = source, threading.Lock(), False

    def close(self) -> None:
        """Give nothing more."""
        self._is_closed = True

    def take(self) -> Task | None:
        """The next one; None if there is none."""
        with self._lock:
            return None if self._is_closed else next(self._source, None)


def on_processes(
    excerpts: Iterable[Excerpt], shape: Shape, path: str, workers: int, ffmpeg_threads: int
) -> int:
    """Decode on worker processes, into a shared output; return how many rows were written.

    A single worker is this process. If the system gives no process, this one decodes all.

    Args:
        excerpts: what to decode; each is cut when a worker is free.
        shape: of the output.
        path: of the output.
        workers: how many decode at once; fewer if there are fewer excerpts, or processes to have.
        ffmpeg_threads: FFmpeg's own threads for each worker.

    Raises:
        DeclinedError: as cutting and decoding do.
        WorkerError: if a worker process ends in the middle, or none can import this library.
    """
    source, written, left = iter(excerpts), 0, deque[Excerpt]()
    if workers > 1:
        with _opened(path) as descriptor:
            shift = Shift(kept_pool(), workers, shape, descriptor, ffmpeg_threads=ffmpeg_threads)
            written, left = shift.decode(source), shift.left
        if not left:
            return written
    rest, rows = chain(left, source), range(shape[0])
    with threads(workers) as others:
        here = tasks(rest, ffmpeg_threads)
        return written + on_threads(here, open_output(shape, path), rows, workers, others)


@contextmanager
def _opened(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
