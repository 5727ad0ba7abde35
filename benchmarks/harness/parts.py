"""A way of decoding a workload, part by part: what a round is, and how it is proven."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from torch import Tensor

from benchmarks.harness.interleaving import untimed
from benchmarks.harness.proof import Baseline, Proof, joined, prove
from fixtures.workload import Workload

Decode = Callable[[Workload, int], Tensor]  # (a part, workers) -> uint8 [N, C, H, W]
Judge = Callable[[str, Tensor, Baseline], Proof]  # (name for the message, frames, what they are judged by)


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One pass over all parts; a part's frames are let go before the next part is decoded."""

    name: str
    decode: Decode
    workers: int
    baseline: Baseline
    judge: Judge = prove

    def warm_up(self) -> None:
        """Decode so little of the workload that it only warms up the workers."""
        workload = self.baseline.workload
        self.decode(replace(workload, indices=workload.indices[: self.workers]), self.workers)

    def run(self) -> None:
        """A round."""
        for part in self.baseline.workload.parts:
            frames = self.decode(part, self.workers)
            with untimed():
                del frames

    def prove(self, when: str = "", pause: Callable[[], AbstractContextManager[None]] = untimed) -> Proof:
        """A round whose frames are judged by the way.

        Args:
            when: which round it is, for the message.
            pause: gives the context in which frames are judged, so that it does not count as the round's.

        Raises:
            MismatchError: naming the first frame that is wrong.
        """
        proofs = []
        for part in self.baseline.parts:
            frames = self.decode(part.workload, self.workers)
            with pause():
                proofs.append(self.judge(f"{self.name}{when}", frames, part))
                del frames
        return joined(proofs)

    def prove_last(self) -> Proof:
        """The last round."""
        return self.prove(", in its last round,")
