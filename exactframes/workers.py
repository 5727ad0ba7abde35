"""Who decodes excerpts: threads that take the next one as they get free, or processes."""

import threading
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue

from joblib import Parallel, delayed
from torch import Tensor

from exactframes.excerpt import Excerpt, Task, tasks
from exactframes.helpers import Crew, Stop
from exactframes.output import Shape, open_output


def threads(workers: int) -> Crew:
    """Threads for all workers but the caller; none is started before it has something to do."""
    return Crew(workers - 1)


def on_threads(all_tasks: Iterable[Task], output: Tensor, span: range, workers: int, pool: Crew) -> int:
    """Decode on this thread and workers - 1 of the pool's, if it has them; gives how many rows were written.

    There is no queue: whoever is free cuts its own next excerpt, so that each worker holds one.

    Args:
        all_tasks: what to do.
        output: the rows of this span of the whole output, uint8 [n, H, W, C].
        span: which rows those are; tasks may have more.
        workers: how many decode at once.
        pool: of threads.

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
    """What helpers do, and what comes of it."""

    def __init__(self, work: Callable[[], int], fail: Callable[[], None]) -> None:
        self._work, self._fail = work, fail
        self._answers: SimpleQueue[int | BaseException] = SimpleQueue()
        self._missing = 0

    def begin(self, pool: Crew, count: int) -> None:
        """Have so many helpers work, or as many as there are."""
        self._missing = pool.share(self._answer, count)

    def result(self) -> int:
        """The sum of what they gave.

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
        """Wait until all have ended, whatever they give."""
        while self._missing:
            self._next()

    def _next(self) -> int | BaseException:
        answer = self._answers.get()
        self._missing -= 1
        return answer

    def _answer(self) -> None:
        try:
            self._answers.put(self._work())
        except BaseException as error:  # noqa: BLE001  it is the caller's
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
        """The next one; None where there is none."""
        with self._lock:
            return None if self._is_closed else next(self._source, None)


def on_processes(
    excerpts: Iterable[Excerpt], shape: Shape, path: str, workers: int, ffmpeg_threads: int
) -> int:
    """Decode on joblib's loky processes, into a shared output; gives how many rows were written.

    Raises:
        DeclinedError: as cutting and decoding do.
        TerminatedWorkerError: joblib's, if a worker process dies.
    """
    errors: list[BaseException] = []
    run = Parallel(n_jobs=workers, backend="loky", batch_size=1)  # excerpts are cut as processes get free
    tasks = (
        delayed(_decode_into)(excerpt, shape, path, ffmpeg_threads) for excerpt in _kept(excerpts, errors)
    )
    written: int = sum(run(tasks))
    for error in errors:
        raise error
    return written


def _kept(excerpts: Iterable[Excerpt], errors: list[BaseException]) -> Iterator[Excerpt]:
    """End where an error comes up, and keep it: on the thread on which joblib cuts it would be lost."""
    try:
        yield from excerpts
    except Exception as error:  # noqa: BLE001
        errors.append(error)


def _decode_into(excerpt: Excerpt, shape: Shape, path: str, ffmpeg_threads: int) -> int:
    output = open_output(shape, path)
    return sum(task.write(output, 0, shape[0]) for task in tasks([excerpt], ffmpeg_threads))
