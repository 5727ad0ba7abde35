"""Across videos: each worker decodes whole videos, one after the other; a strategy's workers share one."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from benchmarks.harness.clock import CLOCK
from benchmarks.harness.identify import identify
from benchmarks.harness.passes import Decode, Pause
from benchmarks.harness.proof import Baseline, Proof, joined, prove
from benchmarks.strategies.one_decoder import sequential
from benchmarks.strategies.pruned import pruned
from fixtures.workload import Workload
from results.schema import Identity

BASELINES = pytest.StashKey[dict[str, Baseline]]()  # of the videos that this session has decoded, by name
ALL_VIDEOS = "all videos"

ACROSS: dict[str, Decode] = {"across": sequential, "across-pruned": pruned}
CLUSTER_ACROSS = "cluster-across"  # with --cluster: see cluster_across.py


@dataclass(frozen=True, kw_only=True)
class DecodingAcross:
    """One pass over all videos, by threads that take the longest video first.

    Each worker holds a part in memory, so a part is a strategy's part divided by the number of workers. The
    worker frees its frames within the time of the round.
    """

    name: str
    decode: Decode
    workers: int
    baselines: Sequence[Baseline]

    def warm_up(self) -> None:
        """Do nothing: threads start at once."""

    def run(self) -> None:
        """Decode all videos."""
        self._over_all(self._decode)

    def prove(self, when: str = "", pause: Pause = CLOCK.stopped) -> Proof:
        """Decode all videos, and then once more: in this untimed pass the workers judge the frames.

        Raises:
            MismatchError: if a frame is wrong; it names the video and the first such frame.
        """
        self.run()
        with pause():
            return joined(self._over_all(lambda baseline: self._prove(baseline, when)))

    def prove_last(self) -> Proof:
        """Do the same after the last timed round."""
        return self.prove(", after its last round,")

    def _over_all(self, do: Callable[[Baseline], Proof | None]) -> list[Proof]:
        with ThreadPoolExecutor(self.workers) as pool:
            return [proof for proof in pool.map(do, map(self._shared, self._longest_first())) if proof]

    def _longest_first(self) -> list[Baseline]:
        return longest_first(self.baselines)

    def _shared(self, baseline: Baseline) -> Baseline:
        workload = baseline.workload
        part = workload.part_bytes and max(1, workload.part_bytes // self.workers)
        return replace(baseline, workload=replace(workload, part_bytes=part))

    def _decode(self, baseline: Baseline) -> None:
        for part in baseline.workload.parts:
            self.decode(part, 1)

    def _prove(self, baseline: Baseline, when: str) -> Proof:
        name = f"{self.name}{when} on {baseline.workload.video.name}"
        return joined([prove(name, self.decode(part.workload, 1), part) for part in baseline.parts])


def identify_set(baselines: Sequence[Baseline], cluster: Mapping[str, object]) -> Identity:
    """Describe the run over all videos: digests of their digests, in order."""
    identities = [identify(baseline.workload, cluster) for baseline in baselines]
    works, workload = [identity.work for identity in identities], baselines[0].workload
    together: dict[str, object] = {
        "video": f"{len(works)} videos",
        "seek_mode": workload.seek_mode,
        "part_bytes": workload.part_bytes,
    }
    for field in ("video_sha256", "indices_digest"):
        values = ",".join(str(work[field]) for work in works)
        together[field] = hashlib.sha256(values.encode()).hexdigest()
    if workload.size is not None:
        together["output_size"] = ", ".join(sorted({str(work["output_size"]) for work in works}))
    return replace(identities[0], work=together)


def longest_first(baselines: Sequence[Baseline]) -> list[Baseline]:
    """Sort the baselines, the largest video first: what takes longest must not begin last."""
    return sorted(baselines, key=lambda baseline: _pixels(baseline.workload), reverse=True)


def _pixels(workload: Workload) -> int:
    return workload.video.frames * workload.video.width * workload.video.height
