"""The proof that a strategy's frames equal the baseline's, frame by frame and bit for bit.

The baseline is kept as one digest a frame, not as a second gigabyte of frames. If a frame differs, the
baseline's frame is decoded again, to report by how much.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from benchmarks.strategies import BASELINE
from benchmarks.strategies.one_decoder import sequential
from exactframes.digests import frame_digests
from fixtures.workload import Workload
from results import schema

Digests = tuple[bytes, ...]


class MismatchError(AssertionError):
    """A strategy's frames are not the baseline's; the message says which, and by how much."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was shown of a strategy's or a peer's frames."""

    digests: Digests
    max_difference: int = 0  # of any value from the baseline's, 0 to 255; a strategy is proven only at 0
    differing_frames: int = 0

    @property
    def frames(self) -> int:
        """How many frames were compared."""
        return len(self.digests)

    @property
    def digest(self) -> str:
        """One digest of all frames, however they were divided into parts."""
        return hashlib.blake2b(b"".join(self.digests), digest_size=16).hexdigest()

    @property
    def summary(self) -> schema.Proof:
        """The part of the proof that is saved."""
        return schema.Proof(
            frames=self.frames,
            digest=self.digest,
            max_difference=self.max_difference,
            differing_frames=self.differing_frames,
        )


def joined(proofs: Sequence[Proof]) -> Proof:
    """Join the proofs of a workload's parts."""
    return Proof(
        digests=tuple(digest for proof in proofs for digest in proof.digests),
        max_difference=max(proof.max_difference for proof in proofs),
        differing_frames=sum(proof.differing_frames for proof in proofs),
    )


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The frames of `sequential` on a workload, as digests."""

    workload: Workload
    frame_shape: tuple[int, ...]  # (C, H, W)
    digests: Digests
    first_sample: int = 0  # of a part: the position of its first frame among all samples

    @property
    def proof(self) -> Proof:
        """The proof that a strategy gets if its frames equal these."""
        return Proof(digests=self.digests)

    @property
    def parts(self) -> Iterator["Baseline"]:
        """The baselines of the workload's parts."""
        first = 0
        for part in self.workload.parts:
            stop = first + len(part.indices)
            yield replace(self, workload=part, digests=self.digests[first:stop], first_sample=first)
            first = stop


def take_baseline(workload: Workload) -> Baseline:
    """Decode the workload with `sequential`, part by part, and keep a digest of each frame."""
    digests: list[bytes] = []
    for part in workload.parts:
        frames = sequential(part, 1)
        frame_shape = tuple(frames.shape[1:])
        digests += frame_digests(frames)
        del frames  # frees them before the next part comes
    return Baseline(workload=workload, frame_shape=frame_shape, digests=tuple(digests))


def prove(strategy: str, frames: Tensor, baseline: Baseline) -> Proof:
    """Show that a strategy's frames are the baseline's.

    Args:
        strategy: its id, for messages.
        frames: what it returned for the baseline's workload.
        baseline: what `sequential` returned for it.

    Raises:
        MismatchError: naming the strategy, the first differing frame, and the difference.
    """
    require_shape(strategy, frames, baseline)
    digests = frame_digests(frames)
    for sample, (ours, theirs) in enumerate(zip(digests, baseline.digests, strict=True)):
        if ours != theirs:
            raise MismatchError(f"{strategy}: {_describe(sample, frames[sample], ours, baseline)}")
    return baseline.proof


def require_shape(strategy: str, frames: Tensor, baseline: Baseline) -> None:
    """Check that there are as many frames as asked for, of the baseline's size and type.

    Raises:
        MismatchError: if there are not.
    """
    expected = (len(baseline.digests), *baseline.frame_shape)
    if tuple(frames.shape) != expected or frames.dtype != torch.uint8:
        raise MismatchError(
            f"{strategy} returned {_shape(frames.shape)} of {str(frames.dtype).removeprefix('torch.')}, "
            f"{BASELINE} {_shape(expected)} of uint8" + _first_missing(frames, baseline)
        )


def _first_missing(frames: Tensor, baseline: Baseline) -> str:
    if frames.dtype != torch.uint8 or tuple(frames.shape[1:]) != baseline.frame_shape:
        return ""
    digests = frame_digests(frames)
    pairs = list(zip(digests, baseline.digests, strict=False))
    sample = next((n for n, (ours, theirs) in enumerate(pairs) if ours != theirs), len(pairs))
    return f"; the first difference is at sample {baseline.first_sample + sample}"


def _describe(sample: int, frame: Tensor, digest: bytes, baseline: Baseline) -> str:
    workload = baseline.workload
    index = workload.indices[sample]
    expected = sequential(replace(workload, indices=(index,)), 1)[0]
    difference = (frame.to(torch.int16) - expected.to(torch.int16)).abs()
    values = 100 * difference.count_nonzero().item() / difference.numel()
    text = (
        f"sample {baseline.first_sample + sample} (frame {index} of the video) differs from {BASELINE} "
        f"in {values:.3g} % of its values, by {difference.max().item()} at most"
    )
    if digest in baseline.digests:
        same = baseline.first_sample + baseline.digests.index(digest)
        text += f"; it is {BASELINE}'s sample {same}"
    return text


def _shape(shape: tuple[int, ...] | torch.Size) -> str:
    return "[" + ", ".join(map(str, shape)) + "]"
