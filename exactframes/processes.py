"""Worker processes that decode excerpts: fresh interpreters, of which each call has some for itself.

Each is a child with a socket to this process, and ends when the socket is closed. If this process dies, the
kernel closes it: no worker outlives its parent. Between calls workers wait in a pool, five minutes at most,
since importing torch takes them seconds. A fork of this process has none of them, and starts its own.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from exactframes.channel import Channel, unpacked
from exactframes.excerpt import Excerpt
from exactframes.output import Shape
from exactframes.serving import CANNOT_START_A_THREAD, Answer, Close, Decode, Open

IDLE_SECONDS = 300.0
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
