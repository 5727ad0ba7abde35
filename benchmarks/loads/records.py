"""What is noted of each request, and what keeps its frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

Keep = Callable[[int, Tensor], Any]  # (number of the request, its frames) -> what is kept of them


class LoadError(RuntimeError):
    """A pass could not be finished; the message says why in one sentence."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One request that was answered; times are those of time.perf_counter."""

    number: int  # its place in the stream
    due: float  # when it arrived, s; latency counts from here
    started: float  # when somebody was free to answer it, s
    ended: float  # when its frames were there, s
    caller: int  # which caller or worker answered it
    is_first: bool  # whether it was the first one that this caller has answered
    decoders_open: int  # how many the caller keeps open after it
    kept: Any = None  # what `keep` gave

    @property
    def latency(self) -> float:
        """Seconds from when it was due until its frames were there."""
        return self.ended - self.due


def nothing(_number: int, _frames: Tensor) -> None:
    """Let go of the frames."""


class Running(Protocol):
    """A load with all that it keeps from one pass to the next: callers, workers, decoders."""

    def take(self, keep: Keep) -> Sequence[Answered]:
        """One pass over the stream, in the order of its requests.

        Raises:
            LoadError: if it cannot be finished.
        """

    def close(self) -> None:
        """End workers, close decoders."""
