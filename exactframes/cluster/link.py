"""A cluster as one call uses it: the tasks that are out, and how each ended."""

import asyncio
import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from exactframes.cluster.fitness import workers_of
from exactframes.cluster.remote import Answer
from exactframes.cluster.traffic import Traffic
from exactframes.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client, Future, KilledWorker

TASKS_A_THREAD = 2  # one that runs, and one that waits for it: no worker is idle while frames travel
RETRIES = 2  # of a task that raises; distributed itself counts lost workers
CONNECT_SECONDS = 8.0
NO_WORKER_SECONDS = 30.0  # by then a nanny has started another worker
FETCH_SECONDS, FETCH_RATE = 30.0, 1_000_000  # time for a result: so many seconds, plus its bytes at this rate
LOST = "scheduler-connection-lost"  # distributed's reason when it cancels tasks
TICK = 1.0


@dataclass(frozen=True)
class Job:
    """A task to be given out."""

    function: Callable[..., Answer]  # of exactframes.cluster.remote
    arguments: tuple[Any, ...]
    tag: Any  # by which the caller recognises it
    what: str  # for messages
    frames: int
    bytes_sent: int
    bytes_received: int
    tries: int = 1


@dataclass
class Link:
    """A cluster, and this call's tasks on it."""

    client: "Client"
    address: str  # of the scheduler
    threads: int
    traffic: Traffic
    jobs: dict["Future[Any]", Job] = field(default_factory=dict)
    ended: "queue.SimpleQueue[Future[Any]]" = field(default_factory=queue.SimpleQueue)
    idle_since: float | None = None  # since when no worker takes tasks

    @property
    def is_full(self) -> bool:
        """Whether as many tasks are out as are allowed."""
        return len(self.jobs) >= TASKS_A_THREAD * self.threads

    def submit(self, job: Job) -> None:
        """Give a task out."""
        with told_if_lost(self.address):
            future = self.client.submit(job.function, *job.arguments, pure=False, retries=RETRIES)
            self.jobs[future] = job
            future.add_done_callback(self.ended.put)
        self.traffic.bytes_sent += job.bytes_sent

    def next_done(self) -> tuple["Future[Any]", Job]:
        """Wait for a task that has ended, well or not, and return it."""
        while True:
            try:
                future = self.ended.get(timeout=TICK)
            except queue.Empty:
                with told_if_lost(self.address):
                    self._require_workers()
                continue
            self.idle_since = None
            return future, self.jobs[future]

    def fetch(self, future: "Future[Any]", job: Job) -> Answer | None:
        """The result of a task; None if its worker does not hand it over.

        Raises:
            ClusterError: if its workers were lost during it, or none is left.
            Exception: the task's own.
        """
        from distributed import KilledWorker

        answer: Answer | None = None
        failure: Exception | None = None
        began, cpu = time.perf_counter(), time.process_time()
        with told_if_lost(self.address):
            try:
                answer = self._wait_for(future, FETCH_SECONDS + job.bytes_received / FETCH_RATE)
            except Exception as error:
                if future.status != "error":
                    raise
                failure = error  # the task's own
        if isinstance(failure, KilledWorker):
            raise ClusterError(_killed(job, failure)) from failure
        if failure is not None:
            raise failure
        self.traffic.transfer_seconds += time.perf_counter() - began
        self.traffic.transfer_cpu_seconds += time.process_time() - cpu
        return answer

    def _wait_for(self, future: "Future[Any]", seconds: float) -> Answer | None:
        until = time.monotonic() + seconds
        loop: Any = self.client.loop
        gathering = self.client.gather(future, asynchronous=True)
        coming = asyncio.run_coroutine_threadsafe(gathering, loop.asyncio_loop)
        while not wait([coming], TICK).done:
            self._require_workers()  # its worker may be lost, and the task has to run again
            if time.monotonic() > until:
                coming.cancel()
                return None
        answer: Answer = coming.result()
        return answer

    def drop(self, future: "Future[Any]") -> None:
        """Have the scheduler and the workers forget a task."""
        del self.jobs[future]
        future.release()

    def note_lost(self, event: tuple[float, Any]) -> None:
        """Count the tasks that the scheduler gives out again because a worker is gone."""
        what = event[1]
        if isinstance(what, dict) and what.get("action") == "remove-worker":
            lost = {*what.get("processing-tasks", ()), *what.get("lost-computed-tasks", ())}
            self.traffic.tasks_again += len(lost & {future.key for future in list(self.jobs)})

    def _require_workers(self) -> None:
        """Check that workers are left, when nothing has come for a while."""
        found = workers_of(self.client, CONNECT_SECONDS)
        if any(worker["status"] == "running" for worker in found.values()):
            self.idle_since = None
            return
        self.idle_since = self.idle_since or time.monotonic()
        if time.monotonic() - self.idle_since > NO_WORKER_SECONDS:
            raise ClusterError(self._nobody(found))

    def _nobody(self, found: dict[str, Any]) -> str:
        waited = f"for {NO_WORKER_SECONDS:.0f} s no worker has taken a task"
        if not found:
            return f"{waited}: none is left at {self.address}; start workers, `dask worker {self.address}`"
        name, worker = next(iter(found.items()))
        job = next(iter(self.jobs.values()))
        return (
            f"{waited}: {name} is {worker['status']}, near its memory limit of "
            f"{worker['memory_limit'] / 1e9:.2g} GB, before {job.what}: give workers more memory, "
            "`dask worker --memory-limit`"
        )


def _killed(job: Job, error: "KilledWorker") -> str:
    worker = error.last_worker
    limit = f"{worker.memory_limit / 1e9:.2g} GB" if worker.memory_limit else "all memory there is"
    return (
        f"{job.what}: {error.allowed_failures + 1} workers ended while they were at it, the last "
        f"{worker.address}, which may use {limit}: give workers more memory, `dask worker --memory-limit`"
    )


@contextmanager
def told_if_lost(address: str) -> Iterator[None]:
    """Turn distributed's errors about a lost scheduler into one sentence."""
    from distributed import CancelledError
    from distributed import TimeoutError as DaskTimeoutError

    try:
        yield
    except ValueError as error:  # cutting would take it for a reason to decline
        raise ClusterError(f"the cluster at {address}: {error}") from error
    except (OSError, DaskTimeoutError, CancelledError) as error:
        reason = getattr(error, "reason", LOST)
        if reason != LOST:
            raise ClusterError(f"our tasks at {address} were cancelled ({reason}): run again") from error
        raise ClusterError(silent(address)) from error


def silent(address: str) -> str:
    """The message for a scheduler that does not answer."""
    return (
        f"the scheduler at {address} does not answer: look whether it runs there, `dask scheduler`, "
        "and whether this machine can reach it"
    )
