"""Worker processes that decode excerpts: fresh interpreters, of which each call has some for itself.

Each is a child with a socket to this process, and ends when the socket is closed. If this process dies, the
kernel closes it: no worker outlives its parent. Between calls workers wait in a pool, five minutes at most,
since importing torch takes them seconds. A fork of this process has none of them, and starts its own.
"""

import atexit
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from exactframes.channel import Channel, unpacked
from exactframes.errors import DeclinedError, WorkerError
from exactframes.excerpt import Excerpt
from exactframes.output import Shape
from exactframes.serving import CANNOT_START_A_THREAD, Answer, Close, Decode, Done, Failed, Open

IDLE_SECONDS = 300.0
POLL_SECONDS = 1.0  # how often to check that workers live: a fork may hold a dead one's socket open
LOG_BYTES = 20_000
# The user's script is not imported, so it needs no guard. Ctrl-C is for the parent.
BOOT = """
import sys
sys.path[:] = sys.argv[3:]
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from exactframes.serving import serve
serve(int(sys.argv[1]), float(sys.argv[2]))
"""


class Worker:
    """A process, as its parent sees it: it imports for seconds, then is ready for the call that has it."""

    def __init__(self, idle_seconds: float) -> None:
        """Start it.

        Raises:
            OSError: if the system gives no process, or no descriptors for it.
        """
        self.has_started = False  # whether it has ever answered
        self.is_ready = False  # for an excerpt of the call that has it
        self.is_busy = False
        self._lease, self._last_line = 0, ""
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        with ExitStack() as undo, theirs:
            undo.callback(self._channel.close)
            self._log = undo.enter_context(_nameless_file())
            self._process = _start(theirs, self._log, idle_seconds)
            undo.pop_all()
        _started.add(self)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    @property
    def is_new(self) -> bool:
        """Whether it may be unable to start; a worker that an earlier call has used counts as able."""
        return self._lease == 1 and not self.has_started

    @property
    def lacks_threads(self) -> bool:
        """Whether it has ended because the system gave it no thread."""
        return bool(self._process.returncode == CANNOT_START_A_THREAD)

    def fileno(self) -> int:
        """The descriptor to wait on for its messages."""
        return self._channel.fileno()

    def open(self, shape: Shape, descriptor: int) -> None:
        """Begin a lease: have it map an output; it answers when it is ready.

        Raises:
            OSError: if it has ended.
        """
        self._lease += 1
        self.is_ready = self.is_busy = False
        self._channel.send(Open(self._lease, shape), descriptor)

    def decode(self, excerpt: Excerpt, ffmpeg_threads: int) -> None:
        """Have it decode an excerpt.

        Raises:
            OSError: if it has ended.
        """
        self.is_ready, self.is_busy = False, True
        self._channel.send(Decode(self._lease, excerpt, ffmpeg_threads))

    def receive(self) -> Answer | None:
        """Receive its message; None if the message is of an earlier lease.

        Raises:
            EOFError, OSError: if it has ended.
        """
        answer: Answer = unpacked(self._channel.receive()[0])
        self.has_started = True
        self._log.close()
        if answer.lease != self._lease:
            return None
        self.is_ready, self.is_busy = True, False
        return answer

    def close(self) -> None:
        """End the lease: have it let go of the output, after its current excerpt.

        Raises:
            OSError: if it has ended.
        """
        self.is_ready = self.is_busy = False
        self._channel.send(Close())

    def end(self) -> None:
        """Kill it if it lives, and free all that belongs to it."""
        self._channel.close()
        self._process.kill()
        self._process.wait()
        if not self._log.closed:
            self._last_line = _last_line(self._log)
            self._log.close()
        _started.discard(self)

    def forget(self) -> None:
        """Let go of it in a fork of its parent: it is not a child of this process."""
        self._channel.close()
        self._log.close()
        self._process.returncode = 0  # so that nothing here waits for it

    def end_told(self) -> str:
        """A sentence that says how it ended."""
        status = _status_told(self._process.returncode)
        if self.is_new:
            return f"a worker process cannot start: {self._last_line or status}"
        return (
            f"a worker process has ended in the middle of its work: {status}; "
            "give fewer workers if memory is short, or take threads"
        )


class ProcessPool:
    """Workers that calls take in turn, each for itself; several threads may call at once.

    Leaving the context ends them.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        """Start nothing yet.

        Args:
            idle_seconds: how long a worker without a call lives.
        """
        self._idle_seconds = idle_seconds
        self._idle: list[Worker] = []
        self._lock = threading.Lock()

    def __enter__(self) -> "ProcessPool":
        """Return the pool, and start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers."""
        self.close()

    def close(self) -> None:
        """End all workers that no call has; a later call starts new ones."""
        while (worker := self._last_idle()) is not None:
            worker.end()

    def take(self) -> Worker:
        """Give a worker that was idle, or a new one.

        Raises:
            OSError: if none can be started.
        """
        while (worker := self._last_idle()) is not None:
            if worker.is_alive:
                return worker
            worker.end()
        return Worker(self._idle_seconds)

    def give_back(self, worker: Worker) -> None:
        """Keep a worker for another call."""
        try:
            worker.close()
        except OSError:
            worker.end()
            return
        with self._lock:
            self._idle.append(worker)

    def _last_idle(self) -> Worker | None:
        with self._lock:
            return self._idle.pop() if self._idle else None


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


def kept_pool() -> ProcessPool:
    """The pool of this process, which is kept between calls and ends with it."""
    return _kept


def _start(channel: socket.socket, log: IO[bytes], idle_seconds: float) -> subprocess.Popen[bytes]:
    if not sys.executable or getattr(sys, "frozen", False):
        raise OSError("there is no Python interpreter to start")
    arguments = [str(os.getpid()), str(idle_seconds), *_import_path()]
    return subprocess.Popen(
        [sys.executable, "-c", BOOT, *arguments],
        stdin=channel.fileno(),
        stdout=_standard_error(),
        stderr=log,
        env={"OMP_NUM_THREADS": "1", **os.environ},  # as joblib does: there are as many workers as processors
    )


def _import_path() -> list[str]:
    """Where this process imports from; last the folder of this library, if the path lacks it by now."""
    here = str(Path(__file__).resolve().parent.parent)
    return [*(entry for entry in sys.path if isinstance(entry, str)), here]


def _standard_error() -> int:
    try:
        os.fstat(2)
    except OSError:
        return subprocess.DEVNULL
    return 2


def _nameless_file() -> IO[bytes]:
    if sys.platform == "linux":  # works even if no folder is writable
        return os.fdopen(os.memfd_create("exactframes-log"), "w+b")
    return tempfile.TemporaryFile()


def _last_line(log: IO[bytes]) -> str:
    size = os.fstat(log.fileno()).st_size
    lines = os.pread(log.fileno(), LOG_BYTES, max(0, size - LOG_BYTES)).decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _status_told(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    return f"killed by signal {name}"


_started: set[Worker] = set()
_kept = ProcessPool()


def _after_fork() -> None:
    """In a child: leave the workers to the parent. Open copies of their sockets would keep them alive."""
    global _kept  # noqa: PLW0603
    for worker in _started:
        worker.forget()
    _started.clear()
    _kept = ProcessPool()


def _at_exit() -> None:
    _kept.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
