"""The workers of one call: taken when there is work for them, given excerpts, and given back."""

import selectors
from collections import deque
from collections.abc import Iterator

from exactframes.errors import DeclinedError, WorkerError
from exactframes.excerpt import Excerpt
from exactframes.output import Shape
from exactframes.processes import ProcessPool, Worker
from exactframes.serving import Done, Failed

POLL_SECONDS = 1.0  # how often to check that workers live: a fork may hold a dead one's socket open


class Shift:
    """The workers of one call: at most as many as it asks for, and at most as many as its excerpts."""

    def __init__(
        self, pool: ProcessPool, most: int, shape: Shape, descriptor: int, *, ffmpeg_threads: int
    ) -> None:
        """Take no worker yet.

        Args:
            pool: from which workers are taken.
            most: how many there may be.
            shape: of the output.
            descriptor: of the output's open file.
            ffmpeg_threads: FFmpeg's own threads for each worker.
        """
        self.left: deque[Excerpt] = deque()  # cut, and not given to a worker yet
        self._pool, self._most = pool, most
        self._shape, self._descriptor, self._ffmpeg_threads = shape, descriptor, ffmpeg_threads
        self._members: list[Worker] = []
        self._selector = selectors.PollSelector()  # it needs no descriptor of its own
        self._written = 0

    def decode(self, excerpts: Iterator[Excerpt]) -> int:
        """Decode excerpts, each cut shortly before a worker is free; return how many rows were written.

        If no process can be started, some of them are `left`, and others are not cut yet.

        Raises:
            WorkerError: if a worker ends in the middle, or none can import this library.
            DeclinedError: as cutting and decoding do.
        """
        try:
            self._decode_all(excerpts)
        except DeclinedError:
            self._dismiss()
            raise
        except BaseException:
            self._kill_those_at_work()
            self._dismiss()
            raise
        self._dismiss()
        return self._written

    def _decode_all(self, excerpts: Iterator[Excerpt]) -> None:
        has_more = True
        while True:
            self._hire()
            self._hand_out()
            busy = sum(worker.is_busy for worker in self._members)
            if has_more and len(self.left) + busy <= self._most:  # one more than there are workers
                excerpt = next(excerpts, None)
                has_more = excerpt is not None
                self.left.extend([] if excerpt is None else [excerpt])
                self._listen(0)
            elif self._members and (self.left or busy):
                self._listen(POLL_SECONDS)
            else:
                return

    def _hire(self) -> None:
        """Take workers, as long as there are more excerpts than workers that are free or soon will be."""
        while len(self._members) < self._most:
            if len(self.left) <= sum(not worker.is_busy for worker in self._members):
                return
            try:
                worker = self._pool.take()
            except OSError:  # the system gives no more
                self._most = len(self._members)
                return
            self._members.append(worker)
            self._selector.register(worker, selectors.EVENT_READ)
            try:
                worker.open(self._shape, self._descriptor)
            except OSError:
                self._lose(worker)

    def _hand_out(self) -> None:
        for worker in [worker for worker in self._members if worker.is_ready]:
            if not self.left:
                return
            try:
                worker.decode(self.left.popleft(), self._ffmpeg_threads)
            except OSError:
                self._lose(worker)

    def _listen(self, seconds: float) -> None:
        """Wait so long for messages from workers, and handle them."""
        telling = self._selector.select(seconds)
        for key, _ in telling:
            worker = key.fileobj
            assert isinstance(worker, Worker)
            self._hear(worker)
        if seconds and not telling:
            for worker in [worker for worker in self._members if not worker.is_alive]:
                self._lose(worker)

    def _hear(self, worker: Worker) -> None:
        try:
            answer = worker.receive()
        except (EOFError, OSError):
            self._lose(worker)
            return
        if isinstance(answer, Failed):
            raise answer.error
        if isinstance(answer, Done):
            self._written += answer.rows

    def _lose(self, worker: Worker) -> None:
        """Go on without a worker that has ended, if nothing is lost with it.

        A worker that has been idle for long may just have ended: another one takes its place.

        Raises:
            WorkerError: if it was at work, or could not start and no other worker is left.
        """
        self._leave(worker)
        worker.end()
        if worker.is_ready or worker.is_busy:
            raise WorkerError(worker.end_told())
        if worker.is_new:
            self._most = len(self._members)
            if not self._members and not worker.lacks_threads:
                raise WorkerError(worker.end_told())

    def _leave(self, worker: Worker) -> None:
        self._members.remove(worker)
        self._selector.unregister(worker)

    def _kill_those_at_work(self) -> None:
        """Kill workers in the middle of an excerpt: messages to and from them may be incomplete."""
        for worker in [worker for worker in self._members if not worker.is_ready]:
            self._leave(worker)
            worker.end()

    def _dismiss(self) -> None:
        """Give workers back; a worker that still decodes ends after its current excerpt."""
        for worker in list(self._members):
            self._leave(worker)
            self._pool.give_back(worker)
