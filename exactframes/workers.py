"""Who decodes excerpts: threads that take the next one as they get free, or processes."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from itertools import chain

from torch import Tensor

from exactframes.excerpt import Excerpt, Task, tasks
from exactframes.output import Shape, open_output
from exactframes.processes import Crew, kept_pool


def threads(workers: int) -> ThreadPoolExecutor:
    """Threads for all workers but the caller; none is started before it has something to do."""
    return ThreadPoolExecutor(max(1, workers - 1), thread_name_prefix="exactframes")


def on_threads(
    all_tasks: Iterable[Task], output: Tensor, span: range, workers: int, pool: ThreadPoolExecutor
) -> int:
    """Decode on this thread and workers - 1 of the pool's; gives how many rows were written.

    There is no queue: whoever is free cuts its own next excerpt, so that each worker holds one.

    Args:
        all_tasks: what to do.
        output: the rows of this span of the whole output, uint8 [n, H, W, C].
        span: which rows those are; tasks may have more.
        workers: how many decode at once; fewer if the system gives fewer threads.
        pool: of at least workers - 1 threads.

    Raises:
        DeclinedError: as cutting and decoding do; the other threads end with the excerpt they are at.
    """
    shared = _Shared(iter(all_tasks))

    def work() -> int:
        written = 0
        try:
            while (task := shared.take()) is not None:
                written += task.write(output, span.start, span.stop)
        except BaseException:
            shared.close()
            raise
        return written

    others = _submitted(work, pool, workers - 1)
    try:
        return work() + sum(other.result() for other in others)
    finally:
        wait(others)


def _submitted(work: Callable[[], int], pool: ThreadPoolExecutor, times: int) -> list[Future[int]]:
    """Fewer where the system gives no more threads: those that there are do all the work."""
    others: list[Future[int]] = []
    with suppress(RuntimeError):  # what the pool has queued all the same will find nothing to do
        while len(others) < times:
            others.append(pool.submit(work))
    return others


class _Shared:
    """An iterator that several threads take from, until it ends or one of them has failed."""

    def __init__(self, source: Iterator[Task]) -> None:
        self._source, self._lock, self._is_closed = source, threading.Lock(), False

    def close(self) -> None:
        """Give nothing more."""
        self._is_closed = True

    def take(self) -> Task | None:
        """The next one; None where there is none."""
        with self._lock:
            return None if self._is_closed else next(self._source, None)


def on_processes(
    excerpts: Iterable[Excerpt], shape: Shape, path: str, workers: int, ffmpeg_threads: int
) -> int:
    """Decode on worker processes, into a shared output; gives how many rows were written.

    A single worker is this process; so are all where the system gives no process.

    Args:
        excerpts: what to decode; cut as workers get free.
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
            crew = Crew(kept_pool(), workers, shape, descriptor, ffmpeg_threads=ffmpeg_threads)
            written, left = crew.decode(source), crew.left
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
