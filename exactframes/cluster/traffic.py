"""What went over the network for a client, and how long each part took."""

from dataclasses import asdict, dataclass
from typing import Any
from weakref import WeakKeyDictionary


@dataclass
class Traffic:
    """Totals of all that one client's cluster has decoded for it; seconds are this process's own."""

    frames: int = 0
    tasks: int = 0
    tasks_again: int = 0  # given out again: their worker was lost, or did not hand over its result
    bytes_sent: int = 0  # of excerpts and what describes them, each time they are sent
    bytes_received: int = 0  # of frames or digests
    cut_seconds: float = 0.0  # planning and cutting, or other work to make the next task
    transfer_seconds: float = 0.0  # from the end of a task's decoding, once noticed, to its frames' arrival
    transfer_cpu_seconds: float = 0.0  # of this process meanwhile: the cost of receiving on any network
    copy_seconds: float = 0.0  # into the output
    worker_cpu_seconds: float = 0.0  # of the threads that decoded, on all workers
    longest_task_seconds: float = 0.0  # CPU seconds of the longest task: no call is shorter
    is_direct: bool = True  # whether frames come straight from the workers, not through the scheduler

    def as_dict(self) -> dict[str, Any]:
        """In plain JSON."""
        return asdict(self)


_TOTALS: WeakKeyDictionary[Any, Traffic] = WeakKeyDictionary()


def traffic_of(client: Any) -> Traffic:
    """The totals of this client, which keep counting.

    Args:
        client: the distributed.Client that decode_frames was given.
    """
    return _TOTALS.setdefault(client, Traffic())
