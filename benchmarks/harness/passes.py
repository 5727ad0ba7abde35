"""A pass: what a benchmark times. One round is one call of its `run`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor

from benchmarks.harness.clock import CLOCK
from benchmarks.harness.proof import Baseline, Proof, joined, prove
from fixtures.workload import Workload

Decode = Callable[[Workload, int], Tensor]  # (a part, workers) -> uint8 [N, C, H, W]
Judge = Callable[[str, Tensor, Baseline], Proof]  # (name for the message, frames, their baseline)
Pause = Callable[[], AbstractContextManager[None]]  # the time within its context is not counted


class Pass(Protocol):
    """What a benchmark times: all frames of a workload, of a set of videos, a stream of requests, a limit."""

    @property
    def name(self) -> str:
        """The id of the strategy, peer or limit, for the table and for messages."""

    def warm_up(self) -> None:
        """Get ready, untimed and once: start worker processes, write files that `run` needs.

        Raises:
            NotMeasuredError: if it cannot be measured here.
        """

    def run(self) -> None:
        """Take one round."""

    def prove(self, when: str = "", pause: Pause = CLOCK.stopped) -> Proof | None:
        """Take one round and judge what it returns; None if it returns nothing to judge.

        Args:
            when: which round it is, for the message.
            pause: gives the context in which results are judged; time within it is not counted.

        Raises:
            MismatchError: if a frame is wrong; it names the first one.
        """

    def prove_last(self) -> Proof | None:
        """Take the last timed round, and judge it as `prove` does."""


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """A pass over all parts of a workload; the frames of a part are freed before the next one is decoded."""

    name: str
    decode: Decode
    workers: int
    baseline: Baseline
    judge: Judge = prove

    def warm_up(self) -> None:
        """Decode a little of the workload, only to start the workers."""
        workload = self.baseline.workload
        self.decode(replace(workload, indices=workload.indices[: self.workers]), self.workers)

    def run(self) -> None:
        """Decode all parts."""
        for part in self.baseline.workload.parts:
            frames = self.decode(part, self.workers)
            with CLOCK.stopped():
                del frames

    def prove(self, when: str = "", pause: Pause = CLOCK.stopped) -> Proof:
        """Decode all parts, and judge the frames of each."""
        proofs = []
        for part in self.baseline.parts:
            frames = self.decode(part.workload, self.workers)
            with pause():
                proofs.append(self.judge(f"{self.name}{when}", frames, part))
                del frames
        return joined(proofs)

    def prove_last(self) -> Proof:
        """Do the same in the last timed round."""
        return self.prove(", in its last round,")
