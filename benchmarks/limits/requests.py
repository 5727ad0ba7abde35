"""The limit of a stream: FFmpeg's own command over just the packets that each of its requests needs."""

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness.clock import CLOCK
from benchmarks.harness.contenders import Contender, NotMeasuredError, Work
from benchmarks.harness.passes import Pause
from benchmarks.harness.reference import Reference
from benchmarks.harness.request_work import RequestWork
from benchmarks.limits.shares import decode_shares, share_out
from exactframes import DeclinedError
from fixtures.settings import usable_cpus
from results.schema import NEEDED_FRAMES


@dataclass(kw_only=True)
class DecodingRequests:
    """A pass of FFmpeg over the packets of all requests, one after the other, in `workers` processes."""

    name: str
    reference: Reference
    workers: int
    folder: Path  # an empty one
    shares: list[Path] = field(default_factory=list)  # cut by warm_up

    def warm_up(self) -> None:
        """Cut the shares.

        Raises:
            NotMeasuredError: if a video cannot be planned or cut.
        """
        requests = range(len(self.reference.stream.requests))
        workloads = (self.reference.of(number).workload for number in requests)
        try:
            self.shares = share_out(workloads, self.workers, self.folder)
        except DeclinedError as reason:
            raise NotMeasuredError(f"no share can be cut: {reason}") from reason

    def run(self) -> None:
        """Decode all shares."""
        decode_shares(self.shares)

    def prove(self, when: str = "", pause: Pause = CLOCK.stopped) -> None:  # noqa: ARG002
        """Decode: there is nothing to prove."""
        self.run()

    def prove_last(self) -> None:
        """The same in the last timed round."""
        self.run()


def decoding_requests(work: Work) -> Contender:
    """A pass of the limit, with as many processes as callers keep busy."""
    assert isinstance(work, RequestWork)
    workers = max(1, min(work.situation.callers, usable_cpus()))
    limit = DecodingRequests(
        name=NEEDED_FRAMES, reference=work.reference, workers=workers, folder=work.folder
    )
    return work.contender(limit, "limit", workers)
