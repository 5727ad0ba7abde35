import hashlib
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.harness.clock import CLOCK
from benchmarks.harness.likeness import measure_likeness
from benchmarks.harness.passes import Decoding
from benchmarks.harness.proof import Baseline, MismatchError, Proof, prove, take_baseline
from benchmarks.strategies.one_decoder import sequential
from exactframes.digests import frame_digests
from fixtures.workload import Workload, read_workload

INDICES = (0, 12, 24, 36)


def one_pixel_off(frames: Tensor) -> Tensor:
    value = frames[2, 1, 5, 7]
    value += 3 if value < 128 else -3
    return frames


FAULTS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "one pixel": (
        one_pixel_off,
        r"^broken: sample 2 \(frame 24 of the video\) differs from sequential in 0.00543 % of its values, "
        "by 3 at most$",
    ),
    "all too bright": (
        lambda frames: frames.clamp(max=250) + 5,
        r"sample 0 .* in [89][\d.]+ % .*, by 5 at most$",
    ),
    "swapped": (lambda frames: frames[[0, 2, 1, 3]], r"sample 1 .*; it is sequential's sample 2$"),
    "off by one": (lambda frames: frames.roll(-1, 0), r"sample 0 .*; it is sequential's sample 1$"),
    "dropped": (
        lambda frames: frames[[0, 1, 3]],
        r"^broken returned \[3, 3, 64, 96\] of uint8, sequential \[4, 3, 64, 96\] of uint8; "
        "the first difference is at sample 2$",
    ),
    "last dropped": (
        lambda frames: frames[:3],
        r"returned \[3, 3, 64, 96\].*first difference is at sample 3$",
    ),
    "repeated": (
        lambda frames: frames[[0, 0, 1, 2, 3]],
        r"returned \[5, 3, 64, 96\].*first difference is at sample 1$",
    ),
    "one too many": (
        lambda frames: frames[[0, 1, 2, 3, 3]],
        r"returned \[5, 3, 64, 96\].*first difference is at sample 4$",
    ),
    "float": (lambda frames: frames.float(), r"returned \[4, 3, 64, 96\] of float32, .* of uint8$"),
    "cropped": (lambda frames: frames[..., :90], r"returned \[4, 3, 64, 90\] of uint8, .* of uint8$"),
    "fewer and cropped": (
        lambda frames: frames[:3, ..., :90],
        r"returned \[3, 3, 64, 90\] of uint8, .* uint8$",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_mismatch_is_told(fault: str, small_video: Path) -> None:
    workload = read_workload(small_video, INDICES)
    spoil, message = FAULTS[fault]
    with pytest.raises(MismatchError, match=message) as told:
        prove("broken", spoil(sequential(workload, 1)), take_baseline(workload))
    assert str(told.value).startswith("broken")


def test_equal_frames_are_proven(small_video: Path) -> None:
    workload = read_workload(small_video, INDICES)
    baseline = take_baseline(workload)
    proof = prove("sequential", sequential(workload, 1), baseline)
    assert proof == baseline.proof
    assert proof.frames == len(INDICES)
    assert baseline.frame_shape == (3, 64, 96)


def test_digest_does_not_depend_on_memory_layout() -> None:
    frames = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).reshape(2, 3, 4, 5)
    channels_last = frames.contiguous(memory_format=torch.channels_last)
    assert channels_last.stride() != frames.stride()
    assert frame_digests(channels_last) == frame_digests(frames)


def test_each_frame_has_a_digest_of_its_own_bytes() -> None:
    frames = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).reshape(2, 3, 4, 5)
    whole = frame_digests(frames)
    assert [len(digest) for digest in whole] == [16, 16]
    assert [*frame_digests(frames[:1]), *frame_digests(frames[1:])] == list(whole)
    assert (
        whole[0]
        == hashlib.blake2b(bytes(frames[0].permute(1, 2, 0).flatten().tolist()), digest_size=16).digest()
    )


def test_a_proof_s_digest_depends_on_all_frames_in_their_order(small_video: Path) -> None:
    baseline = take_baseline(read_workload(small_video, INDICES))
    first, *others = baseline.digests
    changed = [baseline.digests, (*others, first), baseline.digests[:-1], (first, *baseline.digests)]
    proofs = [replace(baseline, digests=tuple(digests)).proof for digests in changed]
    assert len({proof.digest for proof in proofs}) == len(proofs)
    assert [proof.frames for proof in proofs] == [4, 4, 3, 5]
    assert len(proofs[0].digest) == 32


def in_three_parts(video: Path) -> Workload:
    whole = read_workload(video, range(0, 75, 12))
    return replace(whole, part_bytes=3 * whole.frame_bytes)


def pass_over(workload: Workload, decode: Callable[[Workload, int], Tensor] = sequential) -> Decoding:
    return Decoding(name="it", decode=decode, workers=2, baseline=take_baseline(workload))


def test_the_proof_of_parts_is_that_of_the_whole(small_video: Path) -> None:
    workload = in_three_parts(small_video)
    assert [len(part.indices) for part in workload.parts] == [2, 2, 3]
    whole = take_baseline(replace(workload, part_bytes=None)).proof
    assert pass_over(workload).prove() == whole
    assert replace(pass_over(workload), judge=measure_likeness).prove() == whole


def test_a_mismatch_in_a_later_part_names_the_sample_of_the_whole(small_video: Path) -> None:
    def rolled(part: Workload, workers: int) -> Tensor:
        return sequential(part, workers).roll(1 if len(part.indices) == 3 else 0, 0)

    message = r"it: sample 4 \(frame 48 of the video\) differs .*; it is sequential's sample 6$"
    with pytest.raises(MismatchError, match=message):
        pass_over(in_three_parts(small_video), rolled).prove()


def test_a_part_is_let_go_before_the_next_is_decoded(small_video: Path) -> None:
    alive: list[weakref.ref[Tensor]] = []

    def decode(part: Workload, workers: int) -> Tensor:
        assert not [frames for frames in alive if frames() is not None]
        frames = sequential(part, workers)
        alive.append(weakref.ref(frames))
        return frames

    decoding = pass_over(in_three_parts(small_video), decode)
    for way in (decoding.run, decoding.prove, decoding.prove_last):
        way()
    assert len(alive) == 9


def test_proving_takes_no_time_of_a_round(small_video: Path) -> None:
    def slow(name: str, frames: Tensor, baseline: Baseline) -> Proof:
        time.sleep(0.5)
        return prove(name, frames, baseline)

    assert CLOCK.seconds_of(replace(pass_over(in_three_parts(small_video)), judge=slow).prove_last) < 1
