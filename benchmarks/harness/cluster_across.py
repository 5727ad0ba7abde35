"""Across videos on a cluster: a whole video is a task, the longest first; digests come back, not frames."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.across import CLUSTER_ACROSS, longest_first
from benchmarks.harness.clock import CLOCK
from benchmarks.harness.passes import Pause
from benchmarks.harness.proof import Baseline, Digests, MismatchError, Proof, joined
from benchmarks.strategies.on_a_cluster import UNSEEN
from exactframes.cluster.connecting import connect
from exactframes.cluster.link import Job
from exactframes.cluster.remote import digest_video
from exactframes.cluster.window import run
from exactframes.errors import RefusedError

if TYPE_CHECKING:
    from distributed import Client

DIGEST_BYTES = 16
HEADER = "cluster-across: whole videos as tasks; frames are reduced to digests on the workers and stay there"


@dataclass(frozen=True, kw_only=True)
class ClusterDecodingAcross:
    """A pass over all videos by the workers of a cluster; DecodingAcross is the same by threads."""

    baselines: Sequence[Baseline]
    client: "Client"
    urls: Mapping[Path, str]  # of downloaded videos, by their paths: each worker reads from the URL
    name: str = CLUSTER_ACROSS

    def warm_up(self) -> None:
        """Do nothing: the cluster has started."""

    def run(self) -> None:
        """Decode all videos."""
        self._digests()

    def prove(self, when: str = "", pause: Pause = CLOCK.stopped) -> Proof:
        """Decode all videos, and compare the digests.

        Raises:
            MismatchError: if a frame is wrong; it names the video and the first such frame.
        """
        found = self._digests()
        with pause():
            return joined([self._compare(b, found[n], when) for n, b in enumerate(self.baselines)])

    def prove_last(self) -> Proof:
        """Do the same in the last timed round."""
        return self.prove(", in its last round,")

    def _digests(self) -> dict[int, Digests]:
        with connect(self.client) as link:
            try:
                return {job.tag: digests for job, digests in run(self._jobs(), link)}
            except FileNotFoundError as error:
                raise RefusedError(
                    f"{self.name} {UNSEEN}, nor do videos given by their URL ({error})"
                ) from error

    def _jobs(self) -> Iterator[Job]:
        places = {id(baseline): place for place, baseline in enumerate(self.baselines)}
        for baseline in longest_first(self.baselines):
            workload, frames = baseline.workload, len(baseline.digests)
            video = self.urls.get(workload.video.path) or str(workload.video.path.resolve())
            at_once = max(1, (workload.part_bytes or workload.output_bytes) // workload.frame_bytes)
            yield Job(
                digest_video,
                (video, workload.indices, workload.seek_mode, workload.size, at_once),
                tag=places[id(baseline)],
                what=f"{frames} frames of {workload.video.name}",
                frames=frames,
                bytes_sent=8 * frames,
                bytes_received=DIGEST_BYTES * frames,
            )

    def _compare(self, baseline: Baseline, digests: Digests, when: str) -> Proof:
        pairs = enumerate(zip(digests, baseline.digests, strict=True))
        wrong = next((sample for sample, (ours, theirs) in pairs if ours != theirs), None)
        if wrong is not None:
            index, video = baseline.workload.indices[wrong], baseline.workload.video.name
            frame = f"sample {wrong} (frame {index} of the video)"
            raise MismatchError(f"{self.name}{when} on {video}: {frame} is not sequential's")
        return baseline.proof
